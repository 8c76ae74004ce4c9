"""Where pictures are: folders, zips, memory; what tells them apart."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from data.pictures.containers import file_tree, used_entries
from data.pictures.files import MemoryFile, picture_stamp
from data.pictures.photo import jpeg_bytes, read_photo
from data.splits import DataError

COLOURS = np.random.default_rng(0).integers(0, 256, (12, 20, 3), "uint8")


def saved(path, image):
    image.save(path)
    return path


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*a\.png"):
        read_photo(tmp_path / "a.png")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        read_photo(tmp_path)
    with pytest.raises(FileNotFoundError, match="no file or folder"):
        file_tree(tmp_path / "nowhere")


def test_folders_and_zips_are_read_in_order(tmp_path):
    (tmp_path / "one/deep").mkdir(parents=True)
    for name in ("one/b.png", "one/deep/a.jpg", "one/.hidden.png"):
        saved(tmp_path / name, Image.fromarray(COLOURS))
    (tmp_path / "one/notes.txt").write_text("no picture")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.write(tmp_path / "one/b.png", "z.png")
        archive.write(tmp_path / "one/b.png", "in/y.png")
        archive.write(tmp_path / "one/b.png", "__MACOSX/x.png")
    assert [entry.parts for entry in file_tree(tmp_path / "one") if entry.is_picture] == [("b.png",), ("deep", "a.jpg")]
    last = file_tree(tmp_path / "two.zip")
    assert [entry.parts for entry in last] == [("in", "y.png"), ("z.png",)]
    np.testing.assert_array_equal(read_photo(last[0].file).pixels, COLOURS)
    assert [entry.parts[0] for entry in file_tree(tmp_path)] == ["one", "one", "one", "two", "two"]
    (tmp_path / "two").mkdir()
    assert {entry.parts[0] for entry in file_tree(tmp_path)} == {"one"}  # a zip unpacked beside itself


def test_a_broken_zip_is_named(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 and no more")
    for place in (tmp_path, tmp_path / "a.zip"):
        with pytest.raises(DataError, match=r"a\.zip' is damaged"):
            file_tree(place)


def test_pictures_that_are_not_used_are_counted(tmp_path, caplog):
    for name in ("a.png", "b.psd", "c.svg", "thumbs/a.png", "@eaDir/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    with caplog.at_level("WARNING"):
        kept = used_entries(file_tree(tmp_path), "data")
    assert [entry.name for entry in kept] == ["a.png", "b.psd", "c.svg"]
    assert "data: 2 pictures in folders of thumbnails are left out." in caplog.text
    assert "data: pictures are left out, in formats that are not read 2, b.psd, c.svg." in caplog.text
    (tmp_path / "a.png").unlink()
    assert len(used_entries(file_tree(tmp_path), "data")) == 4  # nothing but small copies


def test_a_stamp_tells_pictures_apart_and_stays(tmp_path):
    one, two = (saved(tmp_path / name, Image.fromarray(COLOURS)) for name in ("a.png", "b.png"))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in (one, two):
            archive.write(path, path.name)
    zipped = [entry.file for entry in file_tree(tmp_path / "all.zip")]
    pictures = [
        one,
        two,
        *zipped,
        MemoryFile("c", one.read_bytes()),
        MemoryFile("d", two.read_bytes() + b" "),
        COLOURS,
        COLOURS[1:],
    ]
    stamps = [str(picture_stamp(picture)) for picture in pictures]
    assert len(set(stamps)) == len(stamps)
    assert stamps == [str(picture_stamp(picture)) for picture in pictures]
    saved(one, Image.fromarray(COLOURS[::-1]))
    assert str(picture_stamp(one)) != stamps[0]


def test_a_picture_in_memory_is_read_as_a_file(tmp_path):
    pixels = np.full((16, 16, 3), 90, "uint8")
    held = MemoryFile("picture 1", jpeg_bytes(pixels))
    np.testing.assert_allclose(read_photo(held).pixels, pixels, atol=2)
    with pytest.raises(DataError, match="'picture 2' is not a picture"):
        read_photo(MemoryFile("picture 2", b"no picture"))


def test_what_systems_leave_is_seen_through(tmp_path):
    for name in ("in/a.png", "in/__MACOSX/a.png", "in/.thumbnails/a.png", "in/.b.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        saved(tmp_path / name, Image.fromarray(COLOURS))
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for path in (tmp_path / "in").rglob("*.png"):
            archive.write(path, path.relative_to(tmp_path))
    for place in ("in", "in.zip"):
        assert [entry.name for entry in file_tree(tmp_path / place)] == ["a.png"]

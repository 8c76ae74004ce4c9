"""Folders and zips with captions: side files, what is found, what is left out and what is refused."""

import logging
from zipfile import ZipFile

import pytest

from data.splits import DataError, Splits
from tests.data.pictures.albums import draw, lines, read, shown, sizes, write


def zipped(archive, folder):
    with ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, path.relative_to(folder))
        file.writestr("__MACOSX/._captions.txt", "image,caption\n")
        file.writestr("Images/.DS_Store", "x")
    return archive


@pytest.mark.parametrize(
    "names", [("{}.txt", "{}.png"), ("{}.png.txt", "{}.png"), ("text/c/{}.txt", "images/c/{}.png")]
)
def test_side_files(tmp_path, names):
    for number in range(4):
        draw(tmp_path / names[1].format(number), number)
        write(tmp_path / names[0].format(number), f"One {number}\nTwo\n\n")
    write(tmp_path / "README.txt", "Pictures, with words.")
    found = shown(read(tmp_path), tmp_path)
    assert found[names[1].format(2)] == ("One 2", "Two")
    assert len(found) == 4


def test_side_files_in_folders_of_parts(tmp_path):
    for number, part in enumerate(["train"] * 3 + ["val"] + ["test"] * 2):
        draw(tmp_path / f"{part}/{number}.jpg", 30 * number)
        write(tmp_path / f"{part}/{number}.txt", f"No {number}")
    assert sizes(read(tmp_path)) == [3, 1, 2]


def test_captions_by_the_name_of_the_picture(tmp_path):
    write(tmp_path / "captions.json", {f"{number}.png": [f"A {number}", "B"] for number in range(4)})
    for number in range(4):
        draw(tmp_path / f"images/{number}.png", number)
    assert shown(read(tmp_path), tmp_path)["images/1.png"] == ("A 1", "B")


def test_parts_told_by_the_folders_of_the_pictures(tmp_path, caplog):
    for number, part in enumerate(["train"] * 3 + ["val", "test"]):
        draw(tmp_path / f"{part}/{number}.png", 30 * number)
    write(tmp_path / "captions.csv", "image,caption\n" + "".join(f"{number}.png,A {number}\n" for number in range(5)))
    with caplog.at_level(logging.WARNING):
        assert sizes(read(tmp_path)) == [3, 1, 1]
    assert "the folders of the pictures tell their parts" in caplog.text
    assert isinstance(read(tmp_path), Splits)


def test_commas_in_captions_without_quotes(tmp_path, caplog):
    for number in range(5):
        draw(tmp_path / f"Images/{number}.jpg", 40 * number)
    write(
        tmp_path / "captions.txt",
        "image,caption\n0.jpg,A dog\n" + "".join(f"{n}.jpg,A, b, {n}\n" for n in (1, 2, 3, 4)),
    )
    with caplog.at_level(logging.WARNING):
        found = shown(read(tmp_path), tmp_path)
    assert found["Images/0.jpg"] == ("A dog",)
    assert found["Images/3.jpg"] == ("A, b, 3",)
    assert "commas behind the first in a line belong to its caption" in caplog.text


def test_side_files_count_more_than_a_table_of_addresses(tmp_path, caplog):
    for number in range(4):
        draw(tmp_path / f"00000/{number:09d}.jpg", 30 * number)
        write(tmp_path / f"00000/{number:09d}.txt", f"No {number}")
        write(tmp_path / f"00000/{number:09d}.json", {"caption": "x", "url": "https://example.org/a.jpg"})
    lines(tmp_path / "00000.jsonl", [{"url": "https://example.org/a.jpg", "caption": "x"}] * 4)
    with caplog.at_level(logging.WARNING):
        assert shown(read(tmp_path), tmp_path)["00000/000000001.jpg"] == ("No 1",)
    assert "not used beside the captions: 00000.jsonl" in caplog.text


def test_tables_beside_the_captions_are_named(tmp_path, caplog):
    for number in range(4):
        draw(tmp_path / f"{number}.jpg", 30 * number)
    rows = "image,caption\n" + "".join(f"{n}.jpg,A {n}\n" for n in range(4))
    write(tmp_path / "captions.csv", rows)
    write(tmp_path / "train.csv", rows.replace("A", "B"))
    with caplog.at_level(logging.WARNING):
        assert shown(read(tmp_path), tmp_path)["1.jpg"] == ("A 1",)
    assert "not used beside the captions: train.csv" in caplog.text


def test_pictures_inside_a_table_are_refused(tmp_path):
    lines(tmp_path / "train.jsonl", [{"image": {"bytes": "x", "path": "a.png"}, "caption": "A"}] * 2)
    with pytest.raises(DataError, match="holds the pictures themselves, which are not read from a table; save them"):
        read(tmp_path)


def test_file_names_count_more_than_numbers(tmp_path):
    for number in range(4):
        draw(tmp_path / f"images/{number}.jpg", 30 * number)
    write(tmp_path / "traindata.csv", "id,name,caption\n" + "".join(f"X_{n},{n}.jpg,A {n}\n" for n in range(4)))
    assert shown(read(tmp_path), tmp_path)["images/2.jpg"] == ("A 2",)


def test_a_damaged_file_of_captions_is_not_replaced_by_another(tmp_path):
    draw(tmp_path / "0.jpg")
    write(tmp_path / "captions.csv", 'image,caption\n0.jpg,"A dog\n')
    write(tmp_path / "other.csv", "image,caption\n0.jpg,A cat\n")
    with pytest.raises(DataError, match="a double quote is opened and never closed"):
        read(tmp_path)


def test_a_zip_with_a_password_is_refused(tmp_path):
    draw(tmp_path / "in/0.jpg")
    archive = zipped(tmp_path / "a.zip", tmp_path / "in")
    content = bytearray(archive.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(DataError, match="is encrypted"):
        read(archive)


def test_thumbnails_are_seen_through(tmp_path, caplog):
    for number in range(4):
        draw(tmp_path / f"full/{number}.jpg", 30 * number)
        draw(tmp_path / f"thumbnails/{number}.jpg", 30 * number + 1)
    write(tmp_path / "captions.csv", "image,caption\n" + "".join(f"{n}.jpg,A {n}\n" for n in range(4)))
    with caplog.at_level(logging.WARNING):
        assert shown(read(tmp_path), tmp_path)["full/1.jpg"] == ("A 1",)
    assert "4 pictures in folders of thumbnails are left out" in caplog.text


def test_links_to_folders_are_followed_once(tmp_path):
    for number in range(4):
        draw(tmp_path / f"disc/{number}.jpg", 30 * number)
    rows = "image,caption\n" + "".join(f"images/{n}.jpg,A {n}\n" for n in range(4))
    write(tmp_path / "data/captions.csv", rows)
    (tmp_path / "data/images").symlink_to(tmp_path / "disc", target_is_directory=True)
    (tmp_path / "disc/again").symlink_to(tmp_path / "data", target_is_directory=True)
    assert shown(read(tmp_path / "data"), tmp_path)["data/images/1.jpg"] == ("A 1",)


def test_numbers_mean_pictures_called_by_number_alone(tmp_path):
    for number in range(4):
        draw(tmp_path / f"a/{number:05d}.png", 30 * number)
    write(tmp_path / "captions.csv", "image_id,caption\n" + "".join(f"{n},A {n}\n" for n in range(4)))
    assert shown(read(tmp_path), tmp_path)["a/00002.png"] == ("A 2",)
    for path in sorted((tmp_path / "a").iterdir()):
        path.rename(path.with_name(f"IMG_{path.name}"))
    with pytest.raises(DataError, match="missing: 4 of 4 pictures"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.jpg", None), ("x.tar.gz", b"\x1f\x8b\x08\x00" + bytes(60)), ("b.zip", b"PK\x03\x04 no zip")],
)
def test_what_is_no_data_is_refused_in_a_sentence(tmp_path, name, content):
    draw(tmp_path / "a.jpg")
    if content:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name.replace(".", r"\.")):
        read(tmp_path / name)


def test_a_zip_in_a_zip_is_refused(tmp_path):
    draw(tmp_path / "in/0.jpg")
    inner = zipped(tmp_path / "pictures.zip", tmp_path / "in")
    with ZipFile(tmp_path / "outer.zip", "w") as file:
        file.write(inner, "pictures.zip")
        file.writestr("captions.csv", "image,caption\n0.jpg,A dog\n")
    with pytest.raises(DataError, match="unpack the zip inside it"):
        read(tmp_path / "outer.zip")

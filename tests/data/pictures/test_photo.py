"""Photos as files: every mode, what their files say of them, damaged ones, folders and zips."""

import logging
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.pictures.files import SUFFIXES
from data.pictures.output import format_of, write_photo
from data.pictures.photo import Photo, jpeg_bytes, photo_of, read_photo, square_pixels
from data.splits import DataError

RANDOM = np.random.default_rng(0)
COLOURS = RANDOM.integers(0, 256, (12, 20, 3), "uint8")


def saved(path, image, **how):
    image.save(path, **how)
    return path


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".webp"])
def test_colours_are_read_exactly(tmp_path, suffix):
    path = saved(tmp_path / f"a{suffix}", Image.fromarray(COLOURS), **({"lossless": True} if suffix == ".webp" else {}))
    found = read_photo(path)
    np.testing.assert_array_equal(found.pixels, COLOURS)
    assert found.alpha is None


@pytest.mark.parametrize(
    ("mode", "channels", "covered"),
    [("1", 1, False), ("L", 1, False), ("LA", 1, True), ("P", 3, False), ("RGBA", 3, True), ("RGB", 3, False)],
)
def test_every_mode_has_its_channels(tmp_path, mode, channels, covered):
    found = read_photo(saved(tmp_path / "a.png", Image.fromarray(COLOURS).convert(mode)))
    assert found.pixels.shape == (12, 20, channels)
    assert found.pixels.dtype == np.uint8
    assert (found.alpha is not None) == covered


def test_a_palette_with_a_transparent_colour_keeps_it(tmp_path):
    image = Image.fromarray(COLOURS).quantize(8)
    found = read_photo(saved(tmp_path / "a.png", image, transparency=0))
    assert set(np.unique(found.alpha)) == {0, 255}


def test_cmyk_becomes_red_green_and_blue_without_its_profile(tmp_path):
    flat = Image.new("RGB", (16, 16), (200, 40, 90))
    found = read_photo(saved(tmp_path / "a.jpg", flat.convert("CMYK"), quality=98, icc_profile=b"of printers"))
    np.testing.assert_allclose(found.pixels, np.broadcast_to([200, 40, 90], (16, 16, 3)), atol=3)
    assert "icc_profile" not in found.metadata


def test_16_bits_are_kept(tmp_path):
    levels = RANDOM.integers(0, 65536, (9, 7), "uint16")
    found = read_photo(saved(tmp_path / "a.png", Image.fromarray(levels)))
    np.testing.assert_array_equal(found.pixels[:, :, 0], levels)
    write_photo(found, tmp_path / "b.png")
    np.testing.assert_array_equal(read_photo(tmp_path / "b.png").pixels, found.pixels)


def test_16_bits_become_8_where_a_format_has_no_more(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "tasks"):
        write_photo(Photo(np.full((8, 8, 1), 25700, "uint16")), tmp_path / "a.bmp", "BMP")
    assert "8 bits" in caplog.text
    np.testing.assert_array_equal(read_photo(tmp_path / "a.bmp").pixels, 100)


def test_floats_reach_from_0_to_1(tmp_path):
    levels = np.linspace(0, 1, 35, dtype="float32").reshape(5, 7)
    found = read_photo(saved(tmp_path / "a.tif", Image.fromarray(levels)))
    np.testing.assert_allclose(found.pixels[:, :, 0], levels * 65535, atol=0.5)


def test_a_photo_is_turned_upright_and_not_twice(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    path = saved(tmp_path / "a.png", Image.fromarray(COLOURS), exif=exif)
    found = read_photo(path)
    np.testing.assert_array_equal(found.pixels, np.rot90(COLOURS, -1))
    write_photo(found, tmp_path / "b.png")
    again = read_photo(tmp_path / "b.png")
    np.testing.assert_array_equal(again.pixels, found.pixels)
    with Image.open(tmp_path / "b.png") as image:
        assert image.getexif()[0x010F] == "Maker"


def test_profile_and_resolution_are_kept(tmp_path):
    given = saved(tmp_path / "a.jpg", Image.fromarray(COLOURS), icc_profile=b"a profile", dpi=(300, 300))
    write_photo(read_photo(given), tmp_path / "b.jpg")
    with Image.open(tmp_path / "b.jpg") as image:
        assert (image.format, image.info["icc_profile"]) == ("JPEG", b"a profile")
        assert image.info["dpi"] == (300, 300)


def test_transparency_becomes_white_where_there_is_none(tmp_path, caplog):
    photo = Photo(np.zeros((16, 16, 3), "uint8"), np.zeros((16, 16), "uint8"))
    with caplog.at_level(logging.WARNING, "tasks"):
        write_photo(photo, tmp_path / "a.jpg", "JPEG")
    assert "becomes white" in caplog.text
    np.testing.assert_allclose(read_photo(tmp_path / "a.jpg").pixels, 255)


def test_of_an_animation_the_first_frame_is_read_and_said(tmp_path, caplog):
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "green", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with caplog.at_level(logging.WARNING, "tasks"):
        found = read_photo(tmp_path / "a.gif")
    assert "2 further frames; the first picture is read" in caplog.text
    np.testing.assert_array_equal(found.pixels, np.broadcast_to([255, 0, 0], (9, 9, 3)))


def bomb(side):
    """Return a PNG file that says that it is this large, and holds nothing."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("text.png", b"only words", "not a picture that can be read"),
        ("empty.jpg", b"", "not a picture that can be read"),
        (
            "bomb.png",
            bomb(60_000),
            "60,000x60,000 pixels; `megapixels` allows 50 million. Give at least --megapixels 3600",
        ),
        ("hollow.png", bomb(64), "cannot be read as a picture"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name}.*{said}"):
        read_photo(tmp_path / name)


def test_a_truncated_jpeg_is_named(tmp_path):
    path = saved(tmp_path / "a.jpg", Image.fromarray(RANDOM.integers(0, 256, (90, 90, 3), "uint8")))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match=r"a\.jpg.*truncated"):
        read_photo(path)


def test_nothing_is_written_over(tmp_path):
    path = saved(tmp_path / "a.png", Image.fromarray(COLOURS))
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="--out"):
        write_photo(read_photo(path), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


def test_endings_stand_for_formats():
    assert [format_of(Path(name)) for name in ("a.JPG", "b.webp", "c.txt", "folder")] == ["JPEG", "WEBP", None, None]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_format_is_written_with_what_it_can_hold(tmp_path, suffix, channels):
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    given = saved(
        tmp_path / "a.jpg", Image.fromarray(COLOURS), exif=exif, icc_profile=b"a profile", dpi=(96, 96), comment="words"
    )
    photo = read_photo(given)
    covered = Photo(photo.pixels[:, :, :channels], np.full((12, 20), 128, "uint8"), "JPEG", photo.metadata)
    for number, one in enumerate((covered, replace(covered, alpha=None))):
        path = tmp_path / f"{number}{suffix}"
        write_photo(one, path, format_of(path))
        assert read_photo(path).pixels.shape[:2] == (12, 20)


@pytest.mark.parametrize("suffix", [".tif", ".webp", ".png", ".jpg"])
def test_a_written_photo_keeps_its_metadata_when_it_is_read_again(tmp_path, suffix):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 3, "Maker"
    path = saved(tmp_path / f"a{suffix}", Image.fromarray(COLOURS), exif=exif, icc_profile=b"a profile")
    write_photo(read_photo(path), tmp_path / f"b{suffix}")
    with Image.open(tmp_path / f"b{suffix}") as image:
        assert image.info["icc_profile"] == b"a profile"
        assert image.getexif().get(0x010F) == "Maker"
        assert image.getexif().get(0x0112, 1) == 1


def test_any_picture_is_pressed_into_a_square(tmp_path):
    path = saved(tmp_path / "a.png", Image.fromarray(COLOURS))
    whole = square_pixels(str(path), 20)
    assert whole.shape == (20, 20, 3)
    np.testing.assert_array_equal(square_pixels(COLOURS, 20), whole)
    grey = square_pixels(np.full((9, 9), 77, "uint8"), 9)
    assert (grey == 77).all()
    clear = np.dstack([COLOURS[:12, :12], np.zeros((12, 12), "uint8")])
    assert (square_pixels(clear, 12) == 255).all()  # what is transparent is white
    with pytest.raises(DataError, match="must be uint8"):
        square_pixels(np.zeros((4, 4, 3)), 4)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no picture", "The picture is not a picture that can be read; give one of: "),
        (jpeg_bytes(COLOURS)[:300], "The picture cannot be read as a picture: "),
    ],
)
def test_content_without_a_name_is_called_the_picture(content, said):
    with pytest.raises(DataError, match=f"^{said}"):
        photo_of(content)

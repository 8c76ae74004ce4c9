"""Opening pictures: formats, limits, bits, and the kinds of inputs."""

import logging
import shutil
import struct
import subprocess
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, features

from data.pictures.decoding import open_picture, stored_bits
from data.pictures.files import MemoryFile
from data.pictures.photo import photo_of, read_photo, square_pixels
from data.pictures.png import PASSES, SIGNATURE, chunk_bytes, deep_png, deep_png_levels, paeth
from data.pictures.tiff import tiff_content
from data.splits import DataError

RANDOM = np.random.default_rng(0)
COLOURS = RANDOM.integers(0, 256, (12, 20, 3), "uint8")
DEEP = RANDOM.integers(0, 65536, (33, 17, 3), "uint16")


def content(image, **how):
    buffer = BytesIO()
    image.save(buffer, **how)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "JPEG2000", "ICO", "PPM"])
def test_a_format_is_told_by_the_content_and_not_by_the_name(form):
    file = MemoryFile("a.png", content(Image.fromarray(COLOURS).resize((16, 16)), format=form))
    assert read_photo(file).pixels.shape == (16, 16, 3)


@pytest.mark.parametrize("name", ["a.png", "a.eps", "a.jpg"])
def test_a_program_of_another_language_is_not_run(tmp_path, monkeypatch, name):
    def refuse(*args, **how):
        raise AssertionError("an outside program is started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(subprocess, "check_call", refuse)
    monkeypatch.setattr(shutil, "which", refuse)
    (tmp_path / name).write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n")
    with pytest.raises(DataError, match=f"{name}' is not a picture that can be read; give one of: PNG, JPEG"):
        read_photo(tmp_path / name)


@pytest.mark.parametrize("form", ["TGA", "PCX", "PDF", "SGI"])
def test_formats_that_are_not_listed_are_not_decoded(form):
    with pytest.raises(DataError, match="is not a picture that can be read"):
        read_photo(MemoryFile("a.png", content(Image.fromarray(COLOURS), format=form)))


def test_heic_names_the_package_that_it_needs(monkeypatch):
    monkeypatch.setattr("data.pictures.decoding.HAS_HEIF", False)
    with pytest.raises(DataError, match="HEIC, which takes pillow-heif; install it with: pip install pillow-heif"):
        read_photo(MemoryFile("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)))


@pytest.mark.parametrize(
    ("mode", "side", "most", "refused"),
    [("L", 100, 0.01, False), ("L", 101, 0.01, True), ("1", 101, 0.01, True), ("I;16", 100, 0.01, True)],
)
def test_the_limit_counts_what_a_picture_becomes(mode, side, most, refused):
    levels = np.zeros((side, side), "uint16" if mode == "I;16" else "uint8")
    image = Image.fromarray(levels).convert(mode) if mode == "1" else Image.fromarray(levels)
    for picture in (content(image, format="PNG"), image):
        if refused:
            with pytest.raises(DataError, match=r"`megapixels` allows 0\.01 million. Give at least --megapixels"):
                photo_of(picture, most)
        else:
            photo_of(picture, most)


def test_deep_colours_count_twice():
    with pytest.raises(DataError, match="17x33 pixels of 16 bits, which count twice"):
        photo_of(deep_png(DEEP), 0.001)


def test_a_limit_can_be_raised_above_that_of_pillow(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert photo_of(content(Image.fromarray(COLOURS), format="PNG")).pixels.shape == (12, 20, 3)
    assert Image.MAX_IMAGE_PIXELS == 10


def test_a_file_its_content_an_image_and_an_array_are_the_same_input(tmp_path):
    for mode in ("RGB", "L", "RGBA", "P", "LA"):
        image = Image.fromarray(COLOURS).convert(mode)
        image.save(tmp_path / "a.png")
        wanted = photo_of(str(tmp_path / "a.png"))
        given = [tmp_path / "a.png", (tmp_path / "a.png").read_bytes(), image]
        given += [np.asarray(image)] if mode in ("RGB", "L", "RGBA") else []
        for picture in given:
            found = photo_of(picture)
            np.testing.assert_array_equal(found.pixels, wanted.pixels)
            np.testing.assert_array_equal(found.alpha, wanted.alpha)


def test_an_image_of_pillow_is_turned_upright():
    exif = Image.Exif()
    exif[274] = 6
    with Image.open(BytesIO(content(Image.fromarray(COLOURS), format="PNG", exif=exif))) as image:
        np.testing.assert_array_equal(photo_of(image).pixels, np.rot90(COLOURS, -1))


def test_a_large_jpeg_is_reduced_while_it_is_decoded_and_a_small_one_is_not(monkeypatch):
    small = content(Image.fromarray(COLOURS).resize((800, 600)), format="JPEG")
    wanted = square_pixels(small, 32)
    monkeypatch.setattr("data.pictures.decoding.REDUCED", 100_000)
    found = square_pixels(small, 32)
    assert not np.array_equal(found, wanted)
    assert np.abs(found.astype(int) - wanted).mean() < 2
    with open_picture(MemoryFile("a", small), least=128) as image:
        assert image.size == (200, 150)


def filtered(levels, filters):
    """Return levels as filtered rows of a PNG file, written down by hand from the specification."""
    rows, packed = levels.astype(">u2").view("uint8").reshape(*levels.shape[:2], -1).astype(int), b""
    above = np.zeros_like(rows[0])
    for kind, row in zip(filters, rows, strict=True):
        left, corner = (np.vstack([np.zeros_like(part[:1]), part[:-1]]) for part in (row, above))
        guess = [0 * row, left, above, (left + above) // 2, paeth(left, above, corner)][kind]
        packed += bytes([kind]) + ((row - guess) % 256).astype("uint8").tobytes()
        above = row
    return packed


def png(data, interlaced, shape=DEEP.shape, kind=2, *more):
    header = struct.pack(">IIBBBBB", shape[1], shape[0], 16, kind, 0, 0, interlaced)
    parts = [(b"IHDR", header), *more, (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    return SIGNATURE + b"".join(chunk_bytes(*part) for part in parts)


@pytest.mark.parametrize("interlaced", [False, True])
def test_every_filter_of_png_is_undone_at_16_bits(interlaced):
    passes = PASSES if interlaced else ((0, 0, 1, 1),)
    parts = [DEEP[top::down, left::right] for top, left, down, right in passes]
    given = png(b"".join(filtered(part, RANDOM.integers(0, 5, len(part))) for part in parts if part.size), interlaced)
    np.testing.assert_array_equal(deep_png_levels(BytesIO(given)), DEEP)
    with Image.open(BytesIO(given)) as image:
        np.testing.assert_array_equal(np.asarray(image), DEEP >> 8)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (600, 3), (520, 30)])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_what_is_written_at_16_bits_is_read_again(shape, channels):
    levels = RANDOM.integers(0, 65536, (*shape, channels), "uint16")
    np.testing.assert_array_equal(deep_png_levels(BytesIO(deep_png(levels))), levels)


def test_a_transparent_colour_at_16_bits_becomes_alpha():
    key = (b"tRNS", DEEP[3, 4].astype(">u2").tobytes())
    photo = read_photo(MemoryFile("a.png", png(filtered(DEEP, [0] * 33), False, DEEP.shape, 2, key)))
    assert photo.alpha[3, 4] == 0
    assert (photo.alpha == 65535).sum() == 33 * 17 - 1


def test_a_truncated_picture_of_16_bits_is_named():
    given = png(filtered(DEEP, [4] * 33)[:900], False)
    with pytest.raises(DataError, match="cannot be read as a picture: image file is truncated"):
        read_photo(MemoryFile("a.png", given))


def test_a_picture_of_16_bits_is_turned_upright(tmp_path):
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[274] = orientation
        shallow = content(Image.fromarray((DEEP >> 8).astype("uint8")), format="PNG", exif=exif)
        chunk = (b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
        deep = read_photo(MemoryFile("a.png", png(filtered(DEEP, [0] * 33), False, DEEP.shape, 2, chunk)))
        np.testing.assert_array_equal(deep.pixels >> 8, read_photo(MemoryFile("b.png", shallow)).pixels)
        assert Image.open(BytesIO(shallow)).getexif()[274] == orientation


@pytest.mark.parametrize("how", [{}, {"tile": (16, 32)}, {"byteorder": ">"}, {"rowsperstrip": 5}, {"predictor": True}])
def test_tiff_of_16_bits_is_read_in_every_layout(how):
    tifffile = pytest.importorskip("tifffile")
    buffer = BytesIO()
    packed = {"compression": "zlib"} if "predictor" in how else {}
    tifffile.imwrite(buffer, DEEP, photometric="rgb", **how, **packed)
    np.testing.assert_array_equal(read_photo(MemoryFile("a.tif", buffer.getvalue())).pixels, DEEP)


def test_tiff_with_colours_times_alpha_is_straightened():
    alpha = np.full((33, 17, 1), 32768, "uint16")
    given = tiff_content(np.concatenate([DEEP // 2, alpha], 2), True, {})
    place = given.index(struct.pack("<HHLL", 338, 3, 1, 2))  # the tag that says what the fourth channel is
    associated = given[: place + 8] + b"\1" + given[place + 9 :]
    found = read_photo(MemoryFile("a.tif", associated))
    np.testing.assert_allclose(found.pixels, DEEP.astype(int), atol=2)


def test_bits_that_are_not_read_are_said(caplog):
    tifffile = pytest.importorskip("tifffile")
    planes = BytesIO()
    tifffile.imwrite(planes, DEEP.transpose(2, 0, 1), photometric="rgb", planarconfig="separate")
    wide = b"P6 2 2 65535 " + bytes(24)
    for given in (planes.getvalue(), wide):
        with caplog.at_level(logging.WARNING, "tasks"):
            caplog.clear()
            assert read_photo(MemoryFile("a", given)).pixels.dtype == np.uint8
        assert "has 16 bits a level; 8 of them are read" in caplog.text


@pytest.mark.parametrize(("bits", "inverted"), [(12, False), (16, False), (16, True)])
def test_grey_tiff_of_12_bits_or_with_white_as_0_is_read_as_it_looks(bits, inverted):
    levels = [0, 5, 4000, 4095] if bits == 12 else [0, 80, 64000, 65535]
    data = (
        bytes([levels[0] >> 4, (levels[0] & 15) << 4 | levels[1] >> 8, levels[1] & 255])
        + bytes([levels[2] >> 4, (levels[2] & 15) << 4 | levels[3] >> 8, levels[3] & 255])
        if bits == 12
        else np.array(levels, "<u2").tobytes()
    )
    tags = {256: 4, 257: 1, 258: bits, 259: 1, 262: 0 if inverted else 1, 273: 8, 277: 1, 278: 1, 279: len(data)}
    entries = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in tags.items())
    file = b"II*\0" + struct.pack("<L", 8 + len(data)) + data + struct.pack("<H", len(tags)) + entries + bytes(4)
    found = read_photo(MemoryFile("a.tif", file)).pixels[0, :, 0]
    wanted = np.array(levels) * (65535 / (4095 if bits == 12 else 65535))
    np.testing.assert_allclose(found, 65535 - wanted if inverted else wanted, atol=1)


def test_32_bits_are_said(caplog):
    for image in (Image.new("F", (4, 4), 0.5), Image.new("I", (4, 4), 70_000)):
        with caplog.at_level(logging.WARNING, "tasks"):
            caplog.clear()
            assert photo_of(content(image, format="TIFF"), deep=True).pixels.dtype == np.uint16
        assert "32 bits a level; 16 of them are read" in caplog.text


@pytest.mark.parametrize(
    ("form", "mark", "place", "flags", "bits"),
    [
        ("AVIF", b"av1C", 6, 0, 8),
        ("AVIF", b"av1C", 6, 64, 10),
        ("AVIF", b"av1C", 6, 96, 12),
        ("JPEG2000", b"\xff\x4f\xff\x51", 42, 0, 8),
        ("JPEG2000", b"\xff\x4f\xff\x51", 42, 8, 16),
    ],
)
def test_the_bits_of_other_formats_are_known(form, mark, place, flags, bits):
    if form == "AVIF" and not features.check("avif"):
        pytest.skip("Pillow without AVIF")
    given = bytearray(content(Image.fromarray(COLOURS), format=form))
    given[given.index(mark) + place] |= flags
    with Image.open(BytesIO(content(Image.fromarray(COLOURS), format=form))) as image:
        image.fp = BytesIO(given)  # libavif itself refuses bits that do not fit the content
        assert stored_bits(image) == bits


def test_a_resolution_without_sense_does_no_harm(tmp_path):
    for dpi in ((0, 0), (1e9, 1e9)):
        Image.fromarray(COLOURS).save(tmp_path / "a.tif", dpi=dpi)
        assert "dpi" not in read_photo(tmp_path / "a.tif").metadata

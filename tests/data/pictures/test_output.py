"""Photos into files: what each format holds, what is said of the rest, and what is known before the work."""

import logging

import numpy as np
import pytest
from PIL import Image, PngImagePlugin, features

from data.pictures.files import FormatError, MemoryFile, OutputError
from data.pictures.output import check_name, check_photo, format_of, make_parent_folder, part_path, write_photo
from data.pictures.photo import Photo, photo_of, read_photo

RANDOM = np.random.default_rng(0)
COLOURS = RANDOM.integers(0, 256, (12, 20, 3), "uint8")
GAMMA, PRIMARIES = (45455).to_bytes(4, "big"), bytes([9, 16, 0, 1])


def camera(note=b"a note of the maker"):
    """Return EXIF data like those of a camera, with directories for the camera and the place."""
    exif = Image.Exif()
    exif[271], exif[272], exif[306] = "Maker", "Model", "2024:05:01 10:00:00"
    exif[34665] = {33434: (1, 250), 36867: "2024:05:01 10:00:00", 37500: note, 40962: 20, 42036: "A lens"}
    exif[34853] = {1: "N", 2: (52.0, 30.0, 1.5), 3: "E", 4: (13.0, 20.0, 0.5)}
    return exif


def saved(path, **how):
    Image.fromarray(COLOURS).save(path, **how)
    return path


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_what_a_camera_says_is_kept_in_every_format_that_holds_it(tmp_path, suffix):
    photo = read_photo(saved(tmp_path / "a.jpg", exif=camera(), icc_profile=b"a profile"))
    path = tmp_path / f"b{suffix}"
    check_photo(photo, 2, format_of(path), path)
    write_photo(photo, path, format_of(path))
    write_photo(read_photo(path), tmp_path / f"c{suffix}")
    with Image.open(tmp_path / f"c{suffix}") as image:
        exif = image.getexif()
        assert (exif[271], exif.get_ifd(34665)[42036], exif.get_ifd(34853)[3]) == ("Maker", "A lens", "E")
        assert image.info["icc_profile"] == b"a profile"


def test_gamma_primaries_and_texts_of_a_png_are_kept(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add(b"gAMA", GAMMA)
    info.add(b"cICP", PRIMARIES)
    info.add_text("Title", "A title")
    info.add_itxt("Author", "Ünal", zip=True)
    given = read_photo(saved(tmp_path / "a.png", pnginfo=info))
    write_photo(given, tmp_path / "b.png")
    found = read_photo(tmp_path / "b.png")
    assert dict(found.metadata["chunks"])[b"gAMA"] == GAMMA
    assert dict(found.metadata["chunks"])[b"cICP"] == PRIMARIES
    with Image.open(tmp_path / "b.png") as image:
        assert image.text == {"Title": "A title", "Author": "Ünal"}


def test_what_another_format_does_not_hold_is_said(tmp_path, caplog):
    info = PngImagePlugin.PngInfo()
    info.add(b"gAMA", GAMMA)
    info.add_text("Title", "A title")
    photo = read_photo(saved(tmp_path / "a.png", pnginfo=info, dpi=(300, 300)))
    with caplog.at_level(logging.WARNING, "tasks"):
        write_photo(photo, tmp_path / "b.webp", "WEBP")
    assert "left out of" in caplog.text
    assert all(name in caplog.text for name in ("resolution", "texts", "gAMA"))


def test_a_text_with_the_name_of_something_else_does_no_harm(tmp_path):
    info = PngImagePlugin.PngInfo()
    for name in ("exif", "comment", "transparency", "icc_profile", "dpi"):
        info.add_text(name, "words")
    photo = read_photo(saved(tmp_path / "a.png", pnginfo=info))
    write_photo(photo, tmp_path / "b.png")
    np.testing.assert_array_equal(read_photo(tmp_path / "b.png").pixels, COLOURS)


@pytest.mark.parametrize("exif", [b"Exif\0\0no directory", b"Exif\0\0II*\0\x08\0\0\0\x09\0and no more"])
def test_a_photo_with_damaged_exif_data_is_read(tmp_path, exif):
    assert read_photo(saved(tmp_path / "a.jpg", exif=exif)).pixels.shape == (12, 20, 3)


@pytest.mark.parametrize(
    ("form", "height", "said"),
    [
        ("WEBP", 8192, "16,384 pixels; WEBP has at most 16,383"),
        ("JPEG", 32751, "65,502 pixels; JPEG has at most 65,500"),
        ("ICO", 129, "258 pixels; ICO has at most 256"),
    ],
)
def test_a_side_that_a_format_cannot_have_is_known_before_the_work(tmp_path, form, height, said):
    photo = Photo(np.zeros((height, 1, 3), "uint8"))
    with pytest.raises(FormatError, match=rf"{said}.*PNG.*--out") as found:
        check_photo(photo, 2, form, tmp_path / "a")
    assert found.value.exit_code == 73
    check_photo(Photo(photo.pixels[:-1]), 2, form, tmp_path / "a")


def test_exif_data_that_do_not_fit_into_jpeg_are_known_before_the_work(tmp_path):
    photo = read_photo(saved(tmp_path / "a.png", exif=camera(bytes(70_000))))
    with pytest.raises(FormatError, match=r"EXIF data of 70,\d+ bytes; JPEG holds 64 kB. Name a PNG"):
        check_photo(photo, 2, "JPEG", tmp_path / "a.jpg")
    for form in ("PNG", "TIFF", "WEBP"):
        check_photo(photo, 2, form, tmp_path / "a")


@pytest.mark.parametrize("name", ["a.tga", "a.HEIC", "a.pdf", "a.cr2"])
def test_a_name_that_ends_like_another_picture_is_refused_with_the_formats(tmp_path, name):
    with pytest.raises(OutputError, match="is not the ending of PNG, JPEG, "):
        check_name(tmp_path / name)
    (tmp_path / name).mkdir()
    check_name(tmp_path / name)  # a folder may be called anything
    check_name(tmp_path / "results.2024")


@pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")
def test_avif_is_written_and_read(tmp_path):
    photo = Photo(np.full((16, 16, 3), (200, 90, 30), "uint8"), np.full((16, 16), 128, "uint8"))
    check_photo(photo, 2, "AVIF", tmp_path / "a.avif")
    write_photo(photo, tmp_path / "a.avif", "AVIF")
    found = read_photo(tmp_path / "a.avif")
    np.testing.assert_allclose(found.pixels, photo.pixels, atol=4)
    np.testing.assert_allclose(found.alpha, photo.alpha, atol=1)


def test_a_format_that_pillow_does_not_write_here_is_refused(tmp_path, monkeypatch):
    monkeypatch.delitem(Image.SAVE, "AVIF", raising=False)
    monkeypatch.setattr(Image, "init", lambda: None)
    with pytest.raises(OutputError, match="does not write AVIF; name a PNG"):
        check_photo(Photo(COLOURS), 2, "AVIF", tmp_path / "a.avif")


def test_colours_that_gif_has_not_are_said(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "tasks"):
        write_photo(Photo(np.zeros((4, 4, 3), "uint8")), tmp_path / "a.gif", "GIF")
    assert not caplog.records
    many = RANDOM.integers(0, 256, (20, 20, 3), "uint8")
    with caplog.at_level(logging.WARNING, "tasks"):
        write_photo(Photo(many), tmp_path / "b.gif", "GIF")
    assert "GIF holds 256 colours" in caplog.text


def test_an_icon_keeps_its_size(tmp_path):
    write_photo(Photo(np.full((100, 64, 3), 9, "uint8")), tmp_path / "a.ico", "ICO")
    assert read_photo(tmp_path / "a.ico").pixels.shape == (100, 64, 3)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize(("channels", "covered"), [(1, False), (3, False), (3, True), (1, True)])
def test_16_bits_stay_in_colours_and_in_alpha(tmp_path, suffix, channels, covered):
    pixels = RANDOM.integers(0, 65536, (30, 21, channels), "uint16")
    alpha = RANDOM.integers(0, 65536, (30, 21), "uint16") if covered else None
    path = tmp_path / f"a{suffix}"
    write_photo(Photo(pixels, alpha, metadata={"dpi": (300, 300)}), path, format_of(path))
    found = read_photo(path)
    np.testing.assert_array_equal(found.pixels, np.broadcast_to(pixels, found.pixels.shape))
    assert (found.alpha is None) == (alpha is None)
    if covered:
        np.testing.assert_array_equal(found.alpha, alpha)
    assert found.metadata["dpi"] == pytest.approx((300, 300), abs=0.01)
    np.testing.assert_allclose(photo_of(path).pixels, found.pixels / 257, atol=0.5)  # as other tasks read it


def test_a_leftover_of_a_killed_run_is_written_over(tmp_path):
    part_path(tmp_path / "a.png").write_bytes(b"half a file")
    make_parent_folder(tmp_path / "a.png")
    write_photo(Photo(COLOURS), tmp_path / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    np.testing.assert_array_equal(read_photo(tmp_path / "a.png").pixels, COLOURS)


def test_a_full_disk_leaves_no_file(tmp_path, monkeypatch):
    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OutputError, match=r"a\.png' cannot be written: No space left"):
        write_photo(Photo(COLOURS), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_too_long_is_known_before_the_work(tmp_path):
    with pytest.raises(OutputError, match="too long"):
        make_parent_folder(tmp_path / ("a" * 300 + ".png"))
    long = tmp_path / ("ü" * 120 + ".png")
    make_parent_folder(long)
    write_photo(Photo(COLOURS), long)
    assert photo_of(MemoryFile("a", long.read_bytes())).pixels.shape == (12, 20, 3)


def test_a_profile_of_grey_does_not_get_to_colours(tmp_path, caplog):
    profile = bytes(16) + b"GRAY" + bytes(108)
    photo = Photo(COLOURS[:, :, :1], metadata={"icc_profile": profile})
    for form, kept in (("PNG", True), ("JPEG", True), ("TIFF", True), ("WEBP", False)):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "tasks"):
            write_photo(photo, tmp_path / form, form)
        with Image.open(tmp_path / form) as image:
            assert ("icc_profile" in image.info) == kept
        assert ("colour profile" in caplog.text) != kept

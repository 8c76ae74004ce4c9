"""Pictures of single characters: reading any mode, framing as MNIST."""

import numpy as np
import pytest
from PIL import Image

from data.pictures.digits import fitted_character, framed_character, grey_levels, photo_grey_levels
from data.pictures.photo import photo_from_image
from data.splits import DataError

RAMP = np.arange(0, 240, 10, "uint8").reshape(4, 6)


def stroke(height=60, width=40, ground=0, ink=255):
    """Return a picture of a thick diagonal stroke."""
    rows, columns = np.indices((height, width))
    return np.where(abs(rows / height - columns / width) < 0.15, ink, ground).astype("uint8")


@pytest.mark.parametrize("suffix", ["png", "bmp", "webp"])
def test_a_lossless_file_is_read_exactly(tmp_path, suffix):
    Image.fromarray(RAMP).save(tmp_path / f"a.{suffix}", lossless=True)
    np.testing.assert_allclose(grey_levels(tmp_path / f"a.{suffix}"), RAMP, atol=1)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "LA", "CMYK", "YCbCr", "I", "I;16", "F"])
def test_every_mode_shows_the_same_picture(mode):
    levels = np.where(stroke() > 0, 0, 255).astype("uint8")
    image = Image.fromarray(levels)
    if mode in ("I", "I;16"):
        image = Image.fromarray(levels.astype("uint16") * 257).convert(mode)
    elif mode == "F":
        image = Image.fromarray(levels.astype("float32") / 255)
    else:
        image = image.convert("RGB").convert(mode)
    assert image.mode == mode
    np.testing.assert_allclose(photo_grey_levels(photo_from_image(image, "picture")), levels, atol=2)


def test_what_is_transparent_is_white():
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    image.putpixel((1, 2), (0, 0, 0, 255))
    levels = photo_grey_levels(photo_from_image(image, "picture"))
    assert levels[2, 1] == 0
    assert (levels == 255).sum() == 15


def test_white_ink_on_nothing_is_seen():
    image = Image.new("RGBA", (4, 4), (255, 255, 255, 0))
    image.putpixel((1, 2), (255, 255, 255, 255))
    assert photo_grey_levels(photo_from_image(image, "picture"))[2, 1] == 255
    assert (photo_grey_levels(photo_from_image(image, "picture")) == 0).sum() == 15


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1), (4, 6, 3), (4, 6, 4)])
def test_an_array_is_a_picture(shape):
    picture = np.full(shape, 255, "uint8")
    picture[:, :, ...] = RAMP if len(shape) == 2 else np.minimum(RAMP[..., None], 240)
    if shape[-1] == 4:
        picture[..., 3] = 255
    np.testing.assert_array_equal(grey_levels(picture), RAMP)


@pytest.mark.parametrize(
    "array", [np.zeros((4, 6)), np.zeros((4, 6, 2), "uint8"), np.zeros(4, "uint8"), np.zeros((0, 4), "uint8")]
)
def test_an_array_that_is_no_picture_is_refused(array):
    with pytest.raises(DataError, match="A picture must be uint8"):
        grey_levels(array)


def test_a_turned_photo_is_read_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to view
    Image.fromarray(RAMP).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(grey_levels(tmp_path / "a.png"), np.rot90(RAMP, -1))


@pytest.mark.parametrize("content", [b"", b"no picture", "cut"])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_damaged_file_is_named(tmp_path, content, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), "uint8")).save(path)
    path.write_bytes(path.read_bytes()[:200] if content == "cut" else content)
    with pytest.raises(DataError, match=rf"a\.{suffix}"):
        grey_levels(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no\.png"):
        grey_levels(tmp_path / "no.png")


def test_an_absurdly_large_picture_is_refused(tmp_path):
    Image.new("1", (8000, 7000)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"8,000x7,000 pixels.*--megapixels 56"):
        grey_levels(tmp_path / "a.png")


def centre(image):
    weights = image / image.sum()
    return (weights.sum(1) * np.arange(28)).sum(), (weights.sum(0) * np.arange(28)).sum()


@pytest.mark.parametrize(("ground", "ink"), [(0, 255), (255, 0), (200, 60), (30, 90)])
@pytest.mark.parametrize("size", [(60, 40), (7, 9), (300, 500), (28, 28)])
def test_any_picture_is_framed_as_mnist(ground, ink, size):
    picture = np.pad(stroke(*size, ground, ink), ((3, 40), (20, 5)), constant_values=ground)
    image = framed_character(picture)
    assert image.shape == (28, 28)
    assert image.max() == 255
    assert image[0, 0] == 0
    rows, columns = np.flatnonzero(image.max(1) > 0), np.flatnonzero(image.max(0) > 0)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    np.testing.assert_allclose(centre(image), 14, atol=0.75)


def test_framing_a_framed_picture_changes_nothing():
    once = framed_character(stroke())
    np.testing.assert_array_equal(framed_character(once), once)


def test_paper_noise_is_no_ink():
    clean = np.pad(stroke(200, 150, 210, 40), 40, constant_values=210)
    noisy = (clean + np.random.default_rng(0).normal(0, 4, clean.shape)).clip(0, 255).astype("uint8")
    image = framed_character(noisy)
    assert max(np.ptp(np.flatnonzero(image.max(1) > 50)), np.ptp(np.flatnonzero(image.max(0) > 50))) + 1 >= 18
    assert np.abs(image.astype(int) - framed_character(clean)).mean() < 8


def test_an_empty_page_stays_empty():
    assert not framed_character(np.full((50, 40), 250, "uint8")).any()
    assert not fitted_character(np.full((50, 40), 250, "uint8")).any()


def test_a_whole_picture_is_squeezed_in():
    image = fitted_character(np.pad(stroke(56, 56), 2))
    assert image.shape == (28, 28)
    assert (image.max(1) > 100).sum() >= 25

"""Pictures of single characters as arrays: reading and framing. NumPy and Pillow only."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from data.pictures.decoding import MEGAPIXELS
from data.pictures.paper import page_character
from data.pictures.photo import Photo, Picture, photo_of

ENOUGH = 1500  # pixels of each side in which any character can be read
SMALLEST_PAGE = 32  # pixels; a smaller picture has no room for paper


class Reading(NamedTuple):
    """What a picture shows.

    Attributes:
        image: Its largest character, uint8 `(size, size)`, light ink on black; all 0 if there is none.
        characters: Number of characters of about that size; 0 is a blank page.
    """

    image: np.ndarray
    characters: int = 1


def grey_levels(picture: Picture, megapixels: float = MEGAPIXELS) -> np.ndarray:
    """Return a picture as grey levels, uint8 `(height, width)`, 0 black to 255 white.

    Args:
        picture: A picture as for `photo_of`; a large JPEG is decoded at a smaller scale.
        megapixels: Most megapixels to decode.

    Raises:
        FileNotFoundError, DataError: As for `photo_of`.
    """
    return photo_grey_levels(photo_of(picture, megapixels, least=ENOUGH))


def photo_grey_levels(photo: Photo) -> np.ndarray:
    """Return a photo as grey levels, uint8 `(height, width)`.

    A transparent photo is composed over white, or over black if white ink would vanish.
    """
    return np.asarray(opaque_image(photo).convert("L"))


def opaque_image(photo: Photo) -> Image.Image:
    """Return a photo as a Pillow image of 8 bits, grey or in colour, without transparency."""
    if photo.pixels.dtype == np.uint16:
        return Image.fromarray((photo.pixels[:, :, 0] * (255 / 65535)).round().astype("uint8"))
    image = Image.fromarray(photo.pixels[:, :, 0] if photo.pixels.shape[2] == 1 else photo.pixels)
    if photo.alpha is not None:
        image.putalpha(Image.fromarray(photo.alpha))
        image = image.convert("RGBA")
        white, black = (Image.alpha_composite(Image.new("RGBA", image.size, c), image) for c in ("white", "black"))
        image = white if np.ptp(np.asarray(white.convert("L"))) else black  # white ink shows on black only
    return image if image.mode == "L" else image.convert("RGB")


def ink_strength(image: np.ndarray) -> np.ndarray:
    """Return the contrast of each pixel with the background, float32 `(height, width)` in [0, 1].

    * The background is the median level of the border, so dark and light ink give the same result.
    * Contrast below the noise of the border is 0; the strongest stroke is 1.
    """
    levels = image.astype("float32")
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    background = np.median(border)
    sign = -1 if background > (levels.min() + levels.max()) / 2 else 1
    strength = np.maximum(sign * (levels - background), 0)
    peak = strength.max()
    if peak < 8:  # grey levels: an empty page
        return np.zeros_like(strength)
    noise = np.quantile(np.abs(border - background), 0.8) * 2 / peak
    strength /= peak
    return np.where(strength > min(max(noise, 0.02), 0.5), strength, 0)


def framed_reading(photo: Photo, size: int = 28, box: int = 20) -> Reading:
    """Return the largest character of a picture in the frame of MNIST, light ink on black, and how many there are.

    * The ink is scaled to fit a square of `box` pixels, with its aspect ratio kept.
    * The centre of mass moves to the middle.
    * A picture already in that frame is not changed, but for dark ink on white, which is inverted.

    Args:
        photo: Any picture: dark on light, light on dark or in colours, on paper of any kind.

    Reference: LeCun et al., 1998, https://doi.org/10.1109/5.726791, section III-A.
    """
    image = opaque_image(photo)
    if image.size == (size, size):
        levels = light_on_dark(np.asarray(image.convert("L")))
        if is_framed(levels[None], box)[0]:
            return Reading(levels)
    if min(image.size) < SMALLEST_PAGE:
        small = framed_ink(ink_strength(np.asarray(image.convert("L"))), size, box)
        return Reading(small, int(small.any()))
    character = page_character(np.atleast_3d(np.asarray(image)))
    if character is None:
        return Reading(np.zeros((size, size), "uint8"), 0)
    return Reading(framed_ink(character.strength, size, box), character.characters)


def framed_character(image: np.ndarray, size: int = 28, box: int = 20) -> np.ndarray:
    """Return the largest character of a picture in the frame of MNIST, uint8 `(size, size)`, light ink on black.

    Args:
        image: uint8 `(height, width)` or `(height, width, channels)`, as for `framed_reading`.
    """
    return framed_reading(photo_of(image), size, box).image


def light_on_dark(levels: np.ndarray) -> np.ndarray:
    """Return grey levels, inverted if most of the border is light."""
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    return 255 - levels if np.median(border) > 127 else levels


def framed_ink(strength: np.ndarray, size: int, box: int) -> np.ndarray:
    """Return ink, float32 in [0, 1], in the frame of MNIST, uint8 `(size, size)`; all 0 without ink."""
    result = np.zeros((size, size), "uint8")
    boxed = boxed_ink(strength, box)
    if boxed is None:
        return result
    weights = boxed / boxed.sum()
    top = centred_start(weights.sum(1), size)
    left = centred_start(weights.sum(0), size)
    height, width = boxed.shape
    result[top : top + height, left : left + width] = (boxed * 255).round()
    return result


def boxed_ink(strength: np.ndarray, box: int) -> np.ndarray | None:
    """Return ink cropped and scaled to fit a square of `box` pixels, float32 in [0, 1]; `None` without ink."""
    strong = strength > 0.1  # fainter ink, such as JPEG artefacts, does not set the frame
    rows, columns = np.flatnonzero(strong.any(1)), np.flatnonzero(strong.any(0))
    if not len(rows):
        return None
    strength = strength[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = box / max(strength.shape)
    if scale == 1:
        return strength
    height, width = (max(round(side * scale), 1) for side in strength.shape)
    scaled = np.asarray(Image.fromarray(strength).resize((width, height), Image.Resampling.BICUBIC)).clip(0)
    return np.asarray(scaled / scaled.max())


def is_framed(images: np.ndarray, box: int = 20) -> np.ndarray:
    """Return whether each picture is light ink on black in the frame of MNIST, bool `(batch,)`.

    Args:
        images: uint8 `(batch, size, size)`.
        box: Largest extent of the ink, in pixels, with a tolerance of one.
    """
    size = images.shape[1]
    strength = images + 1e-9
    places = np.arange(size) + 0.5 - size / 2
    total = strength.sum((1, 2))
    down, right = (strength.sum(2) @ places) / total, (strength.sum(1) @ places) / total
    extent = np.maximum((images.max(2) > 0).sum(1), (images.max(1) > 0).sum(1))
    return (np.abs(down) < 1.5) & (np.abs(right) < 1.5) & (extent > 0) & (extent <= box + 1)


def centred_start(weights: np.ndarray, size: int) -> int:
    """Return the start of a strip of ink whose centre of mass lies in the middle of `size` pixels."""
    centre = float((weights * np.arange(len(weights))).sum())
    return min(max(round(size / 2 - centre), 0), size - len(weights))


def fitted_reading(photo: Photo, size: int = 28) -> Reading:
    """Return a whole picture resized to a square, light ink on a dark ground."""
    image = fitted_character(np.asarray(opaque_image(photo).convert("L")), size)
    return Reading(image, int(image.any()))


def fitted_character(image: np.ndarray, size: int = 28) -> np.ndarray:
    """Return a whole picture resized to a square, light ink on a dark background, uint8 `(size, size)`."""
    strength = ink_strength(image)
    scaled = Image.fromarray(strength).resize((size, size), Image.Resampling.BICUBIC)
    return (np.asarray(scaled).clip(0, 1) * 255).round().astype("uint8")

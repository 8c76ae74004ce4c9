"""Changing the size of pictures as the papers of super-resolution do. NumPy only."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

LUMA = (65.481, 128.553, 24.966)  # of red, green and blue in [0, 1], on top of 16
RANGE = 219 / 255  # how far luma reaches for each level of grey


def luma(picture: np.ndarray) -> np.ndarray:
    """Return the luma of a picture, float `(height, width)`: 16 for black to 235 for white.

    Args:
        picture: Levels in [0, 255], `(height, width, 3)`; one without colours, `(height, width)` or `(height, width,
            1)`, is taken for luma itself, as the papers take grey test pictures.

    Reference: Recommendation ITU-R BT.601, as MATLAB's `rgb2ycbcr` has it.
    """
    if picture.ndim == 2 or picture.shape[2] == 1:
        return np.asarray(picture.reshape(picture.shape[:2]), float_dtype(picture))
    weights = np.array(LUMA, float_dtype(picture)) / 255
    return 16 + picture.astype(weights.dtype, copy=False) @ weights


def float_dtype(array: np.ndarray) -> np.dtype:
    """Return the number format to calculate in: that of an array of floats, else float64."""
    return array.dtype if array.dtype.kind == "f" else np.dtype("float64")


def whole_levels(picture: np.ndarray) -> np.ndarray:
    """Return levels rounded to whole ones and cut to [0, 255], uint8."""
    return np.rint(picture).clip(0, 255).astype("uint8")


def imresize(picture: np.ndarray, scale: float) -> np.ndarray:
    """Return a picture at another scale by bicubic interpolation, with antialiasing where it shrinks.

    Args:
        picture: `(height, width)` or `(height, width, channels)`.
        scale: Factor of both sides, above 0.

    Output shape: `(ceil(height * scale), ceil(width * scale))` and the channels; float, neither rounded nor cut.

    Beyond its border a picture is mirrored. Interpolation of Keys with a = -1/2, widened by `1 / scale` for shrinking:
    what MATLAB's `imresize` computes, and with it the tables of the papers.

    Reference: Keys, 1981, https://doi.org/10.1109/TASSP.1981.1163711.
    """
    for axis in (0, 1):
        places, weights = bicubic_taps(picture.shape[axis], scale)
        weights = weights.astype(float_dtype(picture), copy=False)
        shape = [-1 if other == axis else 1 for other in range(picture.ndim)]
        total = 0
        for tap in range(places.shape[1]):
            total = total + weights[:, tap].reshape(shape) * picture.take(places[:, tap], axis)
        picture = np.asarray(total)
    return picture


@lru_cache(maxsize=64)
def bicubic_taps(size: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Return which pixels of a side each pixel of its new side reads, and by which weights.

    Returns:
        Places and weights, both `(ceil(size * scale), taps)`; the weights of each new pixel add up to 1.
    """
    new = math.ceil(size * scale - 1e-9)
    shrink = min(scale, 1.0)
    centre = (np.arange(new) + 0.5) / scale - 0.5  # of each new pixel, on the old grid
    first = np.floor(centre - 2 / shrink).astype(int)
    places = first[:, None] + np.arange(math.ceil(4 / shrink) + 2)
    weights = keys_kernel(shrink * (centre[:, None] - places))
    weights /= weights.sum(1, keepdims=True)
    used = np.abs(weights).max(0) > 0
    places = places[:, used] % (2 * size)
    return np.where(places < size, places, 2 * size - 1 - places), weights[:, used]


def keys_kernel(x: np.ndarray) -> np.ndarray:
    """Return the cubic convolution kernel of Keys at some distances, in pixels."""
    x = np.abs(x)
    near, far = ((1.5 * x - 2.5) * x) * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def modcrop(picture: np.ndarray, scale: int) -> np.ndarray:
    """Return a picture without the last rows and columns that no multiple of `scale` reaches."""
    height, width = (side - side % scale for side in picture.shape[:2])
    return picture[:height, :width]


def degraded_picture(picture: np.ndarray, scale: int) -> np.ndarray:
    """Return the small picture that a network is to enlarge, uint8, made as the papers make it."""
    return whole_levels(imresize(modcrop(picture, scale), 1 / scale))


def turned_picture(picture: np.ndarray, way: int) -> np.ndarray:
    """Return a picture flipped and turned in one of eight ways: bit 0 down, bit 1 across, bit 2 its sides exchanged."""
    picture = picture[::-1] if way & 1 else picture
    picture = picture[:, ::-1] if way & 2 else picture
    return picture.swapaxes(0, 1) if way & 4 else picture


def unturned_picture(picture: np.ndarray, way: int) -> np.ndarray:
    """Return a picture from before it was `turned` this way."""
    picture = picture.swapaxes(0, 1) if way & 4 else picture
    picture = picture[:, ::-1] if way & 2 else picture
    return picture[::-1] if way & 1 else picture


def patch_corners(size: Sequence[int], side: int, count: int) -> list[tuple[int, int]]:
    """Return where `count` square patches begin that are spread evenly over a picture, row and column of each.

    Args:
        size: Height and width of the picture, neither below `side`.
    """
    down = max(1, min(count, round(math.sqrt(count * size[0] / size[1]))))
    across = -(-count // down)
    rows, columns = (
        np.linspace(0, extent - side, steps).round().astype(int)
        for extent, steps in zip(size, (down, across), strict=True)
    )
    return [(int(row), int(column)) for row in rows for column in columns][:count]

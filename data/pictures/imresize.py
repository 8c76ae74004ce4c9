"""Bicubic resizing and degradation of pictures, as in the papers on super-resolution. NumPy only."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

LUMA = (65.481, 128.553, 24.966)  # of red, green and blue in [0, 1], on top of 16
RANGE = 219 / 255  # step of luma for a step of one grey level


def luma(picture: np.ndarray) -> np.ndarray:
    """Return the luma of a picture, float `(height, width)`: 16 for black to 235 for white.

    Args:
        picture: Levels in [0, 255], `(height, width, 3)`. A picture without colours, `(height, width)` or
            `(height, width, 1)`, counts as luma itself, as in the papers.

    Reference: Recommendation ITU-R BT.601, as MATLAB's `rgb2ycbcr` has it.
    """
    if picture.ndim == 2 or picture.shape[2] == 1:
        return np.asarray(picture.reshape(picture.shape[:2]), float_dtype(picture))
    weights = np.array(LUMA, float_dtype(picture)) / 255
    return 16 + picture.astype(weights.dtype, copy=False) @ weights


def float_dtype(array: np.ndarray) -> np.dtype:
    """Return the dtype to calculate in: that of an array of floats, otherwise float64."""
    return array.dtype if array.dtype.kind == "f" else np.dtype("float64")


def whole_levels(picture: np.ndarray) -> np.ndarray:
    """Return levels rounded and clipped to [0, 255], uint8."""
    return np.rint(picture).clip(0, 255).astype("uint8")


def imresize(picture: np.ndarray, scale: float) -> np.ndarray:
    """Return a picture at another scale by bicubic interpolation, with antialiasing for smaller scales.

    Args:
        picture: `(height, width)` or `(height, width, channels)`.
        scale: Factor of both sides, above 0.

    Output shape: `(ceil(height * scale), ceil(width * scale))` and the channels; float, neither rounded nor clipped.

    * The kernel is that of Keys with a = -1/2, widened by `1 / scale` for smaller scales.
    * Beyond its border a picture is mirrored.
    * The result equals MATLAB's `imresize`, which the tables of the papers are made with.

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
    """Return the source pixels of each new pixel along one side, and their weights.

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
    """Return the cubic convolution kernel of Keys at distances `x`, in pixels."""
    x = np.abs(x)
    near, far = ((1.5 * x - 2.5) * x) * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def modcrop(picture: np.ndarray, scale: int) -> np.ndarray:
    """Return a picture cropped at the bottom and the right to sides that are multiples of `scale`."""
    height, width = (side - side % scale for side in picture.shape[:2])
    return picture[:height, :width]


def degraded_picture(picture: np.ndarray, scale: int) -> np.ndarray:
    """Return the low-resolution picture that a network is to enlarge, uint8, as in the papers."""
    return whole_levels(imresize(modcrop(picture, scale), 1 / scale))


def turned_picture(picture: np.ndarray, way: int) -> np.ndarray:
    """Return a picture in one of its eight orientations.

    Bit 0 of `way` flips it vertically, bit 1 horizontally, and bit 2 transposes it.
    """
    picture = picture[::-1] if way & 1 else picture
    picture = picture[:, ::-1] if way & 2 else picture
    return picture.swapaxes(0, 1) if way & 4 else picture


def unturned_picture(picture: np.ndarray, way: int) -> np.ndarray:
    """Return the picture that `turned_picture` turns into this one: its inverse."""
    picture = picture.swapaxes(0, 1) if way & 4 else picture
    picture = picture[:, ::-1] if way & 2 else picture
    return picture[::-1] if way & 1 else picture


def patch_corners(size: Sequence[int], side: int, count: int) -> list[tuple[int, int]]:
    """Return the top left corners, row and column, of `count` square patches spread evenly over a picture.

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

"""Pictures distorted at random. NumPy only."""

from __future__ import annotations

import numpy as np


def distorted_images(
    images: np.ndarray,
    random: np.random.Generator,
    *,
    shift: float = 0.0,
    rotate: float = 0.0,
    scale: float = 0.0,
    shear: float = 0.0,
    elastic: float = 0.0,
) -> np.ndarray:
    """Return each image distorted at random; pixels from outside the image are 0.

    Args:
        images: `(batch, height, width, channels)`, uint8 or float.
        random: Source of the random numbers.
        shift: Largest move along each axis, in pixels.
        rotate: Largest turn, in degrees.
        scale: Largest change of each side, as a fraction of it.
        shear: Largest slant, in pixels of width for each pixel of height.
        elastic: Standard deviation of a smooth random displacement, in pixels.

    Output shape: that of `images`, float32.

    Reference: Simard et al., 2003, https://doi.org/10.1109/ICDAR.2003.1227801 (elastic distortion).
    """
    count, height, width, _ = images.shape

    def draw(limit: float) -> np.ndarray:
        return np.asarray(random.uniform(-limit, limit, count), "float32")

    angle, slant = np.radians(draw(rotate)), draw(shear)
    tall, wide = 1 + draw(scale), 1 + draw(scale)
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.stack([cos * tall, (cos * slant - sin) * wide, sin * tall, (sin * slant + cos) * wide], 1)
    centre = np.array([(height - 1) / 2, (width - 1) / 2], "float32")
    grid = np.indices((height, width), "float32").reshape(2, -1) - centre[:, None]  # (2, height * width)
    points = matrix.reshape(count, 2, 2) @ grid  # (batch, 2, height * width)
    points += (np.stack([draw(shift), draw(shift)], 1) + centre)[:, :, None]
    if elastic:
        points += elastic * smooth_noise(random, count, height, width).reshape(points.shape)
    return bilinear_samples(images, points)


def smooth_noise(
    random: np.random.Generator, count: int, height: int, width: int, *, sigma: float = 4.0, spacing: int = 4
) -> np.ndarray:
    """Return displacement fields of unit variance, float32 `(count, 2, height, width)`.

    Normal noise on a coarse grid of `spacing` pixels, blurred by a Gaussian of `sigma` pixels.
    """

    def blur(size: int) -> np.ndarray:
        knots = np.arange(-spacing, size + spacing, spacing, dtype="float32")
        kernel = np.exp(-((np.arange(size, dtype="float32")[:, None] - knots) ** 2) / (2 * sigma**2))
        return kernel / np.sqrt((kernel**2).sum(1, keepdims=True))  # (size, knots)

    rows, columns = blur(height), blur(width)
    noise = random.standard_normal((count, 2, rows.shape[1], columns.shape[1]), dtype="float32")
    return rows @ noise @ columns.T


def bilinear_samples(images: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return images sampled at other points by bilinear interpolation; points outside are 0.

    Args:
        images: `(batch, height, width, channels)`.
        points: `(batch, 2, height * width)`, row and column of each pixel's source.

    Output shape: that of `images`, float32.
    """
    count, height, width, channels = images.shape
    padded = np.zeros((count, height + 3, width + 3, channels), images.dtype)
    padded[:, 1:-2, 1:-2] = images
    pixels = padded.reshape(-1, channels)
    row, column = np.clip(points[:, 0] + 1, 0, height + 1), np.clip(points[:, 1] + 1, 0, width + 1)
    above, left = row.astype("int32"), column.astype("int32")  # (batch, height * width)
    down, right = (row - above)[..., None], (column - left)[..., None]
    corner = above * (width + 3) + left + (np.arange(count, dtype="int32") * ((height + 3) * (width + 3)))[:, None]
    upper = pixels[corner].astype("float32")
    upper += right * (pixels[corner + 1] - upper)
    lower = pixels[corner + width + 3].astype("float32")
    lower += right * (pixels[corner + width + 4] - lower)
    upper += down * (lower - upper)
    return upper.reshape(images.shape)

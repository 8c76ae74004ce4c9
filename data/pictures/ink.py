"""Ink apart from its ground, by contrast and colour. NumPy and Pillow only."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from data.pictures.ground import opened, reduced, resized, smooth_surface, wide_median

DARKEST = 64  # least level of light; what is darker is not made brighter


class Look(NamedTuple):
    """The light of a page, and how its ink differs from it.

    Attributes:
        light: Mean level of the ground at each pixel, float32 `(height, width, 1)`, not near 0.
        direction: Direction in colour from ground to ink, of length 1, `(channels,)`.
        contrast: Difference from most of the page in that direction, relative to the light, `(height, width)`.
    """

    light: np.ndarray
    direction: np.ndarray
    contrast: np.ndarray


class Ink(NamedTuple):
    """How much each pixel of a page differs from its ground in the way of the ink, relative to the light.

    Attributes:
        strength: Difference, float32 `(height, width)`, positive for ink.
        noise: Standard deviation of the ground at each pixel, in the same shape.
    """

    strength: np.ndarray
    noise: np.ndarray


def page_look(page: np.ndarray, widest: float) -> Look:
    """Return the light of a page, and how its ink differs from it.

    Args:
        page: float32 `(height, width, channels)`.
        widest: Width of the widest stroke, in pixels.
    """
    small = reduced(page)
    surface = smooth_surface(small)
    field = resized(surface + wide_median(small - surface), page.shape[:2], Image.Resampling.BILINEAR)
    light = np.maximum(field.mean(2, keepdims=True), DARKEST)
    away = (page - field) / light
    direction = ink_direction(away)
    other = page - resized(surface, page.shape[:2], Image.Resampling.BILINEAR)
    contrasts = np.stack([smoothed(projected(away, direction)), smoothed(projected(other, direction)) / light[:, :, 0]])
    contrasts /= np.sqrt(page.shape[2])
    looks = [Look(light, way * direction, (way * contrasts).max(0)) for way in (1, -1)]
    amounts = [
        ink_amount(page_ink(page, look, widest), way * contrasts) for look, way in zip(looks, (1, -1), strict=True)
    ]
    return looks[int(np.argmax(amounts))]


def ink_amount(ink: Ink, contrasts: np.ndarray) -> float:
    """Return how much ink there is, without the rim of the page.

    Ink differs both from the ground at its sides and from most of the page, which the inside of a loop does not.

    Args:
        ink: Difference from the ground at its sides.
        contrasts: Differences from most of the page, `(number, height, width)`.
    """
    agreed = np.minimum(ink.strength, contrasts.min(0))
    inner = np.where(agreed > 3 * ink.noise, agreed, 0)
    rows, columns = (side // 10 for side in inner.shape)
    return float((inner[rows : inner.shape[0] - rows, columns : inner.shape[1] - columns] ** 2).sum())


def page_ink(page: np.ndarray, look: Look, widest: float) -> Ink:
    """Return the ink of a page.

    Args:
        page: float32 `(height, width, channels)`.
        widest: Width of the widest stroke, in pixels.
    """
    levels = smoothed(projected(page, look.direction)) / np.sqrt(page.shape[2])
    above = levels - opened(levels, max(int(widest), 2))
    above -= np.median(above)
    light = look.light[:, :, 0]
    noise = max(float(np.median(np.abs(above))) * 1.4826, 0.25)  # a quarter of a level for rounding
    return Ink(above / light, noise / light)


def ink_direction(away: np.ndarray) -> np.ndarray:
    """Return the direction in colour in which pixels differ most from their ground, of length 1, `(channels,)`."""
    flat = away.reshape(-1, away.shape[2])
    far = flat[np.abs(flat).max(1) >= np.quantile(np.abs(flat).max(1), 0.95)]
    return np.linalg.eigh(np.einsum("ni,nj->ij", far, far))[1][:, -1].astype("float32")


def projected(levels: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Return the part of levels `(height, width, channels)` in a direction, `(height, width)`."""
    return np.einsum("hwc,c->hw", levels, direction)


def smoothed(levels: np.ndarray) -> np.ndarray:
    """Return levels averaged over neighbours by weights of 1, 2, 1 along each axis."""
    for axis in (0, 1):
        wide = np.pad(levels, [(1, 1) if axis == one else (0, 0) for one in (0, 1)], mode="edge")
        wide = np.moveaxis(wide, axis, 0)
        levels = np.moveaxis((wide[:-2] + 2 * wide[1:-1] + wide[2:]) / 4, 0, axis)
    return levels

"""The character on a page: ink apart from paper, light, lines, grain and specks. NumPy and Pillow only."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from data.pictures.ground import opened, reduced, resized, smooth_surface, wide_median
from data.pictures.lines import without_lines
from data.pictures.regions import Part, grown, labelled_parts

FIRST_SIDE = 256  # larger side of the page at the first look, in pixels
EXTENT = 96  # larger side of the character at the second look, in pixels
MARGIN = 0.5  # of the page around the character at the second look, in extents of it
STROKE = 0.25  # of the page, the widest stroke at the first look
LEAST = 0.04  # ink fainter than this, relative to its ground, is none


class Character(NamedTuple):
    """The largest character on a page.

    Attributes:
        strength: Ink of each pixel, float32 `(height, width)` in [0, 1].
        count: Number of characters of about its size on the page, itself included.
        part: Its box in the page.
    """

    strength: np.ndarray
    count: int
    part: Part


class Look(NamedTuple):
    """The light of a page, and how its ink differs from it.

    Attributes:
        light: Mean level of the ground at each pixel, float32 `(height, width, 1)`, not near 0.
        direction: Direction in colour from ground to ink, of length 1, `(channels,)`.
    """

    light: np.ndarray
    direction: np.ndarray


def page_character(pixels: np.ndarray) -> Character | None:
    """Return the largest character on a page, or `None` if the page is blank.

    * Light may be uneven; ink may be darker or lighter than the page, or differ from it in colour only.
    * Ruled and squared lines, boxes, dark edges, grain and specks are left out.
    * The page is looked at as a whole, then about the character, in a size that suits it.

    Args:
        pixels: uint8 `(height, width, channels)`.
    """
    scale = min(FIRST_SIDE / max(pixels.shape[:2]), 4.0)
    page = scaled_page(pixels, scale)
    look = page_look(page)
    first = seen_character(ink_contrast(page, look, STROKE * min(page.shape[:2])))
    if first is None:
        return None
    box, extent = first.part, first.part.extent
    reach = int(MARGIN * extent)
    near = np.s_[max(box.top - reach, 0) : box.bottom + reach, max(box.left - reach, 0) : box.right + reach]
    large = np.s_[tuple(slice(round(part.start / scale), round(part.stop / scale)) for part in near)]
    close = scaled_page(pixels[large], min(EXTENT / extent * scale, 4.0))
    light = resized(look.light[near], close.shape[:2], Image.Resampling.BILINEAR)
    place = resized(grown(first.strength > 0, 2)[near][..., None], close.shape[:2], Image.Resampling.BILINEAR)
    second = seen_character(ink_contrast(close, Look(light, look.direction), 0.4 * EXTENT), place[..., 0] > 0.5)
    return first if second is None else second._replace(count=max(first.count, second.count))


def scaled_page(pixels: np.ndarray, scale: float) -> np.ndarray:
    """Return a page in another size, float32."""
    height, width = (max(round(side * scale), 8) for side in pixels.shape[:2])
    way = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    return np.atleast_3d(np.asarray(image.resize((width, height), way), "float32"))


def seen_character(strength: np.ndarray, near: np.ndarray | None = None) -> Character | None:
    """Return the largest character among the strengths of ink of a page, or `None`.

    Args:
        strength: float32 `(height, width)`.
        near: Where its ink may be, bool `(height, width)`.
    """
    noise = float(np.median(np.abs(strength))) * 1.4826
    level = ink_level(strength, noise)
    if level is None:
        return None
    mask = without_lines(strength > max(0.35 * level, min(3 * noise, 0.5 * level)))
    labels, parts = labelled_parts(mask if near is None else mask & near)
    chosen, count = character_parts(parts, labels, strength, level)
    if not chosen:
        return None
    own = np.isin(labels, [part.number for part in chosen])
    return Character(inked(strength, own), count, joint_box(chosen))


def inked(strength: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return the ink of a character in [0, 1]: the levels of its strokes are about 1."""
    full = float(np.quantile(strength[own], 0.6))
    rim = grown(own) & (strength > 0.1 * full)
    return np.where(rim, (strength / full).clip(0, 1), 0).astype("float32")


def page_look(page: np.ndarray) -> Look:
    """Return the light of a page, and how its ink differs from it."""
    small = reduced(page)
    surface = smooth_surface(small)
    field = resized(surface + wide_median(small - surface), page.shape[:2], Image.Resampling.BILINEAR)
    light = np.maximum(field.mean(2, keepdims=True), 64)
    away = (page - field) / light
    direction = ink_direction(away)
    look, other = Look(light, direction), Look(light, -direction)
    contrast = smoothed(away @ direction)
    wide = smoothed((page - resized(surface, page.shape[:2], Image.Resampling.BILINEAR)) @ direction) / light[:, :, 0]
    is_ink = ink_amount(page, look, [contrast, wide]) >= ink_amount(page, other, [-contrast, -wide])
    return look if is_ink else other


def ink_amount(page: np.ndarray, look: Look, contrasts: list[np.ndarray]) -> float:
    """Return how much ink a page has, if it differs from its ground in this direction.

    Ink differs both from the ground at its sides and from most of the page, which the inside of a loop does not.
    """
    narrow = ink_contrast(page, look, STROKE * min(page.shape[:2]))
    rows, columns = (side // 10 for side in narrow.shape)
    all_agree = np.minimum.reduce([narrow, *contrasts])[
        rows : narrow.shape[0] - rows, columns : narrow.shape[1] - columns
    ]
    return float((all_agree[all_agree > 4 * np.median(np.abs(narrow))] ** 2).sum())


def ink_contrast(page: np.ndarray, look: Look, widest: float) -> np.ndarray:
    """Return how much each pixel differs from its ground in the way of the ink, relative to the light.

    Args:
        widest: Width of the widest stroke, in pixels.

    Output shape: `(height, width)`, positive for ink.
    """
    levels = smoothed(page @ look.direction)
    contrast = (levels - opened(smoothed(levels), int(widest))) / look.light[:, :, 0]
    return contrast - np.median(contrast)


def ink_direction(away: np.ndarray) -> np.ndarray:
    """Return the direction in colour in which pixels differ most from their ground, of length 1, `(channels,)`."""
    flat = away.reshape(-1, away.shape[2])
    far = flat[np.abs(flat).max(1) >= np.quantile(np.abs(flat).max(1), 0.95)]
    return np.linalg.eigh(far.T @ far)[1][:, -1].astype("float32")


def smoothed(levels: np.ndarray) -> np.ndarray:
    """Return levels averaged over neighbours by weights of 1, 2, 1 along each axis."""
    for axis in (0, 1):
        wide = np.pad(levels, [(1, 1) if axis == one else (0, 0) for one in (0, 1)], mode="edge")
        wide = np.moveaxis(wide, axis, 0)
        levels = np.moveaxis((wide[:-2] + 2 * wide[1:-1] + wide[2:]) / 4, 0, axis)
    return levels


def ink_level(strength: np.ndarray, noise: float) -> float | None:
    """Return the usual strength of ink on a page, or `None` if there is none."""
    strong = strength[strength > max(5 * noise, LEAST, 0.25 * float(np.quantile(strength, 0.9985)))]
    return float(np.quantile(strong, 0.7)) if len(strong) else None


def character_parts(
    parts: list[Part], labels: np.ndarray, strength: np.ndarray, level: float
) -> tuple[list[Part], int]:
    """Return the parts that make up the largest character, and the number of characters of about its size."""
    peaks = np.zeros(len(parts) + 1)
    np.maximum.at(peaks, labels.ravel(), strength.ravel())
    parts = [part for part in parts if peaks[part.number] > 0.6 * level and not is_edge(part, labels)]
    if not parts:
        return [], 0
    main = max(parts, key=lambda part: part.area * (0.3 if touches_frame(part, labels.shape) else 1))
    if main.extent < 0.03 * max(labels.shape):
        return [], 0
    others = [part for part in parts if is_other_character(part, main)]
    rest = [part for part in parts if part not in others and part.area >= max(0.03 * main.area, 4)]
    return neighbours(main, rest), 1 + len(others)


def neighbours(main: Part, parts: list[Part]) -> list[Part]:
    """Return a part and those near it, or near one that is."""
    group, box = [main], main
    for part in sorted(parts, key=lambda part: gap(part, main)):
        if part is not main and gap(part, box) <= 0.2 * box.extent:
            group.append(part)
            box = joint_box(group)
    return group


def joint_box(parts: list[Part]) -> Part:
    """Return several parts as one."""
    edges = np.array(parts)
    low, high = edges[:, 2:4].min(0), edges[:, 4:].max(0)
    return Part(parts[0].number, int(edges[:, 1].sum()), *map(int, (*low, *high)))


def gap(one: Part, other: Part) -> int:
    """Return the pixels between the boxes of two parts."""
    down = max(one.top, other.top) - min(one.bottom, other.bottom)
    right = max(one.left, other.left) - min(one.right, other.right)
    return max(down, right, 0)


def is_other_character(part: Part, main: Part) -> bool:
    """Return whether a part is another character of about the size of the main one, rather than a stroke of it."""
    alike = 0.6 * main.extent <= part.extent <= 1.5 * main.extent and part.area >= 0.25 * main.area
    beside = max(part.left, main.left) - min(part.right, main.right)
    below = max(part.top, main.top) - min(part.bottom, main.bottom)
    in_row = beside > 0.1 * main.extent and -below > 0.6 * min(part.height, main.height)
    in_column = below > 0.3 * main.extent and -beside > 0.4 * min(part.width, main.width)
    return alike and (in_row or in_column or max(beside, below) > main.extent)


def touches_frame(part: Part, shape: tuple[int, ...]) -> bool:
    """Return whether a part touches the edge of the page."""
    return part.top == 0 or part.left == 0 or part.bottom == shape[0] or part.right == shape[1]


def is_edge(part: Part, labels: np.ndarray) -> bool:
    """Return whether a part lies along the edge of the page, as the shadow of a scanner does."""
    height, width = labels.shape
    inner = labels[height // 8 : height - height // 8, width // 8 : width - width // 8]
    share = int((inner == part.number).sum()) / part.area
    return share < (0.3 if touches_frame(part, labels.shape) else 0.1 * (part.extent > 0.5 * max(height, width)))

"""The character on a page: ink apart from paper, light, lines, grain and specks. NumPy and Pillow only."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from data.pictures.ground import resized
from data.pictures.ink import Ink, Look, page_ink, page_look
from data.pictures.lines import without_lines
from data.pictures.regions import Part, grown, labelled_parts, run_lengths

FIRST_SIDE = 256  # larger side of the page at the first look, in pixels
EXTENT = 96  # larger side of the character at the second look, in pixels
MARGIN = 0.5  # of the page around the character at the second look, in extents of it
STROKE = 0.25  # of the page, the widest stroke at the first look
EDGE_INK = 40  # least difference of a stroke at the edge of a picture from its ground, in levels
LEAST_SHARE = 0.03  # of the page, the least extent of a character
LEAST_EXTENT = 5  # pixels of the picture, the least extent of a character
STANDS_OUT = 0.25  # least difference of ink from most of the page, relative to that from the ground at its sides
LEAST = 0.03  # ink fainter than this, relative to its ground, is none


class Character(NamedTuple):
    """The largest character on a page.

    Attributes:
        strength: Ink of each pixel, float32 `(height, width)` in [0, 1].
        characters: Number of characters of about its size on the page, itself included.
        part: Its box in the page.
    """

    strength: np.ndarray
    characters: int
    part: Part


def page_character(pixels: np.ndarray) -> Character | None:
    """Return the largest character on a page, or `None` if the page is blank.

    * Light may be uneven; ink may be darker or lighter than the page, or differ from it in colour only.
    * Ruled and squared lines, boxes, dark edges, grain and specks are left out.
    * The page is looked at as a whole, then about the character, in a size that suits it.

    Args:
        pixels: uint8 `(height, width, channels)`.
    """
    pixels = with_margin(pixels)
    scale = min(FIRST_SIDE / max(pixels.shape[:2]), 4.0)
    page = scaled_page(pixels, scale)
    widest = STROKE * min(page.shape[:2])
    look = page_look(page, widest)
    ink = page_ink(page, look, widest)
    first = seen_character(ink, max(LEAST_SHARE * max(page.shape), LEAST_EXTENT * scale))
    if first is None or not stands_out(first.strength > 0.5, ink, look):
        return None
    return closer_character(pixels, scale, look, first)


def with_margin(pixels: np.ndarray) -> np.ndarray:
    """Return a page with a margin of its ground, if strokes run over the edge of an even ground; else the page.

    The corners are then ground, and the edges hold runs wider than lines, but not whole sides.
    """
    sides = [pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]
    ground = np.median(np.concatenate(sides), 0)
    inks = [np.abs(side - ground).max(1) > EDGE_INK for side in sides]
    runs = [run_lengths(ink[None]).max() / len(ink) for ink in inks]
    if any(ink[0] or ink[-1] for ink in inks) or not 0.08 < max(runs) < 0.75:
        return pixels
    margin = int(STROKE * min(pixels.shape[:2])) + 1
    page = np.empty((pixels.shape[0] + 2 * margin, pixels.shape[1] + 2 * margin, pixels.shape[2]), "uint8")
    page[:] = ground.round()
    page[margin:-margin, margin:-margin] = pixels
    return page


def stands_out(own: np.ndarray, ink: Ink, look: Look) -> bool:
    """Return whether ink differs from most of the page, not only from the ground at its sides, as uneven light does."""
    return float(look.contrast[own].mean()) > STANDS_OUT * float(ink.strength[own].mean())


def closer_character(pixels: np.ndarray, scale: float, look: Look, first: Character) -> Character:
    """Return a character as it is seen at a second look, in a size that suits it.

    Args:
        pixels: uint8 `(height, width, channels)`.
        scale: Size of the first look, relative to the pixels.
        look: Light and ink at the first look.
        first: The character as it was seen then.
    """
    box, extent = first.part, first.part.extent
    reach = int(MARGIN * extent)
    near = np.s_[max(box.top - reach, 0) : box.bottom + reach, max(box.left - reach, 0) : box.right + reach]
    large = np.s_[tuple(slice(round(part.start / scale), round(part.stop / scale)) for part in near)]
    closer = min(EXTENT / extent * scale, 4.0)
    close = scaled_page(pixels[large], closer)
    light = resized(look.light[near], close.shape[:2], Image.Resampling.BILINEAR)
    place = resized(grown(first.strength > 0, 2)[near][..., None], close.shape[:2], Image.Resampling.BILINEAR)
    ink = page_ink(close, look._replace(light=light), 0.4 * extent * closer / scale)
    second = seen_character(ink, 0.5 * extent * closer / scale, place[..., 0] > 0.5)
    return first if second is None else second._replace(characters=max(first.characters, second.characters))


def scaled_page(pixels: np.ndarray, scale: float) -> np.ndarray:
    """Return a page in another size, float32."""
    height, width = (max(round(side * scale), 8) for side in pixels.shape[:2])
    way = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    return np.atleast_3d(np.asarray(image.resize((width, height), way), "float32"))


def seen_character(ink: Ink, least: float, near: np.ndarray | None = None) -> Character | None:
    """Return the largest character in the ink of a page, or `None`.

    Args:
        ink: The ink of the page.
        least: Least extent of a character, in pixels.
        near: Where its ink may be, bool `(height, width)`.
    """
    level = ink_level(ink)
    if level is None:
        return None
    mask = without_lines(ink.strength > np.maximum(0.35 * level, np.minimum(3 * ink.noise, 0.5 * level)))
    labels, parts = labelled_parts(mask if near is None else mask & near)
    chosen, count = character_parts(inky_parts(parts, labels, ink, level), labels.shape, least)
    if not chosen:
        return None
    own = np.isin(labels, [part.number for part in chosen])
    return Character(inked(ink.strength, own), count, joint_box(chosen))


def inked(strength: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return the ink of a character in [0, 1]: the levels of its strokes are about 1."""
    full = float(np.quantile(strength[own], 0.6))
    rim = grown(own) & (strength > 0.1 * full)
    return np.where(rim, (strength / full).clip(0, 1), 0).astype("float32")


def ink_level(ink: Ink) -> float | None:
    """Return the usual strength of ink on a page, or `None` if there is none."""
    strong = np.maximum(5 * ink.noise, max(LEAST, 0.25 * float(np.quantile(ink.strength, 0.9985))))
    levels = ink.strength[ink.strength > strong]
    return float(np.quantile(levels, 0.7)) if len(levels) else None


def inky_parts(parts: list[Part], labels: np.ndarray, ink: Ink, level: float) -> list[Part]:
    """Return the parts that are ink rather than noise, or an edge of the page."""
    peaks = np.zeros(len(parts) + 1)
    np.maximum.at(peaks, labels.ravel(), ink.strength.ravel())
    clarity = np.bincount(labels.ravel(), (ink.strength / ink.noise).ravel(), minlength=len(peaks))
    clear = [part for part in parts if peaks[part.number] > 0.6 * level and clarity[part.number] > 4 * part.area]
    return [part for part in clear if not is_edge(part, labels)]


def character_parts(parts: list[Part], shape: tuple[int, ...], least: float) -> tuple[list[Part], int]:
    """Return the parts that make up the largest character, and the number of characters of about its size.

    Args:
        parts: All parts of the page that are ink.
        shape: Height and width of the page.
        least: Least extent of a character, in pixels.
    """
    main = max(parts, key=lambda part: part.area * (0.3 if touches_frame(part, shape) else 1), default=None)
    if main is None:
        return [], 0
    others = [part for part in parts if is_other_character(part, main)]
    rest = [part for part in parts if part not in others and part.area >= max(0.03 * main.area, 4)]
    found = neighbours(main, rest)
    return (found, 1 + len(others)) if joint_box(found).extent >= least else ([], 0)


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

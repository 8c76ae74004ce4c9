"""Printed lines of a page: ruled and squared paper, boxes, and the dark edges of scans. NumPy only."""

from typing import NamedTuple

import numpy as np

from data.pictures.regions import grown, labelled_parts, run_lengths

SLANT = 0.06  # largest slope of a line
SPAN = 0.75  # least share of the page that a ruled line covers
SIDE_SPAN = 0.5  # least share of the page that the side of a box covers
THICKEST = 0.05  # of the page


class Lines(NamedTuple):
    """The lines of a mask along one axis: their pixels that belong to nothing else, and all their pixels, bool."""

    thin: np.ndarray
    all: np.ndarray


def without_lines(mask: np.ndarray) -> np.ndarray:
    """Return a mask of ink without ruled lines, boxes and dark edges; strokes that cross a line stay whole.

    Args:
        mask: bool `(height, width)`.
    """
    across, down = outer_lines(mask), transposed(outer_lines(mask.T))
    if is_box(across, down):
        mask = erased(mask, [across, down])
    mask = without_dark_edges(mask)
    return erased(mask, [line_pixels(mask, SPAN, through=True), transposed(line_pixels(mask.T, SPAN, through=True))])


def outer_lines(mask: np.ndarray) -> Lines:
    """Return lines across the page in its upper and lower third, where the sides of a box lie."""
    inner = slice(len(mask) // 3, len(mask) - len(mask) // 3)
    lines = line_pixels(mask, SIDE_SPAN, through=False)
    for pixels in lines:
        pixels[inner] = False
    return lines


def transposed(lines: Lines) -> Lines:
    """Return lines down the page from lines across its transpose."""
    return Lines(lines.thin.T, lines.all.T)


def is_box(across: Lines, down: Lines) -> bool:
    """Return whether lines are at least three sides of a box about the middle of the page."""
    height, width = (side // 3 for side in across.thin.shape)
    outer = [across.thin[:height], across.thin[-height:], down.thin[:, :width], down.thin[:, -width:]]
    return sum(bool(part.any()) for part in outer) >= 3


def erased(mask: np.ndarray, lines: list[Lines]) -> np.ndarray:
    """Return a mask without lines, and without what lies only on lines, such as crossings."""
    rest = mask & ~lines[0].thin & ~lines[1].thin
    labels, parts = labelled_parts(rest)
    near = np.bincount(labels[grown(lines[0].all | lines[1].all)], minlength=len(parts) + 1)
    crossing = 2 * THICKEST * max(mask.shape)
    kept = [part.number for part in parts if near[part.number] < 0.9 * part.area or part.extent > crossing]
    return np.isin(labels, kept)


def without_dark_edges(mask: np.ndarray, share: float = 0.6) -> np.ndarray:
    """Return a mask without the rows and columns at each edge that are mostly ink."""
    kept = np.array(mask)
    for side in (kept, kept[::-1], kept.T, kept.T[::-1]):
        light = np.flatnonzero(side[: len(side) // 3].mean(1) < share)
        edge = int(light[0]) if len(light) else 0
        side[: edge + 2 if edge else 0] = False  # the soft rim as well
    return kept


def line_pixels(mask: np.ndarray, span: float, *, through: bool) -> Lines:
    """Return the nearly level lines in a mask.

    Args:
        mask: bool `(height, width)`.
        span: Least share of the width that a line covers.
        through: If true, a line must run from edge to edge.
    """
    rows, columns = np.nonzero(mask)
    level = levelled_rows(mask, rows, columns)
    sheared = np.zeros((mask.shape[0] + 2 * shift_room(mask), mask.shape[1]), bool)
    sheared[level, columns] = True
    lines = line_rows(sheared, span, through)
    if not lines.any():
        return Lines(np.zeros_like(mask), np.zeros_like(mask))
    on_line = np.zeros_like(mask)
    on_line[rows, columns] = lines[level]
    return Lines(thin_runs(mask, on_line), on_line)


def shift_room(mask: np.ndarray) -> int:
    """Return the most pixels that a slanting line rises over half the width."""
    return int(mask.shape[1] * SLANT / 2) + 1


def levelled_rows(mask: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return each pixel's row after the slant is undone that makes rows of ink fullest; rows start `shift_room` up."""
    room, width = shift_room(mask), mask.shape[1]
    along = columns / max(width - 1, 1) - 0.5
    best = (-1.0, rows + room)
    for shift in sorted(range(-2 * room + 2, 2 * room - 1), key=abs):
        level = rows + np.rint(shift * along).astype(int) + room
        counts = np.bincount(level, minlength=mask.shape[0] + 2 * room)
        fullness = float((counts.astype(float) ** 4).sum())
        if fullness > best[0] * 1.02:
            best = (fullness, level)
    return best[1]


def line_rows(mask: np.ndarray, span: float, through: bool) -> np.ndarray:
    """Return which rows of a levelled mask hold a line, bool `(height,)`."""
    thick = np.array(mask)
    thick[1:] |= mask[:-1]
    thick[:-1] |= mask[1:]
    end = max(mask.shape[1] // 12, 2)
    found = thick.mean(1) >= span
    if through:
        found &= (thick[:, :end].mean(1) > 0.5) & (thick[:, -end:].mean(1) > 0.5)
    return found


def thin_runs(mask: np.ndarray, on_line: np.ndarray) -> np.ndarray:
    """Return the pixels whose run across a line is about as short as the line is thick, bool."""
    lengths = run_lengths(mask.T).T
    usual = float(np.median(lengths[on_line]))
    thickest = min(usual * 1.5 + 1, max(THICKEST * mask.shape[0], 3))
    return mask & (lengths <= thickest) & grown(on_line)

"""Printed lines of a page: ruled and squared paper, boxes, and the dark edges of scans. NumPy only."""

import numpy as np

from data.pictures.regions import grown, run_lengths

SLANT = 0.06  # largest slope of a line
SPAN = 0.75  # least share of the page that a ruled line covers
SIDE_SPAN = 0.5  # least share of the page that the side of a box covers
THICKEST = 0.05  # of the page


def without_lines(mask: np.ndarray) -> np.ndarray:
    """Return a mask of ink without ruled lines, boxes and dark edges; strokes that cross a line stay whole.

    Args:
        mask: bool `(height, width)`.
    """
    mask = without_dark_edges(mask)
    across, down = line_pixels(mask, SPAN, through=True), line_pixels(mask.T, SPAN, through=True).T
    return without_box(mask & ~across & ~down)


def without_box(mask: np.ndarray) -> np.ndarray:
    """Return a mask without a box of four sides around the middle of the page."""
    across, down = line_pixels(mask, SIDE_SPAN, through=False), line_pixels(mask.T, SIDE_SPAN, through=False).T
    height, width = mask.shape
    outer = [across[: height // 3], across[-(height // 3) :], down[:, : width // 3], down[:, -(width // 3) :]]
    sides = sum(bool(part.any()) for part in outer)
    return mask & ~across & ~down if sides >= 3 else mask


def without_dark_edges(mask: np.ndarray, share: float = 0.6) -> np.ndarray:
    """Return a mask without the rows and columns at each edge that are mostly ink."""
    kept = np.array(mask)
    for side in (kept, kept[::-1], kept.T, kept.T[::-1]):
        light = np.flatnonzero(side[: len(side) // 3].mean(1) < share)
        edge = int(light[0]) if len(light) else 0
        side[: edge + 2 if edge else 0] = False  # the soft rim as well
    return kept


def line_pixels(mask: np.ndarray, span: float, *, through: bool) -> np.ndarray:
    """Return the pixels of the nearly level lines in a mask that belong to nothing else, bool.

    Args:
        mask: bool `(height, width)`.
        span: Least share of the width that a line covers.
        through: If true, a line must run from edge to edge.
    """
    rows, columns = np.nonzero(mask)
    shift, level = best_slant(mask, rows, columns)
    sheared = np.zeros((mask.shape[0] + 2 * shift_room(mask), mask.shape[1]), bool)
    sheared[level, columns] = True
    lines = line_rows(sheared, span, through)
    if not lines.any():
        return np.zeros_like(mask)
    on_line = np.zeros_like(mask)
    on_line[rows, columns] = lines[level]
    return on_line & thin_runs(mask, on_line)


def shift_room(mask: np.ndarray) -> int:
    """Return the most pixels that a slanting line rises over half the width."""
    return int(mask.shape[1] * SLANT / 2) + 1


def best_slant(mask: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> tuple[int, np.ndarray]:
    """Return the rise over the width at which rows of ink are fullest, and each pixel's row when that is undone."""
    room, width = shift_room(mask), mask.shape[1]
    along = columns / max(width - 1, 1) - 0.5
    best = (-1.0, 0, rows + room)
    for shift in sorted(range(-2 * room + 2, 2 * room - 1), key=abs):
        level = rows + np.rint(shift * along).astype(int) + room
        counts = np.bincount(level, minlength=mask.shape[0] + 2 * room)
        fullness = float((counts.astype(float) ** 4).sum())
        if fullness > best[0] * 1.02:
            best = (fullness, shift, level)
    return best[1], best[2]


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

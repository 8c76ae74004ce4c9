"""Connected parts of a mask, and their places. NumPy only."""

from typing import NamedTuple

import numpy as np


class Part(NamedTuple):
    """A connected part of a mask.

    Attributes:
        number: Its number in the array of labels.
        area: Its pixels.
        top, left, bottom, right: Its box; the last two are one past its end.
    """

    number: int
    area: int
    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def extent(self) -> int:
        """Larger side of its box."""
        return max(self.height, self.width)


def labelled_parts(mask: np.ndarray) -> tuple[np.ndarray, list[Part]]:
    """Return the number of the connected part that each pixel belongs to, int32, 0 outside; and the parts, from 1.

    Pixels that touch at a corner are connected.

    Args:
        mask: bool `(height, width)`.

    Example:
        >>> labels, parts = labelled_parts(np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0]], bool))
        >>> labels.tolist()
        [[1, 0, 1], [0, 1, 0], [0, 0, 0], [2, 2, 0]]
        >>> [part.area for part in parts]
        [3, 2]
    """
    rows, starts, ends = mask_runs(mask)
    roots = np.unique(joined_runs(rows, starts, ends), return_inverse=True)[1].ravel() + 1
    labels = np.zeros(mask.shape, "int32")
    labels[mask] = np.repeat(roots, ends - starts)  # runs lie in the order of the pixels
    return labels, run_parts(roots, rows, starts, ends)


def mask_runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row, start and end of each horizontal run of a mask, in reading order."""
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype("int8"), axis=1)
    rows, starts = np.nonzero(edges == 1)
    return rows, starts, np.nonzero(edges == -1)[1]


def joined_runs(rows: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return for each run the first run of its connected part."""
    root = np.arange(len(rows))
    above, below = touching_runs(rows, starts, ends)
    while True:
        least = np.minimum(root[above], root[below])
        found = root.copy()
        for side in (above, below):
            np.minimum.at(found, side, least)
            np.minimum.at(found, root[side], least)
        found = found[found]
        if np.array_equal(found, root):
            return root
        root = found


def touching_runs(rows: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs of runs in neighbouring rows that touch, the upper ones and the lower ones."""
    wide = int(ends.max(initial=0)) + 2
    first = np.searchsorted(rows * wide + ends, (rows - 1) * wide + starts)  # ends no earlier than the start
    last = np.searchsorted(rows * wide + starts, (rows - 1) * wide + ends, side="right")
    counts = np.maximum(last - first, 0)
    below = np.repeat(np.arange(len(rows)), counts)
    within = np.arange(len(below)) - np.repeat(np.cumsum(counts) - counts, counts)
    return first[below] + within, below


def run_parts(roots: np.ndarray, rows: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> list[Part]:
    """Return the parts that numbered runs make up."""
    count = int(roots.max(initial=0)) + 1
    area = np.bincount(roots, ends - starts, minlength=count).astype(int)
    low, high = np.full((2, count), 1 << 30), np.zeros((2, count), int)
    np.minimum.at(low[0], roots, rows)
    np.minimum.at(low[1], roots, starts)
    np.maximum.at(high[0], roots, rows + 1)
    np.maximum.at(high[1], roots, ends)
    boxes = np.stack([np.arange(count), area, *low, *high], 1)[1:]
    return [Part(*map(int, box)) for box in boxes]


def run_lengths(mask: np.ndarray) -> np.ndarray:
    """Return for each pixel of a mask the length of its horizontal run, int; 0 outside.

    Example:
        >>> run_lengths(np.array([[1, 1, 0, 1]], bool)).tolist()
        [[2, 2, 0, 1]]
    """
    _, starts, ends = mask_runs(mask)
    lengths = np.zeros(mask.shape, int)
    lengths[mask] = np.repeat(ends - starts, ends - starts)
    return lengths


def grown(mask: np.ndarray, steps: int = 1) -> np.ndarray:
    """Return a mask that also holds the eight neighbours of its pixels, several times over."""
    for _ in range(steps):
        wide = np.pad(mask, 1)
        tall = wide[:-2] | wide[1:-1] | wide[2:]
        mask = tall[:, :-2] | tall[:, 1:-1] | tall[:, 2:]
    return mask

"""Pictures that were resized to a square, with the shape that they had."""

from typing import Any

import numpy as np
from typing_extensions import override


class SquarePixels(np.ndarray):
    """Pixels of a picture that was resized to a square.

    Attributes:
        ratio: Width of the picture divided by its height, before.
    """

    ratio = 1.0

    @override
    def __array_finalize__(self, source: Any) -> None:
        """Keep the ratio in views; it means nothing in arrays of another shape."""
        self.ratio = getattr(source, "ratio", 1.0)


def square_of(pixels: np.ndarray, width: int, height: int) -> SquarePixels:
    """Return the pixels of a square with the shape that its picture had.

    Example:
        >>> square_of(np.zeros((8, 8, 3), "uint8"), 40, 20).ratio
        2.0
    """
    found = pixels.view(SquarePixels)
    found.ratio = width / height
    return found


def shown_size(pixels: np.ndarray, side: int) -> tuple[int, int]:
    """Return the width and the height, at most `side`, in which a picture has its own shape.

    Example:
        >>> shown_size(square_of(np.zeros((8, 8, 3), "uint8"), 40, 20), 100), shown_size(np.zeros((30, 15)), 100)
        ((100, 50), (50, 100))
    """
    ratio = pixels.ratio if isinstance(pixels, SquarePixels) else pixels.shape[1] / pixels.shape[0]
    return max(round(side * min(ratio, 1)), 1), max(round(side / max(ratio, 1)), 1)

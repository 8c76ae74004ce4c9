"""JPEG: its artefacts on pictures in memory, and the quality of files. NumPy and Pillow only."""

from collections.abc import Mapping, Sequence
from io import BytesIO

import numpy as np
from PIL import Image

BLOCK = 8  # pixels of each side of the blocks that JPEG compresses, for levels without colours

STEP = 57.625  # mean step of luma at quality 50, in the tables of the standard (ITU-T T.81, table K.1)


def file_quality(tables: Mapping[int, Sequence[int]]) -> int:
    """Return the quality, 1 to 100, at which libjpeg has nearly the same steps of luma as a file; steps end at 255.

    Args:
        tables: Quantization tables of the file, that of luma first.

    Example:
        >>> file_quality({0: [1] * 64}), file_quality({0: [58] * 64})
        (99, 50)
    """
    percent = 100 * float(np.mean(next(iter(tables.values())))) / STEP
    return round(min(max((200 - percent) / 2 if percent <= 100 else 5000 / percent, 1), 100))


def compressed_picture(picture: np.ndarray, quality: int) -> np.ndarray:
    """Return a picture as it comes back from a JPEG file, of the same shape.

    Args:
        picture: Levels uint8, `(height, width)`, `(height, width, 1)` or `(height, width, 3)`.
        quality: That of libjpeg, 1 to 100. Colours have half the resolution, as usual.

    Example:
        >>> flat = np.full((8, 8), 130, "uint8")
        >>> bool((compressed_picture(flat, 90) == flat).all())
        True
    """
    file = BytesIO()
    grey = picture.ndim == 2 or picture.shape[2] == 1
    image = Image.fromarray(picture.reshape(picture.shape[:2]) if grey else picture)
    image.save(file, "JPEG", quality=quality, subsampling="4:2:0")
    with Image.open(file, formats=["JPEG"]) as read:
        return np.array(read).reshape(picture.shape)


def compressed_part(picture: np.ndarray, corner: tuple[int, int], size: tuple[int, ...], quality: int) -> np.ndarray:
    """Return a part of the levels `(height, width)` that a picture has after compression, as if all of it were.

    Blocks are compressed one by one, so those of the part suffice.

    Args:
        picture: Levels uint8, `(height, width)`.
        corner: First row and first column of the part.
        size: Its height and width.
        quality: As for `compressed_picture`.
    """
    offsets = [first % BLOCK for first in corner]
    rows, columns = (
        slice(first - offset, -(-(first + side) // BLOCK) * BLOCK)
        for first, offset, side in zip(corner, offsets, size, strict=True)
    )
    blocks = compressed_picture(picture[rows, columns], quality)
    return blocks[offsets[0] : offsets[0] + size[0], offsets[1] : offsets[1] + size[1]]

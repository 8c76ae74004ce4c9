"""Pictures that look nearly equal, in time and memory that grow with their number alone."""

from collections.abc import Iterator

import numpy as np

from data.pictures.imresize import luma, whole_levels
from data.pictures.photo import Picture, photo_of

SIDE = 32  # pixels of a thumbnail
BITS, ORDERS, NEIGHBOURS = 128, 8, 3  # of a hash; orders of its bits to sort by; next ones that are compared
FAR = 16  # bits of a hash in which near pictures differ at most
LEAST = 0.985  # correlation of the thumbnails of near pictures
LEVELS = 6.0  # most mean difference of their levels, in [0, 255]
FLAT = 2.0  # standard deviation of the levels of a blank picture


def thumbnail(picture: Picture) -> tuple[np.ndarray, tuple[int, int], float]:
    """Return a thumbnail of luma, uint8 `(32, 32)`; the height and width of the picture; and the spread of its levels.

    The size of a large JPEG file is that of a reduced reading of it, which keeps its shape.
    """
    from PIL import Image

    pixels = picture if isinstance(picture, np.ndarray) else photo_of(picture, least=2 * SIDE).pixels
    grey = (
        pixels if pixels.ndim == 2 else pixels[:, :, 0] if pixels.shape[2] < 3 else whole_levels(luma(pixels[:, :, :3]))
    )
    small = Image.fromarray(grey).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(small), grey.shape, float(grey.std())


def near_pictures(thumbnails: np.ndarray, shapes: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield the places of pairs of pictures of one shape with nearly equal thumbnails.

    A hash has a bit for each of 128 random directions. Hashes are sorted by their bits in eight orders, and each is
    compared with its next ones. So time does not grow with the square of the number of pictures.

    Args:
        thumbnails: uint8, `(pictures, 32, 32)`.
        shapes: Height and width of each picture, `(pictures, 2)`.

    Reference: Charikar, 2002, https://doi.org/10.1145/509907.509965.
    """
    if len(thumbnails) < 2:
        return
    random = np.random.default_rng(0)
    small = thumbnails.reshape(-1, SIDE // 2, 2, SIDE // 2, 2).mean((2, 4)).reshape(len(thumbnails), -1)
    small = (small - small.mean(1, keepdims=True)).astype("float32")
    bits = (small @ random.normal(size=(small.shape[1], BITS)).astype("float32")) > 0  # (pictures, bits)
    packed, ratios = np.packbits(bits, axis=1), shapes[:, 0] / shapes[:, 1]
    seen = set[tuple[int, int]]()
    for _ in range(ORDERS):
        words = np.packbits(bits[:, random.permutation(BITS)], axis=1)
        order = np.lexsort(words.T[::-1])
        for step in range(1, NEIGHBOURS + 1):
            one, other = order[:-step], order[step:]
            differing = np.unpackbits(packed[one] ^ packed[other], axis=1).sum(1)
            likely = (differing <= FAR) & (np.abs(ratios[one] / ratios[other] - 1) < 0.02)
            for pair in zip(one[likely].tolist(), other[likely].tolist(), strict=True):
                ends = (min(pair), max(pair))
                if ends not in seen and look_equal(thumbnails[ends[0]], thumbnails[ends[1]]):
                    yield ends
                seen.add(ends)


def look_equal(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two thumbnails differ little, also where they are pale."""
    first, second = (each.astype("float32").ravel() for each in (one, other))
    if np.abs(first - second).mean() > LEVELS:
        return False
    first, second = first - first.mean(), second - second.mean()
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    return lengths > 0 and float(first @ second) / lengths >= LEAST

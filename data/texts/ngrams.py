"""A table of the words and pairs of neighbours that some texts have often enough, without collisions."""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Self

import numpy as np

WORDS = 1 << 20  # more than any vocabulary has
CHUNK = 2048  # texts that are counted at a time


class NgramTable:
    """Words and pairs of neighbouring words, given by numbers from 1, each with a place of its own.

    Attributes:
        keys: Sorted int64: the number of a word; for a pair that of the first times 2^20, plus that of the second.

    Example:
        >>> table = NgramTable.learn([[5, 6], [5, 6], [6, 7]], most=10, least=2)
        >>> table.places([5, 6, 7]).tolist()  # the words 5 and 6, and their pair
        [1, 2, 3]
    """

    def __init__(self, keys: np.ndarray) -> None:
        self.keys = keys

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def learn(cls, rows: Iterable[Sequence[int] | np.ndarray], most: int, least: int) -> Self:
        """Return the table of what at least `least` texts have, and of at most the `most` most frequent ones."""
        keys, counts = np.empty(0, "int64"), np.empty(0, "int64")
        rest = iter(rows)
        while chunk := list(islice(rest, CHUNK)):
            found = [ngram_keys(row) for row in chunk]
            keys, places = np.unique(np.concatenate([keys, *found]), return_inverse=True)
            times = np.concatenate([counts, np.ones(sum(map(len, found)), "int64")])
            counts = np.bincount(places, times, len(keys)).astype("int64")
        seen = counts >= least
        keys, counts = keys[seen], counts[seen]
        return cls(np.sort(keys[np.argsort(-counts, kind="stable")[:most]]))

    def places(self, numbers: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return the places of the words and pairs of a text that the table has: int32, sorted, unique, from 1."""
        if not len(self):
            return np.empty(0, "int32")
        keys = ngram_keys(numbers)
        found = np.minimum(np.searchsorted(self.keys, keys), len(self) - 1)
        return (1 + found[self.keys[found] == keys]).astype("int32")

    def state(self) -> str:
        """Return the table as text: the steps between keys, byte by byte, compressed, in base64."""
        steps = np.diff(self.keys, prepend=0).astype("<u8")
        return b64encode(zlib.compress(steps.view("uint8").reshape(-1, 8).T.tobytes(), 9)).decode("ascii")

    @classmethod
    def restore(cls, text: str, most: int) -> Self:
        """Return the table that `state` wrote.

        Raises:
            ValueError: It is damaged, or has more than `most` places.
        """
        reader = zlib.decompressobj()
        try:
            content = reader.decompress(b64decode(text, validate=True), 8 * most + 1)
        except zlib.error as error:
            raise ValueError("its table of words and pairs is damaged") from error
        if not reader.eof or len(content) % 8 or len(content) > 8 * most:
            raise ValueError(f"its table of words and pairs is damaged, or has more than {most:,} places")
        steps = np.frombuffer(content, "uint8").reshape(8, -1).T.copy().view("<u8").ravel()
        if (steps == 0).any() or (steps >= WORDS**2).any() or int(steps.sum()) >= WORDS**2:
            raise ValueError("its table of words and pairs is damaged")
        return cls(np.cumsum(steps).astype("int64"))


def ngram_keys(numbers: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the keys of the words and pairs of a text: int64, sorted, unique.

    Example:
        >>> ngram_keys([3, 1, 3]).tolist()
        [1, 3, 1048579, 3145729]
    """
    words = np.asarray(numbers, "int64")
    return np.unique(np.concatenate([words, words[:-1] * WORDS + words[1:]]))

"""Training pictures that look like a picture, and how well a caption agrees with theirs. NumPy only.

References: Devlin et al., 2015, https://arxiv.org/abs/1505.04467; Mao et al., 2015, https://arxiv.org/abs/1412.6632.
"""

import math
from binascii import a2b_base64, b2a_base64
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from tasks.engine.config import JsonObject
from tasks.engine.fields import checked_fields
from tasks.toolbox.reward import Gram, grams

COUNT = 20  # neighbours whose captions are asked
ORDER = 4  # longest n-gram
MOST_CAPTIONS = 20  # of a picture
LARGEST = 1e6  # number of a vector
Tokens = Sequence[int]
KINDS = {"mean": "<f4", "vectors": "|i1", "tokens": "<i4", "counts": "<i4", "frequencies": "<i4"}


@dataclass(frozen=True)
class Neighbours:
    """Vectors of training pictures, and their captions.

    Attributes:
        mean: Mean of the vectors, float32 `(width,)`.
        vectors: Their directions from it, int8 `(pictures, width)`; the largest number of each is 127 or -127.
        tokens: The captions of all pictures one after the other, each with a 0 behind it, int32.
        counts: Number of captions of each picture, int32 `(pictures,)`.
        frequencies: Number of pictures whose captions have a token, int32 `(tokens,)`; later tokens are nowhere.

    Example:
        >>> found = Neighbours.of(np.array([[1.0, 0.0], [0.0, 1.0]]), [[[3, 4], [3]], [[5]]])
        >>> numbers, cosines = found.nearest(np.array([[2.0, 0.1]]), 1)
        >>> numbers.tolist(), cosines.round(2).tolist(), found.captions(0)
        ([[0]], [[1.0]], [[3, 4], [3]])
    """

    mean: np.ndarray
    vectors: np.ndarray
    tokens: np.ndarray
    counts: np.ndarray
    frequencies: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray, captions: Sequence[Sequence[Tokens]]) -> Self:
        """Return neighbours with these vectors, `(pictures, width)`, and the tokens of their captions."""
        mean = vectors.mean(0, dtype="float64").astype("float32")
        flat = [token for each in captions for caption in each for token in (*caption, 0)]
        counts = [len(each) for each in captions]
        seen = Counter(token for each in captions for token in {token for caption in each for token in caption})
        frequencies = np.array([seen[token] for token in range(max(seen, default=0) + 1)], "int32")
        found = directions(vectors, mean)
        found *= 127 / np.maximum(np.abs(found).max(1, keepdims=True), 1e-12)
        return cls(mean, np.rint(found).astype("int8"), np.array(flat, "int32"), np.array(counts, "int32"), frequencies)

    @classmethod
    def restore(cls, state: JsonObject, size: int, longest: int) -> Self:
        """Return what `state` gave, for tokens below `size` in captions of at most `longest` tokens.

        Raises:
            ValueError: It is damaged.
        """
        texts = checked_fields(state, dict.fromkeys(KINDS, str))
        mean, vectors, tokens, counts, frequencies = (
            np.frombuffer(a2b_base64(texts[name], strict_mode=True), kind) for name, kind in KINDS.items()
        )
        if not len(mean) or len(vectors) != len(counts) * len(mean) or not len(counts):
            raise ValueError("its vectors of pictures have another number than its captions")
        if counts.min() < 0 or counts.sum(dtype="int64") != (tokens == 0).sum() or tokens[-1:].any():
            raise ValueError("its captions of pictures are not as many as it says")
        if not len(tokens) or not 0 <= tokens.min() <= tokens.max() < size:
            raise ValueError("its captions of pictures have tokens that are not in its vocabulary, or none")
        if not (np.abs(mean) < LARGEST).all():
            raise ValueError("its mean of vectors is not that of a network")
        if not len(frequencies) or not 0 <= frequencies.min() <= frequencies.max() <= len(counts):
            raise ValueError("its numbers of pictures that have a token are not those of its captions of pictures")
        found = cls(mean, vectors.reshape(len(counts), -1), tokens, counts, frequencies)
        if counts.max() > MOST_CAPTIONS or np.diff(found.ends).max() > longest + 1:
            raise ValueError("its captions of pictures are too many, or too long")
        return found

    def state(self) -> JsonObject:
        """Return everything as JSON types."""
        return {
            name: b2a_base64(getattr(self, name).astype(kind).tobytes(), newline=False).decode("ascii")
            for name, kind in KINDS.items()
        }

    def nearest(self, vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers of the pictures most like some pictures, best first, and their cosines.

        Args:
            vectors: `(batch, width)`.

        Returns:
            Two arrays `(batch, count)`.
        """
        cosines = directions(vectors, self.mean) @ directions(self.vectors, np.zeros_like(self.mean)).T
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
        return order, np.take_along_axis(cosines, order, 1)

    @property
    def size(self) -> int:
        """The bytes that `state` has as text."""
        return (
            4
            * (
                self.vectors.nbytes
                + self.tokens.nbytes
                + self.counts.nbytes
                + self.frequencies.nbytes
                + self.mean.nbytes
            )
            // 3
        )

    @cached_property
    def ends(self) -> np.ndarray:
        """The places of the ends of all captions, after the place before the first."""
        return np.concatenate([[-1], np.flatnonzero(self.tokens == 0)])

    @cached_property
    def firsts(self) -> np.ndarray:
        """The number of the first caption of each picture, and after them the number of all captions."""
        return np.concatenate([[0], np.cumsum(self.counts)])

    def captions(self, picture: int) -> list[list[int]]:
        """Return the tokens of the captions of a picture."""
        numbers = range(self.firsts[picture], self.firsts[picture + 1])
        return [self.tokens[self.ends[number] + 1 : self.ends[number + 1]].tolist() for number in numbers]

    @cached_property
    def rareness(self) -> np.ndarray:
        """The logarithm of all pictures over those whose captions have a token, by token."""
        found: np.ndarray = np.log(len(self.counts)) - np.log(np.maximum(self.frequencies, 1))
        return found

    def weight(self, gram: Gram) -> float:
        """Return the weight of an n-gram: the mean rareness of its tokens."""
        known = self.rareness
        return sum(float(known[token]) if token < len(known) else math.log(len(self.counts)) for token in gram) / len(
            gram
        )

    def agreement(self, captions: Sequence[Tokens], pictures: Sequence[int]) -> list[float]:
        """Return how well captions agree with those of some pictures, each in [0, 1].

        That is the mean over the captions of the pictures, and over n-grams of 1 to 4 tokens, of the cosine between
        the counts of n-grams, which are weighted by their rareness.
        """
        others = [caption for picture in pictures for caption in self.captions(picture)]
        total: dict[Gram, float] = defaultdict(float)
        for caption in others:
            for profile in self.profiles(caption):
                for gram, value in profile.items():
                    total[gram] += value / len(others)
        return [
            sum(value * total.get(gram, 0.0) for profile in self.profiles(caption) for gram, value in profile.items())
            / ORDER
            for caption in captions
        ]

    def profiles(self, caption: Tokens) -> Iterator[dict[Gram, float]]:
        """Yield for each length of n-grams the weighted counts in a caption, together of length 1."""
        for order in range(1, ORDER + 1):
            values = {gram: count * self.weight(gram) for gram, count in Counter(grams(caption, order)).items()}
            length = math.sqrt(sum(value**2 for value in values.values()))
            if length:
                yield {gram: value / length for gram, value in values.items()}


def directions(vectors: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return the directions of vectors from a mean, of length 1, float32 `(batch, width)`."""
    found = vectors.astype("float32") - mean
    lengths: np.ndarray = np.linalg.norm(found, axis=1, keepdims=True)
    return found / np.maximum(lengths, 1e-12)

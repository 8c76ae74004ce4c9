"""CIDEr-D of captions as tokens, as a reward: the weights of n-grams come from the training captions."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from math import exp, log, sqrt
from typing import NamedTuple, Self

import numpy as np

LONGEST = 4  # words of an n-gram
SIGMA = 6.0  # of the penalty for another length
Gram = tuple[int, ...]


class Weighted(NamedTuple):
    """The n-grams of a caption.

    Attributes:
        weights: For each length of n-grams, the weight of each: its count times the logarithm of how rare it is.
        norms: For each length, the root of the sum of the squares of the weights.
        pairs: Number of pairs of words, by which CIDEr-D compares lengths.

    Example:
        >>> Weighted([{(4,): 2.0}], [2.0], 0).weights[0][(4,)]
        2.0
    """

    weights: list[dict[Gram, float]]
    norms: list[float]
    pairs: int


class CiderReward:
    """CIDEr-D of captions against references, all as tokens with that of the end.

    That of the end counts as a word, so that a caption which breaks off has less.

    Args:
        frequencies: The number of pictures in whose captions each n-gram is.
        pictures: The number of pictures.

    References: Vedantam et al., 2015, https://arxiv.org/abs/1411.5726 (CIDEr-D); Rennie et al., 2017,
    https://arxiv.org/abs/1612.00563 (as a reward).

    Example:
        >>> reward = CiderReward.learn([[[4, 5, 6, 3]], [[7, 8, 3]], [[9, 8, 3]]])
        >>> reward(np.array([[[4, 5, 6, 3], [7, 8, 3, 0]]]), np.array([[[4, 5, 6, 3]]])).round(2).tolist()
        [[10.0, 0.0]]
    """

    def __init__(self, frequencies: Counter[Gram], pictures: int) -> None:
        self.frequencies, self.most = frequencies, log(max(pictures, 1))

    @classmethod
    def learn(cls, captions: Iterable[Sequence[Sequence[int]]]) -> Self:
        """Return the reward by the captions of each training picture."""
        frequencies, pictures = Counter[Gram](), 0
        for texts in captions:
            frequencies.update(
                set(chain.from_iterable(grams(text, n) for text in texts for n in range(1, LONGEST + 1)))
            )
            pictures += 1
        return cls(frequencies, pictures)

    def __call__(self, captions: np.ndarray, references: np.ndarray) -> np.ndarray:
        """Return the rewards, float32 `(batch, captions)` in [0, 10].

        Args:
            captions: int `(batch, captions, time)`, with 0 behind their ends.
            references: int `(batch, references, time)` likewise; rows of 0 are none.
        """
        found = np.zeros(captions.shape[:2], "float32")
        for place, (texts, truths) in enumerate(zip(captions.tolist(), references.tolist(), strict=True)):
            known = [self.weighted(truth) for truth in truths if truth[0]]
            found[place] = [np.mean([similarity(one, other) for other in known]) for one in map(self.weighted, texts)]
        return found

    def weighted(self, text: Sequence[int]) -> Weighted:
        """Return the n-grams of a caption."""
        text = text[: text.index(0)] if 0 in text else text
        rare, most = self.frequencies, self.most
        weights = [
            {gram: count * (most - log(max(rare[gram], 1))) for gram, count in Counter(grams(text, n)).items()}
            for n in range(1, LONGEST + 1)
        ]
        norms = [sqrt(sum(weight * weight for weight in each.values())) for each in weights]
        return Weighted(weights, norms, max(len(text) - 1, 0))


def grams(text: Sequence[int], n: int) -> Iterable[Gram]:
    """Return the n-grams of a text, in order.

    Example:
        >>> [*grams([4, 5, 6], 2)]
        [(4, 5), (5, 6)]
    """
    return zip(*(text[first:] for first in range(n)), strict=False)


def similarity(caption: Weighted, reference: Weighted) -> float:
    """Return CIDEr-D of a caption against one reference, in [0, 10].

    Example:
        >>> reward = CiderReward.learn([[[4, 5, 3]], [[6, 7, 8]]])
        >>> similarity(reward.weighted([4, 5, 3]), reward.weighted([4, 5, 3]))
        7.5
    """
    total = 0.0
    for mine, theirs, one, other in zip(
        caption.weights, reference.weights, caption.norms, reference.norms, strict=True
    ):
        if one and other:
            shared = (min(weight, theirs[gram]) * theirs[gram] for gram, weight in mine.items() if gram in theirs)
            total += sum(shared) / (one * other)
    apart = caption.pairs - reference.pairs
    return 10 / LONGEST * total * exp(-(apart**2) / (2 * SIGMA**2))

"""Batches of encoded examples, in an order that depends on seed and epoch alone."""

import ctypes
import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from data.splits import Example, Examples

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # glibc's numbers of what `mallopt` sets, in bytes
Arrays = Any
Bucket = Callable[[Example], int]
Cost = Callable[[int], int]
Turns = Callable[[Example], int]
Vary = Callable[[Example, np.random.Generator], Example]
Encode = Callable[[list[Example], np.random.Generator | None], tuple[Arrays, ...]]


class Batches:
    """Encoded batches of examples.

    Every epoch has its own order, drawn from `(seed, epoch)`, and every batch its own random numbers,
    drawn from `(seed, epoch, batch)`: a resumed training sees what an uninterrupted one would have seen.

    Examples of different buckets share a batch only where one bucket ends and the next begins, so that no
    text is padded to the length of a much longer one.

    Args:
        examples: At least one raw example.
        encode: Turns a list of examples into `(x, y)` or `(x, y, weights)`; augments them where it is
            given a random generator.
        size: Examples a batch, at least 1; the last batch of an epoch may be smaller.
        seed: Shuffles and augments; `None` keeps the examples as they are and, within a bucket, in order.
        bucket: The number of the bucket of an example; `None` puts all into one.
        cost: What an example of a bucket costs, such as its padded width. All batches then cost about the same, and
            `size` is the number of examples in one of mean cost.
        vary: Makes another version of an example each epoch, before its bucket is asked for.
        turns: How often an epoch shows an example; `None` shows each once.
    """

    def __init__(
        self,
        examples: Examples,
        encode: Encode,
        size: int,
        *,
        seed: int | None = None,
        bucket: Bucket | None = None,
        cost: Cost | None = None,
        vary: Vary | None = None,
        turns: Turns | None = None,
    ) -> None:
        self.examples, self.encode, self.size, self.seed = examples, encode, size, seed
        self.bucket, self.cost, self.vary = bucket, cost, vary
        self.rows = np.repeat(np.arange(len(examples)), [turns(example) if turns else 1 for example in examples])

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return math.ceil(len(self.rows) / self.size)

    def epoch(self, number: int = 0) -> Iterator[tuple[Arrays, ...]]:
        """Yield the batches of one epoch."""
        random = None if self.seed is None else np.random.default_rng((self.seed, number))
        order, turns, examples = self.rows.copy(), np.arange(len(self)), self.examples
        places = self.size * np.arange(1, len(self))
        if random is not None:
            random.shuffle(order)
        if random is not None and self.vary is not None:
            examples = [self.vary(example, random) for example in examples]
        if self.bucket is not None:
            buckets = np.array([self.bucket(example) for example in examples])
            order = order[np.argsort(buckets[order], kind="stable")]
            if random is not None:
                random.shuffle(turns)
            if self.cost is not None:
                places = cuts(np.array([self.cost(int(bucket)) for bucket in buckets[order]]), len(self))
        batches = np.split(order, places)
        for index in turns:
            random = None if self.seed is None else np.random.default_rng((self.seed, number, int(index)))
            yield self.encode([examples[row] for row in batches[index]], random)

    def feed(self, number: int = 0) -> Any:
        """Return one epoch in the form that `keras.Model.fit` and `evaluate` read fastest on this backend.

        TensorFlow gets a prefetched `tf.data.Dataset` in which the batch size is open, and so is the length of
        sequences: arrays of two axes, and int32 arrays of any. Other backends get the plain generator.
        """
        if keras.config.backend() != "tensorflow":
            return self.epoch(number)
        import tensorflow as tf

        def spec(array: np.ndarray) -> Any:
            opened = array.ndim <= 2 or array.dtype == "int32"
            sizes = (None,) * (array.ndim - 1) if opened else array.shape[1:]
            return tf.TensorSpec((None, *sizes), array.dtype)

        signature = keras.tree.map_structure(spec, self.encode([self.examples[0]], None))

        def batches() -> Iterator[tuple[Arrays, ...]]:
            keep_memory()
            yield from self.epoch(number)

        dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
        return dataset.apply(tf.data.experimental.assert_cardinality(len(self))).prefetch(2)


def keep_memory() -> None:
    """Let the C library keep freed memory for the next step, as it does unless told otherwise.

    TensorFlow tells it otherwise as soon as a dataset comes from a generator (`M_TRIM_THRESHOLD` of 128 kB): each step
    then asks the system for its memory anew, and where batches differ in length it takes about twice as long.
    """
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):  # there is none outside of glibc
        mallopt(TRIM_THRESHOLD, 1 << 30)
        mallopt(MMAP_THRESHOLD, 1 << 30)


def cuts(costs: np.ndarray, count: int) -> np.ndarray:
    """Return where to cut a row of examples into `count` batches that cost about the same, none of them empty."""
    steps = np.arange(1, count)
    places = np.searchsorted(np.cumsum(costs), costs.sum() / count * steps)
    return np.minimum(np.maximum.accumulate(np.maximum(places, 1) - steps) + steps, len(costs) - count + steps)

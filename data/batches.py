"""Batches of encoded examples, in an order that depends on seed and epoch alone."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from data.splits import Example, Examples

Arrays = Any
Encode = Callable[[list[Example], np.random.Generator | None], tuple[Arrays, ...]]


class Batches:
    """Encoded batches of examples.

    Every epoch has its own order, drawn from `(seed, epoch)`, and every batch its own random numbers,
    drawn from `(seed, epoch, batch)`: a resumed training sees what an uninterrupted one would have seen.

    Args:
        examples: At least one raw example.
        encode: Turns a list of examples into `(x, y)` or `(x, y, weights)`; augments them where it is
            given a random generator.
        size: Examples a batch, at least 1; the last batch of an epoch may be smaller.
        seed: Shuffles and augments; `None` keeps the examples in order and as they are.
    """

    def __init__(self, examples: Examples, encode: Encode, size: int, *, seed: int | None = None) -> None:
        self.examples, self.encode, self.size, self.seed = examples, encode, size, seed

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return math.ceil(len(self.examples) / self.size)

    def epoch(self, number: int = 0) -> Iterator[tuple[Arrays, ...]]:
        """Yield the batches of one epoch."""
        order = np.arange(len(self.examples))
        if self.seed is not None:
            np.random.default_rng((self.seed, number)).shuffle(order)
        for index in range(len(self)):
            rows = order[index * self.size : (index + 1) * self.size]
            random = None if self.seed is None else np.random.default_rng((self.seed, number, index))
            yield self.encode([self.examples[row] for row in rows], random)

    def feed(self, number: int = 0) -> Any:
        """Return one epoch in the form that `keras.Model.fit` and `evaluate` read fastest on this backend.

        TensorFlow gets a prefetched `tf.data.Dataset` with open batch size and length, so that batches may
        differ in both; other backends get the plain generator.
        """
        if keras.config.backend() != "tensorflow":
            return self.epoch(number)
        import tensorflow as tf

        def spec(array: np.ndarray) -> Any:
            sizes = array.shape[1:] if array.ndim > 2 else (None,) * (array.ndim - 1)
            return tf.TensorSpec((None, *sizes), array.dtype)

        signature = keras.tree.map_structure(spec, self.encode([self.examples[0]], None))
        dataset = tf.data.Dataset.from_generator(lambda: self.epoch(number), output_signature=signature)
        return dataset.apply(tf.data.experimental.assert_cardinality(len(self))).prefetch(2)

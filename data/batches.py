"""Batches of encoded examples, in an order that depends on seed and epoch alone."""

import ctypes
import math
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeAlias

import keras
import numpy as np

from data.splits import Example, Examples

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # glibc's numbers of the parameters of `mallopt`, in bytes
Arrays: TypeAlias = Any  # one array, or several in the nesting that a network reads
Batch: TypeAlias = tuple[Arrays, ...]
Dataset: TypeAlias = Any  # a `tf.data.Dataset`, or batches one by one


class Encoder(Protocol):
    """Methods of a codec that batches call."""

    def encode(self, examples: list[Example], random: np.random.Generator | None = None) -> Batch:
        """Return examples as `(x, y)` or `(x, y, weights)`; with `random`, augmented."""

    def vary(self, example: Example, random: np.random.Generator) -> Example:
        """Return another version of an example for each epoch, made before its bucket is chosen."""

    def turns(self, example: Example) -> int:
        """Return how many times an epoch visits the example."""

    def bucket(self, example: Example) -> int:
        """Return the bucket of an example: examples with the same number are batched together."""

    def cost(self, bucket: int) -> int:
        """Return the cost of an example of a bucket, such as its padded width."""


class Batches:
    """Encoded batches of examples, for training and evaluation.

    * The order of an epoch is drawn from `(seed, epoch)`.
    * The random numbers of a batch are drawn from `(seed, epoch, batch)`.
    * A resumed training therefore gets the same batches as an uninterrupted one.
    * Examples of different buckets share a batch only at the end of a bucket.
    * Batches have `size` examples each; if costs differ, they have about equal cost instead.

    Args:
        examples: At least one raw example.
        encoder: Encodes them.
        size: Examples per batch, at least 1; the mean if costs differ.
        seed: Shuffles, varies and augments; `None` keeps the examples unchanged and, within a bucket, in order.
        shares: Returns the parts of a batch that are read in its place, in turn: for each device of this process one.
    """

    def __init__(
        self,
        examples: Examples,
        encoder: Encoder,
        size: int,
        *,
        seed: int | None = None,
        shares: Callable[[Batch], list[Batch]] = lambda batch: [batch],
    ) -> None:
        self.examples, self.encoder, self.size, self.seed, self.shares = examples, encoder, size, seed, shares
        self.rows = np.repeat(np.arange(len(examples)), [encoder.turns(example) for example in examples])

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return math.ceil(len(self.rows) / self.size)

    def epoch(self, number: int = 0, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of one epoch from number `start` on; those before are not encoded."""
        random = None if self.seed is None else np.random.default_rng((self.seed, number))
        order, turns, examples = self.rows.copy(), np.arange(len(self)), self.examples
        if random is not None:
            random.shuffle(order)
            examples = [self.encoder.vary(example, random) for example in examples]
        buckets = np.array([self.encoder.bucket(example) for example in examples])
        if len(set(buckets.tolist())) > 1:
            order = order[np.argsort(buckets[order], kind="stable")]
            if random is not None:
                random.shuffle(turns)
        batches = np.split(order, self.batch_ends(buckets[order]))
        for index in turns[start:]:
            random = None if self.seed is None else np.random.default_rng((self.seed, number, int(index)))
            yield from self.shares(self.encoder.encode([examples[row] for row in batches[index]], random))

    def batch_ends(self, buckets: np.ndarray) -> np.ndarray:
        """Return the end of each batch but the last, for examples sorted into these buckets."""
        costs = np.array([self.encoder.cost(int(bucket)) for bucket in buckets])
        if len(set(costs.tolist())) > 1:
            return equal_cost_cuts(costs, len(self))
        return self.size * np.arange(1, len(self))

    def epoch_data(self, number: int = 0, start: int = 0) -> Dataset:
        """Return one epoch, from batch `start` on, as `keras.Model.fit` and `evaluate` read it fastest on this backend.

        * TensorFlow gets a prefetched `tf.data.Dataset`. Its batch size is open.
        * So is the length of sequences: arrays of two axes, and int32 arrays of any.
        * Other backends get the plain generator.
        """
        if keras.config.backend() != "tensorflow":
            return self.epoch(number, start)
        import tensorflow as tf

        def spec(array: np.ndarray) -> tf.TensorSpec:
            is_open = array.ndim <= 2 or array.dtype == "int32"
            sizes = (None,) * (array.ndim - 1) if is_open else array.shape[1:]
            return tf.TensorSpec((None, *sizes), array.dtype)

        first = self.shares(self.encoder.encode([self.examples[0]], None))
        signature, parts = keras.tree.map_structure(spec, first[0]), len(first)

        def batches() -> Iterator[Batch]:
            keep_memory()
            yield from self.epoch(number, start)

        dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
        return dataset.apply(tf.data.experimental.assert_cardinality(parts * (len(self) - start))).prefetch(2 * parts)


def keep_memory() -> None:
    """Let the C library keep freed memory for the next step.

    TensorFlow sets `M_TRIM_THRESHOLD` to 128 kB when a dataset comes from a generator. Freed memory then returns to
    the system after each step. If batches differ in length, a step takes about twice as long.
    """
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):  # only glibc has it
        mallopt(TRIM_THRESHOLD, 1 << 30)
        mallopt(MMAP_THRESHOLD, 1 << 30)


def equal_cost_cuts(costs: np.ndarray, count: int) -> np.ndarray:
    """Return the places that cut a sequence of examples into `count` batches of about equal cost, none empty."""
    steps = np.arange(1, count)
    places = np.searchsorted(np.cumsum(costs), costs.sum() / count * steps)
    return np.minimum(np.maximum.accumulate(np.maximum(places, 1) - steps) + steps, len(costs) - count + steps)

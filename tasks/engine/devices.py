"""Where a training computes: on one device, on all of this machine, or in a group of processes.

Tasks and layers know nothing of it. Every process encodes the whole of each batch, and computes with its own rows; so
the batches of a training are the same on any number of devices.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import keras
import numpy as np

from data.batches import Batch, Dataset
from tasks.engine.config import SettingError
from tasks.engine.group import Group


class Devices:
    """One device, and what several do in its place.

    Attributes:
        rank: Number of this process among those that train together; that of number 0 keeps the run.
        size: How many processes there are.
        replicas: Devices of all of them; each computes with an equal part of a batch.
        local: Devices of this process.
    """

    rank, size, replicas, local = 0, 1, 1, 1

    def scope(self) -> AbstractContextManager[Any]:
        """Let networks that are built be on all devices, for a `with` statement."""
        return nullcontext()

    def fitting(self) -> AbstractContextManager[Any]:
        """Let `fit` use all devices, for a `with` statement."""
        return nullcontext()

    def alone(self) -> AbstractContextManager[Any]:
        """Let this process do within `fit` what the others do not, for a `with` statement."""
        return nullcontext()

    def prepare(self, model: keras.Model) -> None:
        """Change a compiled model so that its steps are those of one device with the whole batch."""

    def shares(self, batch: Batch) -> list[Batch]:
        """Return what `fit` reads of a batch in this process, in turn."""
        return [batch]

    def dataset(self, dataset: Dataset) -> Dataset:
        """Return a dataset of shares as `fit` reads it."""
        return dataset

    def read(self, variable: keras.Variable) -> np.ndarray:
        """Return the value of a variable in this process, without asking the others."""
        return np.asarray(variable)

    def write(self, variable: keras.Variable, value: Any) -> None:
        """Set the value of a variable in this process."""
        variable.assign(value)

    def agree(self, *numbers: int) -> bool:
        """Return whether all processes give the same numbers; all must ask."""
        return True

    def leave(self) -> None:
        """Let the processes of the group end one by one from now on."""


class TensorFlowDevices(Devices):
    """Devices of TensorFlow: a strategy keeps a copy of each variable on every device."""

    def __init__(self, group: Group | None) -> None:
        import tensorflow as tf

        if group is None:
            kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
            self.strategy = tf.distribute.MirroredStrategy([d.name for d in tf.config.list_logical_devices(kind)])
        else:
            self.strategy = workers_strategy(group)
            self.rank, self.size = group.rank, group.size
        self.replicas = self.strategy.num_replicas_in_sync
        self.local = self.replicas // self.size
        self.is_mean = False

    def scope(self) -> AbstractContextManager[Any]:
        return self.strategy.scope()

    def prepare(self, model: keras.Model) -> None:
        """Take means over the whole batch, and clip gradients only once they are those of the whole batch.

        Keras takes means of each device's part, those of a batch normalization too, and clips the gradients of each.
        """
        self.is_mean = model.loss.reduction == "mean_with_sample_weight"
        if self.is_mean:
            model.loss.reduction = "sum_over_batch_size"
        model.jit_compile = False  # XLA has no sums over processes
        for layer in model._flatten_layers():
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = True
        optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)  # of one that scales its loss
        clip, add_up = optimizer._clip_gradients, optimizer._all_reduce_sum_gradients
        optimizer._clip_gradients = lambda grads: clip([grad for grad, _ in add_up(zip(grads, grads, strict=True))])
        optimizer._all_reduce_sum_gradients = lambda pairs: pairs

    def shares(self, batch: Batch) -> list[Batch]:
        return row_shares(batch, self.replicas, self.is_mean)[self.rank * self.local :][: self.local]

    def dataset(self, dataset: Dataset) -> Dataset:
        return self.strategy.distribute_datasets_from_function(lambda context: dataset)

    def read(self, variable: keras.Variable) -> np.ndarray:
        return np.asarray(self.strategy.experimental_local_results(variable.value)[0])

    def write(self, variable: keras.Variable, value: Any) -> None:
        for copy in self.strategy.experimental_local_results(variable.value):
            copy.assign(value)

    def agree(self, *numbers: int) -> bool:
        import tensorflow as tf

        @tf.function  # type: ignore[untyped-decorator]
        def difference() -> Any:
            return self.strategy.run(own_difference)

        def own_difference() -> Any:
            own = tf.constant(numbers, "float32")
            return tf.reduce_max(tf.abs(tf.distribute.get_replica_context().all_reduce("MEAN", own) - own))

        return float(self.strategy.experimental_local_results(difference())[0]) == 0


def workers_strategy(group: Group) -> Any:
    """Return a strategy for the workers of a group, which reads its addresses from `TF_CONFIG`.

    Keras reduces structures, and scalars along an axis, which the one of TensorFlow does not do
    (https://github.com/keras-team/keras/issues/20585).
    """
    import tensorflow as tf

    if len(group.addresses) != group.size:
        raise SettingError(
            "TensorFlow takes the addresses of all processes, in TF_CONFIG; RANK, WORLD_SIZE and MASTER_ADDR are "
            "enough for KERAS_BACKEND=jax."
        )

    class Workers(tf.distribute.MultiWorkerMirroredStrategy):
        """The strategy of TensorFlow, with a `reduce` that takes what Keras gives it."""

        def reduce(self, reduce_op: Any, value: Any, axis: int | None = None) -> Any:
            reduced = super().reduce

            def one(part: Any) -> Any:
                own = self.experimental_local_results(part)[0]
                if own.dtype in (tf.uint8, tf.bool):
                    return own  # of a batch, whose shapes alone are looked at
                return reduced(reduce_op, part, axis=axis if own.shape.rank else None)

            return keras.tree.map_structure(one, value)

    return Workers()


class JaxDevices(Devices):
    """Devices of JAX: one program for all, with arrays whose rows are spread over them."""

    def __init__(self, group: Group | None) -> None:
        if group:
            with standard_output_as_error():  # it prints how processes find each other
                keras.distribution.initialize(group.addresses[0], group.size, group.rank)
                self.agree(0)
            self.rank, self.size = group.rank, group.size
        import jax

        self.replicas, self.local = jax.device_count(), jax.local_device_count()
        self.distribution = keras.distribution.DataParallel(auto_shard_dataset=False)

    def scope(self) -> AbstractContextManager[Any]:
        return self.distribution.scope()

    fitting = scope

    @contextmanager
    def alone(self) -> Iterator[None]:
        before = keras.distribution.distribution()
        keras.distribution.set_distribution(None)
        try:
            yield
        finally:
            keras.distribution.set_distribution(before)

    def shares(self, batch: Batch) -> list[Batch]:
        parts = row_shares(batch, self.size, False, self.local)
        return [parts[self.rank]]

    def agree(self, *numbers: int) -> bool:
        from jax.experimental.multihost_utils import process_allgather

        found = np.asarray(process_allgather(np.array(numbers)))
        return bool((found == np.array(numbers)).all())

    def leave(self) -> None:
        if self.size > 1:
            import jax

            jax.distributed.shutdown()


@contextmanager
def standard_output_as_error() -> Iterator[None]:
    """Let what libraries print on standard output go to standard error, for a `with` statement."""
    sys.stdout.flush()
    before = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(before, 1)
        os.close(before)


def row_shares(batch: Batch, parts: int, is_mean: bool, multiple: int = 1) -> list[Batch]:
    """Return the rows of a batch in equal parts, with weights so that the loss is that of the whole.

    Rows that fill up the last parts have weight 0.

    Args:
        batch: `(x, y)` or `(x, y, weights)`; at least one row.
        parts: How many.
        is_mean: If true, the loss of the whole is divided by the sum of its weights, and otherwise by their number.
        multiple: The rows of a part are a multiple of it.

    Example:
        >>> [part[1].tolist() for part in row_shares((np.zeros((3, 2)), np.arange(3)), 2, False)]
        [[0, 1], [2, 2]]
        >>> [part[2].round(2).tolist() for part in row_shares((np.zeros((3, 2)), np.arange(3)), 2, False)]
        [[1.33, 1.33], [1.33, 0.0]]
    """
    x, y, *given = batch
    count = len(keras.tree.flatten(x)[0])
    size = -(-count // (parts * multiple)) * multiple
    rows = np.minimum(np.arange(parts * size), count - 1)
    weights = given[0] if given else unit_weights(y)
    whole = weights[rows] * (np.arange(len(rows)) < count).reshape(-1, *[1] * (weights.ndim - 1))
    whole = whole * (whole.size / max(whole.sum(), 1e-12) if is_mean else len(rows) / count)

    def part(number: int) -> Batch:
        own = rows[number * size : (number + 1) * size]
        some = keras.tree.map_structure(lambda array: array[own], (x, y))
        return *some, whole[number * size : (number + 1) * size].astype("float32")

    return [part(number) for number in range(parts)]


def unit_weights(y: np.ndarray) -> np.ndarray:
    """Return weights of 1 as losses of Keras take them: labels have one each, other targets one but the last axis."""
    axes = y.ndim if y.dtype.kind in "iu" else max(y.ndim - 1, 1)
    return np.ones((len(y), *[1] * (axes - 1)), "float32")


def opened(group: Group | None) -> Devices:
    """Return all devices of this machine, or those of a group; this comes before anything is computed.

    Raises:
        SettingError: The environment, or the backend of Keras, does not fit.
    """
    kinds: dict[str, Callable[[Group | None], Devices]] = {"tensorflow": TensorFlowDevices, "jax": JaxDevices}
    backend = keras.config.backend()
    if backend not in kinds:
        raise SettingError(f"Keras on {backend} trains on one device here; KERAS_BACKEND may be {' or '.join(kinds)}.")
    return kinds[backend](group)

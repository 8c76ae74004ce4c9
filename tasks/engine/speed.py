"""How long the gradient steps and the validations of a training take, by some of them."""

import math
import time
from collections.abc import Callable

import keras
import numpy as np

from data.batches import Batches, Dataset
from tasks.engine.checkpoint import Networks
from tasks.engine.devices import Devices
from tasks.engine.pace import Speed

MOST, LEAST = 24, 3  # steps of a training
FEW = 8  # batches of a validation
OTHER = 10  # times the median that a step takes in which something else is done


def training_speed(networks: Networks, train: Batches, valid: Batches, devices: Devices, limit: float) -> Speed:
    """Return how long a step and a validation take, by some of each; the network in training learns from the steps.

    Args:
        limit: As in `step_seconds`.
    """
    with devices.fitting():
        step = step_seconds(networks.model, lambda: devices.dataset(train.epoch_data()), len(train), limit)
    return Speed(step, validation_seconds(networks.kept, valid))


def step_seconds(model: keras.Model, data: Callable[[], Dataset], steps: int, limit: float) -> float:
    """Return the seconds of a gradient step, by some; the model learns from them.

    Args:
        data: Return an epoch of batches.
        steps: Steps of an epoch.
        limit: Seconds after which no further step is taken, the first two aside, which include their compilation.
    """
    watch = Watch(limit)
    while len(watch.times) < LEAST:
        model.fit(data(), steps_per_epoch=min(steps, MOST), shuffle=False, callbacks=[watch], verbose=0)
    return watch.seconds()


def validation_seconds(model: keras.Model, valid: Batches) -> float:
    """Return the seconds of a validation, by some batches of it."""
    watch = Watch(math.inf)
    while len(watch.times) < LEAST:  # the first one is compiled
        model.evaluate(valid.epoch_data(), steps=min(len(valid), FEW), verbose=0, callbacks=[watch])
    return watch.seconds() * len(valid)


class Watch(keras.callbacks.Callback):
    """Measures how long steps take.

    Args:
        limit: Seconds after which it ends the steps, the first two aside.
    """

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.limit, self.times = limit, list[float]()

    def seconds(self) -> float:
        """Return the mean time of a step, without those in which something else was done, such as a compilation."""
        found = np.diff(self.times)[1:]
        return float(found[found <= OTHER * np.median(found)].mean())

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.times.append(time.monotonic())
        if len(self.times) > 3 and self.times[-1] - self.times[1] > self.limit:
            self.model.stop_training = True

    def on_test_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.times.append(time.monotonic())

"""The step size over a training."""

import math
from collections.abc import Callable
from typing import Any

import keras

from tasks.engine.config import JsonObject

Tensor = Any  # of the backend


@keras.saving.register_keras_serializable(package="tasks")
class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A step size that rises from zero in a straight line, and then falls to zero.

    Args:
        peak: Largest step size.
        steps: Number of gradient steps of the whole training.
        warmup: Share of the steps in which the step size rises, in [0, 1).
        shape: `"cosine"` or `"linear"` fall to zero, `"constant"` stays.

    Reference: Loshchilov and Hutter, 2017, https://arxiv.org/abs/1608.03983 (cosine).
    """

    def __init__(self, peak: float, steps: int, warmup: float = 0.0, shape: str = "cosine") -> None:
        self.peak, self.steps, self.warmup, self.shape = peak, steps, warmup, shape

    def __call__(self, step: Tensor) -> Tensor:
        rising = max(self.warmup * self.steps, 1.0)
        step = keras.ops.cast(step, "float32")
        left = 1 - keras.ops.clip((step - rising) / max(self.steps - rising, 1.0), 0.0, 1.0)
        falls: dict[str, Callable[[], Tensor]] = {
            "cosine": lambda: (1 - keras.ops.cos(math.pi * left)) / 2,
            "linear": lambda: left,
            "constant": lambda: 1.0,
        }
        return self.peak * keras.ops.minimum((step + 1) / rising, falls[self.shape]())

    def get_config(self) -> JsonObject:
        return {"peak": self.peak, "steps": self.steps, "warmup": self.warmup, "shape": self.shape}

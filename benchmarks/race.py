"""Contestants that train the same network, timed in one process in turns."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Epoch = Callable[[int], None]  # trains one epoch of this number


def race(contestants: Mapping[str, Callable[..., Epoch]], rounds: int, examples: int, unit: str, *given: Any) -> None:
    """Time epochs of each contestant, and print their medians and how they compare with the first, which is ours.

    Args:
        contestants: Functions that get `given` and return what trains an epoch; one whose library is not
            installed is left out.
        rounds: Epochs timed; one more, which traces and warms up, is not.
        examples: Examples in an epoch.
        unit: What they are called.
    """
    epochs: dict[str, Epoch] = {}
    for name, make in contestants.items():
        try:
            epochs[name] = make(*given)
        except ModuleNotFoundError as error:
            print(f"{name}: left out, {error.name} is not installed")
    seconds: dict[str, list[float]] = {name: [] for name in epochs}
    for number in range(rounds + 1):
        for name, train in epochs.items():
            start = time.perf_counter()
            train(number)
            if number:
                seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    ours = next(iter(medians))
    for name, median in medians.items():
        spread = f"{min(seconds[name]):.2f} to {max(seconds[name]):.2f}"
        print(f"{name:<16} {examples / median:7.0f} {unit}/s   {median:.2f} s an epoch ({spread})")
        if name != ours:
            print(f"{'':<16} ours is {median / medians[ours]:.2f} times as fast")


class PredictLoop:
    """A network whose signatures are called by `keras.Model.predict`."""

    def __init__(self, models: dict[str, Any]) -> None:
        self.models = models

    def __call__(self, signature: str, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(self.models[signature].predict(list(arrays), batch_size=len(arrays[0]), verbose=0))

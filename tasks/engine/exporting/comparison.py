"""Exported networks in their own runtime, beside Keras."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from data.splits import DataError, Example
from tasks.engine.config import JsonObject, TaskConfig
from tasks.engine.evaluate import readable_inputs
from tasks.engine.members import RunError
from tasks.engine.network import ComparedNetwork, Network, finite_outputs
from tasks.engine.places import drawing_settings
from tasks.engine.task import Pipeline
from tasks.engine.terminal import silence

C = TypeVar("C", bound=TaskConfig)
LOG = logging.getLogger("tasks")
LARGEST = 1e-4  # difference that is taken for rounding
SAMPLE = 8  # inputs that are compared


class DifferenceError(RuntimeError):
    """A written network that does not answer as Keras does."""

    exit_code = 70


class RuntimeNetwork:
    """The networks of an exported folder, opened as `run.py` opens them."""

    def __init__(self, folder: Path, name: str) -> None:
        opener = import_module(f"{__package__}.runtimes.{name}")
        with silence():  # some name their accelerators
            self.network: Callable[..., Sequence[np.ndarray]] = opener.opened(folder)

    def __call__(self, signature: str, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        with silence():
            outputs = self.network(signature, *arrays)
        return finite_outputs(outputs, signature)


class ShortNetwork:
    """A network whose inputs are cut at the number of steps that recurrences are written out over.

    What its outputs lack then, compared with the inputs, are zeros.
    """

    def __init__(self, network: Network, about: JsonObject) -> None:
        self.network, self.about = network, about
        self.cut = self.rows = 0

    def __call__(self, signature: str, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        about, steps = self.about["signatures"][signature], self.about["steps"]
        runs = ["steps" in one["shape"] for one in about["inputs"]]
        if not any(runs):
            return self.network(signature, *arrays)
        (longest, *_) = (array.shape[1] for array, run in zip(arrays, runs, strict=True) if run)
        tokens = [array for array, run in zip(arrays, runs, strict=True) if run and array.dtype.kind == "i"]
        self.rows += len(arrays[0]) if tokens else 0
        self.cut += int(sum((array[:, steps:] != 0).any(1).sum() for array in tokens))
        if longest <= steps:
            return self.network(signature, *arrays)
        short = [array[:, :steps] if run else array for array, run in zip(arrays, runs, strict=True)]
        outputs = self.network(signature, *short)
        return tuple(
            widened(output, longest) if "steps" in one["shape"] else output
            for output, one in zip(outputs, about["outputs"], strict=True)
        )

    def say_cut(self) -> None:
        """Give notice of inputs that were cut."""
        if self.cut:
            LOG.warning(
                "%d of %d inputs are longer than %d steps and are cut; a larger --steps reads more of them.",
                *(self.cut, self.rows, self.about["steps"]),
            )


class RecordingNetwork:
    """A network that keeps the arrays of its first call of each signature."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.arrays: dict[str, tuple[np.ndarray, ...]] = {}

    def __call__(self, signature: str, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        self.arrays.setdefault(signature, arrays)
        return self.network(signature, *arrays)


def widened(array: np.ndarray, length: int) -> np.ndarray:
    """Return an array with zeros after the places of its second axis, up to `length`.

    Example:
        >>> widened(np.ones((1, 1)), 3).tolist()
        [[1.0, 0.0, 0.0]]
    """
    return np.pad(array, [(0, 0), (0, length - array.shape[1]), *[(0, 0)] * (array.ndim - 2)])


def compared(
    pipeline: Pipeline[C], network: Network, about: JsonObject, inputs: Sequence[Any]
) -> tuple[dict[str, float], Mapping[str, tuple[np.ndarray, ...]]]:
    """Return the largest difference of a network from Keras in each signature, and some arrays that each was given.

    Args:
        pipeline: The run on Keras.
        about: What `signature.json` holds.
        inputs: Inputs as the codec has read them.

    Raises:
        DifferenceError: It is above `LARGEST`, or the outputs have other shapes, or some signature was not asked for.
    """
    both = ComparedNetwork(pipeline.network, network)
    recording = RecordingNetwork(both)
    short = ShortNetwork(recording, about)
    try:
        asking = pipeline.with_settings(**drawing_settings(type(pipeline.config)))  # some signatures are for pictures
        pipeline.task.predict(replace(asking, network=short), inputs)
    except RunError as error:
        raise DifferenceError(f"The format {about['format']!r} does not answer as Keras does: {error}") from error
    short.say_cut()
    for signature in about["signatures"]:
        if signature not in both.differences:
            raise DifferenceError(f"The signature {signature!r} was not asked for anything, so it is not compared.")
        if not both.differences[signature] <= LARGEST:
            raise DifferenceError(
                f"The signature {signature!r} in the format {about['format']!r} differs by "
                f"{both.differences[signature]:.1e} from Keras; up to {LARGEST:.0e} is rounding. Nothing is kept."
            )
    return both.differences, recording.arrays


def sample_inputs(pipeline: Pipeline[C], examples: Sequence[Example]) -> list[Any]:
    """Return some inputs as the codec reads them, without those that have no answer.

    Raises:
        DataError: There are none.
    """
    found = list(islice(readable_inputs(pipeline, examples), SAMPLE))
    if not found:
        raise DataError("The data has no example that can be read, so the exported network cannot be compared.")
    return found

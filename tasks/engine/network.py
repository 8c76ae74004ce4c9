"""Networks that answer named signatures with NumPy arrays: Keras and ONNX Runtime behind one face."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from tasks.engine.runs import RunError

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

Run: TypeAlias = Callable[[Sequence[np.ndarray]], list[np.ndarray]]
CONVOLUTION = b"Conv"  # in a file of ONNX, the name of the operators that gain by several threads for one example
ROWS = 32  # fewest rows of a batch that are worth a thread


class Network(Protocol):
    """Named functions of arrays, such as `classify`, `upscale`, `encode` or `step`."""

    def __call__(self, signature: str, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the outputs of a signature."""


class KerasNetwork:
    """Keras models by signature name."""

    def __init__(self, models: Mapping[str, Any]) -> None:
        self.models = models

    def __call__(self, signature: str, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        outputs = self.models[signature].predict_on_batch(arrays[0] if len(arrays) == 1 else list(arrays))
        return tuple(map(np.asarray, outputs)) if isinstance(outputs, list | tuple) else (np.asarray(outputs),)


class OnnxNetwork:
    """ONNX files by signature name: `classify` is `folder/classify.onnx`, opened when first called.

    Convolutions share the work on one example among the cores. Other networks, such as recurrent ones, gain nothing by
    that, and wait much on a busy machine. Each call of them runs in one thread; the rows of a large batch are shared.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.session = cache(self.open)

    def open(self, signature: str) -> tuple[Run, bool]:
        """Return a function of the inputs of a signature, and whether the rows of a batch are to be shared."""
        import onnxruntime

        path = self.folder / f"{signature}.onnx"
        options = onnxruntime.SessionOptions()
        try:
            data = path.read_bytes()
            is_convolutional = CONVOLUTION in data
            options.intra_op_num_threads = 0 if is_convolutional else 1  # 0 is one for each core
            session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the library's errors have no common class of their own
            raise RunError(f"{str(path)!r} is missing or damaged; use --engine keras.") from error
        names = [node.name for node in session.get_inputs()]
        return lambda arrays: session.run(None, dict(zip(names, arrays, strict=True))), not is_convolutional

    def __call__(self, signature: str, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        run, shares_rows = self.session(signature)
        parts = min(os.cpu_count() or 1, len(arrays[0]) // ROWS) if shares_rows else 1
        if parts < 2:
            return tuple(run(arrays))
        cuts = zip(*(np.array_split(array, parts) for array in arrays), strict=True)
        return tuple(map(np.concatenate, zip(*threads().map(run, cuts), strict=True)))


@cache
def threads() -> ThreadPoolExecutor:
    """Return threads for the rows of large batches, one for each core."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(os.cpu_count())


class ComparedNetwork:
    """Two networks that should agree: answers come from the first, `difference` is the largest one seen.

    Raises:
        RunError: An output of the second has another shape.
    """

    def __init__(self, first: Network, second: Network) -> None:
        self.first, self.second = first, second
        self.difference = 0.0

    def __call__(self, signature: str, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        outputs = self.first(signature, *arrays)
        for one, other in zip(outputs, self.second(signature, *arrays), strict=True):
            if one.shape != other.shape:
                raise RunError(f"The signature {signature!r} gives {other.shape} where {one.shape} is expected.")
            self.difference = max(self.difference, float(np.abs(one - other).max(initial=0)))
        return outputs

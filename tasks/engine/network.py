"""Networks that answer named signatures with NumPy arrays: Keras and ONNX Runtime behind one face."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tasks.engine.runs import RunError


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
    """ONNX files by signature name: `classify` is `folder/classify.onnx`, opened when first called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.session = cache(self.open)

    def open(self, signature: str) -> tuple[Any, list[str]]:
        """Return an ONNX Runtime session on the CPU, and the names of its inputs."""
        import onnxruntime

        path = self.folder / f"{signature}.onnx"
        try:
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        except Exception as error:  # the library's errors have no common class of their own
            raise RunError(f"{str(path)!r} is missing or damaged; use --engine keras.") from error
        return session, [node.name for node in session.get_inputs()]

    def __call__(self, signature: str, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        session, names = self.session(signature)
        return tuple(session.run(None, dict(zip(names, arrays, strict=True))))


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

"""ONNX files in ONNX Runtime."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime


def opened(folder: Path) -> Callable[..., list[np.ndarray]]:
    """Return the networks in a folder as a function of the name of a signature and its arrays."""
    sessions = {path.stem: onnxruntime.InferenceSession(path) for path in folder.glob("*.onnx")}

    def network(signature: str, *arrays: np.ndarray) -> list[np.ndarray]:
        names = [one.name for one in sessions[signature].get_inputs()]
        return list(sessions[signature].run(None, dict(zip(names, arrays, strict=True))))

    return network

"""Networks in OpenVINO."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino


def opened(folder: Path) -> Callable[..., list[np.ndarray]]:
    """Return the networks in a folder as a function of the name of a signature and its arrays."""
    core, exact = openvino.Core(), {"INFERENCE_PRECISION_HINT": "f32"}  # some processors would take bfloat16
    models = {path.stem: core.compile_model(path, "CPU", exact) for path in folder.glob("*.xml")}

    def network(signature: str, *arrays: np.ndarray) -> list[np.ndarray]:
        return [np.array(output) for output in models[signature](list(arrays)).values()]

    return network

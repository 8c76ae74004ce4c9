"""Files of Keras."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np


def opened(folder: Path) -> Callable[..., list[np.ndarray]]:
    """Return the networks in a folder as a function of the name of a signature and its arrays."""
    models = {path.stem: keras.saving.load_model(path) for path in folder.glob("*.keras")}

    def network(signature: str, *arrays: np.ndarray) -> list[np.ndarray]:
        outputs = models[signature].predict_on_batch(arrays[0] if len(arrays) == 1 else list(arrays))
        return [np.asarray(output) for output in (outputs if isinstance(outputs, list | tuple) else [outputs])]

    return network

"""A SavedModel in TensorFlow."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow


def opened(folder: Path) -> Callable[..., list[np.ndarray]]:
    """Return the networks in a folder as a function of the name of a signature and its arrays."""
    facts = json.loads((folder / "signature.json").read_text(encoding="utf-8"))
    model = tensorflow.saved_model.load(folder / "saved_model")

    def network(signature: str, *arrays: np.ndarray) -> list[np.ndarray]:
        about = facts["signatures"][signature]
        names = [one["name"] for one in about["inputs"]]
        given = {name: tensorflow.constant(array) for name, array in zip(names, arrays, strict=True)}
        found = model.signatures[signature](**given)
        return [found[one["name"]].numpy() for one in about["outputs"]]

    return network

"""LiteRT files in its interpreter; inputs of recurrences are padded with zeros to a fixed number of steps."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def opened(folder: Path) -> Callable[..., list[np.ndarray]]:
    """Return the networks in a folder as a function of the name of a signature and its arrays."""
    facts = json.loads((folder / "signature.json").read_text(encoding="utf-8"))
    runners = {
        name: Interpreter(str(folder / f"{name}.tflite")).get_signature_runner(name) for name in facts["signatures"]
    }

    def network(signature: str, *arrays: np.ndarray) -> list[np.ndarray]:
        about, given, length = facts["signatures"][signature], {}, None
        for one, array in zip(about["inputs"], arrays, strict=True):
            if "steps" in one["shape"]:  # (batch, steps) or (batch, steps, features)
                length = array.shape[1]
                more = [(0, 0), (0, facts["steps"] - length), *[(0, 0)] * (array.ndim - 2)]
            given[one["name"]] = np.pad(array, more) if "steps" in one["shape"] else array
        found = runners[signature](**given)
        return [
            found[one["name"]][:, :length] if "steps" in one["shape"] else found[one["name"]]
            for one in about["outputs"]
        ]

    return network

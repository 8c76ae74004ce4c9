"""Weights of a run, into a network that is built from its settings."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tasks.engine.archives import DAMAGE
from tasks.engine.members import RunError

if TYPE_CHECKING:
    import keras


def weight_count(build: Callable[[], keras.Model]) -> int:
    """Return the number of weights of a network, without making room for them."""
    import keras

    with keras.StatelessScope():
        return sum(math.prod(weight.shape) for weight in build().weights)


def load_weights(model: keras.Model, path: Path) -> None:
    """Load the weights of a Keras file that has been checked into a model; all of them are finite.

    Raises:
        RunError: The file is damaged, or holds another network.
    """
    try:
        model.load_weights(path)
    except DAMAGE as error:
        raise RunError(f"{str(path)!r} is damaged, or holds another network.") from error
    if not all(np.isfinite(np.sum(weight)) or np.isfinite(weight).all() for weight in model.get_weights()):
        raise RunError(f"{str(path)!r} is damaged: it holds weights that are not finite numbers.")

"""Weights of a run, into a network that is built from its settings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tasks.engine.archives import DAMAGE
from tasks.engine.members import RunError

if TYPE_CHECKING:
    import keras


@contextmanager
def limited_weights(most: int, path: Path) -> Iterator[None]:
    """Build layers with at most so many weights together, for a `with` statement; no room is made for more.

    Raises:
        RunError: The settings of a run ask for a larger network than its file of weights at `path` holds.
    """
    from keras.layers import Layer

    add, total = Layer.add_weight, 0

    def counted(layer: Layer, shape: tuple[int, ...] | None = None, *words: Any, **others: Any) -> Any:
        nonlocal total
        total += math.prod(shape) if isinstance(shape, tuple) else 1
        if total > most:
            raise RunError(f"{str(path)!r} is damaged, or holds another network: the settings ask for a larger one.")
        return add(layer, shape, *words, **others)

    Layer.add_weight = counted
    try:
        yield
    finally:
        Layer.add_weight = add


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

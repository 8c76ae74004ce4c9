"""Weights of a network: their mean over epochs, their files, and files of others that are not trusted."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import h5py
import keras
import numpy as np

from tasks.engine.archives import DAMAGE
from tasks.engine.files import atomic_file
from tasks.engine.members import RunError
from tasks.engine.shared_weights import WEIGHTS, whole_file, write_members


def average(model: keras.Model, kept: keras.Model, rate: float) -> None:
    """Move the kept weights, batch-norm statistics included, towards the model's by `rate` in (0, 1]; 1 copies them."""
    if rate == 1:
        kept.set_weights(model.get_weights())
        return
    kept.set_weights(
        [old + rate * (new - old) for old, new in zip(kept.get_weights(), model.get_weights(), strict=True)]
    )


def inference_model(model: keras.Model) -> keras.Model:
    """Return a model of the same layers with neither loss nor optimizer, to save or to load."""
    return keras.Model(model.input, model.output, name=model.name)


def save(model: keras.Model, path: Path, half: bool = False) -> None:
    """Write a model, whole or not at all; with `half` its weights are float16 in the file."""
    with atomic_file(path) as part:
        model.save(part)
        if half:
            halve(part)


def halve(path: Path) -> None:
    """Write the weights in a `.keras` file anew as float16; Keras reads them as the numbers that its model has."""
    with ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    old, new = BytesIO(files[WEIGHTS]), BytesIO()
    with h5py.File(old) as source, h5py.File(new, "w") as target:

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            place = target.require_group(name) if isinstance(item, h5py.Group) else target
            if isinstance(item, h5py.Dataset):
                place = target.create_dataset(
                    name, data=item[()].astype("float16" if item.dtype.kind == "f" else item.dtype)
                )
            place.attrs.update(item.attrs)

        source.visititems(copy)
        target.attrs.update(source.attrs)
    write_members(path, files | {WEIGHTS: new.getvalue()})


def seed_states(model: keras.Model) -> Sequence[keras.Variable]:
    """Return the states of a model's random layers, which Keras does not save."""
    saved = {id(variable) for variable in model.weights} | {id(variable) for variable in model.metrics_variables}
    return [variable for variable in model.variables if id(variable) not in saved]


def are_finite(model: keras.Model) -> bool:
    """Return whether all weights of a model, and those of its optimizer, are finite numbers."""
    variables = [*model.weights, *model.optimizer.variables]
    return all(np.isfinite(np.asarray(variable)).all() for variable in variables)


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
        with whole_file(path) as place:
            model.load_weights(place)
    except RunError:
        raise
    except DAMAGE as error:
        raise RunError(f"{str(path)!r} is damaged, or holds another network.") from error
    if not all(np.isfinite(np.sum(weight)) or np.isfinite(weight).all() for weight in model.get_weights()):
        raise RunError(f"{str(path)!r} is damaged: it holds weights that are not finite numbers.")

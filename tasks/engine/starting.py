"""A training that starts from another run: with what its codec has learnt, and with its weights."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from data.splits import Examples
from tasks.engine.config import SettingError, TaskConfig
from tasks.engine.load import keras_model, keras_part, restored_codec, restored_pipeline
from tasks.engine.task import Codec, Task

if TYPE_CHECKING:
    import keras

LOG = logging.getLogger("tasks")
C = TypeVar("C", bound=TaskConfig)
Pairs = Iterator[tuple["keras.layers.Layer", "keras.layers.Layer | None"]]


def learnt_codec(task: Task[C], config: C, train: Examples, run: Path) -> Codec:
    """Return a codec for training examples, which keeps what that of the run to start from has learnt, if any.

    Args:
        run: The run directory. Once its training has begun, it needs the run to start from no more.
    """
    if config.init_from is None:
        codec = task.codec.learn(config, train)
    elif has_begun(run):
        codec = restored_codec(task, run, config)
    else:
        codec = task.codec.adapt(config, restored_pipeline(task, config.init_from).codec, train)
    return codec.for_training(train)


def has_begun(run: Path) -> bool:
    """Return whether a run has a checkpoint."""
    from tasks.engine.checkpoint import CHECKPOINT, places

    return bool(places(run / CHECKPOINT))


def first_weights(task: Task[C], config: C, codec: Codec, model: keras.Model, run: Path) -> None:
    """Load the weights that a model has before its training: of its own run, of the run to start from, or of a file.

    Raises:
        DataError, UnavailableError, FileNotFoundError, RunError, SettingError: They cannot be had.
    """
    from tasks.engine.checkpoint import restore_network

    load = keras_part(task).load
    if restore_network(model, run):
        return
    if config.init_from:
        fresh = copy_weights(task, config, codec, model)
        if load and not all(layer.trainable for layer in fresh):
            load(model, config)
    elif load:
        load(model, config)


def copy_weights(task: Task[C], config: C, codec: Codec, model: keras.Model) -> list[keras.layers.Layer]:
    """Copy the weights of the run that `init_from` names into a model; say and return which layers of it are new.

    Layers belong together that are of one kind, in their order. A layer whose shapes differ stays new, but for tables
    of tokens: those that both vocabularies have are copied.

    Raises:
        SettingError: No layer fits.
    """
    assert config.init_from
    given = restored_pipeline(task, config.init_from)
    places, kept, new, fresh = codec.places(given.codec), 0, list[str](), []
    for own, other in layer_pairs(model, keras_model(given)):
        copied = 0 if other is None else copy_layer(own, other, places)
        kept += copied
        if missing := own.count_params() - copied:
            new.append(f"{own.name} ({missing:,})")
            fresh.append(own)
    if not kept:
        raise SettingError(f"No layer of {str(config.init_from)!r} fits this network; train with its settings.")
    LOG.info(
        "%s of %s weights are those of %s; new are %s.",
        f"{kept:,}", f"{model.count_params():,}", config.init_from.name, ", ".join(new) or "none",
    )  # fmt: skip
    return fresh


def layer_pairs(model: keras.Model, given: keras.Model) -> Pairs:
    """Yield each layer with weights, and the one of another model that has its kind and its place among those."""
    others: dict[type, list[keras.layers.Layer]] = {}
    for layer in given.layers:
        if layer.weights:
            others.setdefault(type(layer), []).append(layer)
    for layer in model.layers:
        if layer.weights:
            same = others.get(type(layer), [])
            yield layer, same.pop(0) if same else None


def copy_layer(own: keras.layers.Layer, other: keras.layers.Layer, places: list[int] | None) -> int:
    """Copy the weights of a layer where their shapes agree, and return how many numbers that are.

    Args:
        places: The rows of a table of tokens that the tokens of the other codec have here.
    """
    mine, theirs = own.get_weights(), other.get_weights()
    if [weight.shape for weight in mine] == [weight.shape for weight in theirs]:
        own.set_weights(theirs)
        return sum(weight.size for weight in theirs)
    if places is None or [w.shape[1:] for w in mine] != [w.shape[1:] for w in theirs]:
        return 0
    if any(len(weight) != len(places) for weight in theirs):
        return 0
    for weight, old in zip(mine, theirs, strict=True):
        weight[np.array(places)] = old
    own.set_weights(mine)
    return sum(weight.size for weight in theirs)

"""What a training begins with: its config, its codec, and two networks with their first weights."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from data.splits import Splits
from tasks.engine.config import TaskConfig
from tasks.engine.load import keras_part
from tasks.engine.members import RunError
from tasks.engine.starting import first_weights, learnt_codec
from tasks.engine.task import Codec, Task

if TYPE_CHECKING:
    import keras

    from tasks.engine.devices import Devices

C = TypeVar("C", bound=TaskConfig)


class Networks(NamedTuple, Generic[C]):
    """What a training begins with.

    Attributes:
        config: The config with settings that follow from the training examples.
        codec: What it has learnt from them.
        model: Takes the gradient steps, with the first weights.
        kept: The same network in float32, on one device.
    """

    config: C
    codec: Codec
    model: keras.Model
    kept: keras.Model


def networks(task: Task[C], config: C, splits: Splits, run: Path, devices: Devices | None) -> Networks[C]:
    """Return the networks of a training, by its training examples and what its run directory holds."""
    import keras

    from tasks.engine.environment import precision

    keras.utils.set_random_seed(config.seed)
    codec = learnt_codec(task, config, splits.train, run)
    config = codec.settled(config)
    part = keras_part(task)
    with precision(config.precision), room_for_weights(run), devices.scope() if devices else nullcontext():
        model = part.build(config, codec)
    with precision("float32"), room_for_weights(run):
        kept = part.build(config, codec)
    first_weights(task, config, codec, model, run)
    return Networks(config, codec, model, kept)


def room_for_weights(run: Path) -> AbstractContextManager[None]:
    """Let no network be built that is larger than those of the run's checkpoints, for a `with` statement."""
    from tasks.engine.archives import most_weights
    from tasks.engine.checkpoint import CHECKPOINT, KEPT, places
    from tasks.engine.weights import limited_weights

    for place in places(run / CHECKPOINT):
        path = place.folder / place.files[KEPT]
        with suppress(RunError):  # a damaged one is passed over
            return limited_weights(most_weights(path), path)
    return nullcontext()

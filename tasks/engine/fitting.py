"""Fitting a network from its data to its file of weights."""

from contextlib import ExitStack
from pathlib import Path

import keras

from data.batches import Batches
from data.splits import Splits
from tasks.engine.bar import Bar
from tasks.engine.checkpoint import Networks
from tasks.engine.config import TaskConfig
from tasks.engine.devices import Devices
from tasks.engine.divergence import DivergedError
from tasks.engine.pace import Pace
from tasks.engine.paced import PacedTraining
from tasks.engine.progress import Progress
from tasks.engine.signals import ENDING
from tasks.engine.task import Codec
from tasks.engine.training import Follow, Note, Training
from tasks.engine.weights import inference_model, save


def fit(
    model: keras.Model,
    kept: keras.Model,
    codec: Codec,
    splits: Splits,
    config: TaskConfig,
    run: Path,
    *,
    show: bool = False,
    follow: Follow | None = None,
    again: str = "train --resume",
    note: Note = lambda row: None,
    devices: Devices | None = None,
    pace: Pace | None = None,
) -> tuple[Progress, TaskConfig]:
    """Fit a model, and leave the weights of `kept_epoch` in `kept`.

    With `config.average`, these are the means of the weights over the last epochs so far.

    If `run` holds a checkpoint, training goes on from there as if it had never stopped. If the loss diverges, it goes
    back to the last checkpoint and on at half the step size, `config.retries` times.

    Args:
        model: Compiled; it takes the gradient steps.
        kept: The same network in float32; it holds averaged weights, and is what validation measures.
        show: If true, draw a progress bar on standard error.
        follow: As in `KerasPart`.
        again: Command that goes on with this training, for messages.
        note: Gets the row of the history of each epoch, at once of those that are done; it may raise an error to end
            the training, which then keeps a checkpoint first.
        devices: Those that `model` was built on; the first of several processes writes the run.
        pace: The time that the training keeps to; its epochs and its step size follow the clock then.

    Returns:
        How the training went, and the config with the epochs that it had.

    Raises:
        DivergedError: The loss diverges still; the run holds the last checkpoint before.
        RunError: All checkpoints are damaged.
    """
    networks = Networks(model, kept)
    devices = devices or Devices()
    train = Batches(splits.train, codec, config.batch_size, seed=config.seed, shares=devices.shares)
    valid = Batches(splits.valid, codec, config.batch_size)
    parts = networks, train, valid, config, run, follow, again, note, devices
    training = PacedTraining(*parts, pace) if pace else Training(*parts)
    devices.prepare(model)
    progress = training.begin()
    with ExitStack() as stack:
        stack.enter_context(ENDING.waiting())
        done = progress.epoch * len(train) + progress.step
        bar = stack.enter_context(Bar(training.config.epochs, len(train), done, show))
        while not training.is_done:
            try:
                training.epoch(bar)
            except DivergedError as error:
                progress = training.go_back(error)
                bar.move(progress.epoch * len(train) + progress.step)
    assert networks.best
    kept.set_weights(networks.best)
    if devices.rank:
        return progress, training.ended()
    if half := config.storage != "float32":
        kept.set_weights([weight.astype("float16").astype(weight.dtype) for weight in kept.get_weights()])
    save(inference_model(kept), run / "model.keras", half)
    return progress, training.ended()

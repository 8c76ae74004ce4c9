"""Fitting a network: schedule, averaged weights, best epoch, checkpoints that resume exactly."""

import logging
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import h5py
import keras
import numpy as np
from tqdm import tqdm

from data.batches import Batches
from data.splits import Splits
from tasks.engine.config import JsonObject, TaskConfig
from tasks.engine.runs import atomic_file, kept_epoch, read_json, write_csv, write_json
from tasks.engine.task import Codec

LOG = logging.getLogger("tasks")
Tensor = Any  # of the backend


class DivergedError(ArithmeticError):
    """The loss is not a finite number any more."""

    exit_code = 3


@keras.saving.register_keras_serializable(package="tasks")
class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A step size that rises from zero in a straight line, and then falls to zero.

    Args:
        peak: Largest step size.
        steps: Number of gradient steps of the whole training.
        warmup: Share of the steps in which the step size rises, in [0, 1).
        shape: `"cosine"` or `"linear"` fall to zero, `"constant"` stays.

    Reference: Loshchilov and Hutter, 2017, https://arxiv.org/abs/1608.03983 (cosine).
    """

    def __init__(self, peak: float, steps: int, warmup: float = 0.0, shape: str = "cosine") -> None:
        self.peak, self.steps, self.warmup, self.shape = peak, steps, warmup, shape

    def __call__(self, step: Tensor) -> Tensor:
        rising = max(self.warmup * self.steps, 1.0)
        step = keras.ops.cast(step, "float32")
        left = 1 - keras.ops.clip((step - rising) / max(self.steps - rising, 1.0), 0.0, 1.0)
        falls: dict[str, Callable[[], Tensor]] = {
            "cosine": lambda: (1 - keras.ops.cos(math.pi * left)) / 2,
            "linear": lambda: left,
            "constant": lambda: 1.0,
        }
        return self.peak * keras.ops.minimum((step + 1) / rising, falls[self.shape]())

    def get_config(self) -> JsonObject:
        return {"peak": self.peak, "steps": self.steps, "warmup": self.warmup, "shape": self.shape}


@dataclass
class Progress:
    """How far a training is: what a checkpoint keeps beside the weights."""

    epoch: int = 0  # epochs done
    seconds: float = 0.0  # spent so far
    seeds: list[list[int]] = field(default_factory=list)  # state of the random layers
    history: list[dict[str, float]] = field(default_factory=list)


def fit(
    model: keras.Model,
    kept: keras.Model,
    codec: Codec,
    splits: Splits,
    config: TaskConfig,
    run: Path,
    *,
    show: bool = False,
    follow: Callable[[keras.Model, float], bool] | None = None,
) -> Progress:
    """Fit a model, and leave the weights of `kept_epoch` in `kept`.

    With `config.average`, these are the means of the weights over the last epochs so far.

    Every epoch ends with `history.csv` and `checkpoint/` on disk, and every best one with `model.keras`; if
    the directory holds a checkpoint, training goes on from there as if it had never stopped.

    Args:
        model: Compiled; it takes the gradient steps.
        kept: The same network in float32; it holds averaged weights, and is what validation measures.
        show: If true, draw a progress bar on standard error.
        follow: As in `KerasPart`.

    Raises:
        DivergedError: The loss is not finite; the best epoch so far is on disk.
    """
    train = Batches(splits.train, codec, config.batch_size, seed=config.seed)
    valid = Batches(splits.valid, codec, config.batch_size)
    model.optimizer.learning_rate = Schedule(
        config.learning_rate, config.epochs * len(train), config.warmup, config.schedule
    )
    progress = restore(model, kept, run / "checkpoint")
    with Bar(config.epochs, len(train), progress.epoch, show) as bar:
        for epoch in range(progress.epoch, config.epochs):
            start = time.monotonic()
            if follow and follow(model, epoch / config.epochs):
                model.train_function = None  # it is traced anew
            row = fit_epoch(model, train, epoch, bar)
            average(model, kept, 1 / max(epoch + 1 - max(config.epochs - config.average, 0), 1))
            row |= validate(kept, valid)
            check_finite(row, config.learning_rate)
            progress.history.append(row | {"seconds": round(time.monotonic() - start, 2)})
            progress.epoch, progress.seconds = epoch + 1, progress.seconds + time.monotonic() - start
            bar.note(row, progress.seconds / (epoch + 1) * (config.epochs - epoch - 1))
            if kept_epoch(progress.history, config)["epoch"] == epoch + 1:
                save(inference_model(kept), run / "model.keras")
            write_csv(run / "history.csv", progress.history)
            checkpoint(model, kept, progress, run / "checkpoint")
    inference_model(kept).load_weights(run / "model.keras")
    if config.storage == "float16":
        kept.set_weights([weight.astype("float16").astype(weight.dtype) for weight in kept.get_weights()])
        save(inference_model(kept), run / "model.keras", half=True)
    return progress


def fit_epoch(model: keras.Model, train: Batches, epoch: int, bar: "Bar") -> dict[str, float]:
    """Take the gradient steps of one epoch, and return its number, its loss and its metrics."""
    history = model.fit(
        train.epoch_data(epoch),
        initial_epoch=epoch,
        epochs=epoch + 1,
        steps_per_epoch=len(train),
        shuffle=False,
        callbacks=[bar],
        verbose=0,
    ).history
    return {"epoch": epoch + 1, **{name: values[-1] for name, values in history.items()}}


def validate(kept: keras.Model, valid: Batches) -> dict[str, float]:
    """Return the loss and the metrics on the validation split, their names beginning with `val_`."""
    values = kept.evaluate(valid.epoch_data(), steps=len(valid), return_dict=True, verbose=0)
    return {f"val_{name}": value for name, value in values.items()}


def check_finite(row: Mapping[str, float], learning_rate: float) -> None:
    """Raise `DivergedError` unless all values of an epoch are finite."""
    if not all(map(math.isfinite, row.values())):
        raise DivergedError(
            f"Training diverged in epoch {row['epoch']:.0f}: the loss is {row['loss']}; try a --learning-rate "
            f"below {learning_rate}."
        )


def average(model: keras.Model, kept: keras.Model, rate: float) -> None:
    """Move the kept weights, batch-norm statistics included, towards the model's by `rate`, in (0, 1]."""
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
    old, new = BytesIO(files["model.weights.h5"]), BytesIO()
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
    files["model.weights.h5"] = new.getvalue()
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def checkpoint(model: keras.Model, kept: keras.Model, progress: Progress, folder: Path) -> None:
    """Write all that is needed to go on; `state.json` comes last and names the epoch that counts."""
    progress.seeds = [np.asarray(variable).tolist() for variable in seed_states(model)]
    save(model, folder / f"model-{progress.epoch}.keras")
    save(inference_model(kept), folder / f"kept-{progress.epoch}.keras")
    write_json(folder / "state.json", vars(progress))
    for path in folder.glob("*.keras"):
        if not path.stem.endswith(f"-{progress.epoch}"):
            path.unlink()


def restore(model: keras.Model, kept: keras.Model, folder: Path) -> Progress:
    """Put both models where the last checkpoint was, and return the progress; without one, begin."""
    model.optimizer.build(model.trainable_variables)
    if not (folder / "state.json").is_file():
        kept.set_weights(model.get_weights())
        return Progress()
    progress = Progress(**read_json(folder / "state.json"))
    model.load_weights(folder / f"model-{progress.epoch}.keras")
    inference_model(kept).load_weights(folder / f"kept-{progress.epoch}.keras")
    for variable, state in zip(seed_states(model), progress.seeds, strict=True):
        variable.assign(state)
    return progress


def seed_states(model: keras.Model) -> Sequence[keras.Variable]:
    """Return the states of a model's random layers, which Keras does not save."""
    saved = {id(variable) for variable in model.weights} | {id(variable) for variable in model.metrics_variables}
    return [variable for variable in model.variables if id(variable) not in saved]


class Bar(keras.callbacks.Callback):
    """A progress bar over all epochs: loss, metrics and time left, on standard error."""

    def __init__(self, epochs: int, steps: int, done: int, show: bool) -> None:
        super().__init__()
        self.bar = tqdm(total=epochs * steps, initial=done * steps, disable=not show, unit="step", dynamic_ncols=True)
        self.epochs = epochs
        self.noted: dict[str, float] = {}

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.close()

    def note(self, row: Mapping[str, float], left: float) -> None:
        """Say how an epoch ended, in a line that stays, and show its validation from now on.

        Args:
            row: Number, loss and metrics of the epoch.
            left: Seconds that the other epochs are likely to take.
        """
        self.noted = {name: value for name, value in row.items() if name.startswith("val_")}
        values = ", ".join(f"{name} {value:.4f}" for name, value in row.items() if name != "epoch")
        line = f"Epoch {row['epoch']:.0f} of {self.epochs}: {values}; about {left / 60:.1f} minutes left."
        if self.bar.disable:
            LOG.info("%s", line)
        else:
            self.bar.write(line, file=sys.stderr)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.bar.update()
        if batch % 20 == 0:
            self.show(logs)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.bar.set_description(f"epoch {epoch + 1}/{self.epochs}")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.show(logs)

    def show(self, logs: dict[str, float] | None) -> None:
        """Show the running loss and metrics beside the last validation."""
        if not self.bar.disable:
            values = (logs or {}) | self.noted
            self.bar.set_postfix({name: f"{float(value):.4f}" for name, value in values.items()}, refresh=False)

"""A training under way: its gradient steps, averaged weights, best epoch, checkpoints, and divergence."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from data.batches import Batches
from tasks.engine.bar import Bar
from tasks.engine.checkpoint import Networks, restore, rewrite_state, write_checkpoint
from tasks.engine.config import JsonObject, TaskConfig
from tasks.engine.devices import Devices
from tasks.engine.divergence import DivergedError, check_loss, last_error
from tasks.engine.files import write_csv
from tasks.engine.interval import Clock, Interval
from tasks.engine.members import RunError
from tasks.engine.progress import Progress, check_names
from tasks.engine.runs import kept_epoch
from tasks.engine.schedule import Schedule
from tasks.engine.signals import ENDING
from tasks.engine.weights import are_finite, average

LOG = logging.getLogger("tasks")
Follow = Callable[[keras.Model, float], bool]
Note = Callable[[JsonObject], None]


@dataclass
class Training:
    """A training under way.

    Attributes:
        again: Command that goes on with it after a signal; an empty one of a training that is not kept.
    """

    networks: Networks
    train: Batches
    valid: Batches
    config: TaskConfig
    run: Path
    follow: Follow | None
    again: str
    note: Note
    devices: Devices

    def begin(self) -> Progress:
        """Restore the last checkpoint, or write the first one, and return the progress."""
        model = self.networks.model
        self.clock = Clock(Interval.of(self.config.checkpoint_every))
        self.steps = self.config.epochs * len(self.train)
        self.set_schedule(1.0)
        with self.devices.scope():
            model.optimizer.build(model.trainable_variables)
        restored = restore(self.networks, self.run, self.check_progress)
        self.progress = restored or Progress()
        self.check_agreement()
        for row in self.progress.history:
            row.setdefault("step_size", self.config.learning_rate)  # an older version did not note it
            self.note(row)
        if restored is None:
            self.networks.kept.set_weights(model.get_weights())
            self.keep()
        self.plan()
        self.set_schedule(self.progress.rate)
        self.is_done = self.has_ended()
        return self.progress

    def plan(self) -> None:
        """Choose how long the training will be, once its progress so far is known: here as the settings say."""

    def has_ended(self) -> bool:
        """Return whether no further epoch is to be."""
        return self.progress.epoch >= self.config.epochs

    def ended(self) -> TaskConfig:
        """Return the config with the epochs that the training had."""
        return self.config

    def share(self) -> float:
        """Return the share of the training that is done, in [0, 1]."""
        return self.progress.epoch / self.config.epochs

    def seconds_left(self) -> float:
        """Return about how many seconds the further epochs will take."""
        progress = self.progress
        return progress.seconds / progress.epoch * (self.config.epochs - progress.epoch)

    def callbacks(self) -> list[keras.callbacks.Callback]:
        """Return what is done after each gradient step."""
        return [Steps(self)]

    def check_agreement(self) -> None:
        """Raise `RunError` unless all processes go on from the same step."""
        if not self.devices.agree(self.progress.epoch, self.progress.step):
            raise RunError(f"The processes see different checkpoints in {str(self.run)!r}; let it be on a shared disk.")

    def check_progress(self, progress: Progress) -> None:
        """Raise `ValueError` unless a progress fits the data and the metrics of this training."""
        if not progress.history and not progress.step:
            return
        self.build_metrics()
        model = self.networks.model
        check_names(progress, {*model.get_metrics_result()})
        if progress.step > len(self.train):
            raise ValueError("its steps are more than those of an epoch")
        if progress.step:
            check_sums(progress.sums, model.metrics_variables)

    def build_metrics(self) -> None:
        """Make the variables of the metrics, which Keras would make in the first step, to restore them before it."""
        model = self.networks.model
        batch = self.train.encoder.encode([self.train.examples[0]])
        with self.devices.scope():
            model._symbolic_build(data_batch=keras.utils.unpack_x_y_sample_weight(batch))  # Keras has no public way

    def set_schedule(self, rate: float) -> None:
        """Choose the step sizes of the whole training, times `rate`."""
        config = self.config
        self.networks.model.optimizer.learning_rate = Schedule(
            rate * config.learning_rate, self.steps, config.warmup, config.schedule
        )
        self.networks.model.train_function = None  # it is traced anew

    def epoch(self, bar: Bar) -> None:
        """Take the gradient steps that an epoch has left, measure it, and choose the best so far.

        Raises:
            DivergedError: The loss has diverged.
        """
        progress, networks, config = self.progress, self.networks, self.config
        self.start = time.monotonic() - progress.begun
        if self.follow and self.follow(networks.model, self.share()):
            networks.model.train_function = None
        self.take_steps(bar)
        before = networks.kept.get_weights()
        average(networks.model, networks.kept, 1 / max(progress.epoch + 1 - max(config.epochs - config.average, 0), 1))
        row = {"epoch": progress.epoch + 1, **progress.row} | self.validate(before)
        check_loss(row, self.progress, len(self.train))
        self.end_epoch(row)
        bar.epochs = self.config.epochs
        bar.note(progress.history[-1], self.seconds_left())

    def take_steps(self, bar: Bar) -> None:
        """Take the gradient steps that an epoch has left."""
        progress = self.progress
        left = len(self.train) - progress.step
        if left:
            with self.devices.fitting():
                self.networks.model.fit(
                    self.devices.dataset(self.train.epoch_data(progress.epoch, progress.step)),
                    initial_epoch=progress.epoch,
                    epochs=progress.epoch + 1,
                    steps_per_epoch=left,
                    shuffle=False,
                    callbacks=[*self.callbacks(), bar],
                    verbose=0,
                )

    def validate(self, before: list[np.ndarray]) -> dict[str, float]:
        """Return the loss and the metrics on the validation split, their names beginning with `val_`.

        Args:
            before: Kept weights before this epoch, which a checkpoint in between needs.
        """

        values = self.networks.kept.evaluate(
            self.valid.epoch_data(),
            steps=len(self.valid),
            return_dict=True,
            verbose=0,
            callbacks=[Leaving(self, before)],
        )
        return {f"val_{name}": value for name, value in values.items()}

    def end_epoch(self, row: dict[str, float]) -> None:
        """Note an epoch, and keep its weights if it is the best so far; the last one ends with a checkpoint."""
        progress = self.progress
        spent = time.monotonic() - self.start
        progress.history.append(
            row | {"step_size": self.config.learning_rate * progress.rate, "seconds": round(spent, 2)}
        )
        progress.epoch, progress.step, progress.row, progress.sums = progress.epoch + 1, 0, {}, []
        progress.seconds, progress.begun = progress.seconds + spent, 0.0
        self.start = time.monotonic()
        if kept_epoch(progress.history, self.config)["epoch"] == progress.epoch:
            self.networks.best = self.networks.kept.get_weights()
        if self.devices.rank == 0:
            write_csv(self.run / "history.csv", progress.history)
        try:
            self.note(progress.history[-1])
        except Exception:
            self.keep()
            raise
        if ENDING.asked:
            self.leave()
        self.is_done = self.has_ended()
        if self.is_done:
            self.keep()

    def go_back(self, error: DivergedError) -> Progress:
        """Go back to the last checkpoint, choose half the step size, and return the progress.

        Raises:
            DivergedError: The training has gone back as often as `config.retries` says.
        """
        rate, retries = self.progress.rate / 2, self.progress.retries + 1
        size = self.config.learning_rate * rate
        if retries > self.config.retries:
            raise last_error(error, self.again, min(size, type(self.config)().learning_rate)) from error
        progress = restore(self.networks, self.run, self.check_progress)
        assert progress, "a training begins with a checkpoint"
        progress.rate, progress.retries = rate, retries
        self.progress = progress
        self.check_agreement()
        if self.devices.rank == 0:
            rewrite_state(progress, self.run)
        self.set_schedule(rate)
        LOG.warning(
            "%s; the training goes back to epoch %d, step %d, and on at half the step size, %.3g.",
            error, progress.epoch + 1, progress.step, size,
        )  # fmt: skip
        return progress

    def keep(self) -> None:
        """Write a checkpoint, and say from now on that it is there; the first of several processes does.

        Raises:
            DivergedError: A weight is not finite. With several processes, the next loss tells it to all of them.
        """
        progress, model = self.progress, self.networks.model
        if self.devices.rank or (self.devices.size > 1 and not are_finite(model)):
            return
        if not are_finite(model):
            raise DivergedError(f"Training diverged in epoch {progress.epoch + 1}: a weight is not finite")
        progress.sums = (
            [self.devices.read(variable).tolist() for variable in model.metrics_variables] if progress.step else []
        )
        with self.devices.alone():
            write_checkpoint(self.networks, progress, self.run)
        self.clock.restart()
        if self.again:
            ENDING.text = (
                f"Stopped; epoch {min(progress.epoch + 1, self.config.epochs)} is kept up to step {progress.step}, and "
                f"`{self.again}` goes on there."
            )

    def leave(self) -> None:
        """Write a checkpoint, and end the process after a signal."""
        self.keep()
        ENDING.leave(ENDING.asked)


def check_sums(sums: Sequence[Any], variables: Sequence[keras.Variable]) -> None:
    """Raise `ValueError` unless the states of metrics are numbers of float32 with the shapes of their variables."""
    for value, variable in zip(sums, variables, strict=True):
        found = np.asarray(value)  # lists of different lengths are a `ValueError`
        if found.dtype.kind not in "iuf" or found.shape != tuple(variable.shape):
            raise ValueError("the sums of its metrics have other shapes, or are not numbers")
        if np.abs(found).max(initial=0) > np.finfo("float32").max:
            raise ValueError("the sums of its metrics are too large")


class Steps(keras.callbacks.Callback):
    """What a training does after each gradient step: it checks the loss, keeps checkpoints, and obeys signals."""

    def __init__(self, training: Training) -> None:
        super().__init__()
        self.training = training

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if sums := self.training.progress.sums:
            for variable, value in zip(self.model.metrics_variables, sums, strict=True):
                self.training.devices.write(variable, value)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        training, progress = self.training, self.training.progress
        progress.step += 1
        progress.row = {name: float(value) for name, value in (logs or {}).items()}
        check_loss(progress.row, progress, len(training.train))
        is_due = training.devices.rank == 0 and training.clock.is_due()
        if is_due or ENDING.asked:
            progress.begun = time.monotonic() - training.start
            if keras.config.backend() == "jax":
                self.model.jax_state_sync()  # the weights are elsewhere during an epoch
            training.leave() if ENDING.asked else training.keep()


class Leaving(keras.callbacks.Callback):
    """What a training does after each batch of a validation: it obeys signals.

    Args:
        before: Kept weights before the epoch that is measured.
    """

    def __init__(self, training: Training, before: list[np.ndarray]) -> None:
        super().__init__()
        self.training, self.before = training, before

    def on_test_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if ENDING.asked:
            self.training.networks.kept.set_weights(self.before)
            self.training.leave()

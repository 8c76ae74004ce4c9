"""Fitting a network: step size, averaged weights, best epoch, checkpoints, and what to do if the loss diverges."""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from data.batches import Batches
from data.splits import Splits
from tasks.engine.bar import Bar
from tasks.engine.checkpoint import Networks, Progress, restore, rewrite_state, write_checkpoint
from tasks.engine.config import JsonObject, TaskConfig
from tasks.engine.devices import Devices
from tasks.engine.divergence import DivergedError, check_loss, last_error
from tasks.engine.files import write_csv
from tasks.engine.interval import Clock, Interval
from tasks.engine.members import RunError
from tasks.engine.pace import Pace, Speed
from tasks.engine.runs import kept_epoch
from tasks.engine.schedule import Schedule
from tasks.engine.signals import ENDING
from tasks.engine.speed import step_seconds, validation_seconds
from tasks.engine.task import Codec
from tasks.engine.weights import are_finite, average, inference_model, save

LOG = logging.getLogger("tasks")
Follow = Callable[[keras.Model, float], bool]
Note = Callable[[JsonObject], None]


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
    training = Training(networks, train, valid, config, run, follow, again, note, devices, pace)
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
    if config.storage == "float16":
        kept.set_weights([weight.astype("float16").astype(weight.dtype) for weight in kept.get_weights()])
    save(inference_model(kept), run / "model.keras", half=config.storage == "float16")
    return progress, training.ended()


@dataclass
class Training:
    """A training under way."""

    networks: Networks
    train: Batches
    valid: Batches
    config: TaskConfig
    run: Path
    follow: Follow | None
    again: str
    note: Note
    devices: Devices
    pace: Pace | None = None

    def begin(self) -> Progress:
        """Restore the last checkpoint, or write the first one, and return the progress."""
        model = self.networks.model
        self.clock = Clock(Interval.of(self.config.checkpoint_every))
        self.steps = self.config.epochs * len(self.train)
        self.set_schedule(1.0)
        with self.devices.scope():
            model.optimizer.build(model.trainable_variables)
        restored = restore(self.networks, self.run)
        self.progress = restored or Progress()
        self.check_agreement()
        for row in self.progress.history:
            row.setdefault("step_size", self.config.learning_rate)  # an older version did not note it
            self.note(row)
        if restored is None:
            self.networks.kept.set_weights(model.get_weights())
            self.keep()
        self.check_progress()
        if self.pace:
            self.begin_pace(self.pace)
        self.set_schedule(self.progress.rate)
        self.end_by_time()
        return self.progress

    def begin_pace(self, pace: Pace) -> None:
        """Choose the number of steps by the clock, from some steps that are then forgotten."""
        speed = self.measure(0.05 * pace.budget)
        progress = restore(self.networks, self.run)
        assert progress, "a training begins with a checkpoint"
        self.progress = progress
        pace.begin(progress.seconds + progress.begun, speed)
        epochs = pace.epochs(self.epoch_seconds(speed))
        done = progress.epoch * len(self.train) + progress.step
        self.steps = max(round(done + epochs * len(self.train)), 1)
        self.plan_epochs()
        LOG.info(
            "A budget of %.0f s: about %.1f epochs of %d steps, %.3g s each, then about %.0f s for files and scores.",
            *(pace.budget, epochs, len(self.train), speed.step, pace.reserve),
        )

    def epoch_seconds(self, speed: Speed) -> float:
        """Return the seconds of an epoch: of the last one, or as long as there is none, by the speed of its parts."""
        history = self.progress.history
        return history[-1]["seconds"] if history else len(self.train) * speed.step + speed.validation

    def plan_epochs(self) -> None:
        """Choose the number of epochs by the clock, until those whose weights are averaged begin."""
        if self.pace and self.progress.epoch < max(self.config.epochs - self.config.average, 1):
            more = max(round(self.pace.epochs(self.epoch_seconds(self.pace.speed))), 1)
            self.config = replace(self.config, epochs=self.progress.epoch + more)

    def measure(self, seconds: float) -> Speed:
        """Return how long a step and a validation take, by some of each; the networks have learnt from the steps."""
        networks, train, devices = self.networks, self.train, self.devices
        with devices.fitting():
            step = step_seconds(networks.model, lambda: devices.dataset(train.epoch_data()), len(train), seconds)
        return Speed(step, validation_seconds(networks.kept, self.valid))

    def end_by_time(self) -> None:
        """Note whether the training has ended: by its epochs, or by the clock."""
        progress, pace = self.progress, self.pace
        if pace is None:
            self.is_done = progress.epoch >= self.config.epochs
        else:
            self.is_done = progress.epoch > 0 and pace.left() < max(3 * pace.speed.step, 0.01 * pace.budget)

    def ended(self) -> TaskConfig:
        """Return the config with the epochs that the training had, and those of them whose weights were averaged."""
        if self.pace is None:
            return self.config
        done, first = self.progress.epoch, max(self.config.epochs - self.config.average, 0)
        return replace(self.config, epochs=done, average=max(done - first, 0) if self.config.average else 0)

    def check_agreement(self) -> None:
        """Raise `RunError` unless all processes go on from the same step."""
        if not self.devices.agree(self.progress.epoch, self.progress.step):
            raise RunError(f"The processes see different checkpoints in {str(self.run)!r}; let it be on a shared disk.")

    def check_progress(self) -> None:
        """Raise `RunError` unless a checkpoint fits the data and the metrics of this training."""
        progress = self.progress
        if progress.sums:
            self.build_metrics()
        shapes = [tuple(variable.shape) for variable in self.networks.model.metrics_variables]
        if progress.step > len(self.train) or (progress.sums and list(map(np.shape, progress.sums)) != shapes):
            raise RunError(f"{str(self.run / 'checkpoint')!r} is damaged: it is that of another training.")

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
        share = self.pace.share() if self.pace else progress.epoch / config.epochs
        if self.follow and self.follow(networks.model, share):
            networks.model.train_function = None
        self.take_steps(bar)
        before = networks.kept.get_weights()
        average(networks.model, networks.kept, 1 / max(progress.epoch + 1 - max(config.epochs - config.average, 0), 1))
        row = {"epoch": progress.epoch + 1, **progress.row} | self.validate(before)
        check_loss(row, self.progress, len(self.train))
        self.end_epoch(row)
        bar.epochs = self.config.epochs
        left = progress.seconds / progress.epoch * (self.config.epochs - progress.epoch)
        bar.note(progress.history[-1], max(self.pace.left(), 0.0) if self.pace else left)

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
                    callbacks=[Steps(self), bar],
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
        self.end_by_time()
        if self.is_done:
            self.keep()
        else:
            self.plan_epochs()

    def rehearse_again(self, pace: Pace) -> None:
        """Let the pace measure what comes after the training, with the weights as they are now."""
        kept = self.networks.kept
        before = kept.get_weights()
        kept.set_weights(self.networks.model.get_weights())
        pace.rehearse_again()
        kept.set_weights(before)

    def go_back(self, error: DivergedError) -> Progress:
        """Go back to the last checkpoint, choose half the step size, and return the progress.

        Raises:
            DivergedError: The training has gone back as often as `config.retries` says.
        """
        rate, retries = self.progress.rate / 2, self.progress.retries + 1
        size = self.config.learning_rate * rate
        if retries > self.config.retries:
            raise last_error(error, self.again, min(size, type(self.config)().learning_rate)) from error
        progress = restore(self.networks, self.run)
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
        ENDING.text = (
            f"Stopped; epoch {min(progress.epoch + 1, self.config.epochs)} is kept up to step {progress.step}, and "
            f"`{self.again}` goes on there."
        )

    def leave(self) -> None:
        """Write a checkpoint, and end the process after a signal."""
        self.keep()
        ENDING.leave(ENDING.asked)


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
        if training.pace:
            self.keep_pace(training.pace)
        is_due = training.devices.rank == 0 and training.clock.is_due()
        if is_due or ENDING.asked:
            progress.begun = time.monotonic() - training.start
            if keras.config.backend() == "jax":
                self.model.jax_state_sync()  # the weights are elsewhere during an epoch
            training.leave() if ENDING.asked else training.keep()

    def keep_pace(self, pace: Pace) -> None:
        """Put the step size where the clock is, and end the epoch when no further step fits."""
        training, model = self.training, self.training.networks.model
        if pace.is_over():
            model.stop_training = True
            progress, steps = training.progress, len(training.train)
            if progress.step < steps:
                LOG.info("The budget ends epoch %d at step %d of %d.", progress.epoch + 1, progress.step, steps)
        elif pace.is_due():
            if keras.config.backend() == "jax":
                model.jax_state_sync()
            training.rehearse_again(pace)
            model.optimizer.iterations.assign(round(pace.share() * training.steps))


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

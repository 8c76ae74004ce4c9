"""A training that keeps to a budget of time: its epochs and its step size follow the clock."""

import logging
from dataclasses import dataclass, replace

import keras

from tasks.engine.checkpoint import restore
from tasks.engine.config import TaskConfig
from tasks.engine.pace import Pace
from tasks.engine.speed import training_speed
from tasks.engine.training import Training

LOG = logging.getLogger("tasks")
TRIED = 0.05  # share of the budget in which steps are tried
LAST = 3  # steps, or
END = 0.01  # the share of the budget, that a further epoch has at least


@dataclass
class PacedTraining(Training):
    """A training under way that ends on time."""

    pace: Pace

    def plan(self) -> None:
        """Choose the number of steps by the clock, from some steps that are then forgotten."""
        pace = self.pace
        speed = training_speed(self.networks, self.train, self.valid, self.devices, TRIED * pace.budget)
        progress = restore(self.networks, self.run, self.check_progress)
        assert progress, "a training begins with a checkpoint"
        self.progress = progress
        pace.begin(progress.seconds + progress.begun, speed)
        epochs = pace.epochs(self.epoch_seconds())
        done = progress.epoch * len(self.train) + progress.step
        self.steps = max(round(done + epochs * len(self.train)), 1)
        self.plan_epochs()
        LOG.info(
            "A budget of %.0f s: about %.1f epochs of %d steps, %.3g s each, then about %.0f s for files and scores.",
            *(pace.budget, epochs, len(self.train), speed.step, pace.reserve),
        )

    def epoch_seconds(self) -> float:
        """Return the seconds of an epoch, as fast as the machine is now."""
        return len(self.train) * self.pace.recent + self.pace.speed.validation

    def plan_epochs(self) -> None:
        """Choose the number of epochs by the clock; a mean of weights that has begun takes in all further ones."""
        config, done = self.config, self.progress.epoch
        first = max(config.epochs - config.average, 0)
        epochs = done + max(round(self.pace.epochs(self.epoch_seconds())), 1)
        average = epochs - first if config.average and done > first else min(config.average, epochs - done)
        self.config = replace(config, epochs=epochs, average=average)

    def has_ended(self) -> bool:
        """Return whether no further epoch fits."""
        pace = self.pace
        return self.progress.epoch > 0 and pace.left() < max(LAST * pace.speed.step, END * pace.budget)

    def ended(self) -> TaskConfig:
        """Return the config with the epochs that the training had, and those of them whose weights were averaged."""
        done, first = self.progress.epoch, max(self.config.epochs - self.config.average, 0)
        return replace(self.config, epochs=done, average=max(done - first, 0) if self.config.average else 0)

    def share(self) -> float:
        """Return the share of the training that is done by the clock, in [0, 1]."""
        return self.pace.share()

    def seconds_left(self) -> float:
        """Return how many seconds the further epochs will take."""
        return max(self.pace.left(), 0.0)

    def callbacks(self) -> list[keras.callbacks.Callback]:
        """Return what is done after each gradient step."""
        return [*super().callbacks(), Pacing(self)]

    def end_epoch(self, row: dict[str, float]) -> None:
        """Do what every training does after an epoch, and count anew how many further ones fit."""
        super().end_epoch(row)
        if not self.is_done:
            self.plan_epochs()

    def rehearse_again(self) -> None:
        """Let the pace measure what comes after the training, with the weights as they are now."""
        kept = self.networks.kept
        before = kept.get_weights()
        kept.set_weights(self.networks.model.get_weights())
        self.pace.rehearse_again()
        kept.set_weights(before)


class Pacing(keras.callbacks.Callback):
    """Puts the step size where the clock is, and ends the epoch when no further step fits."""

    def __init__(self, training: PacedTraining) -> None:
        super().__init__()
        self.training = training

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.training.pace.pause()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        training, pace = self.training, self.training.pace
        if pace.is_over():
            self.model.stop_training = True
            progress, steps = training.progress, len(training.train)
            if progress.step < steps:
                LOG.info("The budget ends epoch %d at step %d of %d.", progress.epoch + 1, progress.step, steps)
        elif pace.is_due():
            if keras.config.backend() == "jax":
                self.model.jax_state_sync()  # the weights are elsewhere during an epoch
            training.rehearse_again()
            self.model.optimizer.iterations.assign(round(pace.share() * training.steps))

"""A training that ends at a given time: how much of it has passed, and how many epochs fit. Standard library only."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from tasks.engine.config import SettingError

MARGIN = 0.03  # share of the budget that stays free
CORRECTIONS = 100  # times that the step size is put where the clock is
MEMORY = 30.0  # seconds over which the speed of the machine is looked at
SLOWER, FASTER = 2.0, 0.5  # times that it may change what the reserve is taken for
LONGEST = 4.0  # times as long as others that a step counts at most; a checkpoint may be written in it
HALF = 0.4  # share of the training after which the reserve is measured again, with a network that has learnt


class Speed(NamedTuple):
    """How long the parts of a training take.

    Attributes:
        step: Seconds of a gradient step.
        validation: Seconds of a validation.
    """

    step: float
    validation: float


@dataclass
class Pace:
    """The time of a training, from the start of its command to its scores.

    Attributes:
        budget: Seconds in all.
        rehearse: Do at a small scale what comes after the training, and return the seconds that it will take.
        start: When the command began, by `time.monotonic`.
    """

    budget: float
    rehearse: Callable[[], float]
    start: float

    def begin(self, spent: float, speed: Speed) -> None:
        """Begin the training, or go on with one that has taken some seconds already.

        Raises:
            SettingError: No time is left for it.
        """
        self.speed, self.spent, self.rehearsed = speed, spent, False
        self.recent = self.measured = speed.step  # seconds of a step now, and when the reserve was measured
        self.whole = self.rehearse()
        self.pause()
        self.first = time.monotonic() - spent
        self.corrected = time.monotonic()
        if self.left() < 2 * speed.step and not spent:
            needed = time.monotonic() - self.start + self.reserve + speed.validation
            raise SettingError(
                "`budget` leaves no time for a training: its data, its validation, its files and its scores take about "
                f"{math.ceil(needed)} s alone."
            )

    @property
    def reserve(self) -> float:
        """Seconds for what comes after the training, as fast as the machine is now."""
        return self.whole * min(max(self.recent / self.measured, FASTER), SLOWER)

    @property
    def end(self) -> float:
        """When the gradient steps must end, so that a validation and all that follows fits."""
        return self.start - self.spent + self.budget * (1 - MARGIN) - self.reserve - self.speed.validation

    def left(self) -> float:
        """Return the seconds that are left for gradient steps and validations but the last."""
        return self.end - time.monotonic()

    def share(self) -> float:
        """Return the share of the training that is done, in [0, 1]."""
        return min(max((time.monotonic() - self.first) / (self.end - self.first), 0.0), 1.0)

    def epochs(self, seconds: float) -> float:
        """Return how many further epochs of so many seconds, with their validation, fit."""
        return max(self.left() + self.speed.validation, 0.0) / seconds

    def is_over(self) -> bool:
        """Return whether no further gradient step fits."""
        return self.left() < self.speed.step / 2

    def pause(self) -> None:
        """Let the next step not count for the speed: it is compiled, or follows a validation."""
        self.last: float | None = None

    def is_due(self) -> bool:
        """Return whether the step size is to be put where the clock is; called once a step."""
        now = time.monotonic()
        if self.last is not None:
            seconds = min(now - self.last, LONGEST * self.recent)
            self.recent += min(seconds / MEMORY, 1.0) * (seconds - self.recent)
        self.last = now
        if now - self.corrected < (self.end - self.first) / CORRECTIONS:
            return False
        self.corrected = now
        return True

    def rehearse_again(self) -> None:
        """Measure once more what comes after the training, once its network has learnt something; the mean counts."""
        if not self.rehearsed and self.share() >= HALF:
            before = self.reserve
            self.rehearsed, self.whole, self.measured = True, (before + self.rehearse()) / 2, self.recent
            self.pause()

"""How often a training keeps a checkpoint. Standard library only."""

import re
import time
from dataclasses import dataclass

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
FIRST = 0.25  # share of the interval after which the first checkpoint of a process is due


@dataclass(frozen=True)
class Interval:
    """A time between checkpoints, or a number of gradient steps.

    Attributes:
        seconds: Time, if it is one.
        steps: Gradient steps, if it is a number of those.

    Example:
        >>> Interval.of("2m"), Interval.of("500 steps")
        (Interval(seconds=120.0, steps=None), Interval(seconds=None, steps=500))
    """

    seconds: float | None = None
    steps: int | None = None

    @classmethod
    def of(cls, text: str) -> "Interval":
        """Return the interval that a text such as `30s`, `2m`, `1h` or `500 steps` names.

        Raises:
            ValueError: It names none.
        """
        found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?) ?(s|m|h|steps?)", text.strip())
        if not found or float(found[1]) <= 0 or ("step" in found[2] and "." in found[1]):
            raise ValueError(f"{text!r} is not like 30s, 2m, 1h or 500 steps")
        number, unit = found.groups()
        return cls(steps=int(number)) if unit not in UNITS else cls(seconds=float(number) * UNITS[unit])


class Clock:
    """Tells when the next checkpoint is due.

    The first one comes after a quarter of a time, so that a machine that is often taken away gets on.
    """

    def __init__(self, interval: Interval) -> None:
        self.interval = interval
        self.wait = FIRST * (interval.seconds or 0.0)
        self.steps, self.last = 0, time.monotonic()

    def is_due(self) -> bool:
        """Return whether a checkpoint is due; called once a step."""
        self.steps += 1
        if self.interval.steps is not None:
            return self.steps >= self.interval.steps
        return time.monotonic() - self.last >= self.wait

    def restart(self) -> None:
        """Count anew, from a checkpoint."""
        self.wait = self.interval.seconds or 0.0
        self.steps, self.last = 0, time.monotonic()

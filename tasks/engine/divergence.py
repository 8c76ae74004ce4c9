"""A loss that is not finite any more, or that has exploded."""

import math
from collections.abc import Mapping

from tasks.engine.progress import Progress

EXPLODED = 100  # times the largest mean loss of the first steps
FIRST = 100  # steps of the first epoch, at most


class DivergedError(ArithmeticError):
    """The loss is not a finite number any more, or has exploded."""

    exit_code = 3


def check_loss(row: Mapping[str, float], progress: Progress, steps: int) -> None:
    """Raise `DivergedError` if a value is not finite, or the loss has exploded.

    Args:
        row: Loss and metrics of an epoch so far, or of the whole of it with `val_loss`.
        progress: How far the training is; the largest loss of its first steps is noted there.
        steps: Steps of an epoch.
    """
    bad = next((name for name, value in row.items() if not math.isfinite(value)), None)
    if bad is None and is_exploded(row["loss"], progress):
        bad = "loss"
    if bad:
        raise DivergedError(
            f"Training diverged in epoch {progress.epoch + 1}, step {progress.step} of {steps}: {bad} is {row[bad]:.4g}"
        )


def is_exploded(loss: float, progress: Progress) -> bool:
    """Return whether a mean loss is far above the largest one of the first steps, which is noted in the progress.

    One step is not enough: a network that fits already may begin with a batch whose loss is nearly zero. So the first
    steps are compared with 1 at least.
    """
    if not progress.history and progress.step <= FIRST:
        before = progress.first or 0.0
        progress.first = max(before, loss)
        return loss > EXPLODED * max(before, 1.0) and progress.step > 1
    first = max([progress.first or 0.0, *(old["loss"] for old in progress.history[:1])])
    return loss > EXPLODED * first > 0


def last_error(error: DivergedError, again: str, size: float) -> DivergedError:
    """Return the error of a training that may not go back again, with the command that goes on."""
    return DivergedError(
        f"{error}; go on from the last checkpoint at a smaller step size with `{again} --learning-rate {size:.3g}`."
    )

"""A progress bar over all epochs of a training."""

import logging
import sys
from collections.abc import Mapping

import keras
from tqdm import tqdm

from tasks.engine.summaries import epoch_line

LOG = logging.getLogger("tasks")


class Bar(keras.callbacks.Callback):
    """A progress bar over all epochs: loss, metrics and time left, on standard error."""

    def __init__(self, epochs: int, steps: int, done: int, show: bool) -> None:
        super().__init__()
        self.bar = tqdm(total=epochs * steps, initial=done, disable=not show, unit="step", dynamic_ncols=True)
        self.epochs = epochs
        self.noted: dict[str, float] = {}

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.close()

    def move(self, done: int) -> None:
        """Put the bar at a number of steps."""
        self.bar.n = done
        self.bar.refresh()

    def note(self, row: Mapping[str, float], left: float) -> None:
        """Say how an epoch ended, in a line that stays, and show its validation from now on.

        Args:
            row: Number, loss and metrics of the epoch.
            left: Seconds that the other epochs are likely to take.
        """
        self.noted = {name: value for name, value in row.items() if name.startswith("val_")}
        line = epoch_line(row, self.epochs, left)
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

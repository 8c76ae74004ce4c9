"""How far a training is, as a checkpoint keeps it: the state, and the name of its folder. Standard library only."""

import re
from dataclasses import dataclass, field
from typing import Any

from tasks.engine.config import EPOCHS, RETRIES, Json, JsonObject, Kind
from tasks.engine.fields import checked_fields

STATES: dict[str, Kind] = {"epoch": int, "seconds": float, "seeds": list[list[int]], "history": list[dict[str, float]]}
MORE: dict[str, Kind] = {  # that an older version did not keep
    "step": int,
    "begun": float,
    "sums": list,
    "row": dict[str, float],
    "rate": float,
    "retries": int,
    "first": float | None,
    "checksums": dict[str, str],
}
FOLDER = re.compile(r"(\d{5})-(\d{7,9})", re.ASCII)


@dataclass
class Progress:
    """How far a training is: what a checkpoint keeps beside the weights."""

    epoch: int = 0  # epochs done
    step: int = 0  # gradient steps done of the next one
    seconds: float = 0.0  # spent in the epochs that are done
    begun: float = 0.0  # spent in the epoch that has begun
    seeds: list[list[int]] = field(default_factory=list)  # state of the random layers
    sums: list[Any] = field(default_factory=list)  # state of the loss and the metrics of the epoch that has begun
    row: dict[str, float] = field(default_factory=dict)  # their values so far
    history: list[dict[str, float]] = field(default_factory=list)
    rate: float = 1.0  # factor of the step size, after divergence
    retries: int = 0  # times that the training went back
    first: float | None = None  # loss of the first step


def folder_name(epoch: int, step: int) -> str:
    """Return the name of the folder of a checkpoint.

    Args:
        epoch: Epochs that are done.
        step: Gradient steps that are done of the next one.

    Example:
        >>> folder_name(3, 120)
        '00003-0000120'
    """
    return f"{epoch:05}-{step:07}"


def named_place(name: str) -> tuple[int, int] | None:
    """Return the epochs and the steps in the name of a folder; `None` if no training names a checkpoint so.

    Example:
        >>> named_place("00003-0000120"), named_place("99999-0000000"), named_place("old-00003")
        ((3, 120), None, None)
    """
    found = FOLDER.fullmatch(name)
    epoch, step = (int(found[1]), int(found[2])) if found else (EPOCHS + 1, 0)
    return (epoch, step) if epoch <= EPOCHS and folder_name(epoch, step) == name else None


def checked_state(value: Json, done: tuple[int, int] | None = None) -> JsonObject:
    """Return the state of a checkpoint, whose fields have their types, and whose numbers agree with each other.

    Args:
        done: The epochs and the steps that the name of its folder tells.

    Raises:
        ValueError: It is another one.
    """
    state = checked_fields(value, STATES, MORE)
    progress = Progress(**{name: kept for name, kept in state.items() if name != "checksums"})
    if done is not None and (progress.epoch, progress.step) != done:
        raise ValueError("its numbers of epochs and steps are not those of its folder")
    if progress.epoch != len(progress.history) or progress.step < 0:
        raise ValueError("its numbers of epochs and steps do not agree")
    if not (0 <= progress.retries <= RETRIES and 2.0**-RETRIES <= progress.rate <= 1):
        raise ValueError("its numbers of retries and step sizes are out of range")
    if min(progress.seconds, progress.begun) < 0:
        raise ValueError("its times are not at least 0")
    check_history(progress.history)
    if bool(progress.step) != bool(progress.row) or ("sums" in state and bool(progress.step) != bool(progress.sums)):
        raise ValueError("its metrics are not those of its step")
    return state


def check_history(rows: list[dict[str, float]]) -> None:
    """Raise `ValueError` unless a history has a row for each epoch in turn, all with the same fields."""
    for number, row in enumerate(rows, start=1):
        if not {"epoch", "loss", "val_loss"} <= row.keys() or row["epoch"] != number:
            raise ValueError(f"its history lacks epoch {number}, or its loss")
        if row.keys() != rows[0].keys() or row.get("seconds", 0.0) < 0:
            raise ValueError(f"its history has other fields in epoch {number}, or a time below 0")


def check_names(progress: Progress, metrics: set[str]) -> None:
    """Raise `ValueError` unless the rows of a state have the fields of a training with these metrics, and no other.

    Args:
        metrics: Names of the loss and the metrics.
    """
    wanted = {"epoch", "seconds", *metrics, *(f"val_{name}" for name in metrics)}
    if progress.history and progress.history[0].keys() - {"step_size"} != wanted:  # an older version did not note it
        raise ValueError(f"the fields of its history are not {', '.join(sorted(wanted))}")
    if progress.row and progress.row.keys() != metrics:
        raise ValueError(f"the fields of its row are not {', '.join(sorted(metrics))}")

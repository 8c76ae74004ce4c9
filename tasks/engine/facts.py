"""What a run notes of how it was made: notices, machine, command and data."""

import logging
import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import TypeVar

from data.sources import data_name
from data.splits import Splits, fingerprint
from tasks.engine import card
from tasks.engine.config import JsonObject, TaskConfig
from tasks.engine.members import RunError
from tasks.engine.records import read_facts
from tasks.engine.task import Task

C = TypeVar("C", bound=TaskConfig)
LOG = logging.getLogger("tasks")


@contextmanager
def notices() -> Iterator[list[str]]:
    """Give a list that receives the notices of the tasks, also those that nobody shows, for a `with` statement."""
    found: list[str] = []
    before, shown = LOG.level, LOG.getEffectiveLevel()

    def keep(record: logging.LogRecord) -> bool:
        found.append(record.getMessage())
        return record.levelno >= shown

    LOG.addFilter(keep)
    LOG.setLevel(min(shown, logging.INFO))
    try:
        yield found
    finally:
        LOG.removeFilter(keep)
        LOG.setLevel(before)


def resume_command(task: str, run: Path, config: TaskConfig) -> str:
    """Return the command that goes on with a training."""
    folder = config.state().get("cache")
    cache = f" --cache {shlex.quote(folder)}" if folder else ""
    return f"{program()} train {task} --resume --run {shlex.quote(str(run))}{cache}"


def program() -> str:
    """Return how the command line of this process was called."""
    return "fourlayers" if Path(sys.argv[0]).name == "fourlayers" else "python cli.py"


def portable_notices(said: Iterable[str], config: C) -> list[str]:
    """Return notices once each, with the names of data in place of its paths."""
    places = [place.strip() for data in (config.data, config.test or "") for place in data.split(",") if place.strip()]

    def named(text: str, place: str) -> str:
        return text.replace(place, data_name(place))

    return list(dict.fromkeys(reduce(named, places, text) for text in said))


def run_facts(task: Task[C], config: C, splits: Splits, run: Path) -> JsonObject:
    """Return the facts that a run keeps of its machine, its command and its data, as JSON types.

    Raises:
        RunError: The run goes on, and its data has changed.
    """
    from tasks.engine.environment import machine

    data = fingerprint(splits)
    facts = machine() | {
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "data": {"name": data_name(config.data), "source": card.origin(task.sources, config.data)} | data,
    }
    if (run / "environment.json").is_file():
        before = read_facts(run)
        if any(before["data"].get(name) != value for name, value in data.items()):
            raise RunError(f"The data has changed since {str(run)!r} began; begin a new run.")
        again = ("command", "preset", "notices")  # what makes the run again, and what was said when it began
        facts |= {name: before[name] for name in again if name in before}
    return facts

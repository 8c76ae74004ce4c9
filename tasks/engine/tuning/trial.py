"""One trial: a training that ends after an epoch where the search says so. It runs in a process of its own."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from data.splits import DataError, UnavailableError
from tasks.engine import evaluate, runs
from tasks.engine.config import JsonObject
from tasks.engine.files import WriteError
from tasks.engine.load import load
from tasks.engine.task import Pipeline, Task
from tasks.engine.terminal import exit_code, sentence
from tasks.engine.train import resume, train
from tasks.engine.upkeep import is_free

TIMED = 20  # validation inputs whose answers are timed
PATIENCE = 10.0  # seconds that a run may be held by a process that ends
Tell = Callable[[JsonObject], str]  # a row of the history -> a decision of the search
EVERY = (DataError, UnavailableError, FileNotFoundError, WriteError, runs.LockedError)  # errors that all trials meet


class EndedError(Exception):
    """A training that the search ends.

    Args:
        decision: `"prune"` or `"stop"`.
    """

    def __init__(self, decision: str) -> None:
        super().__init__(decision)
        self.decision = decision


def run_trial(job: JsonObject, tell: Tell) -> JsonObject:
    """Train by the settings of a job, or go on with its run, and return how it ended, as JSON types.

    Args:
        job: `task`, `settings`, `run`, and whether it is `timed`.
        tell: Gets the row of each epoch, also of those that are done when it goes on; returns a decision.

    Returns:
        `{"ended": DECISION}`; or `{"validation": ..., "milliseconds": ...}`; or `{"failure": ..., "every": ...}`,
        where `every` says that any other trial would fail likewise.
    """
    import keras

    def note(row: JsonObject) -> None:
        decision = tell(row)
        if decision != "on":
            raise EndedError(decision)

    task = import_module(f"...{job['task']}.pipeline", __package__).TASK
    try:
        pipeline = trained(task, job["settings"], Path(job["run"]), note)
        measured = milliseconds_of(pipeline) if job["timed"] else None
        return {"validation": pipeline.validation, "milliseconds": measured}
    except EndedError as ended:
        return {"ended": ended.decision}
    except Exception as error:
        found: JsonObject = {"failure": sentence(error), "code": exit_code(error), "every": isinstance(error, EVERY)}
        return found | ({"traceback": traceback.format_exc()} if exit_code(error) == 1 else {})
    finally:
        keras.backend.clear_session()


def trained(task: Task[Any], settings: JsonObject, run: Path, note: Callable[[JsonObject], None]) -> Pipeline[Any]:
    """Train, or go on with a run, and return its pipeline; a run that is finished is opened.

    A process that was killed may hold its run for a moment.
    """
    end = time.monotonic() + PATIENCE
    while run.is_dir() and not is_free(run) and time.monotonic() < end:
        time.sleep(0.1)
    if runs.is_finished(run):
        return load(task, run)
    if (run / "config.json").is_file():
        return resume(task, run, {}, score=False, note=note)
    return train(task, task.config.restore(settings), run, score=False, note=note)


def milliseconds_of(pipeline: Pipeline[Any]) -> float:
    """Return the milliseconds of one answer: the median over some validation inputs, each after a first answer."""
    _, examples = evaluate.examples_of(pipeline, "valid", pipeline.config.seed)
    taken = []
    for read in islice(evaluate.readable_inputs(pipeline, examples), TIMED):
        pipeline.task.predict(pipeline, [read])
        begin = time.perf_counter()
        pipeline.task.predict(pipeline, [read])
        taken.append(1000 * (time.perf_counter() - begin))
    if not taken:
        raise DataError("No validation input can be answered, so that no answer can be timed.")
    return median(taken)


class Notices(logging.Handler):
    """What passes warnings of a trial on.

    Args:
        send: Gets each text.
    """

    def __init__(self, send: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self.send = send

    def emit(self, record: logging.LogRecord) -> None:
        self.send(record.getMessage())

"""What a run that ships says of the labels of other data."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from data.sources import joined_places
from data.splits import DataError, Example
from tasks.engine import runs
from tasks.engine.evaluate import training_data_name
from tasks.engine.load import load
from tasks.engine.members import RunError
from tasks.engine.task import LOG, Report, Task

MOST = 5000  # examples that are answered; beyond it a quick model learns enough from the data itself


def shipped_scores(
    task: Task[Any], examples: Sequence[Example], classes: Sequence[str], data: str
) -> np.ndarray | None:
    """Return log-probabilities `(examples, classes)` of the first run that ships and has all classes; else `None`.

    A run is not asked about data that it was trained with, all or in part, nor about more than 5,000 examples.

    Args:
        classes: Sorted labels of the examples.
        data: What the data is called.
    """
    for run in runs.pretrained_runs(task.name) if len(examples) <= MOST else ():
        if {*joined_places(training_data_name(task.name, run))} & {*joined_places(data)}:
            continue
        before, LOG.disabled = LOG.disabled, True  # its notices are about answers that nobody sees
        try:
            with suppress(DataError, RunError):
                return report_scores(load(task, run).score(examples), [str(row["label"]) for row in examples], classes)
        finally:
            LOG.disabled = before
    return None


def report_scores(report: Report, labels: Sequence[str], classes: Sequence[str]) -> np.ndarray | None:
    """Return log-probabilities of the classes in a report; `None` if its answers have none.

    The references in a report are the classes of its run, and tell which label is which class.
    """
    entries = [report.entry(place) for place in range(len(labels))] if report.entry else []
    own = {label: entry.get("reference") for label, entry in zip(labels, entries, strict=False)}
    names = [own.get(label) for label in classes]
    rows = [[entry["answer"].get("probabilities", {}).get(name) for name in names] for entry in entries]
    if not rows or any(value is None for row in rows for value in row):
        return None
    return np.log(np.maximum(np.array(rows, "float64"), 1e-6))

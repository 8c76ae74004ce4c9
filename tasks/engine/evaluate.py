"""From a pipeline to the scores of a split."""

import logging
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

from data.sources import data_name
from data.splits import Examples, Splits, UnavailableError
from tasks.engine import runs
from tasks.engine.config import TaskConfig
from tasks.engine.task import Pipeline, Report

C = TypeVar("C", bound=TaskConfig)
LOG = logging.getLogger("tasks")


class Evaluation(NamedTuple):
    """A report, and what it is about."""

    report: Report
    summary: dict[str, Any]  # task, run, data, trained_on, split, examples, metrics

    @classmethod
    def of(cls, pipeline: Pipeline[C], report: Report, split: str, examples: int) -> Self:
        """Return the evaluation that a report of a split makes."""
        about = {
            "task": pipeline.task.name,
            "run": str(pipeline.run),
            "data": data_name(pipeline.config.data),
            "trained_on": trained_on(pipeline.run),
            "split": split,
            "examples": examples,
        }
        return cls(report, about | {"metrics": report.metrics})


def evaluate(pipeline: Pipeline[C], split: str = "test") -> Evaluation:
    """Score a pipeline on one split of its data: `train`, `valid` or `test`; any other name is one for `test`."""
    part = split
    if split not in Splits._fields:
        pipeline, part = pipeline.tuned(test=split), "test"
    splits = pipeline.task.load(pipeline.config).limited(pipeline.config.limit)
    return score(pipeline, splits._asdict()[part], split)


def evaluate_or_embedded(pipeline: Pipeline[C]) -> Evaluation:
    """Score a pipeline on its own test split, or on the embedded data if its own is not to be had.

    Embedded data is said to be so: in a notice, and in the summary by `data` and `trained_on`. The scores of the run's
    card stand beside, as `card`.
    """
    try:
        return evaluate(pipeline)
    except (FileNotFoundError, UnavailableError) as error:
        if pipeline.config.data == "builtin":
            raise
        LOG.warning("%s Scoring embedded data instead: these are not the scores of the run's own test data.", error)
    found = evaluate(pipeline.tuned(data="builtin"))
    card = runs.read_json(pipeline.run / "metrics.json")
    return found._replace(summary=found.summary | {"card": {name: card[name] for name in ("data", "split", "metrics")}})


def score(pipeline: Pipeline[C], examples: Examples, split: str) -> Evaluation:
    """Score a pipeline on the examples of a split."""
    return Evaluation.of(pipeline, pipeline.score(examples), split, len(examples))


def trained_on(run: Path) -> str:
    """Return what the data of a run is called."""
    return data_name(str(runs.read_json(run / "config.json")["settings"]["data"]))


def write_report(evaluation: Evaluation, folder: Path) -> None:
    """Write figures, answers and, last, metrics into a folder."""
    for name, draw in evaluation.report.figures.items():
        with runs.whole(folder / "figures" / f"{name}.png") as part:
            draw().save(part)
    runs.write_lines(folder / "answers.jsonl", evaluation.report.answers)
    runs.write_json(folder / "metrics.json", evaluation.summary)

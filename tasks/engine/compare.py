"""From two runs, or several seeds of each, to the difference between them on the same examples."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from data.sources import data_name
from data.splits import DataError, Examples, Splits, fingerprint
from tasks.engine import runs, significance
from tasks.engine.config import JsonObject, SettingError, Settings, nearest
from tasks.engine.evaluate import examples_of, with_whole_data
from tasks.engine.load import load
from tasks.engine.measure import Measure
from tasks.engine.members import LARGEST_WEIGHTS, file_content, is_plain_file
from tasks.engine.task import LOG, Pipeline, Report, Task

SHOWN = 10  # examples that each side answers better
FEW = 30  # examples below which a bootstrap interval is too narrow


def check_sides(sides: Sequence[Sequence[Path]]) -> None:
    """Raise `SettingError` unless each side has a run."""
    if not all(sides):
        raise SettingError("There is nothing to compare; name at least one run for A and one for B.")


def compare(
    task: Task[Any],
    sides: tuple[Sequence[Path], Sequence[Path]],
    split: str = "test",
    metric: str | None = None,
    margin: float = 0.0,
    settings: Settings | None = None,
) -> JsonObject:
    """Return how the runs of B differ from those of A on the same examples, as JSON types.

    Args:
        sides: The runs of A and those of B, one for each seed.
        split: `train`, `valid`, `test`, or a name or path as for the setting `test`.
        metric: Metric that the verdict is about; the main one of the task if not given.
        margin: How much worse B may be, in units of the metric.
        settings: Other values for settings that may change after training, such as `data`.

    Raises:
        FileNotFoundError, RunError: A run is missing or damaged.
        SettingError: Runs cannot be compared, are the same, or have no such metric.
        DataError: They read other examples, or fewer than two.
    """
    if not 0 <= margin < float("inf"):
        raise SettingError(f"`margin` must be a number from 0 on; received {margin}.")
    check_different([runs.named_run(task.name, run) for side in sides for run in side])
    pipelines = [[with_whole_data(load(task, run, settings), settings or {}) for run in side] for side in sides]
    check_terms([pipeline for side in pipelines for pipeline in side])
    seed = pipelines[0][0].config.seed
    tested = [[examples_of(pipeline, split, seed) for pipeline in side] for side in pipelines]
    examples = common_examples([each for side in tested for each in side])
    reports = [[pipeline.score(examples) for pipeline, _ in side] for side in tested]
    check_reports([report for side in reports for report in side], task.name)
    about = {
        "task": task.name,
        "data": data_name(tested[0][0][0].config.data),
        "split": split,
        "examples": len(examples),
        "a": [str(pipeline.run) for pipeline in pipelines[0]],
        "b": [str(pipeline.run) for pipeline in pipelines[1]],
    }
    return about | report_comparison(reports, metric, margin)


def check_different(found: Sequence[Path]) -> None:
    """Raise `SettingError` if two of some runs are the same, or copies."""
    for one, other in combinations(found, 2):
        models = [run / "model.keras" for run in (one, other)]
        copied = all(map(is_plain_file, models)) and same_content(*models)
        if one.resolve() == other.resolve() or copied:
            raise SettingError(f"{str(one)!r} and {str(other)!r} are the same run; give different ones.")


def same_content(one: Path, other: Path) -> bool:
    """Return whether two files of weights hold the same."""
    return file_content(one, LARGEST_WEIGHTS) == file_content(other, LARGEST_WEIGHTS)


def check_terms(pipelines: Sequence[Pipeline[Any]]) -> None:
    """Raise `SettingError` if scores of the runs depend on something that differs, such as the classes."""
    first, *others = pipelines
    own = first.task.terms(first)
    for other in others:
        for name, value in other.task.terms(other).items():
            if value != own[name]:
                raise SettingError(
                    f"The runs cannot be compared: {name} of {str(first.run)!r}: {own[name]}; of {str(other.run)!r}: "
                    f"{value}."
                )


def common_examples(tested: Sequence[tuple[Pipeline[Any], Examples]]) -> Examples:
    """Return the examples that all runs are tested on.

    Raises:
        DataError: They differ, or there are fewer than two.
    """
    (first, examples), *others = tested
    own = fingerprint(Splits([], [], examples))
    for other, found in others:
        if fingerprint(Splits([], [], found)) != own:
            raise DataError(
                f"The runs read other examples: {str(first.run)!r} {len(examples):,} of "
                f"{data_name(first.config.data)}, {str(other.run)!r} {len(found):,} of "
                f"{data_name(other.config.data)}; name data for both with --data."
            )
    if len(examples) < 2:
        raise DataError(f"A comparison takes at least two examples, better hundreds; the data has {len(examples)}.")
    if len(examples) < FEW:
        LOG.warning("With %d examples only, intervals are too narrow and p is too small.", len(examples))
    return examples


def check_reports(reports: Sequence[Report], task: str) -> None:
    """Raise an error unless reports have measures, about the same examples, counted alike."""
    found = [report.measures() for report in reports]
    if not all(found) or any(report.entry is None for report in reports):
        raise SettingError(f"The task {task!r} counts nothing in each example, so its runs cannot be compared.")
    kinds = [[(measure.name, measure.signature) for measure in each] for each in found]
    if any(kind != kinds[0] for kind in kinds):
        raise SettingError(f"The runs count their metrics in different ways: {kinds[0]} and {kinds[-1]}.")
    questions = [
        list(entry_questions(report, len(each[0].counts))) for report, each in zip(reports, found, strict=True)
    ]
    if any(each != questions[0] for each in questions):
        raise DataError("The runs cannot read the same examples, so their answers are about different ones.")


def entry_questions(report: Report, count: int) -> Iterator[tuple[Any, Any]]:
    """Yield the input and the reference of each scored example."""
    for place in range(count if report.entry else 0):
        entry = report.entry(place) if report.entry else {}
        yield entry["input"], entry.get("reference")


def report_comparison(sides: Sequence[Sequence[Report]], metric: str | None = None, margin: float = 0.0) -> JsonObject:
    """Return how reports of B differ from those of A: the verdict, each metric, and the examples that tell most.

    Raises:
        SettingError: No metric has this name.
    """
    measures = [[list(report.measures()) for report in side] for side in sides]
    names = [measure.name for measure in measures[0][0]]
    if metric is not None and metric not in names:
        raise SettingError(f"No metric of both runs is named {metric!r}{nearest(metric, names)}")
    order = sorted(range(len(names)), key=lambda place: names[place] != metric)  # the one that was asked for first
    pairs = [([each[place] for each in measures[0]], [each[place] for each in measures[1]]) for place in order]
    found = [significance.difference(*pair) for pair in pairs]
    return {
        "metric": names[order[0]],
        "margin": margin,
        "verdict": significance.verdict(found[0], margin),
        "measures": [
            significance.summary(names[place], *pair, each)
            for place, pair, each in zip(order, pairs, found, strict=True)
        ],
        **telling_examples(sides, pairs),
    }


def telling_examples(
    sides: Sequence[Sequence[Report]], pairs: Sequence[tuple[list[Measure], list[Measure]]]
) -> JsonObject:
    """Return the number of examples that differ, and those that B answers better and worse, most telling first.

    What counts is how much the metric of A would change with the answer of B; among equals, the other metrics.
    """
    changes = np.stack([significance.gains(*pair) for pair in pairs], 1)  # (examples, metrics)
    order = sorted(range(len(changes)), key=lambda place: tuple(-abs(changes[place])))
    entries = [side[0].entry for side in sides]

    def shown(place: int) -> JsonObject:
        one, other = (entry(place) if entry else {} for entry in entries)
        gain = float(changes[place][0])
        return {"example": place, "gain": gain, **one, "answer": {"a": one["answer"], "b": other["answer"]}}

    return {
        "differing": int((changes[:, 0] != 0).sum()),
        "better": [shown(place) for place in order if changes[place][0] > 0][:SHOWN],
        "worse": [shown(place) for place in order if changes[place][0] < 0][:SHOWN],
    }

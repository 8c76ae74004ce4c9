"""From a pipeline to the scores of a split."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

from data.holdout import limited_examples, limited_splits
from data.packages import check_packages
from data.sources import data_name, joined_places
from data.splits import DataError, Example, Examples, Splits, UnavailableError, fingerprint
from tasks.engine import files, records, runs
from tasks.engine.config import JsonObject, SettingError, Settings, TaskConfig
from tasks.engine.load import unset_forms
from tasks.engine.task import Pipeline, Report
from tasks.engine.terminal import sentence

C = TypeVar("C", bound=TaskConfig)
LOG = logging.getLogger("tasks")


class Evaluation(NamedTuple):
    """A report, and what it is about."""

    report: Report
    summary: JsonObject  # task, run, data, split, examples, metrics

    @classmethod
    def of(cls, pipeline: Pipeline[C], report: Report, split: str, examples: int) -> Self:
        """Return the evaluation that a report of a split makes."""
        about = {
            "task": pipeline.task.name,
            "run": str(pipeline.run),
            "data": data_name(pipeline.config.data),
            "split": split,
            "examples": examples,
        }
        return cls(report, about | {"metrics": report.metrics})


def evaluate(pipeline: Pipeline[C], split: str = "test") -> Evaluation:
    """Score a pipeline on one split of its data: `train`, `valid` or `test`; any other name is one for `test`."""
    pipeline, examples = examples_of(pipeline, split, pipeline.config.seed)
    return score(pipeline, examples, split)


def examples_of(pipeline: Pipeline[C], split: str, seed: int) -> tuple[Pipeline[C], Examples]:
    """Return the examples of one split of a pipeline's data, and the pipeline, set to test on it.

    Args:
        seed: Seed that `limit` draws examples by.

    Raises:
        DataError: There are none.
        MissingPackageError: A package that scores, or draws figures, is not installed.
    """
    check_packages("Scoring a run", "evaluate", "figures")
    part = split
    if split not in Splits._fields:
        pipeline, part = pipeline.with_settings(test=split), "test"
    config = pipeline.config
    splits = pipeline.task.load(config)
    examples = splits._asdict()[part]  # no other split is requested
    if not examples:
        raise DataError(f"The data has no {part} examples; its parts are: {part_sizes(splits)}.")
    if part != "test":
        check_parts(pipeline, splits)
    return pipeline, limited_examples(examples, config.limit, seed)


def part_sizes(splits: Splits) -> str:
    """Return the numbers of examples in each part, for a message."""
    return ", ".join(f"{name} {len(split):,}" for name, split in splits._asdict().items())


def check_parts(pipeline: Pipeline[C], splits: Splits) -> None:
    """Give notice if the parts of the data are not those of the training, so that a score may be too good."""
    limited = limited_splits(splits, pipeline.config.limit, pipeline.config.seed)
    before = records.read_facts(pipeline.run)["data"]
    if any(before.get(name) != value for name, value in fingerprint(limited).items()):
        LOG.warning(
            "The parts of this data are not those that the run was trained with; examples of its validation part may "
            "have been trained on."
        )


def evaluate_or_embedded(pipeline: Pipeline[C]) -> Evaluation:
    """Score a pipeline on its own test split, or on embedded data if that is not to be had.

    A notice says so, and so does the summary: `data` is "builtin", `trained_on` the run's own data, and `card` has the
    scores of the run's card.
    """
    try:
        return evaluate(pipeline)
    except (FileNotFoundError, UnavailableError) as error:
        if pipeline.config.data == "builtin":
            raise
        LOG.warning(
            "The test data of this run, %r, is not here; scoring the embedded data instead. Give --data a path or "
            "--data-dir a folder of prepared data sets for the real set. (%s)",
            data_name(pipeline.config.data),
            error,
        )
    embedded = {"data": "builtin"}
    found = evaluate(pipeline.with_settings(**unset_forms(pipeline.config, embedded), **embedded))
    card = records.read_summary(pipeline.run)
    trained = training_data_name(pipeline.task.name, pipeline.run)
    own = {"data": trained, "split": card["split"], "metrics": card["metrics"] or {}}
    return found._replace(summary=found.summary | {"trained_on": trained, "card": own})


def with_whole_data(pipeline: Pipeline[C], settings: Settings) -> Pipeline[C]:
    """Return a pipeline that tests on the whole of other data, or on the test part that it names.

    Other data is a path that `settings` name, or several that it joins with commas, and that the run was not trained
    with. One of several sets that the run was trained with is scored on its test part.

    Raises:
        SettingError: Some of several sets are other data, and some are not.
    """
    data = settings.get("data")
    if data is None or "test" in settings:
        return pipeline
    own = joined_places(str(runs.read_config(pipeline.run, pipeline.task.name).get("data")))
    places = joined_places(str(data))
    other = [place for place in places if Path(place).exists() and not any(same_place(one, place) for one in own)]
    if not other:
        return pipeline
    if rest := [place for place in places if place not in other]:
        whole, parts = (", ".join(map(repr, found)) for found in (other, rest))
        raise SettingError(
            f"The run was not trained with {whole}, scored whole, unlike {parts}, scored on a part; score them apart."
        )
    return pipeline.with_settings(test=str(data))


def readable_inputs(pipeline: Pipeline[C], examples: Iterable[Example]) -> Iterator[Any]:
    """Yield the inputs of examples as the codec reads them, without those that have no answer, such as empty texts."""
    for example in examples:
        with suppress(DataError, OSError):
            yield pipeline.codec.read(example[pipeline.task.accepts.field])


def same_place(one: str, other: str) -> bool:
    """Return whether two paths name the same file or folder."""
    return one == other or (Path(one).exists() and Path(one).samefile(other))


def score(pipeline: Pipeline[C], examples: Examples, split: str) -> Evaluation:
    """Score a pipeline on the examples of a split."""
    return Evaluation.of(pipeline, pipeline.score(examples), split, len(examples))


def score_or_none(pipeline: Pipeline[C], examples: Examples, split: str) -> Evaluation:
    """Score a pipeline on the examples of a split; if that fails, say so, and return an evaluation without metrics."""
    try:
        return score(pipeline, examples, split)
    except Exception as error:  # a run that took hours is worth more than its scores
        reason = sentence(error)
        LOG.warning(
            "The %s examples could not be scored: %s The run is kept; `evaluate %s --run %s` scores it.",
            split, reason, pipeline.task.name, pipeline.run,
        )  # fmt: skip
        found = Evaluation.of(pipeline, Report(None, [], {}), split, len(examples))
        return found._replace(summary=found.summary | {"error": reason})


def training_data_name(task: str, run: Path) -> str:
    """Return what the data of a run is called."""
    return data_name(str(runs.read_config(run, task).get("data")))


def write_report(evaluation: Evaluation, folder: Path) -> None:
    """Write figures, answers and, last, metrics into a folder."""
    for name, draw in evaluation.report.figures.items():
        with files.atomic_file(folder / "figures" / f"{name}.png") as part:
            draw().save(part)
    files.write_lines(folder / "answers.jsonl", evaluation.report.answers)
    files.write_json(folder / "metrics.json", evaluation.summary)

"""Runs on one page: settings, curves, metrics, figures, and the best and worst answers. Standard library only."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from tasks.engine import records, runs
from tasks.engine.answer_table import SCRIPT, Scored, answer_section
from tasks.engine.config import Json, JsonObject
from tasks.engine.curves import Curve, chart, legend
from tasks.engine.members import RunError, file_content, files_in, is_plain_file
from tasks.engine.page import bullets, escaped, page, section, table
from tasks.engine.records import read_history, read_json
from tasks.engine.summaries import plain_metrics

PNG = b"\x89PNG\r\n\x1a\n"
LARGEST = 4_000_000  # bytes of a figure


class Run(NamedTuple):
    """What the files of a run hold.

    Attributes:
        name: What it is called on the page.
        summary: Of `metrics.json`; empty if the run is not finished.
    """

    name: str
    directory: Path
    settings: JsonObject
    facts: JsonObject
    summary: JsonObject
    history: list[dict[str, float]]
    answers: list[JsonObject]

    @classmethod
    def read(cls, task: str, directory: Path, name: str) -> Self:
        """Return a run; one that is not finished may lack files.

        Raises:
            FileNotFoundError, RunError, SettingError: It is missing, damaged, or of another task.
        """
        settings = runs.read_config(directory, task)
        facts, summary = (table_of(directory / file) for file in ("environment.json", "metrics.json"))
        for kind, values in (("metrics.json", summary.get("metrics", {})), ("environment.json", facts.get("data", {}))):
            if not isinstance(values, dict) and not (values is None and kind == "metrics.json"):
                raise RunError(f"{str(directory / kind)!r} is damaged: it holds no table where one must be.")
        return cls(name, directory, settings, facts, summary, read_history(directory), read_answers(directory))

    @property
    def metrics(self) -> JsonObject:
        """Its metrics by name; none if it is not finished."""
        found: JsonObject = self.summary.get("metrics") or {}
        return found


def table_of(file: Path) -> JsonObject:
    """Return the table that a JSON file holds; an empty one if there is no file.

    Raises:
        RunError: It is damaged, or holds something else.
    """
    if not is_plain_file(file):
        return {}
    found = read_json(file)
    if not isinstance(found, dict):
        raise RunError(f"{str(file)!r} is damaged: it holds a {type(found).__name__}.")
    return found


def read_answers(directory: Path) -> list[JsonObject]:
    """Return the answers that a run keeps.

    Raises:
        RunError: A line is not one.
    """
    found = records.read_answers(directory)
    for number, row in enumerate(found, start=1):
        if not isinstance(row.get("answer"), dict):
            file = directory / "answers.jsonl"
            raise RunError(f"{str(file)!r} is damaged: line {number} is not an answer.")
    return found


def report(task: str, directories: Sequence[Path]) -> str:
    """Return the page of some runs of a task.

    Raises:
        FileNotFoundError, RunError, SettingError: A run is missing, damaged, or of another task.
    """
    names = [directory.name for directory in directories]
    names = [str(path) if names.count(path.name) > 1 else path.name for path in directories]
    found = [
        Run.read(task, runs.named_run(task, directory), name)
        for directory, name in zip(directories, names, strict=True)
    ]
    return page(f"{task}: {', '.join(names)}", sections(found), SCRIPT)


def sections(found: Sequence[Run]) -> Iterator[str]:
    """Yield the sections of the page."""
    yield section("Runs", run_table(found), *notice_lists(found))
    yield section("Metrics", metric_table(found), *class_tables(found))
    yield section("Curves", *curve_parts(found))
    yield section("Settings", *setting_tables(found))
    yield section("Figures", *figure_parts(found))
    yield answer_section(
        [run.name for run in found], [run.answers for run in found], [Scored.of(run.summary) for run in found]
    )


def run_table(found: Sequence[Run]) -> str:
    """Return the table of what the runs are."""
    rows: dict[str, list[Json]] = {
        "state": ["finished" if run.summary else "not finished" for run in found],
        "data": [run.facts.get("data", {}).get("name") for run in found],
        "training examples": [run.facts.get("data", {}).get("train") for run in found],
        "scored": [scored(run.summary) for run in found],
        "parameters": [run.facts.get("parameters") for run in found],
        "epochs run": [len(run.history) for run in found],
        "minutes": [minutes(run) for run in found],
        "preset": [run.facts.get("preset") for run in found],
        "machine": [f"{run.facts.get('cores', '?')} cores, {run.facts.get('processor', '?')}" for run in found],
        "command": [run.facts.get("command") for run in found],
    }
    return table("Runs", ["", *(run.name for run in found)], [[name, *values] for name, values in rows.items()])


def scored(summary: JsonObject) -> str | None:
    """Return what a run was scored on."""
    return f"{summary.get('examples')} {summary.get('split')} examples" if summary else None


def minutes(run: Run) -> float | None:
    """Return the minutes that the epochs of a run took."""
    seconds = [row["seconds"] for row in run.history if "seconds" in row]
    return round(sum(seconds) / 60, 2) if seconds else None


def notice_lists(found: Sequence[Run]) -> Iterator[str]:
    """Yield the notices of each run that has some."""
    for run in found:
        if notices := run.facts.get("notices"):
            shown = notices if isinstance(notices, list) else [notices]
            yield f"<details><summary>Notices of {escaped(run.name)}</summary>{bullets(shown)}</details>"


def setting_tables(found: Sequence[Run]) -> Iterator[str]:
    """Yield the settings that differ, and all of them with those marked."""
    names = list(dict.fromkeys(name for run in found for name in run.settings))
    rows = [[name, *(shown_setting(run.settings, name) for run in found)] for name in names]
    differs = [len(set(row[1:])) > 1 for row in rows]
    head = ["setting", *(run.name for run in found)]
    if len(found) > 1:
        changed = [row for row, other in zip(rows, differs, strict=True) if other]
        yield table("Settings that differ", head, changed) if changed else "<p>All settings are the same.</p>"
    yield f"<details><summary>All settings</summary>{table('All settings', head, rows, differs)}</details>"


def shown_setting(settings: JsonObject, name: str) -> str:
    """Return a setting as text; a run of an older version lacks some."""
    return json.dumps(settings[name], ensure_ascii=False) if name in settings else ""


def metric_table(found: Sequence[Run]) -> str:
    """Return the table of the metrics that are single numbers, with their intervals."""
    columns = [
        {name: f"{value} ({interval})" if interval else value for name, value, interval in plain_metrics(run.metrics)}
        for run in found
    ]
    names = list(dict.fromkeys(name for column in columns for name in column))
    rows = [[name, *(column.get(name) for column in columns)] for name in names]
    return table("Metrics, with 95 % intervals", ["metric", *(run.name for run in found)], rows)


def class_tables(found: Sequence[Run]) -> Iterator[str]:
    """Yield the F1 of each class, where the runs have classes."""
    scores = [run.metrics.get("classes") for run in found]
    columns = [
        {name: row.get("f1") for name, row in each.items() if isinstance(row, dict)} if isinstance(each, dict) else {}
        for each in scores
    ]
    if names := list(dict.fromkeys(name for column in columns for name in column)):
        rows = [[name, *(column.get(name) for column in columns)] for name in names]
        shown = table("F1", ["class", *(run.name for run in found)], rows)
        yield f"<details><summary>F1 of each class</summary>{shown}</details>"


def curve_parts(found: Sequence[Run]) -> Iterator[str]:
    """Yield the charts of each number of the history, over epochs and over minutes."""
    columns = list(dict.fromkeys(name.removeprefix("val_") for run in found for row in run.history for name in row))
    names = [name for name in columns if name not in ("epoch", "seconds")]
    yield legend([run.name for run in found])
    for name in names:
        both = [
            chart(f"{name} over {across}", across, list(run_curves(found, name, across)))
            for across in ("epochs", "minutes")
        ]
        yield f'<div class="side">{"".join(both)}</div>'


def run_curves(found: Sequence[Run], name: str, across: str) -> Iterator[Curve]:
    """Yield the curves of a number in training and in validation, for each run."""
    for number, run in enumerate(found):
        spent, places = 0.0, list[float]()
        for row in run.history:
            spent += row.get("seconds", 0.0) / 60
            places.append(row.get("epoch", len(places) + 1.0) if across == "epochs" else spent)
        for column, dashed in ((name, True), (f"val_{name}", False)):
            points = [(place, row[column]) for place, row in zip(places, run.history, strict=True) if column in row]
            if points:
                yield Curve(f"{run.name} {column}", points, number, dashed)


def figure_parts(found: Sequence[Run]) -> Iterator[str]:
    """Yield the figures of the same name side by side, inside the page."""
    files = {run.name: {file.name: file for file in files_in(run.directory / "figures", ".png")} for run in found}
    names = sorted({name for each in files.values() for name in each})
    if not names:
        yield "<p>The runs have no figures; a run that ships has none.</p>"
    for name in names:
        shown = "".join(picture(each[name], owner) for owner, each in files.items() if name in each)
        yield f'<h3>{escaped(Path(name).stem)}</h3><div class="side">{shown}</div>'


def picture(file: Path, owner: str) -> str:
    """Return a figure of a run, or why it is not shown."""
    try:
        content = file_content(file, LARGEST)
    except RunError:
        content = b""
    if not content.startswith(PNG):
        return f"<p>{escaped(f'{file.name} of {owner} is too large, or is not a PNG file.')}</p>"
    said = escaped(f"{file.stem} of {owner}")
    code = b64encode(content).decode()
    return f'<figure><img alt="{said}" src="data:image/png;base64,{code}"><figcaption>{said}</figcaption></figure>'

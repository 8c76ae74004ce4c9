"""What a search leaves: the best settings as a file, a picture, and the test scores of the best run."""

from __future__ import annotations

import json
import logging
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data.holdout import limited_examples
from data.sources import data_name
from tasks.engine import card, evaluate, runs
from tasks.engine.config import Json, JsonObject, Settings
from tasks.engine.facts import program
from tasks.engine.files import atomic_file, write_json, write_text
from tasks.engine.load import load
from tasks.engine.records import read_facts, read_summary
from tasks.engine.signals import ENDING
from tasks.engine.task import Task
from tasks.engine.terminal import WorkError
from tasks.engine.tuning.picture import search_picture
from tasks.engine.tuning.plan import Plan
from tasks.engine.tuning.search import Search

BEST, PICTURE, SUMMARY = "best.toml", "search.png", "metrics.json"
LOG = logging.getLogger("tasks")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes from going on with a search, for a `with` statement.

    Raises:
        LockedError: Another process has it.
    """
    try:
        with runs.lock(folder):
            yield
    except runs.LockedError as error:
        raise runs.LockedError(
            f"Another process runs the search in {str(folder)!r}; wait for it, or begin another with --out."
        ) from error


def again(plan: Plan, folder: Path) -> str:
    """Return the command that goes on with a search."""
    return f"{program()} tune {plan.task} --resume --out {shlex.quote(str(folder))}"


def remove_start(search: Search) -> None:
    """Remove the folder of a search none of whose trials has an epoch."""
    if not any(one.intermediate_values for one in search.trials()):
        shutil.rmtree(search.folder, ignore_errors=True)  # where the disk failed, it may stay


def finished(task: Task[Any], search: Search, command: str) -> JsonObject:
    """Write what a search has found, score its best run once, and return the summary.

    Raises:
        WorkError: All trials have failed.
    """
    plan, folder, counts, best = search.plan, search.folder, search.counts(), search.best()
    failed = search.trials("FAIL")
    with atomic_file(folder / PICTURE) as part:
        search_picture(search).save(part, format="png")
    if failed and counts["failed"] == sum(counts.values()):
        last = failed[-1].user_attrs
        raise WorkError(f"All {len(failed)} trials failed; the last: {last['failure']}", last.get("code", 1))
    if failed:
        LOG.warning("%d of %d trials failed; their reasons are in the study.", len(failed), sum(counts.values()))
    if sum(counts.values()) - counts["unfinished"] < plan.trials:
        LOG.info("The search ends since %s; `%s` goes on.", search.reason, command)
    found: JsonObject = {
        "task": plan.task,
        "search": str(folder),
        "data": data_name(search.config.data),
        "metric": plan.metric,
        "trials": counts,
        "default": default_value(search),
        "best": None,
        "split": None,
        "examples": None,
        "metrics": None,
    }
    if best:
        values = searched_values(search, best)
        write_text(folder / BEST, settings_file(search, best, values))
        ENDING.text = f"Stopped; the trials are complete, and `{command}` scores the best."
        kept = {name: best.user_attrs[name] for name in ("run", "milliseconds") if name in best.user_attrs}
        found["best"] = {"trial": best.number, "value": best.value, "settings": values, **kept}
        found |= {name: value for name, value in scored(task, Path(best.user_attrs["run"])).items() if name in found}
        found |= {"search": str(folder)}
    else:
        say_none(search)
    write_json(folder / SUMMARY, found)
    ENDING.text = f"Stopped; the search in {str(folder)!r} is complete."
    return found


def say_none(search: Search) -> None:
    """Say why there is no best trial."""
    slow = [one.user_attrs["milliseconds"] for one in search.trials("COMPLETE") if "milliseconds" in one.user_attrs]
    if slow:
        LOG.warning(
            "No trial answers within %g ms; the fastest takes %.3g ms.", search.plan.max_milliseconds, min(slow)
        )
    else:
        LOG.warning("No trial is complete, so that there are no best settings yet.")


def default_value(search: Search) -> float | None:
    """Return the value of the trial without a search, if it is complete."""
    return next((float(one.value) for one in search.trials("COMPLETE") if one.number == 0), None)


def searched_values(search: Search, trial: Any) -> JsonObject:
    """Return the settings that are searched as a trial had them, as JSON types."""
    before = search.config.state()
    found: JsonObject = {}
    for name, values in search.plan.space.items():
        own = trial.params.get(name, before[name])
        found[name] = values.value(own) if name in trial.params else own
    return found


def settings_file(search: Search, best: Any, values: Settings) -> str:
    """Return the best settings as TOML that `train --config` takes: those that were given, and those searched."""
    plan, default = search.plan, default_value(search)
    beside = f", and {default:.6g} without a search" if default is not None else ""
    lines = [
        f"# The best settings of {sum(search.counts().values())} trials of the task {plan.task}: {plan.metric} "
        f"{best.value:.6g} on the validation split{beside}.",
        f"# From trial {best.number} of {comment(str(search.folder))}.",
        f"# To train with them: python cli.py train {plan.task} --config {BEST}",
        "",
    ]
    for title, some in (("Given to the search", plan.chosen), ("Found by it", values)):
        rows = [f"{name} = {toml_value(value)}" for name, value in some.items() if value is not None]
        lines += [f"# {title}", *rows] if rows else []
    return "\n".join(lines) + "\n"


def comment(text: str) -> str:
    """Return a text as a comment of TOML may hold it."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def toml_value(value: Json) -> str:
    """Return a value as TOML writes it.

    Example:
        >>> toml_value("a"), toml_value(1e-05), toml_value([16, 32]), toml_value(True)
        ('"a"', '1e-05', '[16, 32]', 'true')
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("\x7f", "\\u007f")


def scored(task: Task[Any], run: Path) -> JsonObject:
    """Return the summary of a run on its test split, which is scored if it has not been, as a training would."""
    summary = read_summary(run)
    if summary["split"] != "valid":
        return summary
    pipeline, facts = load(task, run), read_facts(run)
    config = pipeline.config
    examples = limited_examples(task.load(config).test, config.limit, config.seed)
    evaluation = evaluate.score_or_none(pipeline, examples, config.test or "test")
    write_text(run / "README.md", card.write(pipeline, facts, evaluation.summary))
    evaluate.write_report(evaluation, run)
    return evaluation.summary

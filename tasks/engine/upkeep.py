"""Keeping runs: what a list says of each, whether its files are whole, and which may go."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from tasks.engine import checksums, records, runs
from tasks.engine.config import JsonObject, SettingError
from tasks.engine.members import (
    FILES,
    FOLDERS,
    RunError,
    check_members,
    file_content,
    has_file,
    is_plain_file,
    is_run,
    paths_in,
)

UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}  # seconds of each unit of an age


class Unwanted(NamedTuple):
    """A run that may go: why, and how many bytes it takes."""

    run: Path
    reason: str
    size: int


def run_summary(task: str, run: Path) -> JsonObject:
    """Return what a list of runs says of one: its state, and if it is finished its preset, data, end and main score."""
    about: JsonObject = {"task": task, "run": str(run)}
    try:
        runs.read_config(run, task)
        if not runs.is_finished(run):
            return about | {"state": "diverged" if has_diverged(run) else "not finished"}
        summary, facts = records.read_summary(run), records.read_facts(run)
        metric, value = main_score(summary["metrics"])
        preset = run.name if run in runs.pretrained_runs(task) else facts.get("preset")
        found = {
            "preset": preset,
            "data": summary["data"],
            "metric": metric,
            "value": value,
        }
        return about | {"state": "finished", **found, "ended": facts.get("ended")}
    except (RunError, SettingError, OSError, TypeError, ValueError) as error:
        return about | {"state": "damaged", "reason": str(error)}


def main_score(metrics: JsonObject | None) -> tuple[str, float | None]:
    """Return the name and the value of the first of some metrics; those of a run that is not scored are `None`.

    Raises:
        ValueError: There is none, or it is not a number.
    """
    if metrics is None:
        return "not scored", None
    metric, value = next(iter(metrics.items()), ("", None))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"its metric {metric!r} is not a number" if metric else "it has no scores")
    return metric, float(value)


def task_of(run: Path, tasks: Sequence[str]) -> str:
    """Return the task of a run, of those that there are.

    Raises:
        FileNotFoundError: There is no such directory.
        RunError: It is not a run of one of them.
    """
    if not is_run(run):
        raise FileNotFoundError(f"There is no run directory {str(run)!r}, and no task of that name.")
    check_members(run)
    config = records.read_json(run / "config.json")
    task = config.get("task") if isinstance(config, dict) else None
    if task not in tasks:
        raise RunError(f"{str(run / 'config.json')!r} is damaged: it names no task of this version.")
    return str(task)


def has_diverged(run: Path) -> bool:
    """Return whether a training ended because its loss was not finite any more."""
    return records.facts_of(run).get("diverged") is True


def verified_summary(task: str, run: Path) -> JsonObject:
    """Return what a list says of a run after a look at all of its files: it is damaged if one of them is."""
    row = run_summary(task, run)
    if row["state"] == "damaged":
        return row
    try:
        check_files(task, run)
    except (RunError, SettingError, OSError, ValueError) as error:
        reason = str(error) or type(error).__name__
        return {"task": task, "run": str(run), "state": "damaged", "reason": reason}
    return row | {"verified": True}


def check_files(task: str, run: Path) -> None:
    """Raise `RunError` if a file of a run is missing or damaged: its codec, its history, its answers, its weights.

    An unfinished run has no check sums; its files are whole if they can be read.
    """
    check_members(run)
    kept = records.facts_of(run).get("checksums", {})
    for path in checksums.answering_files(run):
        checksums.check_content(path, file_content(path, checksums.LARGEST), kept)
    for name in kept:
        if not is_plain_file(run / name):
            raise RunError(f"{str(run)!r} is an incomplete run: it has no {name}.")
    records.read_history(run)
    records.read_answers(run)
    for path in sorted(run.glob("checkpoint/*-*/state.json")):
        check_checkpoint(path)
    if has_file(run / "codec.json"):
        check_pipeline(task, run)


def check_checkpoint(state: Path) -> None:
    """Raise `RunError` if a file of a checkpoint is missing, or not as it was written."""
    sums = records.typed_json(state, {"epoch": int}, {"checksums": dict[str, str]}).get("checksums", {})
    for name in ("model.keras", "kept.keras", "best.keras"):
        path = state.parent / name
        if name in sums and not is_plain_file(path):
            raise RunError(f"The checkpoint {str(state.parent)!r} is damaged: it has no {name}.")
        if name in sums and sha256(file_content(path, checksums.LARGEST)).hexdigest() != sums[name]:
            raise RunError(f"{str(path)!r} is damaged: it is not as it was written.")


def check_pipeline(task: str, run: Path) -> None:
    """Raise `RunError` unless the codec of a run fits its settings, and all its weights are finite."""
    from tasks.engine.archives import check_finite_weights
    from tasks.engine.load import restored_pipeline

    restored_pipeline(import_module(f"..{task}.pipeline", __package__).TASK, run)
    check_finite_weights(run, records.facts_of(run).get("parameters"))


def age_seconds(text: str) -> float:
    """Return an age, such as `30d`, in seconds.

    Raises:
        SettingError: It has another form.

    Example:
        >>> age_seconds("36h")
        129600.0
    """
    found = re.fullmatch(r"(\d{1,6})([mhdw])", text, re.ASCII)
    if not found:
        raise SettingError(f"`older_than` must be a number and one of m, h, d, w, such as 30d; received {text!r}.")
    return float(int(found[1]) * UNITS[found[2]])


def unwanted_runs(tasks: Sequence[str], older_than: str | None = None) -> Iterator[Unwanted]:
    """Yield the runs below `runs/` that may go: unfinished and diverged ones, and with an age also older ones.

    Directories that are not runs, links, and runs that another process writes are not among them. The trials of
    searches are, unless a process goes on with the search.

    Args:
        older_than: An age, such as `30d`: only runs that nobody has written for so long, finished ones too.
    """
    before = time.time() - age_seconds(older_than) if older_than else None
    for task in tasks:
        trials = [run for run in runs.kept_trials(task) if is_free(run.parents[1])]
        for run in [*runs.kept_runs(task), *trials]:
            state = run_summary(task, run)["state"]
            if not is_own_run(run) or (before is None and state not in ("not finished", "diverged")):
                continue
            if before is None or last_change(run) < before:
                yield Unwanted(run, state, size_of(run))


def is_own_run(run: Path) -> bool:
    """Return whether a directory is a run below `runs/` itself, with nothing in it but what a run holds, and free."""
    folders = [run, *run.parents[:-1]]  # the last is the current one
    if any(not stat.S_ISDIR(folder.lstat().st_mode) for folder in folders) or not is_plain_file(run / "config.json"):
        return False
    known = {*FILES, *FOLDERS}
    if any(name not in known and not name.startswith(".part-") for name in os.listdir(run)):
        return False
    try:
        check_members(run)
    except RunError:
        return False
    return is_free(run)


def is_free(run: Path) -> bool:
    """Return whether no process has locked a run."""
    folder = os.open(run, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(folder)
    return True


def last_change(run: Path) -> float:
    """Return when something in a run was written last, in seconds since 1970."""
    return max(path.lstat().st_mtime for path in (run / "config.json", *paths_in(run)))


def size_of(run: Path) -> int:
    """Return the number of bytes of the files of a run."""
    return sum(path.lstat().st_size for path in paths_in(run) if is_plain_file(path))


def remove(unwanted: Unwanted) -> bool:
    """Remove a run, if it may still go, and return whether it is gone."""
    if not is_own_run(unwanted.run):
        return False
    with runs.lock(unwanted.run):
        shutil.rmtree(unwanted.run)
    return True

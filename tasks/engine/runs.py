"""The run directory: what it holds, its lock, and finding one."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tasks.engine.config import JsonObject, SettingError, Settings, TaskConfig
from tasks.engine.files import PART, make_folder, write_json
from tasks.engine.formats import FORMAT, current_settings
from tasks.engine.members import RunError, check_members, is_bundle, is_plain_file, is_run
from tasks.engine.records import read_json

LOG = logging.getLogger("tasks")
START = "00000-0000000"  # checkpoint before the first step
KEPT = Path("runs")
TASKS = Path(__file__).parent.parent
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


class LockedError(RuntimeError):
    """A run directory that another process is writing."""

    exit_code = 75


def check_directory(path: Path) -> None:
    """Raise `SettingError` if a run that is to be written is a bundle.

    Args:
        path: Run directory, or where one is to be made.
    """
    if is_bundle(path):
        raise SettingError(f"{str(path)!r} is a bundle, which is only read; give a run directory, or a new one.")


def is_part(path: Path) -> bool:
    """Return whether a file is one that a process had begun to write."""
    return path.name.startswith(PART)


def remove_parts(run: Path) -> None:
    """Remove what a process that was killed had begun to write."""
    for folder in (run, *(run / name for name in ("onnx", "figures", "checkpoint")), *run.glob("checkpoint/*-*")):
        for path in folder.iterdir() if folder.is_dir() and not folder.is_symlink() else ():
            if is_part(path) and (path.is_symlink() or not path.is_dir()):
                path.unlink()


def kept_epoch(history: Sequence[Mapping[str, float]], config: TaskConfig) -> Mapping[str, float]:
    """Return the row of the epoch whose weights are kept: the one with the smallest validation loss.

    Once weights are averaged, over the last `config.average` epochs, earlier epochs no longer count: at a large step
    size their loss jumps, and the smallest of many values would be chance.
    """
    begin = max(config.epochs - config.average, 0)
    rows = history[begin:] if config.average and len(history) > begin else history
    return min(rows, key=lambda row: row["val_loss"])


def empty_directory(directory: Path) -> Path:
    """Return a directory that does not exist yet, or is empty but for what a killed process had begun to write.

    Raises:
        FileExistsError: There is something in it, or it is a file.
    """
    if directory.is_file() or (directory.is_dir() and not all(is_part(path) for path in directory.iterdir())):
        raise FileExistsError(f"{str(directory)!r} exists and is not empty; give a new directory, or --resume.")
    return directory


@contextmanager
def made_directory(directory: Path) -> Iterator[None]:
    """Make a directory and those above it before the work for it, for a `with` statement.

    If the work fails, none that this has made is left empty.
    """
    made = [path for path in (directory, *directory.parents) if not path.exists()]
    make_folder(directory)
    try:
        yield
    finally:
        for path in made:
            if any(path.iterdir()):
                break
            path.rmdir()


def new_directory(folder: Path) -> Path:
    """Return a name below a folder that nobody has yet: the time, and four random digits."""
    import secrets

    return folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"


@contextmanager
def lock(run: Path, named_by: str = "--run") -> Iterator[None]:
    """Keep other processes from writing a run directory, or another; the lock ends with the process.

    Args:
        named_by: Option that names another one.

    Raises:
        LockedError: Another process has it.
    """
    folder = os.open(run, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise LockedError(
            f"{str(run)!r} is being written by another process; wait for it or give another {named_by}."
        ) from error
    finally:
        os.close(folder)


@contextmanager
def awaited(run: Path) -> Iterator[None]:
    """Wait until no other process writes a run directory, for a `with` statement."""
    folder = os.open(run, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_SH)
        yield
    finally:
        os.close(folder)


def write_config(run: Path, task: str, settings: Settings) -> None:
    """Write the file that makes a directory a run."""
    write_json(run / "config.json", {"format": FORMAT, "task": task, "settings": settings})


def read_config(run: Path, task: str) -> JsonObject:
    """Return the settings of a run, after a look at its members.

    Raises:
        FileNotFoundError: There is no such directory.
        RunError: It is half-written, damaged, or of a newer format.
        SettingError: It is a run of another task.
    """
    if not is_run(run):
        shipped = ", ".join(one.name for one in pretrained_runs(task)) or "none"
        raise FileNotFoundError(f"There is no run directory {str(run)!r}; runs of {task!r} that ship: {shipped}.")
    check_members(run)
    config = read_json(run / "config.json")
    if not isinstance(config, dict) or not isinstance(config.get("settings"), dict):
        raise RunError(f"{str(run / 'config.json')!r} is damaged: it holds no settings.")
    version = config.get("format")
    if type(version) is not int or not 1 <= version <= FORMAT:
        raise RunError(
            f"{str(run)!r} has run format {version!r}, and this version reads up to {FORMAT}; "
            f"use the version that made it, or train again."
        )
    if config.get("task") != task:
        raise SettingError(f"{str(run)!r} is a run of {config.get('task')!r}, not of {task!r}.")
    return current_settings(config["settings"], task, version)


def is_finished(run: Path) -> bool:
    """Return whether a run was trained and scored to its end; `metrics.json` is written last."""
    return is_plain_file(run / "metrics.json")


def kept_runs(task: str) -> list[Path]:
    """Return the runs of a task below `runs/`, by the time of their end; unfinished ones are last."""
    return sorted((path.parent for path in (KEPT / task).glob("*/config.json")), key=end_of_run)


def kept_trials(task: str) -> list[Path]:
    """Return the runs that are trials of the searches of a task below `runs/tune/`, by name."""
    return sorted(path.parent for path in (KEPT / "tune" / task).glob("*/trials/*/config.json"))


def end_of_run(run: Path) -> tuple[str, str]:
    """Return what runs are sorted by: the time of the end in UTC, and the name.

    A run of an older version has no such time; that of its scores counts.
    """
    if not is_finished(run):
        return "~", run.name  # after any digit
    try:
        ended = str(read_json(run / "environment.json")["ended"])
    except (RunError, OSError, KeyError, TypeError):
        ended = ""
    return ended if MOMENT.fullmatch(ended) else utc_time((run / "metrics.json").lstat().st_mtime), run.name


def utc_time(seconds: float | None = None) -> str:
    """Return a time in seconds since 1970, or now, in UTC: `2026-01-31T12:00:00.123456Z`."""
    moment = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def pretrained_runs(task: str) -> list[Path]:
    """Return the runs of a task that ship with the package."""
    return sorted(path.parent for path in (TASKS / task / "pretrained").glob("*/config.json"))


def named_run(task: str, run: Path) -> Path:
    """Return the run that a path names: a directory, or the name of a run that ships with the package.

    `pretrained` names the first of those.
    """
    shipped = pretrained_runs(task)
    if run.exists() or len(run.parts) != 1 or not shipped:
        return run
    return shipped[0] if run.name == "pretrained" else next((one for one in shipped if one.name == run.name), run)


def find_run(task: str, directory: Path | None, wanted: Settings | None = None, usual: Settings | None = None) -> Path:
    """Return the given run, or else the one below `runs/` that ended last, or else a pretrained one.

    Args:
        wanted: Settings that the run must have been trained with, if any.
        usual: Values of those settings for a run of an older version, which lacks them.

    Raises:
        FileNotFoundError: There is none.
        SettingError: The given run was trained with others.
    """
    asked = wanted or {}

    def fits(run: Path) -> bool:
        settings = read_config(run, task) if asked else {}
        return all({**(usual or {}), **settings}.get(name) == value for name, value in asked.items())

    said = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in asked.items())
    if directory is not None:
        directory = named_run(task, directory)
        if not fits(directory):
            raise SettingError(f"{str(directory)!r} was not trained with {said}; leave that out, or give another run.")
        return directory
    finished = reversed([run for run in kept_runs(task) if is_finished(run)])
    for run in (*finished, *pretrained_runs(task)):  # the newest first
        if is_readable(run, task) and fits(run):
            return run
    raise FileNotFoundError(f"No run of {task!r} is here; make one with: train {' '.join([task, said]).strip()}.")


def is_readable(run: Path, task: str) -> bool:
    """Return whether the settings of a run can be read; a notice says why not."""
    try:
        read_config(run, task)
    except (RunError, SettingError, OSError) as error:
        LOG.warning("Skipped a run: %s", error)
        return False
    return True


def remove_start(run: Path) -> None:
    """Remove a run directory whose training failed before it had a checkpoint beyond its start."""
    begun = any(path.name != START for path in run.glob("checkpoint/*-*"))
    if not begun and not (run / "history.csv").is_file():
        shutil.rmtree(run, ignore_errors=True)  # where the disk failed, it may stay


def unfinished_run(task: str, directory: Path | None, longer: bool = False) -> Path:
    """Return the given run, or else the newest one below `runs/` that is not finished.

    Args:
        longer: If true, a finished run is meant to go on past its end.

    Raises:
        FileNotFoundError: There is none.
        FileExistsError: The given run is finished.
    """
    found = [directory] if directory else [run for run in kept_runs(task) if not is_finished(run)]
    if not found:
        raise FileNotFoundError(f"No unfinished run of {task!r} is here; start one with: train {task}.")
    if not (found[-1] / "config.json").is_file() and found[-1].is_dir():
        raise RunError(
            f"{str(found[-1])!r} has no config.json, since its training had not begun; begin it with: "
            f"train {task} --run {found[-1]}."
        )
    if is_finished(found[-1]) and not longer:
        raise FileExistsError(
            f"{str(found[-1])!r} is finished; there is nothing to resume. To train it longer, give more --epochs."
        )
    return found[-1]

"""The run directory: its files, each whole or absent; its lock; and finding one."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.engine.config import Json, JsonObject, SettingError, Settings, TaskConfig

if TYPE_CHECKING:
    from PIL.Image import Image

FORMAT = 3
START = "00000-0000000"  # checkpoint before the first step
PART = ".part-"  # begins the name of a file that is not complete
KEPT = Path("runs")
TASKS = Path(__file__).parent.parent
RENAMED = {  # settings of older formats, in any task and in one, and what they are called since
    "": {
        "alpha": "length_penalty",
        "repeats": "no_repeat_ngram",
        "minimum": "min_length",
        "length": "max_length",
        "keep": "truncate",
        "align": "alignment_file",
    },
    "caption": {"attention": "attention_file"},
    "mnist": {"scale": "augment_scale"},
}
COLUMNS = {  # settings up to format 2, each the name of a column -> the field in it
    "text_column": "text",
    "label_column": "label",
    "image_column": "image",
    "caption_column": "caption",
}


class RunError(ValueError):
    """A run directory that cannot be read."""

    exit_code = 65


class LockedError(RuntimeError):
    """A run directory that another process is writing."""

    exit_code = 75


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Give a path to write to; the file appears under its own name once it is complete and on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{PART}{path.name}")
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    finally:
        part.unlink(missing_ok=True)


def is_part(path: Path) -> bool:
    """Return whether a file is one that a process had begun to write."""
    return path.name.startswith(PART)


def remove_parts(run: Path) -> None:
    """Remove what a process that was killed had begun to write."""
    for folder in (run, *(run / name for name in ("onnx", "figures", "checkpoint")), *run.glob("checkpoint/*-*")):
        for path in folder.iterdir() if folder.is_dir() and not folder.is_symlink() else ():
            if is_part(path):
                path.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with atomic_file(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Json) -> None:
    """Write a JSON file, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_csv(path: Path, rows: Sequence[Settings]) -> None:
    """Write a table, whole or not at all."""
    with atomic_file(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_lines(path: Path, rows: Sequence[Json]) -> None:
    """Write a JSON object a line, whole or not at all."""
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def write_new(path: Path, picture: Image) -> Path:
    """Write a picture as PNG, and return its file: `a.png`, or if that exists `a-2.png`, `a-3.png` and so on."""
    names = (path if number == 1 else path.with_stem(f"{path.stem}-{number}") for number in count(1))
    free = next(name for name in names if not name.exists())
    with free.open("xb") as file:
        picture.save(file, format="png")
    return free


def read_history(run: Path) -> list[dict[str, float]]:
    """Return the rows of `history.csv`, one for each epoch; a run without one has none."""
    try:
        with (run / "history.csv").open(newline="", encoding="utf-8") as file:
            rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
        return [row | {"val_loss": row["val_loss"]} for row in rows]
    except FileNotFoundError:
        return []
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{str(run / 'history.csv')!r} is damaged: {error}.") from error


def kept_epoch(history: Sequence[Mapping[str, float]], config: TaskConfig) -> Mapping[str, float]:
    """Return the row of the epoch whose weights are kept: the one with the smallest validation loss.

    Once weights are averaged, over the last `config.average` epochs, earlier epochs no longer count: at a large step
    size their loss jumps, and the smallest of many values would be chance.
    """
    begin = max(config.epochs - config.average, 0)
    rows = history[begin:] if config.average and len(history) > begin else history
    return min(rows, key=lambda row: row["val_loss"])


def read_json(path: Path) -> Json:
    """Return what a JSON file of a run holds.

    Raises:
        RunError: The file is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"{str(path.parent)!r} is an incomplete run: it has no {path.name}.") from error
    except ValueError as error:
        raise RunError(f"{str(path)!r} is damaged: {error}.") from error


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
    """Make a directory before the work for it, for a `with` statement; if the work fails, it is not left empty."""
    directory.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        if not any(directory.iterdir()):
            directory.rmdir()


def new_directory(folder: Path) -> Path:
    """Return a name below a folder that nobody has yet: the time, and four random digits."""
    return folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"


@contextmanager
def lock(run: Path) -> Iterator[None]:
    """Keep other processes from writing a run directory; the lock ends with the process.

    Raises:
        LockedError: Another process has it.
    """
    folder = os.open(run, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise LockedError(
            f"{str(run)!r} is being written by another process; wait for it or give another --run."
        ) from error
    finally:
        os.close(folder)


def write_config(run: Path, task: str, settings: Settings) -> None:
    """Write the file that makes a directory a run."""
    write_json(run / "config.json", {"format": FORMAT, "task": task, "settings": settings})


def read_config(run: Path, task: str) -> JsonObject:
    """Return the settings of a run.

    Raises:
        FileNotFoundError: There is no such directory.
        RunError: It is half-written, damaged, or of a newer format.
        SettingError: It is a run of another task.
    """
    if not run.is_dir():
        shipped = ", ".join(one.name for one in pretrained_runs(task)) or "none"
        raise FileNotFoundError(f"There is no run directory {str(run)!r}; runs of {task!r} that ship: {shipped}.")
    config = read_json(run / "config.json")
    if not isinstance(config, dict) or not isinstance(config.get("settings"), dict):
        raise RunError(f"{str(run / 'config.json')!r} is damaged: it holds no settings.")
    if config.get("format") not in range(1, FORMAT + 1):
        raise RunError(
            f"{str(run)!r} has run format {config.get('format')!r}, and this version reads up to {FORMAT}; "
            f"use the version that made it, or train again."
        )
    if config.get("task") != task:
        raise SettingError(f"{str(run)!r} is a run of {config.get('task')!r}, not of {task!r}.")
    return current_settings(config["settings"], task, config["format"])


def current_settings(settings: Settings, task: str, version: int) -> JsonObject:
    """Return the settings of a run of an older format as this version names them."""
    names = RENAMED[""] | RENAMED.get(task, {}) if version < FORMAT else {}
    found = {names.get(name, name): value for name, value in settings.items() if name not in COLUMNS}
    other = {field: settings[name] for name, field in COLUMNS.items() if settings.get(name, field) != field}
    return found | {"columns": ",".join(f"{field}={name}" for field, name in other.items())} if other else found


def is_finished(run: Path) -> bool:
    """Return whether a run was trained and scored to its end; `metrics.json` is written last."""
    return (run / "metrics.json").is_file()


def kept_runs(task: str) -> list[Path]:
    """Return the runs of a task below `runs/`, by the time of their end; unfinished ones are last."""
    return sorted((path.parent for path in (KEPT / task).glob("*/config.json")), key=end_of_run)


def end_of_run(run: Path) -> tuple[str, str]:
    """Return what runs are sorted by: the time of the end in UTC, and the name.

    A run of an older version has no such time; that of its scores counts.
    """
    if not is_finished(run):
        return "~", run.name  # after any digit
    try:
        ended = str(read_json(run / "environment.json")["ended"])
    except (RunError, KeyError, TypeError):
        ended = utc_time((run / "metrics.json").stat().st_mtime)
    return ended, run.name


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


def run_summary(task: str, run: Path) -> JsonObject:
    """Return what a list of runs says of one: its state, and if it is finished its preset, data, end and main score."""
    about: JsonObject = {"task": task, "run": str(run)}
    try:
        summary, facts = read_json(run / "metrics.json"), read_json(run / "environment.json")
        metric, value = (
            next(iter(summary["metrics"].items())) if summary["metrics"] is not None else ("not scored", None)
        )
        preset = run.name if run in pretrained_runs(task) else facts.get("preset")
        found = {
            "preset": preset,
            "data": summary["data"],
            "metric": metric,
            "value": value if value is None else float(value),
        }
        return about | {"state": "finished", **found, "ended": facts.get("ended")}
    except (RunError, KeyError, TypeError, ValueError, StopIteration, AttributeError):
        return about | {"state": "damaged" if is_finished(run) else "not finished"}


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
    found = [*filter(fits, pretrained_runs(task))][:1] + [
        run for run in kept_runs(task) if is_finished(run) and fits(run)
    ]
    if not found:
        raise FileNotFoundError(f"No run of {task!r} is here; make one with: train {' '.join([task, said]).strip()}.")
    return found[-1]


def remove_start(run: Path) -> None:
    """Remove a run directory whose training failed before it had a checkpoint beyond its start."""
    begun = any(path.name != START for path in run.glob("checkpoint/*-*"))
    if not begun and not (run / "history.csv").is_file():
        shutil.rmtree(run)


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

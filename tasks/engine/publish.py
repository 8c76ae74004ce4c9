"""Publish a run with the package: `python -m tasks.engine.publish TASK RUN NAME`.

A published run is a run directory without checkpoint and figures, `tasks/<task>/pretrained/<name>/`. It names its data
and the source of it. It does not name a folder of the machine that it was made on. It keeps large weights once.
"""

import shlex
import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path

from data.sources import data_name
from tasks.engine import card, files, records, runs
from tasks.engine.checksums import run_checksums
from tasks.engine.config import Json, Settings
from tasks.engine.members import RunError, check_members
from tasks.engine.sharing import share_weights

LEFT_OUT = shutil.ignore_patterns("checkpoint", "figures", ".part-*")
PRIVATE = ("data_dir", "cache", "init_from", "rerank")  # settings that name folders of a machine
NAMED = ("data", "test")  # settings that may be paths, relative ones too
TEXTS = ("config.json", "environment.json", "metrics.json", "README.md")


def publish(task: str, run: Path, target: Path) -> None:
    """Copy a finished run to a directory that does not exist, without the paths of its machine.

    Raises:
        RunError: The run is not finished, or a path is left in it.
    """
    runs.check_directory(run)
    check_members(run)
    if not runs.is_finished(run):
        raise RunError(f"{str(run)!r} is not finished; publish a run that has its scores.")
    part = runs.empty_directory(target).with_name(f".part-{target.name}")
    try:
        shutil.copytree(run, part, ignore=LEFT_OUT)
        share_weights(part)
        write_portable(task, run, part, target.name)
        check_portable(part)
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_portable(task: str, run: Path, target: Path, name: str) -> None:
    """Write the texts of a run anew into its copy, with names in place of paths."""
    settings = runs.read_config(run, task)
    facts, summary = records.read_facts(run), records.read_summary(run)
    named = data_name(str(settings["data"]))
    sources = import_module(f"..{task}.pipeline", __package__).TASK.sources
    facts["data"] = {"name": named, "source": card.origin(sources, named)} | facts["data"]
    command = portable_command(facts["command"])
    text = records.read_text(run / "README.md")
    text = text.replace(facts["command"], command).replace(f"`{settings['data']}`", f"`{named}`")
    runs.write_config(target, task, {name: portable_setting(name, value) for name, value in settings.items()})
    files.write_json(target / "environment.json", facts | {"command": command, "checksums": run_checksums(target)})
    split = portable_setting("split", summary["split"])
    files.write_json(target / "metrics.json", summary | {"run": name, "data": named, "split": split})
    files.write_text(target / "README.md", text)
    if (run / "answers.jsonl").is_file():
        rows = [row | {"input": portable_setting("input", row["input"])} for row in records.read_answers(run)]
        files.write_lines(target / "answers.jsonl", rows)


def portable_setting(name: str, value: Json) -> Json:
    """Return the value of a setting without a path of a machine: the names of files and folders instead."""
    if name in PRIVATE:
        return None
    named = name in NAMED or (isinstance(value, str) and any(map(is_path, value.split(","))))
    return data_name(value) if named and value is not None else value


def portable_command(command: str) -> str:
    """Return the command of a run with names in place of paths, and without the directory that it made.

    Example:
        >>> portable_command("cli.py train mnist --data-dir /data/tfds --run runs/a --seed 1")
        'cli.py train mnist --data-dir DIR --seed 1'
        >>> portable_command("cli.py train upscale --data sr/x/t91,sr/x/general100 --scale 3")
        'cli.py train upscale --data t91,general100 --scale 3'
    """
    words = shlex.split(command)
    pairs = [("", words[0]), *pairwise(words)]
    kept = [(option, word) for option, word in pairs if "--run" not in (option, word)]
    return shlex.join(
        "DIR" if option == "--data-dir" else data_name(word) if "/" in word else word for option, word in kept
    )


def check_portable(run: Path) -> None:
    """Raise `RunError` if a run to publish names a path of a machine."""
    settings: Settings = records.read_json(run / "config.json")["settings"]
    for name, value in settings.items():
        if any(is_path(part) for part in str(value).split(",")):
            raise RunError(f"{str(run)!r} has a path for {name!r}: {value!r}; publish it with a name.")
    for name in TEXTS:
        found = next((word for word in words_of(run / name) if is_path(word)), None)
        if found is not None:
            raise RunError(f"{str(run / name)!r} names the path {found!r}; publish it with a name.")


def words_of(path: Path) -> Iterator[str]:
    """Yield the words of a text file, without quotes and marks around them."""
    for word in records.read_text(path).replace(",", " ").split():
        yield word.strip("\"'`()[]{}:;")


def is_path(text: str) -> bool:
    """Return whether a text names a place on a machine: an absolute path, or one that leaves its folder.

    Example:
        >>> [is_path(text) for text in ("/data/tfds", "../other/x", "t91", "emnist/digits", "https://doi.org/1")]
        [True, True, False, False, False]
    """
    path = Path(text)
    return len(path.parts) > 1 and (path.is_absolute() or ".." in path.parts or path.parts[0] in ("~", "runs"))


def main(arguments: list[str]) -> None:
    """Publish the run that three words of a command line name."""
    if len(arguments) != 3:
        sys.exit("Usage: python -m tasks.engine.publish TASK RUN NAME")
    task, run, name = arguments
    publish(task, Path(run), runs.TASKS / task / "pretrained" / name)


if __name__ == "__main__":
    main(sys.argv[1:])

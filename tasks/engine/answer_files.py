"""Answers that are files, and where they are written."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from data.pictures.files import SUFFIXES, FormatError
from tasks.engine.config import SettingError
from tasks.engine.items import BAD_INPUT, Item, check_item
from tasks.engine.outcome import Outcome
from tasks.engine.task import Pipeline
from tasks.engine.terminal import exit_code


def check_target(out: Path | None, count: int) -> None:
    """Raise `SettingError` if several answers are to be written into one file."""
    if out and count > 1 and is_file_name(out):
        raise SettingError(f"`out` is the file {str(out)!r}, and there are {count} pictures; give a folder.")


def is_file_name(out: Path) -> bool:
    """Return whether `out` names a picture file, and not a folder."""
    return out.suffix.lower() in SUFFIXES and not out.is_dir()


def written_outcomes(pipeline: Pipeline[Any], chunk: Sequence[Item], out: Path | None, show: bool) -> Iterator[Outcome]:
    """Yield the outcome of each item whose answer is a file; no two have the same file."""
    made = dict[str, str]()
    for item in chunk:
        outcome = written_outcome(pipeline, item, out, show)
        file = "" if outcome.error else str(next(iter(outcome.answer.values())))
        if file in made:
            error = FileExistsError(f"{file!r} is the answer of {made[file]!r} already; give them separate folders.")
            outcome = Outcome(item, error=error)
        elif file:
            made[file] = item.value
        yield outcome


def written_outcome(pipeline: Pipeline[Any], item: Item, out: Path | None, show: bool) -> Outcome:
    """Return the outcome of an item whose answer is a file, which is written."""
    assert pipeline.task.write
    try:
        check_item(pipeline, item)
        folder = out / item.inside if out and not is_file_name(out) else out
        return Outcome(item, pipeline.task.write(pipeline, item.value, folder, show))
    except BAD_INPUT as error:
        if out and exit_code(error) == 73 and not isinstance(error, FileExistsError | FormatError):
            raise  # nothing can be written there, for any input
        return Outcome(item, error=error)


def with_bar(outcomes: Iterator[Outcome], total: int) -> Iterator[Outcome]:
    """Yield outcomes, with a progress bar on standard error that is hidden while one of them is shown."""
    from tqdm import tqdm

    with tqdm(total=total, unit="picture", leave=False, dynamic_ncols=True) as bar:
        for outcome in outcomes:
            bar.update()
            bar.clear()
            yield outcome
            bar.refresh()

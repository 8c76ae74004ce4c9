"""Answers that are files: writing them, and telling inputs from the answers of earlier runs."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from data.pictures.files import SUFFIXES, FormatError, some_names
from data.splits import DataError
from tasks.engine.config import SettingError
from tasks.engine.outcome import BAD_INPUT, Item, Outcome
from tasks.engine.task import Pipeline
from tasks.engine.terminal import exit_code

LOG = logging.getLogger("tasks")


def check_target(out: Path | None, count: int) -> None:
    """Raise `SettingError` if several answers are to be written into one file."""
    if out and count > 1 and is_file_name(out):
        raise SettingError(f"`out` is the file {str(out)!r}, and there are {count} pictures; give a folder.")


def is_file_name(out: Path) -> bool:
    """Return whether `out` names a picture file, and not a folder."""
    return out.suffix.lower() in SUFFIXES and not out.is_dir()


def inputs_alone(
    items: Sequence[Item], out: Path | None, originals: Callable[[str], Iterable[str]] | None
) -> list[Item]:
    """Return items without those that are answers of earlier runs, which come with a notice.

    Args:
        out: Where answers are written; what lies in it, in a folder that was given, is an answer.
        originals: Yields the inputs that a file could be the answer of; beside one of them it is an answer.
    """
    given = {str(Path(item.value)) for item in items}

    def is_answer(item: Item) -> bool:
        return is_output(item, out) or any(one in given for one in (originals(item.value) if originals else ()))

    left = dict.fromkeys(item.value for item in items if is_answer(item))
    if left:
        LOG.warning("Left out, since they are answers of an earlier run: %d, %s.", len(left), some_names(left))
    return [item for item in items if item.value not in left]


def is_output(item: Item, out: Path | None) -> bool:
    """Return whether an input of a folder that was given lies in `out`, which is a folder in that one."""
    if out is None or item.inside == Path() or not out.is_dir():
        return False
    given, place = Path(item.value).parents[len(item.inside.parts)].resolve(), out.resolve()
    return place != given and place.is_relative_to(given) and Path(item.value).resolve().is_relative_to(place)


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
        if item.error:
            raise DataError(item.error)
        if not item.value.strip():
            raise DataError("The input is empty; give the name of a picture.")
        folder = out / item.inside if out and not is_file_name(out) else out
        return Outcome(item, pipeline.task.write(pipeline, item.value, folder, show))
    except BAD_INPUT as error:
        if exit_code(error) == 73 and not isinstance(error, FileExistsError | FormatError):
            raise  # nothing can be written, for any input
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

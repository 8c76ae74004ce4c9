"""Where the answers of inputs are files: which files they are, and which inputs are answers themselves."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from data.pictures.files import SUFFIXES, some_names
from tasks.engine.config import SettingError

LOG = logging.getLogger("tasks")
T = TypeVar("T")


class Given(Protocol):
    """An input, with its folder in one that was given."""

    @property
    def value(self) -> str: ...
    @property
    def inside(self) -> Path: ...


G = TypeVar("G", bound=Given)


def check_target(out: Path | None, count: int) -> None:
    """Raise `SettingError` if several answers are to be written into one file."""
    if out and count > 1 and is_file_name(out):
        raise SettingError(f"`out` is the file {str(out)!r}, and there are {count} pictures; give a folder.")


def is_file_name(out: Path) -> bool:
    """Return whether `out` names a picture file, and not a folder."""
    return out.suffix.lower() in SUFFIXES and not out.is_dir()


def inputs_alone(items: Sequence[G], out: Path | None, originals: Callable[[str], Iterable[str]] | None) -> list[G]:
    """Return items without those that are answers of earlier runs, which come with a notice.

    Args:
        out: Where answers are written; what lies in it, in a folder that was given, is an answer.
        originals: Yields the inputs that a file could be the answer of; beside one of them it is an answer.
    """
    given = {item.value for item in items}

    def is_answer(item: G) -> bool:
        return is_output(item, out) or any(one in given for one in (originals(item.value) if originals else ()))

    left = [item.value for item in items if is_answer(item)]
    if left:
        LOG.warning("Left out, since they are answers of an earlier run: %d, %s.", len(left), some_names(left))
    return [item for item in items if item.value not in left]


def is_output(item: Given, out: Path | None) -> bool:
    """Return whether an input of a folder that was given lies in `out`, which is a folder in that one."""
    if out is None or item.inside == Path() or not out.is_dir():
        return False
    given, place = Path(item.value).parents[len(item.inside.parts)].resolve(), out.resolve()
    return place != given and place.is_relative_to(given) and Path(item.value).resolve().is_relative_to(place)


def progress_bar(items: Sequence[T]) -> Iterator[T]:
    """Yield items, with a progress bar on standard error that is hidden while an outcome is shown."""
    from tqdm import tqdm

    with tqdm(total=len(items), unit="picture", leave=False, dynamic_ncols=True) as bar:
        for item in items:
            bar.refresh()
            yield item
            bar.update()

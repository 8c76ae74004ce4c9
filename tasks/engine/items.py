"""Inputs as people give them: words of the command line, lines of standard input, rows of files."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, groupby, islice
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from data.pictures.files import some_names
from data.splits import DataError, chunks
from data.streams import LineCheck, checked_lines
from data.tables import InputRow, TableFormat, input_rows, readable
from data.text_files import encoding_refusal, named_encoding, undecodable
from tasks.engine.config import Settings
from tasks.engine.task import IMAGE, Pipeline
from tasks.engine.terminal import sentence

if TYPE_CHECKING:
    from data.pictures.pixel_tables import PixelInput

LOG = logging.getLogger("tasks")
CHUNK = 256  # inputs answered at a time
BAD_INPUT = (DataError, OSError)  # what a bad input raises
T = TypeVar("T")


class Item(NamedTuple):
    """An input as it is shown, what is wrong with it, what is beside it in its file, its folder, and its content."""

    value: str
    error: str = ""
    about: Mapping[str, Any] = {}
    inside: Path = Path()
    content: Any = None  # what is read in place of the value


def typed_format(pipeline: Pipeline[Any], settings: Settings) -> TableFormat:
    """Return the columns and the encoding that the user gave, without those that the run was trained with."""
    config = pipeline.config
    return TableFormat(
        config.column_names() if "columns" in settings else {}, config.encoding if "encoding" in settings else None
    )


def item_chunks(
    pipeline: Pipeline[Any], words: Iterable[str], rows: Iterator[Item], encoding: str | None, out: Path | None = None
) -> Iterator[list[Item]]:
    """Yield the items of the command line, of standard input for `-`, and of a file, some at a time.

    * A word may stand for several items, as a folder stands for its pictures; a line or a row is one item.
    * Where answers are files, those of the command line come all at a time, without the answers of earlier runs.
    """
    for is_input, group in groupby(words, lambda word: word == "-"):
        if is_input:
            yield from ready_chunks(line_items(encoding))
            continue
        found = (item for word in group for item in word_items(pipeline, word))
        if pipeline.task.write:
            yield from filter(None, [inputs_alone(list(found), out, pipeline.task.originals)])
        else:
            yield from chunks(found, CHUNK)
    yield from chunks(rows, CHUNK)


def word_items(pipeline: Pipeline[Any], word: str) -> Iterator[Item]:
    """Yield the items that a word of the command line stands for."""
    try:
        for value in pipeline.task.accepts.expand(word):
            yield Item(value, inside=Path(value).parent.relative_to(word) if value != word else Path())
    except BAD_INPUT as error:
        yield Item(word, sentence(error).rstrip("."))


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


def check_item(pipeline: Pipeline[Any], item: Item) -> None:
    """Refuse an item with an error, a text with undecodable bytes, and an empty name or a folder for a picture.

    Raises:
        DataError, IsADirectoryError: It is such an item.
    """
    if item.error:
        raise DataError(item.error)
    if pipeline.task.accepts is not IMAGE:
        if undecodable(item.value):
            raise DataError(f"{readable(item.value)!r} is not in UTF-8; give it in a --file, with its --encoding.")
        return
    if not item.value.strip():
        raise DataError("The input is empty; give the name of a picture.")
    if item.content is None and Path(item.value).is_dir():
        raise IsADirectoryError(f"{item.value!r} is a folder; name the pictures in it.")


def file_items(pipeline: Pipeline[Any], path: Path, form: TableFormat, keep: Sequence[str]) -> Iterator[Item]:
    """Return the items in a file, each with its row and the columns to keep; the file is opened at once.

    Args:
        form: Columns and encoding that the user gave; without columns, the one that the run was trained with comes
            first among the usual names.
        keep: Names or numbers of other columns.
    """
    from data.pictures.pixel_tables import is_pixel_table, pixel_inputs

    if pipeline.task.accepts is IMAGE and not pipeline.task.write and is_pixel_table(path):
        return map(partial(pixel_item, path), list(pixel_inputs(path, form, keep)))
    field = pipeline.task.accepts.field
    usual = pipeline.task.columns(pipeline.config)[field]
    own = pipeline.config.column_names().get(field, "")
    names = {field: usual if form.columns or not own or own.isdecimal() else [own, *usual]}
    rows = input_rows(path, names, form, keep)
    first = list(islice(rows, 1))
    return map(partial(row_item, path.parent if pipeline.task.accepts is IMAGE else None), chain(first, rows))


def row_item(folder: Path | None, row: InputRow) -> Item:
    """Return the item of a row; a picture that is not there by its path may be there from the folder of the table."""
    value = row.value
    if folder is not None and value.strip() and not Path(value).exists() and (folder / value).is_file():
        value = str(folder / value)
    return Item(value, row.error, {"row": row.number, **row.kept})


def pixel_item(path: Path, row: PixelInput) -> Item:
    """Return the item of a row of pixels, which has no name of its own."""
    about = {"row": row.number, **row.kept}
    return Item(f"{path.name}, row {row.number}", row.error, about, content=row.value)


def line_items(encoding: str | None) -> Iterator[Item]:
    """Yield an item for each line of standard input, as it comes."""
    form = named_encoding(encoding) if encoding else "utf-8-sig"
    errors = "surrogateescape" if form.startswith("utf-8") else "replace"
    content = checked_lines(sys.stdin.buffer, LineCheck("standard input"))
    for number, line in enumerate(io.TextIOWrapper(content, form, errors, "\n"), start=1):
        text = line.rstrip("\r\n")
        error = encoding_refusal(text, f"line {number}") if undecodable(text) else ""
        yield Item(readable(text), error)


def ready_chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Yield lists of at most `size` items: what has come so far, as soon as anything has.

    A slow source gives short lists at once, a fast one full lists. An error of the source is raised after its items.
    """
    queue: Queue[list[T]] = Queue(maxsize=4 * size)
    errors: list[Exception] = []
    Thread(target=fill_queue, args=(items, queue, errors), daemon=True).start()
    while found := queue.get():
        more = found
        try:
            while more and len(found) < size:
                found = found + (more := queue.get_nowait())
        except Empty:
            pass
        yield found
        if not more:
            break
    if errors:
        raise errors[0]


def fill_queue(items: Iterable[T], queue: Queue[list[T]], errors: list[Exception]) -> None:
    """Put each item into a queue as a list, and an empty list at the end; an error ends the items."""
    try:
        for item in items:
            queue.put([item])
    except Exception as error:  # the thread that answers raises it
        errors.append(error)
    finally:
        queue.put([])

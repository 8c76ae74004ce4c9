"""Inputs as people give them: words of the command line, lines of standard input, rows of files."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby, islice
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any, NamedTuple, TypeVar

from data.splits import DataError, chunks
from data.tables import InputRow, TableFormat, input_rows, readable
from data.text_files import encoding_refusal, named_encoding, undecodable
from tasks.engine.config import Settings
from tasks.engine.task import Pipeline
from tasks.engine.terminal import sentence

CHUNK = 256  # inputs answered at a time
BAD_INPUT = (DataError, OSError)  # what a bad input raises
T = TypeVar("T")


class Item(NamedTuple):
    """An input as it is shown, what is wrong with it, and what stands beside it in its file."""

    value: str
    error: str = ""
    about: Mapping[str, Any] = {}


def typed_format(pipeline: Pipeline[Any], settings: Settings) -> TableFormat:
    """Return the columns and the encoding that the user gave, without those that the run was trained with."""
    config = pipeline.config
    return TableFormat(
        config.column_names() if "columns" in settings else {}, config.encoding if "encoding" in settings else None
    )


def item_chunks(
    pipeline: Pipeline[Any], words: Iterable[str], rows: Iterator[Item], encoding: str | None
) -> Iterator[list[Item]]:
    """Yield the items of the command line, of standard input for `-`, and of a file, some at a time.

    A word may stand for several items, as a folder stands for its pictures; a line or a row is one item.
    """
    for is_input, group in groupby(words, lambda word: word == "-"):
        if is_input:
            yield from ready_chunks(line_items(encoding))
        else:
            yield from chunks((item for word in group for item in word_items(pipeline, word)), CHUNK)
    yield from chunks(rows, CHUNK)


def word_items(pipeline: Pipeline[Any], word: str) -> Iterator[Item]:
    """Yield the items that a word of the command line stands for."""
    try:
        yield from map(Item, pipeline.task.accepts.expand(word))
    except BAD_INPUT as error:
        yield Item(word, sentence(error).rstrip("."))


def file_items(pipeline: Pipeline[Any], path: Path, form: TableFormat, keep: Sequence[str]) -> Iterator[Item]:
    """Return the items in a file, each with its row and the columns to keep; the file is opened at once.

    Args:
        form: Columns and encoding that the user gave; without columns, the one that the run was trained with comes
            first among the usual names.
        keep: Names or numbers of other columns.
    """
    field = pipeline.task.accepts.field
    usual = pipeline.task.columns(pipeline.config)[field]
    own = pipeline.config.column_names().get(field, "")
    names = {field: usual if form.columns or not own or own.isdecimal() else [own, *usual]}
    rows = input_rows(path, names, form, keep)
    first = list(islice(rows, 1))
    return map(row_item, chain(first, rows))


def row_item(row: InputRow) -> Item:
    """Return the item of a row."""
    return Item(row.value, row.error, {"row": row.number, **row.kept})


def line_items(encoding: str | None) -> Iterator[Item]:
    """Yield an item for each line of standard input, as it comes."""
    form = named_encoding(encoding) if encoding else "utf-8-sig"
    errors = "surrogateescape" if form.startswith("utf-8") else "replace"
    for number, line in enumerate(io.TextIOWrapper(sys.stdin.buffer, form, errors, "\n"), start=1):
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

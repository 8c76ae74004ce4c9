"""From inputs as people give them to one record for each, in step."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any, TypeVar

from data.splits import DataError, chunks
from data.tables import InputRow, TableFormat, input_rows
from data.text_files import encoding_refusal, named_encoding, undecodable
from tasks.engine.answer_files import check_target, inputs_alone, with_bar, written_outcomes
from tasks.engine.config import Settings
from tasks.engine.outcome import BAD_INPUT, Item, Outcome
from tasks.engine.task import IMAGE, Pipeline
from tasks.engine.terminal import sentence

CHUNK = 256  # inputs answered at a time
T = TypeVar("T")


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

    Where answers are files, those of the command line come all at a time, without the answers of earlier runs.
    """

    def expanded(items: Iterable[Item]) -> Iterator[Item]:
        return (one for item in items for one in expanded_items(pipeline, item))

    for is_input, group in groupby(words, lambda word: word == "-"):
        if is_input:
            yield from ready_chunks(expanded(line_items(encoding)))
        elif pipeline.task.write:
            yield from filter(None, [inputs_alone(list(expanded(map(Item, group))), out, pipeline.task.originals)])
        else:
            yield from chunks(expanded(map(Item, group)), CHUNK)
    yield from chunks(expanded(rows), CHUNK)


def outcomes(pipeline: Pipeline[Any], chunk: Sequence[Item], out: Path | None, show: bool) -> Iterator[Outcome]:
    """Yield the outcome of each item, in order; nothing is computed twice.

    Args:
        out: Where answers are files, the file or the folder to write; `None` writes beside the inputs.
        show: If true, draw a progress bar where answers are files.
    """
    if pipeline.task.write:
        check_target(out, len(chunk))
        found = written_outcomes(pipeline, chunk, out, show and len(chunk) == 1)
        yield from with_bar(found, len(chunk)) if show and len(chunk) > 1 else found
        return
    read: dict[int, Any] = {}
    known = [Outcome(item) for item in chunk]
    for place, item in enumerate(chunk):
        try:
            read[place] = read_item(pipeline, item)
        except BAD_INPUT as error:
            known[place] = Outcome(item, error=error)
    answers = pipeline.task.predict(pipeline, read.values()) if read else []
    for place, answer in zip(read, answers, strict=True):
        pipeline.draw(read[place], answer)
        known[place] = Outcome(chunk[place], answer)
    yield from known


def read_item(pipeline: Pipeline[Any], item: Item) -> Any:
    """Return an item as the codec reads it.

    Raises:
        DataError, OSError: There can be no answer for it.
    """
    if item.error:
        raise DataError(item.error)
    if pipeline.task.accepts is IMAGE and not item.value.strip():
        raise DataError("The input is empty; give the name of a picture.")
    return pipeline.codec.read(item.value)


def expanded_items(pipeline: Pipeline[Any], item: Item) -> Iterator[Item]:
    """Yield the items that one stands for, as a folder stands for its pictures."""
    try:
        for value in pipeline.task.accepts.expand(item.value):
            inner = Path(value).parent.relative_to(item.value) if value != item.value else Path()
            yield item._replace(value=value, inside=inner)
    except BAD_INPUT as error:
        yield item._replace(error=item.error or sentence(error).rstrip("."))


def file_items(pipeline: Pipeline[Any], path: Path, form: TableFormat, keep: Sequence[str]) -> Iterator[Item]:
    """Yield the items in a file, each with its row and the columns to keep.

    Args:
        form: Columns and encoding that the user gave; without columns, the one that the run was trained with comes
            first among the usual names.
        keep: Names or numbers of other columns.
    """
    field = pipeline.task.accepts.field
    usual = pipeline.task.columns(pipeline.config)[field]
    own = pipeline.config.column_names().get(field, "")
    names = {field: usual if form.columns or not own or own.isdecimal() else [own, *usual]}
    for row in input_rows(path, names, form, keep):
        yield row_item(row)


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
        yield Item(text.encode("utf-8", "replace").decode() if error else text, error)


def ready_chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Yield lists of at most `size` items: what has come so far, as soon as anything has.

    A slow source gives short lists at once, a fast one full lists.
    """
    queue: Queue[list[T]] = Queue(maxsize=4 * size)
    Thread(target=fill_queue, args=(items, queue), daemon=True).start()
    while found := queue.get():
        more = found
        try:
            while more and len(found) < size:
                found = found + (more := queue.get_nowait())
        except Empty:
            pass
        yield found
        if not more:
            return


def fill_queue(items: Iterable[T], queue: Queue[list[T]]) -> None:
    """Put each item into a queue as a list, and an empty list at the end."""
    try:
        for item in items:
            queue.put([item])
    finally:
        queue.put([])

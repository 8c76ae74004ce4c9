"""From inputs as people give them to one record for each, in step."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import groupby
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO, Any, NamedTuple, TypeVar

from data.pictures.files import SUFFIXES
from data.splits import DataError, chunks
from data.tables import InputRow, TableFormat, input_rows
from data.text_files import encoding_refusal, named_encoding, undecodable
from tasks.engine.config import JsonObject, SettingError, Settings, TaskConfig, setting_types
from tasks.engine.task import Answer, Pipeline
from tasks.engine.terminal import exit_code, sentence

CHUNK = 256  # inputs answered at a time
BAD_INPUT = (DataError, OSError)  # what a bad input raises
T = TypeVar("T")


class Item(NamedTuple):
    """An input as it is shown, what is wrong with it, and what stands beside it in its file."""

    value: str
    error: str = ""
    about: Mapping[str, Any] = {}


class Outcome(NamedTuple):
    """What became of an item: its answer, or the error in place of one."""

    item: Item
    answer: Answer = None
    error: Exception | None = None

    def record(self) -> JsonObject:
        """Return the outcome as JSON types."""
        found = {"error": sentence(self.error)} if self.error else {"answer": self.answer}
        return {"input": self.item.value, **found, **self.item.about}

    def plain(self) -> str:
        """Return the bare answer as one line; an error is an empty line."""
        return "" if self.error else " ".join(str(next(iter(self.answer.values()))).splitlines())


class InputsError(ValueError):
    """Some inputs have no answer; the others have been answered."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = code


class Tally:
    """The number of inputs, and of those without an answer."""

    def __init__(self) -> None:
        self.total, self.failed = 0, 0
        self.first: Outcome | None = None
        self.codes = set[int]()

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.total += 1
        if outcome.error:
            self.failed += 1
            self.first = self.first or outcome
            self.codes.add(exit_code(outcome.error))

    def check(self) -> None:
        """Raise `InputsError` if an input has no answer; the exit code is 65, or the one that all inputs share."""
        if self.first is None or self.first.error is None:
            return
        said, about = sentence(self.first.error).rstrip("."), self.first.item.about
        row = f", row {about['row']}" if "row" in about else ""
        count = f"There is no answer for {self.failed:,} of {self.total:,} inputs; the first{row}: "
        alone = self.failed == self.total and len(self.codes) == 1
        code = next(iter(self.codes)) if alone else DataError.exit_code
        raise InputsError(f"{said}." if self.total == 1 else f"{count}{said}.", code)


def typed_format(pipeline: Pipeline[Any], settings: Settings) -> TableFormat:
    """Return the columns and the encoding that the user gave, without those that the run was trained with."""
    config = pipeline.config
    return TableFormat(
        config.column_names() if "columns" in settings else {}, config.encoding if "encoding" in settings else None
    )


def item_chunks(
    pipeline: Pipeline[Any], words: Iterable[str], rows: Iterator[Item], encoding: str | None
) -> Iterator[list[Item]]:
    """Yield the items of the command line, of standard input for `-`, and of a file, some at a time."""

    def expanded(items: Iterable[Item]) -> Iterator[Item]:
        return (one for item in items for one in expanded_items(pipeline, item))

    for is_input, group in groupby(words, lambda word: word == "-"):
        if is_input:
            yield from ready_chunks(expanded(line_items(encoding)))
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
        yield from (written_outcome(pipeline, item, out, show) for item in chunk)
        return
    read: dict[int, Any] = {}
    found = [Outcome(item) for item in chunk]
    for place, item in enumerate(chunk):
        try:
            read[place] = read_item(pipeline, item)
        except BAD_INPUT as error:
            found[place] = Outcome(item, error=error)
    answers = pipeline.task.predict(pipeline, read.values()) if read else []
    for place, answer in zip(read, answers, strict=True):
        pipeline.draw(read[place], answer)
        found[place] = Outcome(chunk[place], answer)
    yield from found


def check_outputs(config: TaskConfig) -> None:
    """Raise `OSError` if a file that an answer is drawn into cannot be made."""
    for field in fields(config):
        value = config.state()[field.name]
        if value and field.metadata["when"] == "answer" and "Path" in str(setting_types(type(config))[field.name]):
            check_folder(Path(value).parent, value)


def check_folder(folder: Path, file: Path | str) -> None:
    """Raise `OSError` unless files can be made in a folder."""
    if not os.access(folder, os.W_OK | os.X_OK):
        reason = "cannot be written to" if folder.is_dir() else "does not exist"
        raise OSError(f"{str(file)!r} cannot be made, since its folder {reason}; name another file.")


def open_output(path: Path) -> IO[str]:
    """Open a new file for answers.

    Raises:
        OSError: It exists, or cannot be made.
    """
    if path.exists():
        raise FileExistsError(f"{str(path)!r} exists; name a new file with --out.")
    check_folder(path.parent, path)
    return path.open("x", encoding="utf-8")


def check_target(out: Path | None, count: int) -> None:
    """Raise `SettingError` if several answers are to be written into one file."""
    if out and count > 1 and out.suffix.lower() in SUFFIXES and not out.is_dir():
        raise SettingError(f"`out` is the file {str(out)!r}, and there are {count} pictures; give a folder.")


def read_item(pipeline: Pipeline[Any], item: Item) -> Any:
    """Return an item as the codec reads it.

    Raises:
        DataError, OSError: There can be no answer for it.
    """
    if item.error:
        raise DataError(item.error)
    return pipeline.codec.read(item.value)


def written_outcome(pipeline: Pipeline[Any], item: Item, out: Path | None, show: bool) -> Outcome:
    """Return the outcome of an item whose answer is a file, which is written."""
    assert pipeline.task.write
    try:
        if item.error:
            raise DataError(item.error)
        return Outcome(item, pipeline.task.write(pipeline, item.value, out, show))
    except BAD_INPUT as error:
        if exit_code(error) == 73 and not isinstance(error, FileExistsError):
            raise  # nothing can be written, for any input
        return Outcome(item, error=error)


def expanded_items(pipeline: Pipeline[Any], item: Item) -> Iterator[Item]:
    """Yield the items that one stands for, as a folder stands for its pictures."""
    try:
        yield from (item._replace(value=value) for value in pipeline.task.accepts.expand(item.value))
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

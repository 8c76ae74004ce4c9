"""From inputs as people give them to one record for each, in step."""

from __future__ import annotations

import io
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby, islice
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any, NamedTuple, TypeVar

from data.pictures.files import SUFFIXES
from data.pictures.photo import OutputError
from data.splits import DataError, chunks
from data.tables import InputRow, TableFormat, input_rows, readable
from data.text_files import encoding_refusal, named_encoding, undecodable
from tasks.engine.config import JsonObject, SettingError, Settings
from tasks.engine.task import IMAGE, Answer, Pipeline, Task, mark_counts, say_remarks
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

    def line(self, plain: bool) -> str:
        """Return the outcome as a line to print: the bare answer, or a JSON object."""
        return readable(self.plain() if plain else json.dumps(self.record(), ensure_ascii=False))


class InputsError(ValueError):
    """Some inputs have no answer; the others have been answered."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = code


class Tally:
    """The number of inputs, of those without an answer, and of answers with a mark."""

    def __init__(self, task: Task[Any]) -> None:
        self.task, self.total, self.failed = task, 0, 0
        self.marks = Counter[str]()
        self.first: Outcome | None = None
        self.codes = set[int]()

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.total += 1
        if outcome.error:
            self.failed += 1
            self.first = self.first or outcome
            self.codes.add(exit_code(outcome.error))
        else:
            self.marks += mark_counts(self.task, [outcome.answer])

    def check(self) -> None:
        """Give notice of marks, and raise `InputsError` if an input has no answer.

        The exit code is 65, or the one that all inputs share.
        """
        say_remarks(self.task, self.marks, self.total)
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
    """Yield the items of the command line, of standard input for `-`, and of a file, some at a time.

    A word may stand for several items, as a folder stands for its pictures; a line or a row is one item.
    """
    for is_input, group in groupby(words, lambda word: word == "-"):
        if is_input:
            yield from ready_chunks(line_items(encoding))
        else:
            yield from chunks((item for word in group for item in word_items(pipeline, word)), CHUNK)
    yield from chunks(rows, CHUNK)


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


def check_target(out: Path | None, count: int) -> None:
    """Raise `SettingError` if several answers are to be written into one file."""
    if out and count > 1 and out.suffix.lower() in SUFFIXES and not out.is_dir():
        raise SettingError(f"`out` is the file {str(out)!r}, and there are {count} pictures; give a folder.")


def read_item(pipeline: Pipeline[Any], item: Item) -> Any:
    """Return an item as the codec reads it.

    Raises:
        DataError, OSError: There can be no answer for it.
    """
    check_item(pipeline, item)
    return pipeline.codec.read(item.value)


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
    if Path(item.value).is_dir():
        raise IsADirectoryError(f"{item.value!r} is a folder; name the pictures in it.")


def written_outcome(pipeline: Pipeline[Any], item: Item, out: Path | None, show: bool) -> Outcome:
    """Return the outcome of an item whose answer is a file, which is written."""
    assert pipeline.task.write
    try:
        check_item(pipeline, item)
        return Outcome(item, pipeline.task.write(pipeline, item.value, out, show))
    except BAD_INPUT as error:
        if out and isinstance(error, OutputError):
            raise  # nothing can be written there, for any input
        return Outcome(item, error=error)


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
        yield Item(text.encode("utf-8", "replace").decode() if error else text, error)


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

"""From inputs to one record for each, in step."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from data.pictures.files import SUFFIXES
from data.pictures.photo import OutputError
from data.splits import DataError
from data.tables import readable
from data.text_files import undecodable
from tasks.engine.config import JsonObject, SettingError
from tasks.engine.items import BAD_INPUT, Item
from tasks.engine.task import IMAGE, Answer, Pipeline, Task, mark_counts, say_remarks
from tasks.engine.terminal import exit_code, sentence


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

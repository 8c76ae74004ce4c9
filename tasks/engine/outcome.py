"""What becomes of the inputs of the command line: a record for each, and their number."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, NamedTuple

from data.splits import DataError
from data.tables import readable
from tasks.engine.config import JsonObject
from tasks.engine.items import Item
from tasks.engine.task import Answer, Task, mark_counts, say_remarks
from tasks.engine.terminal import exit_code, sentence, visible, visible_json


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
        """Return the bare answer as one line; an error, or an answer of nothing, is an empty line."""
        bare = None if self.error else next(iter(self.answer.values()))
        return "" if bare is None else " ".join(str(bare).splitlines())

    def line(self, plain: bool) -> str:
        """Return the outcome as a line to print: the bare answer, or a JSON object.

        Raises:
            DataError: A number of the answer is not finite.
        """
        if plain:
            return visible(readable(self.plain()))
        try:
            text = json.dumps(self.record(), ensure_ascii=False, allow_nan=False)
        except ValueError as error:
            raise DataError(f"The answer to {self.item.value!r} is not finite, so the run is damaged.") from error
        return visible_json(readable(text))


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
        self.first: JsonObject = {}  # the first error, and its row if it has one
        self.codes = set[int]()

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.total += 1
        if outcome.error:
            self.failed += 1
            self.first = self.first or {"error": sentence(outcome.error), "row": outcome.item.about.get("row")}
            self.codes.add(exit_code(outcome.error))
        else:
            self.marks += mark_counts(self.task, [outcome.answer])

    def state(self) -> JsonObject:
        """Return what was counted, as JSON types."""
        codes, marks = sorted(self.codes), dict(self.marks)
        return {"total": self.total, "failed": self.failed, "marks": marks, "first": self.first, "codes": codes}

    def merge(self, state: JsonObject) -> None:
        """Count what another process has counted of the inputs that follow, by its `state`."""
        self.total += state["total"]
        self.failed += state["failed"]
        self.marks += Counter(state["marks"])
        self.first = self.first or state["first"]
        self.codes |= {*state["codes"]}

    def check(self) -> None:
        """Give notice of marks, and raise `InputsError` if an input has no answer.

        The exit code is 65, or the one that all inputs share.
        """
        say_remarks(self.task, self.marks, self.total)
        if not self.first:
            return
        said = self.first["error"].rstrip(".")
        row = "" if self.first["row"] is None else f", row {self.first['row']}"
        count = f"There is no answer for {self.failed:,} of {self.total:,} inputs; the first{row}: "
        alone = self.failed == self.total and len(self.codes) == 1
        code = next(iter(self.codes)) if alone else DataError.exit_code
        raise InputsError(f"{said}." if self.total == 1 else f"{count}{said}.", code)

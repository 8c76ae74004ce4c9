"""From inputs as people give them to one outcome for each, in step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tasks.engine.answer_files import check_target, with_bar, written_outcomes
from tasks.engine.items import BAD_INPUT, Item, check_item
from tasks.engine.outcome import Outcome
from tasks.engine.task import Pipeline


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
        known[place] = Outcome(chunk[place], answer | pipeline.draw(read[place], answer))
    yield from known


def read_item(pipeline: Pipeline[Any], item: Item) -> Any:
    """Return an item as the codec reads it.

    Raises:
        DataError, OSError: There can be no answer for it.
    """
    check_item(pipeline, item)
    return pipeline.codec.read(item.value if item.content is None else item.content)

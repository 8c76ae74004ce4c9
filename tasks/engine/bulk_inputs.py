"""The inputs of a command as chunks, which any process can read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from data.pictures.output import written_path
from data.tables import TableFormat
from tasks.engine.answer_files import check_target, is_file_name
from tasks.engine.items import Item, file_items, item_chunks
from tasks.engine.task import Pipeline

PICTURES = 8  # pictures of a chunk where answers are files


class Request(NamedTuple):
    """The inputs of a command.

    Attributes:
        words: Words of the command line.
        file: File of inputs, if any.
        form: Its columns and encoding, as the user gave them.
        keep: Other columns of it that answers repeat.
    """

    words: Sequence[str]
    file: Path | None
    form: TableFormat
    keep: Sequence[str]

    def chunks(self, pipeline: Pipeline[Any], out: Path | None) -> Iterator[Sequence[Item]]:
        """Return the chunks of inputs that one process would answer; where answers are files, smaller ones."""
        rows = file_items(pipeline, self.file, self.form, self.keep) if self.file else iter(())
        found = item_chunks(pipeline, self.words, rows, self.form.encoding, out)
        return picture_chunks(found, out) if pipeline.task.write else found


def picture_chunks(chunks: Iterable[list[Item]], out: Path | None) -> Iterator[list[Item]]:
    """Yield small chunks of pictures; one whose answer would have the file of another is an error in its place."""
    taken = dict[int, str]()
    for chunk in chunks:
        check_target(out, len(chunk))
        for start in range(0, len(chunk), PICTURES):
            yield [alone(item, out, taken) for item in chunk[start : start + PICTURES]]


def alone(item: Item, out: Path | None, taken: dict[int, str]) -> Item:
    """Return an item, with an error if an earlier one has the file of its answer.

    Args:
        taken: The item that has each file; a hash stands for its name, to save memory.
    """
    if item.error or (out is not None and is_file_name(out)):
        return item
    place = Path(item.value) if out is None else out / item.inside / Path(item.value).name
    key = hash(str(written_path(place)))
    if key in taken:
        return item._replace(error=f"Its answer would have the file of that to {taken[key]!r}; separate their folders.")
    taken[key] = item.value
    return item

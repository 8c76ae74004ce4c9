"""Files beside those of captions: lists of the pictures of each part, and a text beside each picture."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from data.pictures.caption_json import CaptionRow
from data.pictures.caption_places import folder_part, plain_parts, uncounted_parts
from data.pictures.containers import Entry, stem_of
from data.splits import part_of
from data.tables import TableFormat
from data.text_files import content_name, content_suffix, read_text, text_lines

TEXTS = (".txt", ".token", ".lst", ".list")
LIST_WORDS = re.compile(r"images?|imgs?|names?|files?|ids?|list")
SIDES = (".txt", ".caption", ".captions")  # endings of files with the captions of one picture


@dataclass(frozen=True)
class Source:
    """The captions of one file, or of the side files.

    Attributes:
        name: Its name, for messages.
        base: The folders that it is in.
        part: The part that its name or its folder tells, or nothing.
        rows: The pictures, as it names them.
    """

    name: str
    base: tuple[str, ...]
    part: str
    rows: Sequence[CaptionRow]


def with_lists(sources: list[Source], tree: Sequence[Entry], form: TableFormat) -> list[Source]:
    """Return sources in which rows without a part have that of the list that names their picture.

    A list has the name of a picture in each line, and is called as a part, such as `Flickr_8k.trainImages.txt`.
    """
    if any(source.part or any(row.split.strip() for row in source.rows) for source in sources):
        return sources
    known = {plain_parts(uncounted_parts(row.image))[-1:] for source in sources for row in source.rows}
    parts: dict[tuple[str, ...], list[str]] = {}
    for entry in tree:
        if content_suffix(entry.text) in TEXTS and (part := list_part(entry)):
            for name in list_names(entry, known, form):
                parts.setdefault(name, []).append(part)
    return [replace(source, rows=listed_rows(source.rows, parts)) for source in sources] if parts else sources


def list_part(entry: Entry) -> str | None:
    """Return the part that the name of a list tells."""
    return part_of(LIST_WORDS.sub(" ", stem_of(content_name(entry.text)).rsplit(".", 1)[0].lower() + " "))


def list_names(entry: Entry, known: set[tuple[str, ...]], form: TableFormat) -> list[tuple[str, ...]]:
    """Return the pictures that the lines of a file name, none if most lines are something else."""
    lines = [plain_parts(uncounted_parts(line)) for line in text_lines(entry.text, form.encoding) if line.strip()]
    return lines if 2 * sum(line[-1:] in known for line in lines) > len(lines) else []


def listed_rows(rows: Sequence[CaptionRow], parts: dict[tuple[str, ...], list[str]]) -> list[CaptionRow]:
    """Return rows with the parts that lists name; those in no list are extra, those in two are there twice."""
    found = list[CaptionRow]()
    for row in rows:
        own = plain_parts(uncounted_parts(row.image))
        for part in dict.fromkeys(parts.get(own) or parts.get(own[-1:]) or ["extra"]):
            found.append(row._replace(split=part))
    return found


def side_source(tree: Sequence[Entry], form: TableFormat, place: str) -> Source | None:
    """Return the captions in files that are called as a picture, one a line; `None` if most pictures have none."""
    pictures = {plain_parts(entry.parts)[-1] for entry in tree if entry.is_picture}
    beside = [
        entry
        for entry in tree
        if entry.name.lower().endswith(SIDES) and side_stem(entry.name) in pictures and not entry.is_picture
    ]
    if 2 * len(beside) < len(pictures) or not beside:
        return None
    return Source(place, (), "", [side_row(entry, form) for entry in beside])


def side_stem(name: str) -> str:
    """Return the name of the picture that a side file is for: `a` for `a.txt`, and for `a.jpg.txt`."""
    return plain_parts((name.rpartition(".")[0],))[-1]


def side_row(entry: Entry, form: TableFormat) -> CaptionRow:
    """Return the captions in a side file; its folder tells the part."""
    lines = read_text(entry.text, form.encoding).splitlines()
    image = "/".join((*entry.folders, entry.name.rpartition(".")[0]))
    return CaptionRow(image, tuple(lines or [""]), folder_part(entry.folders) or "")

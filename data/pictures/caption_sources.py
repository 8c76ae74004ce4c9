"""Files of captions: which files of a folder they are, and what they hold."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from zipfile import Path as ZipPath

from data.columns import Names, listed
from data.pictures.caption_json import CaptionRow, is_picture_name, json_caption_rows
from data.pictures.caption_places import folder_part, path_parts, plain_parts
from data.pictures.caption_tables import table_caption_rows, token_rows
from data.pictures.caption_tree import Entry, content_of, stem_of
from data.records import TABLES
from data.splits import DataError, OptionError, part_of
from data.tables import TableFormat
from data.text_files import File, content_name, content_suffix, read_text, text_lines

LOG = logging.getLogger("tasks")
TEXTS = (".txt", ".token", ".lst", ".list")
OTHER_NOTES = re.compile(
    r"instances_|keypoints_|panoptic_|stuff_|lemma|crowdflower|expertannotations|requirements|readme"
)
TOKEN_LINE = re.compile(r"\S.*\.\w+#\w+(?:\t|\s|$)")
LIST_WORDS = re.compile(r"images?|imgs?|names?|files?|ids?|list")
SIDES = (".txt", ".caption", ".captions")  # endings of files with the captions of one picture
MOST = 200  # files that are tried


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


def caption_sources(tree: Sequence[Entry], names: Names, form: TableFormat, place: str) -> list[Source]:
    """Return the files of captions in a folder: each that can be read as one, or else the files beside pictures.

    Files of tokens come first, then those with `caption` in their name; the others count if there are none.

    Args:
        tree: The files of the folder.
        names, form: As for `table_caption_rows`.
        place: Name of the folder, for messages.

    Raises:
        DataError: There are none, or one cannot be read.
        OptionError: No file has a column that the user named.
    """
    files, failed = candidates(tree), list[tuple[Entry, Exception]]()
    for choice in (is_called_tokens, is_called_captions, lambda entry: True):
        chosen = [entry for entry in files if choice(entry)]
        found, errors = readable_sources(chosen, names, form)
        if found:
            say_unused([error for error in errors if is_table_name(error[0])], place)
            return with_lists(found, tree, form)
        failed += [error for error in errors if is_table_name(error[0]) or choice is is_called_tokens]
        if failed and (choice is is_called_tokens or "caption" in failed[0][0].name.lower()):
            break
    if not failed and (sides := side_source(tree, form, place)):
        return [sides]
    if failed:
        raise failed[0][1]
    raise DataError(
        f"{place!r} holds no file of captions; name a .csv, .tsv, .json or .jsonl table, a '*.token.txt', or put a "
        f".txt beside each picture."
    )


def candidates(tree: Sequence[Entry]) -> list[Entry]:
    """Return the files that may hold the captions of many pictures, without copies."""
    beside = {(entry.folder, stem_of(entry.name).casefold()) for entry in tree if entry.is_picture}
    filled = {entry.folder for entry in tree if entry.is_picture}
    found, seen = list[Entry](), set[object]()
    for entry in sorted(tree, key=lambda entry: not is_table_name(entry)):
        suffix = content_suffix(entry.text) if not entry.is_picture else ""
        if suffix not in (*TABLES, *TEXTS) or OTHER_NOTES.search(entry.name.lower()):
            continue
        if (entry.folder, entry.name.partition(".")[0].casefold()) in beside or len(found) >= MOST:
            continue
        key = (content_of(entry), source_part(entry), entry.folder in filled and entry.folder)
        if key not in seen:
            seen.add(key)
            found.append(entry)
    return found


def is_called_captions(entry: Entry) -> bool:
    """Return whether a file is called captions, or metadata as the `datasets` library reads it."""
    stem = content_name(entry.text).lower()
    return "caption" in stem or stem.partition(".")[0] == "metadata"


def is_called_tokens(entry: Entry) -> bool:
    """Return whether a file is called as the tokens of Flickr8k and Flickr30k."""
    return entry.name.lower().endswith((".token.txt", ".token"))


def is_table_name(entry: Entry) -> bool:
    """Return whether a file is a table by its name."""
    return not entry.is_picture and content_suffix(entry.text) in TABLES


def readable_sources(
    entries: Sequence[Entry], names: Names, form: TableFormat
) -> tuple[list[Source], list[tuple[Entry, Exception]]]:
    """Return the files that hold captions, and what is wrong with the others."""
    found, errors = list[Source](), list[tuple[Entry, Exception]]()
    for entry in entries:
        try:
            rows = caption_rows(entry.text, names, form)
        except (DataError, OptionError) as error:
            errors.append((entry, error))
            continue
        if rows is not None:
            found.append(Source(str(entry.text), entry.folder, source_part(entry), rows))
    return found, errors


def source_part(entry: Entry) -> str:
    """Return the part that the name of a file tells, or that of its folder; or nothing."""
    return part_of(re.sub(r"\d+", "", content_name(entry.text))) or folder_part(entry.folder) or ""


def caption_rows(path: File, names: Names, form: TableFormat) -> list[CaptionRow] | None:
    """Return the rows of a file of captions, or `None` if it is another text file.

    Raises:
        DataError, OptionError: It is a table without captions, or cannot be read.
    """
    suffix = content_suffix(path)
    if suffix == ".json" and (rows := json_caption_rows(path, form.encoding)) is not None:
        return rows
    if suffix in TEXTS:
        head = [line for line in islice(text_lines(path, form.encoding), 50) if line.strip()]
        if path.name.lower().endswith((".token.txt", ".token")) or (head and TOKEN_LINE.match(head[0])):
            return list(token_rows(path, form.encoding))
        if not looks_like_table(head):
            return None
    return table_caption_rows(path, names, form)


def looks_like_table(lines: Sequence[str]) -> bool:
    """Return whether most lines of a text file begin with a picture, and go on behind a delimiter."""
    rest = lines[1:] or lines
    firsts = [re.split(r"[,;|\t]", line, maxsplit=1) for line in rest]
    named = sum(len(cells) > 1 and is_picture_name(cells[0].strip('"')) for cells in firsts)
    return bool(lines) and (2 * named > len(rest) or ("caption" in lines[0].lower() and len(firsts[0]) > 1))


def say_unused(errors: Sequence[tuple[Entry, Exception]], place: str) -> None:
    """Give notice of tables that are not used."""
    if errors:
        error = errors[0][1]
        said = listed([entry.name for entry, _ in errors])
        LOG.warning("%s: not used, since no captions are in them: %s (%s)", place, said, error)


def with_lists(sources: list[Source], tree: Sequence[Entry], form: TableFormat) -> list[Source]:
    """Return sources in which rows without a part have that of the list that names their picture.

    A list has the name of a picture in each line, and is called as a part, such as `Flickr_8k.trainImages.txt`.
    """
    if any(source.part or any(row.split.strip() for row in source.rows) for source in sources):
        return sources
    known = {plain_parts(path_parts(row.image))[-1:] for source in sources for row in source.rows}
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
    lines = [plain_parts(path_parts(line)) for line in text_lines(entry.text, form.encoding) if line.strip()]
    return lines if 2 * sum(line[-1:] in known for line in lines) > len(lines) else []


def listed_rows(rows: Sequence[CaptionRow], parts: dict[tuple[str, ...], list[str]]) -> list[CaptionRow]:
    """Return rows with the parts that lists name; those in no list are extra, those in two are there twice."""
    found = list[CaptionRow]()
    for row in rows:
        own = plain_parts(path_parts(row.image))
        for part in dict.fromkeys(parts.get(own) or parts.get(own[-1:]) or ["extra"]):
            found.append(row._replace(split=part))
    return found


def side_source(tree: Sequence[Entry], form: TableFormat, place: str) -> Source | None:
    """Return the captions in files that are called as a picture, a caption a line; `None` if there are none."""
    pictures = {plain_parts(entry.parts)[-1] for entry in tree if entry.is_picture}
    beside = [
        entry
        for entry in tree
        if entry.name.lower().endswith(SIDES) and side_stem(entry.name) in pictures and not entry.is_picture
    ]
    rows = [side_row(entry, form) for entry in beside]
    return Source(place, (), "", rows) if rows else None


def side_stem(name: str) -> str:
    """Return the name of the picture that a side file is for: `a` for `a.txt`, and for `a.jpg.txt`."""
    return plain_parts((name.rpartition(".")[0],))[-1]


def side_row(entry: Entry, form: TableFormat) -> CaptionRow:
    """Return the captions in a side file; its folder tells the part."""
    lines = read_text(entry.text, form.encoding).splitlines()
    image = "/".join((*entry.folder, entry.name.rpartition(".")[0]))
    return CaptionRow(image, tuple(lines or [""]), folder_part(entry.folder) or "")


def file_source(path: Path | ZipPath, base: Sequence[str], names: Names, form: TableFormat) -> Source:
    """Return the captions of the file that the user names.

    Raises:
        DataError, OptionError: It holds no captions, or cannot be read.
    """
    rows = caption_rows(path, names, form)
    if rows is None:
        rows = table_caption_rows(path, names, form)
    part = part_of(re.sub(r"\d+", "", content_name(path))) or ""
    return Source(str(path), tuple(base), part, rows)

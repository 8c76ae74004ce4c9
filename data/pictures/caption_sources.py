"""Files of captions: which files of a folder they are, and what they hold."""

import logging
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from zipfile import Path as ZipPath

from data.columns import Names, listed
from data.pictures.caption_json import CaptionRow, is_picture_name, json_caption_rows
from data.pictures.caption_lists import TEXTS, Source, side_source, with_lists
from data.pictures.caption_places import folder_part
from data.pictures.caption_tables import comma_rows, table_caption_rows, token_rows
from data.pictures.containers import Entry, content_of, stem_of
from data.records import TABLES
from data.splits import DataError, OptionError, part_of
from data.tables import TableFormat
from data.text_files import File, content_name, content_suffix, text_lines

LOG = logging.getLogger("tasks")
OTHER_NOTES = re.compile(
    r"instances_|keypoints_|panoptic_|stuff_|lemma|crowdflower|expertannotations|requirements|readme"
)
TOKEN_LINE = re.compile(r"\S.*\.\w+#\w+(?:\t|\s|$)")
MOST = 200  # files that are tried


def caption_sources(tree: Sequence[Entry], names: Names, form: TableFormat, place: str) -> list[Source]:
    """Return the files of captions in a folder: each that can be read as one, or else the files beside pictures.

    Karpathy's splits come first, then files of tokens, then those with `caption` in their name; the others count if
    there are none.

    Args:
        tree: The files of the folder.
        names, form: As for `table_caption_rows`.
        place: Name of the folder, for messages.

    Raises:
        DataError: There are none, or one cannot be read.
        OptionError: No file has a column that the user named.
    """
    files, failed = candidates(tree), list[Exception]()
    sides = side_source(tree, form, place)
    called = [entry for entry in files if is_called_captions(entry) and not is_called_tokens(entry)]
    other = [] if sides else [entry for entry in files if entry not in called]
    for chosen in (
        *(list(filter(is_called, files)) for is_called in (is_called_dataset, is_called_tokens)),
        called,
        other,
    ):
        found, errors = readable_sources(chosen, names, form)
        if found:
            say_unused(errors, [entry for entry in files if is_table_name(entry) and entry not in chosen], place)
            return with_lists(found, tree, form)
        failed += [error for _, error in errors]
        if any("caption" in entry.name.lower() or is_called_tokens(entry) for entry, _ in errors):
            break
    if sides and not failed:
        say_unused([], list(filter(is_table_name, files)), place)
        return [sides]
    if failed:
        raise failed[0]
    raise DataError(
        f"{place!r} holds no file of captions; name a .csv, .tsv, .json or .jsonl table, a '*.token.txt', or put a "
        f".txt beside each picture."
    )


def candidates(tree: Sequence[Entry]) -> list[Entry]:
    """Return the files that may hold the captions of many pictures, without copies."""
    beside = {(entry.folders, stem_of(entry.name).casefold()) for entry in tree if entry.is_picture}
    filled = {entry.folders for entry in tree if entry.is_picture}
    found, seen = list[Entry](), set[object]()
    for entry in sorted(tree, key=lambda entry: not is_table_name(entry)):
        suffix = content_suffix(entry.text) if not entry.is_picture else ""
        if suffix not in (*TABLES, *TEXTS) or OTHER_NOTES.search(entry.name.lower()):
            continue
        if (entry.folders, entry.name.partition(".")[0].casefold()) in beside or len(found) >= MOST:
            continue
        key = (content_of(entry.file), source_part(entry), entry.folders in filled and entry.folders)
        if key not in seen:
            seen.add(key)
            found.append(entry)
    return found


def is_called_dataset(entry: Entry) -> bool:
    """Return whether a file is called as Karpathy's splits, such as `dataset_coco.json`."""
    return re.fullmatch(r"dataset_(?!infos?\.).+\.json", entry.name.lower()) is not None


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
            if is_table_name(entry) or is_called_captions(entry) or is_called_tokens(entry):
                errors.append((entry, error))
            continue
        if rows is not None:
            found.append(Source(str(entry.text), entry.folders, source_part(entry), rows))
    return found, errors


def source_part(entry: Entry) -> str:
    """Return the part that the name of a file tells, or that of its folder; or nothing."""
    return part_of(re.sub(r"\d+", "", content_name(entry.text))) or folder_part(entry.folders) or ""


def caption_rows(path: File, names: Names, form: TableFormat) -> list[CaptionRow] | None:
    """Return the rows of a file of captions, or `None` if it is another text file.

    Raises:
        DataError, OptionError: It is a table without captions, or cannot be read.
    """
    suffix = content_suffix(path)
    if suffix == ".json" and (rows := json_caption_rows(path, form.encoding)) is not None:
        say_columns(path, form)
        return rows
    if suffix in TEXTS:
        head = [line for line in islice(text_lines(path, form.encoding), 50) if line.strip()]
        if path.name.lower().endswith((".token.txt", ".token")) or (head and TOKEN_LINE.match(head[0])):
            say_columns(path, form)
            return list(token_rows(path, form.encoding))
        if not looks_like_table(head):
            return None
    if suffix in (*TEXTS, ".csv") and (rows := comma_rows(path, names, form)):
        return rows
    return table_caption_rows(path, names, form)


def say_columns(path: File, form: TableFormat) -> None:
    """Give notice of columns that the user named for a file without columns."""
    if form.columns:
        LOG.warning("%s has no columns, so --columns is not used.", path.name)


def looks_like_table(lines: Sequence[str]) -> bool:
    """Return whether most lines of a text file begin with a picture, and go on behind a delimiter."""
    rest = lines[1:] or lines
    firsts = [re.split(r"[,;|\t]", line, maxsplit=1) for line in rest]
    named = sum(len(cells) > 1 and is_picture_name(cells[0].strip('"')) for cells in firsts)
    return bool(lines) and (2 * named > len(rest) or ("caption" in lines[0].lower() and len(firsts[0]) > 1))


def say_unused(errors: Sequence[tuple[Entry, Exception]], rest: Sequence[Entry], place: str) -> None:
    """Give notice of tables that are not used: those that have no captions, and those beside files of captions."""
    if errors:
        said = listed([entry.name for entry, _ in errors])
        LOG.warning("%s: not used, since no captions are read in them: %s (%s)", place, said, errors[0][1])
    if rest:
        LOG.warning("%s: not used beside the captions: %s.", place, listed([entry.name for entry in rest]))


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

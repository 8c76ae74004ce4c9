"""Captions in tables and in lists of tokens: which columns they are in, with or without names."""

import ast
import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from data.columns import Names, column_places, place_of, similar_column, split_column
from data.pictures.caption_json import CaptionRow, is_picture_name
from data.records import Record
from data.splits import DataError
from data.tables import Table, TableFormat, check_fields, open_table
from data.text_files import File, decoded_lines, text_lines, undecodable
from data.values import Listed

LOG = logging.getLogger("tasks")
NUMBERED = re.compile(r"[\s_-]*\(?\d+\)?$")  # end of the names of columns that hold one caption each
FEW = 3  # rows or pictures that may be lost, if they are not a fourth of all
LOST_LIMIT = 0.01  # share of many that may be lost


def check_lost(lost: Sequence[str], total: int, what: str, things: str = "pictures", way: str = "") -> None:
    """Give notice of the number of pictures left out, and their fault.

    Args:
        lost: Names of those left out.
        total: Number of all.
        what: What is wrong with them.
        things: What they are.
        way: What the user can do about it.

    Raises:
        DataError: Too many are left out: over 1 %, and over 3 or at least a fourth of all.
    """
    if not lost:
        return
    said = f"{what}: {len(lost):,} of {total:,} {things}, the first is {lost[0]!r}"
    if len(lost) > LOST_LIMIT * total and (len(lost) > FEW or 4 * len(lost) >= total):
        limit = f"at most one in a hundred may be, or {FEW} of a small number"
        raise DataError(f"{said[:1].upper()}{said[1:]}; {way or limit}.")
    LOG.warning("Left out, %s%s.", said, way and f"; {way}")


def token_rows(path: File, encoding: str | None) -> Iterator[CaptionRow]:
    """Yield the rows of a file whose lines are `name#number`, a tab, and a caption.

    Raises:
        DataError: A line has no tab.
    """
    for number, line in enumerate(decoded_lines(path, encoding), start=1):
        name, tab, caption = line.lstrip("\ufeff").partition("\t")
        if line.strip() and not tab:
            raise DataError(f"{str(path)!r}, line {number}: there is no tab between the picture and its caption.")
        if line.strip():
            yield CaptionRow(name, (caption,))


def comma_rows(path: File, names: Names, form: TableFormat) -> list[CaptionRow] | None:
    """Return the rows of a file of two columns with commas, in which captions have commas and no quotes.

    `None` if it is not such a file.
    """
    lines = [line for line in text_lines(path, form.encoding) if line.strip()]
    if form.columns or not lines or lines[0].count(",") != 1 or any('"' in line or undecodable(line) for line in lines):
        return None
    first, second = lines[0].split(",")
    headed = not is_picture_name(first)
    if headed and not any(similar_column([second], name) for name in names["caption"]):
        return None
    cells = [line.split(",", maxsplit=1) for line in lines[headed:]]
    named = all(len(each) == 2 and is_picture_name(each[0]) for each in cells)
    if not named or not any("," in each[1] for each in cells):
        return None
    LOG.warning("%s: the commas behind the first in a line belong to its caption.", Path(str(path)).name)
    return [CaptionRow(image, (caption,)) for image, caption in cells]


def table_caption_rows(path: File, names: Names, form: TableFormat) -> list[CaptionRow]:
    """Return the rows of a table of captions.

    Raises:
        DataError: It is not a table, a column is missing or may be one of several, or too many rows cannot be read.
        OptionError: A column or an encoding that the user named does not exist.
    """
    table = headed_table(open_table(path, names, form), path)
    check_fields(form.columns, names)
    if any(column.endswith("/bytes") for column in table.columns) and "image" not in form.columns:
        raise DataError(
            f"{str(path)!r} holds the pictures themselves, which are not read from a table; save them as files, and "
            f"give a table with their names."
        )
    image, captions = caption_places(table, names, form.columns, str(path))
    split = split_column(table.columns, form.columns, [record.values for record in table.head], str(path))
    found, lost = list[CaptionRow](), list[str]()
    check_plain(table, captions, str(path))
    for record in table.records:
        if record.error:
            lost.append(f"row {record.number}: {record.error}")
            continue
        texts = tuple(text for place in captions for text in listed_texts(record.values.get(place, "")))
        part = record.values.get(split, "") if split else ""
        found.append(CaptionRow(record.values.get(image, ""), texts, part))
    check_lost(lost, len(found) + len(lost), f"not to be read in {Path(str(path)).name!r}", "rows")
    return found


def check_plain(table: Table, columns: Sequence[str], path: str) -> None:
    """Raise `DataError` if the first captions in some columns are lists of objects, such as conversations."""
    for column in columns:
        values = [record.values.get(column, "") for record in table.head]
        if any(isinstance(value, Listed) and not value.plain for value in values):
            raise DataError(f"{path!r}: column {column!r} holds lists of objects; give captions as texts or as lists.")


def headed_table(table: Table, path: File) -> Table:
    """Return a table whose first row was taken for names of columns although it names a picture, with that row."""
    if not any(is_picture_name(name) for name in table.columns):
        return table
    columns = [str(number) for number in range(1, len(table.columns) + 1)]

    def numbered(record: Record) -> Record:
        values = [record.values.get(name, "") for name in table.columns]
        return Record(record.number + 1, dict(zip(columns, values, strict=True)), record.error)

    first = Record(1, dict(zip(columns, table.columns, strict=True)))
    head = [first, *map(numbered, table.head)]

    def records() -> Iterator[Record]:
        yield first
        yield from map(numbered, table.records)

    return Table(columns, records(), head)


def caption_places(table: Table, names: Names, given: Mapping[str, str], path: str) -> tuple[str, list[str]]:
    """Return the column of the names of pictures, and the columns of captions.

    Raises:
        DataError: One of them is missing, or may be one of several.
        OptionError: The user named a column that does not exist.
    """
    columns = table.columns
    image = image_place(table, names["image"]) if "image" not in given else place_of(columns, "image", given)
    if "caption" not in given:
        several = numbered_columns(columns, names["caption"])
        chosen = None if several else caption_place(table, names["caption"], image, path)
    else:
        several, chosen = [], place_of(columns, "caption", given)
    if all(name.isdecimal() for name in columns) and not given and image and chosen:
        LOG.warning(
            "%s has no names of columns; it reads column %s as image, column %s as caption.",
            Path(path).name, image, chosen,
        )  # fmt: skip
        return image, [chosen]
    usual = {"image": (names["image"][0], image), "caption": (names["caption"][0], several[0] if several else chosen)}
    wanted = {field: [*dict.fromkeys(name for name in (own, first) if name)] for field, (first, own) in usual.items()}
    found = column_places(columns, {field: tuple(reversed(wanted[field])) for field in wanted}, given, path)
    return found["image"], several or [found["caption"]]


def image_place(table: Table, usual: Sequence[str]) -> str | None:
    """Return the column of the names of pictures: of the usual ones the first with endings, or the only one with."""
    named = [found for name in usual if (found := similar_column(table.columns, name))]
    ended = [column for column in table.columns if share_of_pictures(table, column) > 0.5]
    files = [column for column in ended if not has_addresses(table, column)] or ended
    both = [column for column in named if column in ended]
    only = files if len(files) == 1 and all(column.lower().endswith("id") for column in named) else []
    return next(iter([*both, *only, *named]), None)


def share_of_pictures(table: Table, column: str) -> float:
    """Return the share of the first rows whose value in a column is the name of a picture."""
    values = [record.values.get(column, "") for record in table.head if not record.error]
    return sum(is_picture_name(value) for value in values) / max(len(values), 1)


def has_addresses(table: Table, column: str) -> bool:
    """Return whether the first value in a column is an address of the web."""
    return any("://" in record.values.get(column, "") for record in table.head[:1])


def numbered_columns(columns: Sequence[str], usual: Sequence[str]) -> list[str]:
    """Return the columns that are called as one for captions, each with another number.

    Example:
        >>> numbered_columns(["image", "caption_1", "caption_2"], ["caption"])
        ['caption_1', 'caption_2']
    """
    for name in usual:
        found = [one for one in columns if NUMBERED.search(one) and similar_column([NUMBERED.sub("", one)], name)]
        if len(found) > 1 and not any(similar_column([one], name) for one in columns):
            return found
    return []


def caption_place(table: Table, usual: Sequence[str], image: str | None, path: str) -> str | None:
    """Return the column of the captions: one by its name, or the only one that is left.

    Raises:
        DataError: Several columns have usual names.
    """
    if found := next(
        (one for name in (usual[0], f"{usual[0]}s") if (one := similar_column(table.columns, name))), None
    ):
        return found
    named = [one for name in usual if (one := similar_column(table.columns, name)) and one != image]
    if len(named) > 1:
        raise DataError(
            f"{path!r} has several columns that may be its captions: {', '.join(named)}; name one with "
            f"--columns caption=NAME."
        )
    if named or image is None or share_of_pictures(table, image) <= 0.5:
        return named[0] if named else None
    left = [column for column in table.columns if column != image and has_texts(table, column)]
    return left[0] if len(left) == 1 else None


def has_texts(table: Table, column: str) -> bool:
    """Return whether most first values of a column are of several words, or in a script without spaces."""
    values = [record.values.get(column, "") for record in table.head if not record.error]
    values = [value.strip() for value in values if not isinstance(value, Listed) or value.plain]
    texts = sum(" " in value or not value.isascii() for value in values)
    return bool(values) and 2 * texts > len(values)


def listed_texts(value: str) -> Sequence[str]:
    """Return the texts of a value: of a list, of a list that is written as text, or of one text.

    Example:
        >>> listed_texts("['A dog.', 'A cat.']"), listed_texts("[sic] A dog.")
        (['A dog.', 'A cat.'], ['[sic] A dog.'])
    """
    if isinstance(value, Listed):
        return value.values
    plain = value.strip()
    if plain.startswith("[") and plain.endswith("]"):
        for reader in (json.loads, ast.literal_eval):
            try:
                found = reader(plain)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
            if isinstance(found, list) and all(isinstance(one, str) for one in found):
                return found
    return [value]

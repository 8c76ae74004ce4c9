"""Columns of a table: which one holds which field, by name or by number, with or without a line of names."""

import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from data.splits import DataError, OptionError, part_of

LOG = logging.getLogger("tasks")
Names = Mapping[str, Sequence[str]]  # field of an example -> names that its column may have, the usual first
SPLIT_NAMES = ("split", "subset", "partition", "set", "type")  # of a column with the part of each row
NAME = re.compile(r"[^\W\d]\w*(?:[ .:/#()\[\]-]+\w+){0,2}[)\]]?")  # at most three words, and no mark at their end
LISTED = 20  # names of columns in a message
SHOWN = 60  # characters of a first row in a message


class ColumnError(DataError):
    """A table has no column for a field."""


class GivenColumnError(OptionError):
    """A table has no such column as the user named."""


def header_columns(
    rows: Sequence[Sequence[str]], names: Names, given: Mapping[str, str], path: str
) -> list[str] | None:
    """Return the names of the columns if the first row has them, or `None` if it is data.

    Args:
        rows: The first rows.
        names: Field -> names that its column may have.
        given: Field -> name or number of its column, as the user gave it.
        path: Name of the file, for notices.
    """
    first = [cell.strip().lstrip("\ufeff") for cell in rows[0]]
    rest = [row for row in rows[1:] if row != rows[0]]  # without names that stand there again
    later = {(place, cell.strip()) for row in rest for place, cell in enumerate(row)}
    single = [cell for place, cell in enumerate(first) if (place, cell) not in later]
    wanted = [*given.values(), *(name for usual in names.values() for name in usual)]
    looks = any(similar_column(single, name) for name in wanted if not name.isdecimal()) or are_names(first, rest)
    if given and all(place.isdecimal() for place in given.values()):
        what = "names of columns" if looks else "data"
        LOG.warning("%s: its first row, %s, is read as %s.", Path(path).name, shown_row(first), what)
    return unique_names(first) if looks else None


def are_names(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Return whether a first row looks like names of columns: short, different words that no later row repeats.

    Example:
        >>> are_names(["id", "review"], [["1", "A film."]]), are_names(["1", "A film."], [["2", "Another."]])
        (True, False)
    """
    named = [cell for cell in first if cell]
    if not named or len(set(named)) < len(named) or not all(NAME.fullmatch(cell) for cell in named):
        return False
    later = {(place, cell.strip()) for row in rest for place, cell in enumerate(row)}
    return not any((place, cell) in later for place, cell in enumerate(first) if cell)


def unique_names(names: Sequence[str]) -> list[str]:
    """Return names with a number behind each that occurs again.

    Example:
        >>> unique_names(["text", "text", "label"])
        ['text', 'text (2)', 'label']
    """
    seen = Counter[str]()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


def column_places(
    columns: Sequence[str],
    names: Names,
    given: Mapping[str, str],
    path: str,
    order: Sequence[str] = (),
    first: Sequence[str] = (),
) -> dict[str, str]:
    """Return the column of each field, with a notice of those that are chosen by a less usual name.

    Args:
        columns: Names of the columns, or their numbers.
        names, given, path: As for `header_columns`.
        order: Fields of the first columns of a table without names.
        first: Its first row, for messages.

    Raises:
        DataError: A column is missing, or is there twice.
        OptionError: The user named a column, or a field, that does not exist.
    """
    nameless = all(column.isdecimal() for column in columns)
    if nameless and not given and len(columns) >= len(order) > 0:
        if len(order) > 1:
            said = ", ".join(f"column {number} as {name}" for number, name in enumerate(order, start=1))
            LOG.warning("%s has no names of columns; it reads %s.", Path(path).name, said)
        return dict(zip(order, columns, strict=False))
    places = {field: place_of(columns, field, given, usual) for field, usual in names.items()}
    missing = next((field for field, place in places.items() if place is None), None)
    if missing is not None:
        raise missing_column(columns, names, given, path, missing, first if nameless else ())
    found = {field: place for field, place in places.items() if place is not None}
    check_once(found, columns, given, path)
    if other := {place: field for field, place in found.items() if field not in given and place != names[field][0]}:
        said = ", ".join(f"column {place!r} is read as {field}" for place, field in other.items())
        LOG.warning("%s: %s.", Path(path).name, said)
    return found


def missing_column(
    columns: Sequence[str], names: Names, given: Mapping[str, str], path: str, field: str, first: Sequence[str]
) -> Exception:
    """Return the error for a field without a column.

    Args:
        first: The first row of a table without names of columns.
    """
    if field in given:
        return GivenColumnError(f"{path!r} has no column {given[field]!r}; its columns are: {listed(columns)}.")
    usual = names[field][0]
    example = ",".join(f"{name}={place}" for place, name in enumerate(names, start=1))
    if len(columns) < len(names) and first:
        return ColumnError(
            f"{path!r} has {len(columns)} column without a name, {shown_row(first)}, and needs {' and '.join(names)}; "
            f"give a table with a column for each."
        )
    if first:
        return ColumnError(
            f"{path!r} has no names of columns, since its first row looks like data: {shown_row(first)}; say which of "
            f"its {len(columns)} columns are which by number, such as --columns {example}."
        )
    return ColumnError(
        f"{path!r} has no column {usual!r}; its columns are: {listed(columns)}. "
        f"Name the column with --columns {field}=NAME."
    )


def check_once(places: Mapping[str, str], columns: Sequence[str], given: Mapping[str, str], path: str) -> None:
    """Raise `DataError` if a table has a column of a name twice, or if two fields have the same column."""
    for field, place in places.items():
        if f"{place} (2)" in columns and not given.get(field, "").isdecimal():
            numbers = [str(number) for number, name in enumerate(columns, 1) if name.partition(" (")[0] == place]
            raise DataError(
                f"{path!r} has the column {place!r} more than once; choose by number: --columns "
                f"{field}={' or '.join(numbers)}."
            )
        if list(places.values()).count(place) > 1:
            raise OptionError(f"{path!r}: the column {place!r} is named for two fields; name another with --columns.")


def place_of(
    columns: Sequence[str], field: str, given: Mapping[str, str], usual: Sequence[str] = SPLIT_NAMES
) -> str | None:
    """Return the column of a field, or `None` if there is none."""
    for name in [given[field]] if field in given else usual:
        if found := similar_column(columns, name):
            return found
    if field not in given or not given[field].isdecimal():
        return None
    number = int(given[field])
    return columns[number - 1] if 1 <= number <= len(columns) else None


def split_column(
    columns: Sequence[str], given: Mapping[str, str], rows: Sequence[Mapping[str, str]], path: str
) -> str | None:
    """Return the column with the part of each row, or `None` if there is none.

    A column by another name than `split` counts if all of the first rows name a part in it.

    Raises:
        GivenColumnError: The user named a column that does not exist.
    """
    if "split" in given:
        if found := place_of(columns, "split", given):
            return found
        raise GivenColumnError(f"{path!r} has no column {given['split']!r}; its columns are: {listed(columns)}.")
    for name in SPLIT_NAMES:
        found = similar_column(columns, name)
        if found and (name == SPLIT_NAMES[0] or (rows and all(part_of(row.get(found, "")) for row in rows))):
            return found
    return None


def similar_column(columns: Sequence[str], name: str) -> str | None:
    """Return the column of a name, or the first that differs from it by letter case and blanks alone."""
    if name in columns:
        return name
    return next((column for column in columns if plain_name(column) == plain_name(name)), None)


def plain_name(name: str) -> str:
    """Return a name by which equal names are known."""
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


def named_columns(columns: Sequence[str], keep: Sequence[str], path: str) -> dict[str, str]:
    """Return the columns to keep, by the name that the user gave.

    Raises:
        OptionError: There is no such column.
    """
    found = {name: place_of(columns, name, {name: name}) for name in keep}
    missing = next((name for name, place in found.items() if place is None), None)
    if missing is not None:
        raise GivenColumnError(f"{path!r} has no column {missing!r} to keep; its columns are: {listed(columns)}.")
    return {name: place for name, place in found.items() if place is not None}


def listed(columns: Sequence[str]) -> str:
    """Return the names of columns, for a message; the first ones of many."""
    more = f" and {len(columns) - LISTED} more" if len(columns) > LISTED else ""
    return ", ".join(columns[:LISTED]) + more


def shown_row(cells: Sequence[str]) -> str:
    """Return the beginning of a row, for a message."""
    text = ", ".join(cells)
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")

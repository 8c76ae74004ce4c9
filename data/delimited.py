"""Rows of tables with a line for each row, such as CSV, and what is wrong with those that do not fit."""

import csv
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from data.dialects import Dialect, Reader, table_dialect
from data.limits import LimitError, limit, limit_refusal
from data.sheets import sheet_rows
from data.splits import DataError
from data.text_files import File, content_suffix, encoding_refusal, open_text, undecodable


class Row(NamedTuple):
    """A row of cells, or what is wrong with it."""

    cells: list[str]
    error: str = ""


def table_rows(path: File, encoding: str | None) -> Iterator[Row]:
    """Yield the rows of a file, the first with the names of the columns if it has any; empty lines are left out.

    A row with more or fewer cells than the first has an error; empty cells at its end do not count.

    Raises:
        DataError: A quote is opened and never closed, so that the rows after it cannot be told apart.
    """
    if content_suffix(path) == ".xlsx":
        rows = sheet_rows(path)
        first = next(rows, None)
        if first is not None:
            yield Row(first)
            yield from (Row((row + [""] * len(first))[: max(len(first), filled(row))]) for row in rows)
        return
    dialect = table_dialect(path, encoding)
    with open_text(path, encoding) as file:
        yield from checked_rows(dialect.reader(file), dialect, path, encoding)


def checked_rows(reader: Reader, dialect: Dialect, path: File, encoding: str | None) -> Iterator[Row]:
    """Yield the rows of a reader, each with what is wrong with it."""
    width, least = 0, 0
    for start, end, cells, fault in placed_rows(reader, dialect.skipped):
        if fault:
            yield quote_error(fault, path, start, end)
        elif len(cells) > 1 or width == 1 or (cells and (not width or cells[0].strip())):
            if not width:
                width, least = len(cells), filled(cells)
                check_width(width, path)
            row = cells if len(cells) == width else fitted_row(cells, width, least)
            wrong = row_error(row, width, dialect, start, end) if end > start or len(row) != width else ""
            bad = None if wrong else next((cell for cell in row if not cell.isascii() and undecodable(cell)), None)
            yield Row(row, encoding_refusal(bad, place_of_lines(start, end), path, encoding) if bad else wrong)


def check_width(width: int, path: File) -> None:
    """Raise `LimitError` if a table has too many columns."""
    if width > limit("columns"):
        raise LimitError(f"{str(path)!r} {limit_refusal('has columns', 'columns')}.")


def placed_rows(reader: Reader, skipped: int) -> Iterator[tuple[int, int, list[str], csv.Error | None]]:
    """Yield the first and the last line of each row, its cells, and an error in its quotes."""
    line = skipped
    while True:
        try:
            cells, fault = next(reader, None), None
        except csv.Error as error:
            cells, fault = [], error
        if cells is None:
            return
        start, line = line + 1, skipped + reader.line_num
        yield start, line, cells, fault


def filled(cells: Sequence[str]) -> int:
    """Return the number of cells without the empty ones at the end."""
    return next((place for place in range(len(cells), 0, -1) if cells[place - 1].strip()), 0)


def fitted_row(cells: list[str], width: int, least: int) -> list[str]:
    """Return a row without empty cells at its end, and with those that columns without a name lack."""
    cells = cells[: max(filled(cells), width)] or [""]
    return cells + [""] * (width - len(cells)) if len(cells) >= least else cells


def place_of_lines(start: int, end: int) -> str:
    """Return the name of some lines of a file."""
    return f"line {start}" if start == end else f"lines {start} to {end}"


def quote_error(error: csv.Error, path: File, start: int, end: int) -> Row:
    """Return the row of an error in quotes.

    Raises:
        DataError: The error has used up the file.
    """
    if "unexpected end" in str(error):
        raise DataError(
            f"{str(path)!r}, line {start}: misplaced quotes: a double quote is opened and never closed, so the rows "
            f"after it cannot be told apart. Double the quotes inside a text, or remove the stray one."
        ) from error
    if "field larger" in str(error):
        return Row([], f"{place_of_lines(start, end)} {limit_refusal('has a field', 'field')}")
    way = "put text with a double quote in double quotes, and double the quotes inside"
    return Row([], f"misplaced quotes in {place_of_lines(start, end)} ({error}); {way}")


def row_error(cells: Sequence[str], width: int, dialect: Dialect, start: int, end: int) -> str:
    """Return what is wrong with a row: too few cells, too many, or several rows in one; nothing if it is right."""
    if len(cells) != width:
        way = "put text with a delimiter or a line break in double quotes"
        return f"{place_of_lines(start, end)} has {len(cells)} fields, and the first row has {width}; {way}"
    if end > start and dialect.merges_rows(cells, width):
        return f"{place_of_lines(start, end)} are several rows between two double quotes; double the stray quotes"
    return ""

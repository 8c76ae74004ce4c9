"""Rows of tables with a line for each row, such as CSV: the delimiter, the quotes, and the rows that do not fit."""

import csv
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, Protocol

from data.sheets import sheet_rows
from data.splits import DataError
from data.text_files import File, content_suffix, encoding_refusal, open_text, undecodable

LOG = logging.getLogger("tasks")
PROMISED = {".csv": ",", ".tsv": "\t", ".tab": "\t"}  # suffix -> delimiter
DELIMITERS = (",", ";", "\t", "|")
NAMES = {"\t": "a tab", ",": "a comma", ";": "a semicolon", "|": "a pipe"}
SAMPLE = 1000  # lines from which the delimiter is told
SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)  # first line of tables that Excel writes
BREAK = re.compile("\r\n|\r|\n")
ESCAPED_QUOTE = re.compile(r'(?<!\\)((?:\\\\)*)\\"')
csv.field_size_limit(1 << 30)  # characters


class Reader(Protocol):
    """A reader of rows; `line_num` is the number of lines read."""

    @property
    def line_num(self) -> int: ...
    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


class Row(NamedTuple):
    """A row of cells, or what is wrong with it."""

    cells: list[str]
    error: str = ""


@dataclass(frozen=True)
class Dialect:
    """How the cells of a row are written.

    Attributes:
        delimiter: Sign between two cells.
        quoted: If true, double quotes enclose cells; otherwise they are characters.
        escaped: If true, a backslash stands before quotes inside a cell; otherwise they are doubled.
        skipped: Number of first lines that belong to no row.
        common: Values that the first or the last cell of several rows has, such as labels.
    """

    delimiter: str
    quoted: bool = True
    escaped: bool = False
    skipped: int = 0
    common: frozenset[str] = frozenset()

    def reader(self, file: Iterable[str], strict: bool = True) -> Reader:
        """Return the reader of the lines of a file."""
        lines = islice(file, self.skipped, None)
        return csv.reader(
            (ESCAPED_QUOTE.sub(r'\1""', line) for line in lines) if self.escaped else lines,
            delimiter=self.delimiter,
            quoting=csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE,
            strict=strict,
        )

    def merges_rows(self, cells: Sequence[str], width: int) -> bool:
        """Return whether a row of several lines is several rows, which stray quotes have merged.

        Each of its lines is a whole row by itself then; where the delimiter is no tab, it also begins or ends with a
        value that other rows have there.
        """
        lines = BREAK.split(self.delimiter.join(cells))
        if len(lines) < 2 or not all(line.count(self.delimiter) == width - 1 for line in lines):
            return False
        rows = [line.split(self.delimiter) for line in lines]
        return self.delimiter == "\t" or (width > 1 and all(self.common & {row[0], row[-1]} for row in rows))


def table_dialect(path: File, encoding: str | None) -> Dialect:
    """Return the dialect of a file, with a notice if its delimiter is not the one that its name promises."""
    with open_text(path, encoding) as file:
        lines = list(islice(file, SAMPLE))
    named = SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    dialect = Dialect(named[1] if named else told_delimiter(lines, path), skipped=int(bool(named)))
    if dialect.delimiter == "\t":
        stray = stray_quote(path, encoding, dialect)
        if stray:
            LOG.warning("%s: double quotes are read as characters, since one in line %d is stray.", path.name, stray)
        return Dialect("\t", quoted=not stray, skipped=dialect.skipped)
    escaped = is_escaped(lines, dialect)
    rows = [row for row in Dialect(dialect.delimiter, escaped=escaped).reader(lines, strict=False) if row]
    ends = Counter(cell for row in rows for cell in {row[0], row[-1]})
    common = frozenset(cell for cell, count in ends.items() if count > 1 and cell)
    return Dialect(dialect.delimiter, escaped=escaped, skipped=dialect.skipped, common=common)


def told_delimiter(lines: Sequence[str], path: File) -> str:
    """Return the delimiter that fits the first lines of a file best, that of its name if several do."""
    promised = PROMISED.get(content_suffix(path))
    fits = {delimiter: fit(lines, delimiter) for delimiter in dict.fromkeys([promised or "\t", *DELIMITERS])}
    delimiter = max(fits, key=lambda sign: fits[sign])
    if promised not in (None, delimiter):
        LOG.warning("%s is read with %s between its fields, not %s.", path.name, NAMES[delimiter], NAMES[str(promised)])
    return delimiter


def fit(lines: Sequence[str], delimiter: str) -> float:
    """Return the share of rows that have as many fields as the first, 0 if that is one field only."""
    rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    rows = rows[:-1] if len(lines) == SAMPLE and len(rows) > 1 else rows
    width = len(rows[0]) if rows else 0
    return sum(len(row) == width for row in rows) / len(rows) if width > 1 else 0


def stray_quote(path: File, encoding: str | None, dialect: Dialect) -> int:
    """Return the line of the first double quote in a file with tabs that encloses no cell, 0 if there is none.

    That is a quote behind which a cell goes on, or between which there are tabs or lines that make a row too short,
    or whole rows.
    """
    with open_text(path, encoding) as file:
        reader, width, line = dialect.reader(file), 0, dialect.skipped
        try:
            for row in reader:
                width = width or len(row)
                several = dialect.skipped + reader.line_num - line > 1
                torn = len(row) != width and (several or any("\t" in cell for cell in row))
                if torn or (several and dialect.merges_rows(row, width)):
                    return line + 1
                line = dialect.skipped + reader.line_num
        except csv.Error:
            return line + 1
    return 0


def is_escaped(lines: Sequence[str], dialect: Dialect) -> bool:
    """Return whether quotes inside cells have a backslash before them, and are not doubled."""
    if not any('\\"' in line for line in lines):
        return False
    doubled, escaped = (
        quote_errors(lines, Dialect(dialect.delimiter, escaped=escaped, skipped=dialect.skipped))
        for escaped in (False, True)
    )
    return escaped < doubled


def quote_errors(lines: Sequence[str], dialect: Dialect) -> int:
    """Return the number of errors in quotes; a quote that the lines leave open counts only if they are all."""
    reader, errors = dialect.reader(lines), 0
    while True:
        try:
            if next(reader, None) is None:
                return errors
        except csv.Error as error:
            errors += "unexpected end" not in str(error) or len(lines) < SAMPLE


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
    width, least, line = 0, 0, dialect.skipped
    while True:
        try:
            cells, fault = next(reader, None), None
        except csv.Error as error:
            cells, fault = [], error
        if cells is None:
            return
        start, line = line + 1, dialect.skipped + reader.line_num
        if fault:
            yield quote_error(fault, path, place_of_lines(start, line))
        elif len(cells) > 1 or width == 1 or (cells and (not width or cells[0].strip())):
            if not width:
                width, least = len(cells), filled(cells)
            if len(cells) != width:
                cells = fitted_row(cells, width, least)
            if wrong := row_error(cells, width, dialect, start, line):
                yield Row(cells, wrong)
                continue
            bad = next((cell for cell in cells if not cell.isascii() and undecodable(cell)), None)
            yield Row(cells, encoding_refusal(bad, place_of_lines(start, line), path, encoding) if bad else "")


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


def quote_error(error: csv.Error, path: File, place: str) -> Row:
    """Return the row of an error in quotes.

    Raises:
        DataError: The error has used up the file.
    """
    if "unexpected end" in str(error):
        raise DataError(
            f"{str(path)!r}, {place}: misplaced quotes: a double quote is opened and never closed, so the rows after "
            f"it cannot be told apart. Double the quotes inside a text, or remove the stray one."
        ) from error
    way = "put text with a double quote in double quotes, and double the quotes inside"
    return Row([], f"misplaced quotes in {place} ({error}); {way}")


def row_error(cells: Sequence[str], width: int, dialect: Dialect, start: int, end: int) -> str:
    """Return what is wrong with a row: too few cells, too many, or several rows in one; nothing if it is right."""
    if len(cells) != width:
        way = "put text with a delimiter or a line break in double quotes"
        return f"{place_of_lines(start, end)} has {len(cells)} fields, and the first row has {width}; {way}"
    if end > start and dialect.merges_rows(cells, width):
        return f"{place_of_lines(start, end)} are several rows between two double quotes; double the stray quotes"
    return ""

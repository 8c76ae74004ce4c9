"""Rows of CSV and TSV files: the delimiter, the quotes, and the rows that do not fit."""

import csv
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, NamedTuple, Protocol

from data.splits import DataError
from data.text_files import File, content_suffix, encoding_refusal, open_text, undecodable

LOG = logging.getLogger("tasks")
PROMISED = {".csv": ",", ".tsv": "\t", ".tab": "\t"}  # suffix -> delimiter
DELIMITERS = (",", ";", "\t", "|")
NAMES = {"\t": "a tab", ",": "a comma", ";": "a semicolon", "|": "a pipe"}
SAMPLE = 200  # lines from which the delimiter is told
LONGEST = 1 << 30  # characters in one field of a table
SEPARATOR_LINE = re.compile(r"sep=(.)\s*")  # first line of tables that Excel writes


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
    """

    delimiter: str
    quoted: bool = True
    escaped: bool = False
    skipped: int = 0

    def reader(self, file: IO[str]) -> "Reader":
        """Return the reader of a file."""
        csv.field_size_limit(LONGEST)
        return csv.reader(
            islice(file, self.skipped, None),
            delimiter=self.delimiter,
            quoting=csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE,
            doublequote=not self.escaped,
            escapechar="\\" if self.escaped else None,
            strict=True,
        )


def table_dialect(path: File, encoding: str | None) -> Dialect:
    """Return the dialect of a file, with a notice if its delimiter is not the one that its name promises."""
    with open_text(path, encoding) as file:
        lines = list(islice(file, SAMPLE))
    promised = PROMISED.get(content_suffix(path))
    named = SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    if named:
        return Dialect(named[1], skipped=1)
    fits = {delimiter: fit(lines, delimiter) for delimiter in dict.fromkeys([promised or "\t", *DELIMITERS])}
    delimiter = max(fits, key=lambda sign: fits[sign])
    if promised not in (None, delimiter):
        LOG.warning("%s is read with %s between its fields, not %s.", path.name, NAMES[delimiter], NAMES[str(promised)])
    if delimiter == "\t":
        return Dialect(delimiter, quoted=has_well_formed_quotes(path, encoding))
    return Dialect(delimiter, escaped=is_escaped(lines, delimiter))


def fit(lines: Sequence[str], delimiter: str) -> float:
    """Return the share of rows that have as many fields as the first, 0 if that is one field only."""
    rows = [row for row in csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL) if row]
    rows = rows[:-1] if len(lines) == SAMPLE and len(rows) > 1 else rows
    width = len(rows[0]) if rows else 0
    return sum(len(row) == width for row in rows) / len(rows) if width > 1 else 0


def has_well_formed_quotes(path: File, encoding: str | None) -> bool:
    """Return whether quotes enclose cells throughout a file with tabs.

    They do not if rows come out of different widths, or if a cell holds a tab and a line break: then a stray quote
    has merged rows.
    """
    with open_text(path, encoding) as file:
        try:
            rows = filter(None, Dialect("\t").reader(file))
            width = len(next(rows, []))
            return all(len(row) == width and not any("\t" in cell and "\n" in cell for cell in row) for row in rows)
        except csv.Error:
            return False


def is_escaped(lines: Sequence[str], delimiter: str) -> bool:
    """Return whether quotes inside cells have a backslash before them, and are not doubled."""
    if not any('\\"' in line for line in lines):
        return False
    try:
        list(csv.reader(lines[:-1], delimiter=delimiter, strict=True))
    except csv.Error:
        return True
    return False


def table_rows(path: File, encoding: str | None) -> Iterator[Row]:
    """Yield the rows of a file, the first with the names of the columns if it has any; empty lines are left out.

    A row with more or fewer cells than the first has an error; empty cells at its end do not count.

    Raises:
        DataError: A quote is opened and never closed, so that the rows after it cannot be told apart.
    """
    dialect = table_dialect(path, encoding)
    with open_text(path, encoding) as file:
        reader = dialect.reader(file)
        width = 0
        while True:
            place = f"line {reader.line_num + dialect.skipped + 1}"
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield quote_error(error, path, place)
                continue
            if cells is None:
                return
            if cells or width == 1:
                width = width or len(cells)
                yield checked_row(cells or [""], width, path, place)


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


def checked_row(cells: list[str], width: int, path: File, place: str) -> Row:
    """Return a row with as many cells as the first row, or with an error."""
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    if len(cells) != width:
        way = "put text with a delimiter or a line break in double quotes"
        return Row(cells, f"{place} has {len(cells)} fields, and the first row has {width}; {way}")
    bad = next((cell for cell in cells if undecodable(cell)), None)
    return Row(cells, "" if bad is None else encoding_refusal(bad, place))

"""How tables are written: the delimiter, and what double quotes mean."""

import csv
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from data.limits import limit
from data.text_files import File, content_suffix, open_text

LOG = logging.getLogger("tasks")
PROMISED = {".csv": ",", ".tsv": "\t", ".tab": "\t"}  # suffix -> delimiter
DELIMITERS = (",", ";", "\t", "|")
NAMES = {"\t": "a tab", ",": "a comma", ";": "a semicolon", "|": "a pipe"}
SAMPLE = 1000  # lines from which the delimiter is told
SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)  # first line of tables that Excel writes
BREAK = re.compile("\r\n|\r|\n")
ESCAPED = re.compile(r'\\(["\\])')


class Reader(Protocol):
    """A reader of rows; `line_num` is the number of lines read."""

    @property
    def line_num(self) -> int: ...
    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


@dataclass(frozen=True)
class Dialect:
    """How the cells of a row are written.

    Attributes:
        delimiter: Sign between two cells.
        quoted: If true, double quotes enclose cells; otherwise they are characters.
        escaped: If true, a backslash stands before quotes and backslashes inside a cell; otherwise quotes are doubled.
        spaced: If true, spaces stand between a delimiter and the quotes of a cell.
        skipped: Number of first lines that belong to no row.
        common: Values that the first or the last cell of several rows has, such as labels.
    """

    delimiter: str
    quoted: bool = True
    escaped: bool = False
    spaced: bool = False
    skipped: int = 0
    common: frozenset[str] = frozenset()

    def reader(self, file: Iterable[str], strict: bool = True) -> Reader:
        """Return the reader of the lines of a file."""
        csv.field_size_limit(limit("field"))
        lines = islice(file, self.skipped, None)
        return csv.reader(
            (ESCAPED.sub(doubled_quote, line) for line in lines) if self.escaped else lines,
            delimiter=self.delimiter,
            quoting=csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE,
            skipinitialspace=self.spaced,
            strict=strict,
        )

    def merges_rows(self, cells: Sequence[str], width: int) -> bool:
        """Return whether a row of several lines is several rows, which stray quotes have merged.

        Each of its lines is a whole row by itself then. Where the delimiter is not a tab, one of them also begins or
        ends inside the row with a value that other rows begin or end with.
        """
        lines = BREAK.split(self.delimiter.join(cells))
        if len(lines) < 2 or not all(line.count(self.delimiter) == width - 1 for line in lines):
            return False
        ends = {line.rpartition(self.delimiter)[2] for line in lines[:-1]}
        starts = {line.partition(self.delimiter)[0] for line in lines[1:]}
        return self.delimiter == "\t" or (width > 1 and bool(self.common & (ends | starts)))


def doubled_quote(escaped: re.Match[str]) -> str:
    """Return a quote or a backslash as it is written in a cell where quotes are doubled."""
    return '""' if escaped[1] == '"' else escaped[1]


def table_dialect(path: File, encoding: str | None) -> Dialect:
    """Return the dialect of a file, with a notice if its delimiter is not the one that its name promises."""
    with open_text(path, encoding) as file:
        lines = list(islice(file, SAMPLE))
    named = SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    dialect = Dialect(named[1] if named else told_delimiter(lines, path), skipped=int(bool(named)))
    dialect = replace(dialect, escaped=is_escaped(lines, dialect))
    if dialect.delimiter == "\t":
        stray = stray_quote(path, encoding, dialect)
        if stray:
            LOG.warning("%s: double quotes are read as characters, since one in line %d is stray.", path.name, stray)
        return replace(dialect, quoted=not stray, escaped=dialect.escaped and not stray)
    rows = list(rows_before_error(dialect.reader(lines, strict=False)))
    spaced = sum(any(cell.startswith(' "') for cell in row) for row in rows) > len(rows) / 2
    ends = Counter(cell for row in rows for cell in {row[0], row[-1]})
    return replace(dialect, spaced=spaced, common=frozenset(cell for cell, count in ends.items() if count > 1 and cell))


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
    rows = list(rows_before_error(csv.reader(lines, delimiter=delimiter)))
    rows = rows[:-1] if len(lines) == SAMPLE and len(rows) > 1 else rows
    width = len(rows[0]) if rows else 0
    return sum(len(row) == width for row in rows) / len(rows) if width > 1 else 0


def rows_before_error(reader: Iterable[list[str]]) -> Iterator[list[str]]:
    """Yield the rows that are not empty up to the first with a field above the limit."""
    try:
        yield from filter(None, reader)
    except csv.Error:
        return


def stray_quote(path: File, encoding: str | None, dialect: Dialect) -> int:
    """Return the line of the first double quote in a file with tabs that encloses no cell, 0 if there is none.

    That is a quote behind which a cell goes on, or between which there are tabs or lines that make a row too short,
    or whole rows.
    """
    with open_text(path, encoding) as file:
        if not any('"' in line for line in file):
            return 0
    with open_text(path, encoding) as file:
        reader, width, line = dialect.reader(file), 0, 0
        try:
            for row in reader:
                width = width or len(row)
                several = reader.line_num - line > 1
                if (several or len(row) != width) and is_torn(row, width, several, dialect):
                    return dialect.skipped + line + 1
                line = reader.line_num
        except csv.Error:
            return dialect.skipped + line + 1
    return 0


def is_torn(row: Sequence[str], width: int, several: bool, dialect: Dialect) -> bool:
    """Return whether a row, of `several` lines or one, is what quotes have made of other rows."""
    torn = len(row) != width and (several or any("\t" in cell for cell in row))
    return torn or (several and dialect.merges_rows(row, width))


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

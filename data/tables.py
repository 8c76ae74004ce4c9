"""Rows of tables: CSV, TSV and JSON lines."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from operator import not_
from pathlib import Path

from data.sources import TEST_SHARE
from data.splits import DataError, Example, holdout_split

SEPARATORS = {".csv": ",", ".tsv": "\t"}
TABLES = (*SEPARATORS, ".jsonl")  # suffixes of tables
Row = Mapping[str, object]  # values by column name
LONGEST = 1 << 30  # characters in one field of a table


def table_parts(path: Path, columns: Mapping[str, str], options: str) -> tuple[list[Example], list[Example]] | None:
    """Return the training and the test rows of a table, or of a folder with the tables `train` and `test`.

    * If a single table has a column `split`, its rows with `test` there are for testing.
    * Otherwise a fifth of a single table is kept for testing, whatever the seed.
    * A folder without both tables gives `None`.

    Args:
        path: A `.csv`, `.tsv` or `.jsonl` file, or a folder.
        columns: Field of an example -> name of the column in the table.
        options: Options that name the columns, for the error message.
    """
    if not path.is_file():
        found = part_files(path)
        return (
            (list(table_rows(found[0], columns, options)), list(table_rows(found[1], columns, options)))
            if found
            else None
        )
    rows = list(table_rows(path, columns, options, optional=("split",)))
    own = [{field: row[field] for field in columns} for row in rows]
    test = [row["split"] == "test" for row in rows]
    if not any(test):
        return holdout_split(own, TEST_SHARE, seed=0)
    return list(compress(own, map(not_, test))), list(compress(own, test))


def part_files(folder: Path) -> list[Path]:
    """Return the tables `train` and `test` of a folder, or nothing if it does not have both."""
    found = [path for stem in ("train", "test") for end in TABLES if (path := folder / f"{stem}{end}").is_file()]
    return found if [path.stem for path in found] == ["train", "test"] else []


def table_rows(
    path: Path,
    columns: Mapping[str, str],
    options: str = "another name",
    optional: Sequence[str] = (),
    separator: str | None = None,
) -> Iterator[Example]:
    """Yield the rows of a table, as text, one at a time.

    Args:
        path: A `.csv`, `.tsv` or `.jsonl` file.
        columns: Field of an example -> name of the column in the table.
        options: Options that name the columns, for the error message.
        optional: Columns that may be missing; their fields are then empty.
        separator: Delimiter between the fields of a row; `None` follows from the suffix of the file.

    Raises:
        FileNotFoundError: There is no such file.
        DataError: The table has no such column, or a row cannot be read; the message names the line.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    separator = separator or SEPARATORS.get(path.suffix.lower())
    if separator is None and path.suffix.lower() not in TABLES:
        raise DataError(f"{str(path)!r} is not a table; its name must end in {', '.join(TABLES)}.")
    try:
        for line, row in delimited_records(path, separator) if separator else json_records(path):
            check_columns(row, columns, f"{str(path)!r}, line {line},", options)
            fields = {field: str(row[name]) for field, name in columns.items()}
            yield fields | {name: str(row.get(name) or "") for name in optional}
    except UnicodeDecodeError as error:
        raise DataError(f"{str(path)!r} is not in UTF-8: {error.reason} at byte {error.start}.") from error


def check_columns(row: Row, columns: Mapping[str, str], place: str, options: str) -> None:
    """Raise `DataError` unless a row has all columns; the message names its place."""
    missing = next((name for name in columns.values() if row.get(name) is None), None)
    if missing is not None:
        raise DataError(
            f"{place} has no column {missing!r}; its columns are: {', '.join(map(str, row))}. "
            f"Name the column with {options}."
        )


def table_inputs(path: Path, column: str) -> Iterator[str]:
    """Yield one column of a `.csv`, `.tsv` or `.jsonl` table, or the non-empty lines of any other file."""
    if path.suffix.lower() in TABLES:
        yield from (row[column] for row in table_rows(path, {column: column}, "--text-column"))
        return
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        yield from (line.rstrip("\r\n") for line in file if line.strip())


def delimited_records(path: Path, separator: str) -> Iterator[tuple[int, Row]]:
    """Yield the rows of a CSV or TSV file by column name, each with the number of its last line."""
    csv.field_size_limit(LONGEST)
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, delimiter=separator, strict=True)
        try:
            names = next(reader, [])
            for values in filter(None, reader):
                if len(values) != len(names):
                    raise DataError(
                        f"{str(path)!r}, line {reader.line_num}: {len(values)} fields, and the first line names "
                        f"{len(names)}. Put text with a delimiter or a line break in double quotes."
                    )
                yield reader.line_num, dict(zip(names, values, strict=True))
        except csv.Error as error:
            raise DataError(
                f"{str(path)!r}, line {reader.line_num}: misplaced quotes ({error}). Put text with a double "
                f"quote in double quotes, and double the quotes inside."
            ) from error


def json_records(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield the objects of a JSONL file, each with the number of its line."""
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise DataError(f"{str(path)!r}, line {number}: not valid JSON ({error}).") from error
                if not isinstance(row, dict):
                    raise DataError(f"{str(path)!r}, line {number}: each line must be a JSON object.")
                yield number, row

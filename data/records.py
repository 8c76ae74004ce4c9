"""Records of any table: CSV and its kin, JSON, Parquet, Excel; one row at a time."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from data.splits import DataError, UnavailableError
from data.text_files import File, content_suffix, open_bytes, open_text, text_lines

Json: TypeAlias = Any  # a value of JSON types
LONGEST_JSON = 1 << 31  # characters of a JSON file that is not a record a line


class Record(NamedTuple):
    """A row of a table.

    Attributes:
        number: Number of the row, from 1; a line of column names does not count.
        values: Its values as text, by column name; or by number, from "1", where the table has no names.
        error: What is wrong with it, if it cannot be read.
    """

    number: int
    values: Mapping[str, str]
    error: str = ""


def lined_json(path: File, encoding: str | None) -> Iterator[Record]:
    """Yield the records of a JSON file: an object a line, or one JSON value with all of them."""
    lines = (line for line in text_lines(path, encoding) if line.strip())
    first, second = next(lines, ""), next(lines, None)
    if not is_json_object(first) or (second is None and has_lists(first)):
        yield from (
            Record(number, *record_values(row)) for number, row in enumerate(whole_json(path, encoding), start=1)
        )
        return
    number = 0
    for line in text_lines(path, encoding):
        if line.strip():
            yield line_record(number := number + 1, line)


def is_json_object(line: str) -> bool:
    """Return whether a line is a JSON object by itself."""
    try:
        return isinstance(json.loads(line.lstrip("\ufeff")), dict)
    except ValueError:
        return False


def has_lists(line: str) -> bool:
    """Return whether a line is a JSON object of lists alone: columns, or all rows of a table."""
    values = json.loads(line.lstrip("\ufeff")).values()
    return bool(values) and all(isinstance(value, list) for value in values)


def line_record(number: int, line: str) -> Record:
    """Return the record of a line of JSON."""
    try:
        return Record(number, *record_values(json.loads(line)))
    except ValueError as error:
        return Record(number, {}, f"not valid JSON ({error})")


def record_values(row: Json) -> tuple[dict[str, str], str]:
    """Return the values of a JSON object as text, and what is wrong with it; those of inner ones are `outer/inner`."""
    if not isinstance(row, dict):
        return {}, "not a JSON object"
    found: dict[str, str] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            found |= {f"{name}/{inner}": value for inner, value in record_values(value)[0].items()}
        else:
            found[str(name)] = value_text(value)
    return found, ""


def value_text(value: Json) -> str:
    """Return a value of a table as text: nothing for a missing one, and no fraction for a whole number.

    Example:
        >>> [value_text(value) for value in (None, float("nan"), 1.0, 0.5, True, "a")]
        ['', '', '1', '0.5', 'True', 'a']
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return " ".join(map(value_text, value))  # words of a text
    return value if isinstance(value, str) else str(value)


def whole_json(path: File, encoding: str | None) -> list[Json]:
    """Return the rows of a JSON file that is one value, or several after one another.

    Raises:
        DataError: It is not valid JSON, or holds no rows.
    """
    with open_text(path, encoding, newline=None) as file:
        text = file.read().lstrip("\ufeff")
    decoder, place, values = json.JSONDecoder(), 0, list[Json]()
    try:
        while text[place:].strip():
            place += len(text[place:]) - len(text[place:].lstrip())
            value, place = decoder.raw_decode(text, place)
            values.append(value)
    except json.JSONDecodeError as error:
        raise DataError(f"{str(path)!r}, line {error.lineno}: not valid JSON ({error.msg}).") from error
    rows = json_rows(values[0]) if len(values) == 1 else values
    if rows is None:
        raise DataError(f"{str(path)!r} is JSON without rows; give a list of objects, or an object a line.")
    return rows


def json_rows(value: Json) -> list[Json] | None:
    """Return the rows in a JSON value, or `None` if it has no form of a table.

    * A list of objects, also as the only list in an object: `{"data": [...]}`.
    * Columns, each a list or an object by row: `{"text": [...], "label": [...]}`.
    """
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or not value:
        return None
    lists = [inner for inner in value.values() if isinstance(inner, list) and inner and isinstance(inner[0], dict)]
    if len(lists) == 1:
        return [row.get("row", row) if isinstance(row, dict) else row for row in lists[0]]
    columns = {name: list(inner.values()) if isinstance(inner, dict) else inner for name, inner in value.items()}
    if all(isinstance(inner, list) for inner in columns.values()) and len(set(map(len, columns.values()))) == 1:
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [value] if all(not isinstance(inner, dict | list) for inner in value.values()) else None


def parquet_records(path: File, encoding: str | None) -> Iterator[Record]:
    """Yield the records of a Parquet file; classes that the file names are given by name."""
    import pyarrow
    from pyarrow import parquet

    try:
        with open_bytes(path) as file:
            table = parquet.ParquetFile(
                path
                if isinstance(path, Path) and path.suffix.lower() == ".parquet"
                else pyarrow.BufferReader(file.read())
            )
        classes = class_names(table.schema_arrow.metadata or {})
        rows = (row for batch in table.iter_batches(1024) for row in batch.to_pylist())
        for number, row in enumerate(rows, start=1):
            named = {name: named_class(value, classes.get(name)) for name, value in row.items()}
            yield Record(number, *record_values(named))
    except pyarrow.ArrowException as error:
        raise DataError(f"{str(path)!r} is not a whole Parquet file: {error}.") from error


def class_names(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """Return the names of the classes of each column, as the `datasets` library writes them into a file."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        return {name: feature["names"] for name, feature in features.items() if feature.get("_type") == "ClassLabel"}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def named_class(value: Json, names: list[str] | None) -> Json:
    """Return the name of a class for its number; any other value, such as -1 for no class, unchanged."""
    return names[value] if names and isinstance(value, int) and 0 <= value < len(names) else value


def sheet_records(path: File, encoding: str | None) -> Iterator[Record]:
    """Yield the records of the first sheet of an Excel file, whose first row has the names.

    Raises:
        UnavailableError: openpyxl, which reads such files, is not installed.
    """
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise UnavailableError(
            f"Reading {str(path)!r} takes openpyxl; install it with: pip install 'fourlayers[xlsx]', or save the "
            f"sheet as CSV."
        ) from error
    try:
        with open_bytes(path) as file:
            sheet = load_workbook(file, read_only=True, data_only=True).worksheets[0]
            rows = (row for row in sheet.iter_rows(values_only=True) if any(value is not None for value in row))
            names = [value_text(name) for name in next(rows, ())]
            for number, row in enumerate(rows, start=1):
                yield Record(number, {name: value_text(value) for name, value in zip(names, row, strict=False)})
    except (KeyError, ValueError, OSError, TypeError) as error:
        raise DataError(f"{str(path)!r} is not a whole Excel file: {error}.") from error


READERS: dict[str, Callable[[File, str | None], Iterator[Record]]] = {
    ".json": lined_json,
    ".jsonl": lined_json,
    ".ndjson": lined_json,
    ".parquet": parquet_records,
    ".xlsx": sheet_records,
}
DELIMITED = (".csv", ".tsv", ".tab")
TABLES = (*DELIMITED, *READERS)  # suffixes of tables, also before `.gz` and the like


def is_table(path: File) -> bool:
    """Return whether a file is a table by its name, plain or compressed."""
    return path.is_file() and content_suffix(path) in TABLES

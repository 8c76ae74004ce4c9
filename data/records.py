"""Records of tables whose values have names: JSON and Parquet."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from data.columns import are_names
from data.limits import LimitError, is_bomb, limit, limit_refusal
from data.packages import needed_for
from data.splits import DataError, part_of
from data.text_files import (
    File,
    content_suffix,
    encoding_refusal,
    open_bytes,
    open_text,
    packed_size,
    text_lines,
    undecodable,
)
from data.values import Json, record_values

SAMPLE = 50  # lines or rows from which the form is told
BLANKS = re.compile(r"\s*")


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


def json_records(path: File, encoding: str | None) -> Iterator[Record]:
    """Yield the records of a JSON file: an object a line, or one JSON value with all of them."""
    head = list(islice((line for line in text_lines(path, encoding) if line.strip()), SAMPLE))
    if is_lined(head):
        lines = (line for line in text_lines(path, encoding) if line.strip())
        yield from (line_record(number, line, path, encoding) for number, line in enumerate(lines, start=1))
    else:
        rows = whole_json(path, encoding)
        yield from (Record(number, *record_values(row)) for number, row in enumerate(rows, start=1))


def is_lined(lines: Sequence[str]) -> bool:
    """Return whether most lines are JSON objects by themselves, and not one object with a whole table."""
    objects = [value for line in lines if isinstance(value := line_value(line), dict)]
    if len(lines) == 1 and objects:
        return json_rows(objects[0]) in (None, objects)
    return 2 * len(objects) >= max(len(lines), 1)


def line_value(line: str) -> Json:
    """Return the JSON value of a line, `None` if it is not one."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def line_record(number: int, line: str, path: File, encoding: str | None) -> Record:
    """Return the record of a line of JSON."""
    if undecodable(line):
        return Record(number, {}, encoding_refusal(line, f"row {number}", path, encoding))
    try:
        return Record(number, *record_values(json.loads(line)))
    except (ValueError, RecursionError) as error:
        return Record(number, {}, f"not valid JSON ({error})")


def whole_json(path: File, encoding: str | None) -> list[Json]:
    """Return the rows of a JSON file that is one value, or several after one another.

    Raises:
        DataError: It is not valid JSON, or holds no rows.
    """
    with open_text(path, encoding, newline=None) as file:
        text = file.read()
    if undecodable(text):
        raise DataError(f"{str(path)!r}: {encoding_refusal(text, 'its text', path, encoding)}.")
    try:
        values = list(json_values(text))
    except json.JSONDecodeError as error:
        raise DataError(f"{str(path)!r}, line {error.lineno}: not valid JSON ({error.msg}).") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{str(path)!r} is not JSON that can be read: {error}.") from error
    rows = json_rows(values[0]) if len(values) == 1 else values
    if rows is None:
        raise DataError(f"{str(path)!r} is JSON without rows; give a list of objects, or an object a line.")
    return numbered_rows(rows)


def json_values(text: str) -> Iterator[Json]:
    """Yield the JSON values that stand one after another in a text."""
    decoder, place = json.JSONDecoder(), blanks_end(text, 0)
    while place < len(text):
        value, place = decoder.raw_decode(text, place)
        place = blanks_end(text, place)
        yield value


def blanks_end(text: str, place: int) -> int:
    """Return the first place in a text that is not blank, from a place on."""
    match = BLANKS.match(text, place)
    return match.end() if match else place


def json_rows(value: Json) -> list[Json] | None:
    """Return the rows in a JSON value, or `None` if it has no form of a table.

    * A list of rows, also as the only list of objects in an object: `{"data": [...]}`.
    * Lists of rows by part: `{"train": [...], "test": [...]}`; each row gets the name of its part as `split`.
    * Columns, each a list or an object by row: `{"text": [...], "label": [...]}`.
    * Rows by number or by another key: `{"0": {"text": ...}, "1": ...}`.
    * The forms of pandas, and a single row.
    """
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or not value:
        return None
    lists = {name: inner for name, inner in value.items() if isinstance(inner, list) and is_object(inner[:1])}
    if len(lists) == len(value) and all(map(part_of, lists)):
        return [row | {"split": name} for name, rows in lists.items() for row in rows if isinstance(row, dict)]
    if len(lists) == 1:
        rows = next(iter(lists.values()))
        return [row["row"] if is_object([row]) and is_object([row.get("row")]) else row for row in rows]
    if {"columns", "data"} <= value.keys() and is_grid(value["columns"], value["data"]):
        return [dict(zip(value["columns"], row, strict=False)) for row in value["data"]]
    return column_rows(value)


def is_grid(names: Json, rows: Json) -> bool:
    """Return whether values are the names of columns and a list of rows, as pandas writes them."""
    return isinstance(names, list) and all(isinstance(name, str | int) for name in names) and is_rows(rows)


def is_rows(value: Json) -> bool:
    """Return whether a value is a list of lists."""
    return isinstance(value, list) and all(isinstance(row, list) for row in value)


def is_object(values: Sequence[Json]) -> bool:
    """Return whether there are values, and the first is a JSON object."""
    return bool(values) and isinstance(values[0], dict)


def column_rows(value: dict[str, Json]) -> list[Json] | None:
    """Return the rows of columns, or of rows by number, or of a single row; `None` for another object."""
    inner = list(value.values())
    if all(isinstance(row, dict) for row in inner):
        by_number = all(name.isdecimal() for name in value)
        numbered = all(name.isdecimal() for name in inner[0])  # each column names its rows by number
        if not numbered and (by_number or (len(value) > 1 and same_keys(inner))):
            return inner
        if len(value) == 1 and not all(name.isdecimal() for name in inner[0]):
            return [value]
        value = {name: list(column.values()) for name, column in value.items()} if same_keys(inner) else value
    columns = list(value.values())
    if all(isinstance(column, list) for column in columns):
        if len(set(map(len, columns))) > 1:
            return None
        return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
    return None if all(isinstance(column, dict | list) for column in columns) else [value]


def same_keys(values: Sequence[Mapping[str, Json]]) -> bool:
    """Return whether all objects have the same names, in the same order."""
    return all(list(value) == list(values[0]) for value in values)


def numbered_rows(rows: Sequence[Json]) -> list[Json]:
    """Return rows that are lists, or bare values, as objects: by the names in the first row, or else by number."""
    if rows and not any(isinstance(row, dict) for row in rows):
        cells = [row if isinstance(row, list) else [row] for row in rows]
        named = len(cells[0]) > 1 and all(isinstance(cell, str) for cell in cells[0])
        named = named and are_names(cells[0], [list(map(str, row)) for row in cells[1:SAMPLE]])
        names = cells[0] if named else [str(number) for number in range(1, max(map(len, cells)) + 1)]
        return [dict(zip(names, row, strict=False)) for row in cells[named:]]
    return list(rows)


def parquet_records(path: File, encoding: str | None) -> Iterator[Record]:
    """Yield the records of a Parquet file; classes that the file names are given by name.

    Raises:
        MissingPackageError: pyarrow, which reads such files, is not installed.
        DataError: It is not a whole Parquet file.
    """
    with needed_for(f"Reading {str(path)!r}", ", or save the table as CSV"):
        import pyarrow
        from pyarrow import parquet

    try:
        with open_bytes(path) as file:
            table = parquet.ParquetFile(
                path
                if isinstance(path, Path) and path.suffix.lower() == ".parquet"
                else pyarrow.BufferReader(file.read())
            )
        check_parquet(table.metadata, path)
        classes = class_names(table.schema_arrow.metadata or {})
        rows = (row for batch in table.iter_batches(1024) for row in batch.to_pylist())
        for number, row in enumerate(rows, start=1):
            named = {name: named_class(value, classes.get(name)) for name, value in row.items()}
            yield Record(number, *record_values(named))
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise DataError(f"{str(path)!r} is not a whole Parquet file: {error}.") from error
    except OSError as error:
        if error.errno is not None or isinstance(error, FileNotFoundError):
            raise
        raise DataError(f"{str(path)!r} is not a whole Parquet file: {error}.") from error


def check_parquet(facts: Any, path: File) -> None:
    """Raise `LimitError` if a Parquet file says that it has too many cells, or unpacks to a multiple of its size."""
    if facts.num_rows * facts.num_columns > limit("cells"):
        raise LimitError(f"{str(path)!r} {limit_refusal('has cells', 'cells')}.")
    size = sum(facts.row_group(number).total_byte_size for number in range(facts.num_row_groups))
    if is_bomb(packed_size(path), size):
        raise LimitError(f"{str(path)!r} {limit_refusal('unpacks to a multiple of its size', 'ratio')}.")


def class_names(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """Return the names of the classes of each column, as the `datasets` library writes them into a file."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"].items()
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {
        name: feature["names"]
        for name, feature in features
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and "names" in feature
    }


def named_class(value: Json, names: list[str] | None) -> Json:
    """Return the name of a class for its number, `None` for a negative one, and any other value unchanged."""
    if not names or not isinstance(value, int):
        return value
    return None if value < 0 else names[value] if value < len(names) else value


READERS: dict[str, Callable[[File, str | None], Iterator[Record]]] = {
    ".json": json_records,
    ".jsonl": json_records,
    ".ndjson": json_records,
    ".parquet": parquet_records,
}
DELIMITED = (".csv", ".tsv", ".tab", ".xlsx")
TABLES = (*DELIMITED, *READERS)  # suffixes of tables, also before `.gz` and the like


def is_table(path: File) -> bool:
    """Return whether a file is a table by its name, plain or compressed."""
    return path.is_file() and content_suffix(path) in TABLES

"""What the files of a run say, with the types that it must have. Standard library only."""

import csv
import io
import math
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from tasks.engine import strict_json
from tasks.engine.config import EPOCHS, Json, JsonObject, Kind
from tasks.engine.fields import checked_fields
from tasks.engine.members import RunError, file_content, has_file

SUMMARY: dict[str, Kind] = {"task": str, "data": str, "split": str, "examples": int, "metrics": dict | None}
MOST_COLUMNS = 100  # of `history.csv`
MOST_ANSWERS = 1 << 28  # bytes of `answers.jsonl`
FACTS: dict[str, Kind] = {"checksums": dict[str, str], "ended": str, "preset": str | None, "parameters": int}


def read_history(run: Path) -> list[dict[str, float]]:
    """Return the rows of `history.csv`, one for each epoch; a run without one has none."""
    path = run / "history.csv"
    try:
        table = csv.DictReader(io.StringIO(file_content(path).decode("utf-8"), newline=""))
        check_size(len(table.fieldnames or ()), MOST_COLUMNS, "columns")
        found = list(islice(table, EPOCHS + 1))
        check_size(len(found), EPOCHS, "rows")
        rows = [{name: finite(float(value)) for name, value in row.items()} for row in found]
        return [row | {"epoch": row["epoch"], "val_loss": row["val_loss"]} for row in rows]
    except FileNotFoundError:
        return []
    except RunError:
        raise
    except KeyError as error:
        raise RunError(f"{str(path)!r} is damaged: it has no column {error}.") from error
    except (TypeError, ValueError, csv.Error) as error:
        raise RunError(f"{str(path)!r} is damaged: {error}.") from error


def check_size(number: int, most: int, name: str) -> None:
    """Raise `ValueError` if a table has more columns or rows than a training writes."""
    if number > most:
        raise ValueError(f"it has more than {most:,} {name}")


def finite(number: float) -> float:
    """Return a number, which is finite.

    Raises:
        ValueError: It is not.
    """
    if not math.isfinite(number):
        raise ValueError(f"it holds {number}")
    return number


def read_json(path: Path) -> Json:
    """Return what a JSON file of a run holds.

    Raises:
        RunError: The file is missing, damaged, too large, or not a plain file.
    """
    return parsed_json(path, member_content(path))


def member_content(path: Path) -> bytes:
    """Return what a file of a run holds.

    Raises:
        RunError: The file is missing, too large, or not a plain file.
    """
    try:
        return file_content(path)
    except FileNotFoundError as error:
        raise RunError(f"{str(path.parent)!r} is an incomplete run: it has no {path.name}.") from error


def parsed_json(path: Path, content: bytes) -> Json:
    """Return the value that the content of a JSON file of a run holds."""
    try:
        return strict_json.parsed(content)
    except ValueError as error:
        raise RunError(f"{str(path)!r} is damaged: {error}.") from error


def read_facts(run: Path) -> JsonObject:
    """Return what `environment.json` says of a run, with the types that it must have."""
    return typed_json(run / "environment.json", {"data": dict}, FACTS)


def facts_of(run: Path) -> JsonObject:
    """Return what `environment.json` says of a run; a run without one has nothing to say."""
    return read_facts(run) if has_file(run / "environment.json") else {}


def read_summary(run: Path) -> JsonObject:
    """Return what `metrics.json` says of a run, with the types that it must have."""
    return typed_json(run / "metrics.json", SUMMARY, {})


def typed_json(path: Path, types: Mapping[str, Json], optional: Mapping[str, Json]) -> JsonObject:
    """Return the JSON object that a file of a run holds; fields without a given type are as they are."""
    value = read_json(path)
    try:
        checked_fields(value, types, optional)
    except ValueError as error:
        raise RunError(f"{str(path)!r} is damaged: {error}.") from error
    return dict(value)


def read_answers(run: Path) -> list[JsonObject]:
    """Return the rows of `answers.jsonl`, each with its input; a run without it has none.

    Raises:
        RunError: A line is not such an object.
    """
    path = run / "answers.jsonl"
    if not has_file(path):
        return []
    rows = [parsed_json(path, line) for line in file_content(path, MOST_ANSWERS).split(b"\n") if line.strip()]
    try:
        return [row | checked_fields(row, {"input": str}) for row in rows]
    except ValueError as error:
        raise RunError(f"{str(path)!r} is damaged: {error}.") from error


def read_text(path: Path) -> str:
    """Return a text file of a run, which is in UTF-8."""
    try:
        return member_content(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise RunError(f"{str(path)!r} is damaged: {error}.") from error

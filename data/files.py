"""The user's own files, as raw examples."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from operator import not_
from pathlib import Path
from typing import Any

from data.splits import DataError, Example, Splits, hold_out

TEST_SHARE = 0.2
SEPARATORS = {".csv": ",", ".tsv": "\t"}
TABLES = (*SEPARATORS, ".jsonl")  # endings of tables
LONGEST = 1 << 30  # characters in one field of a table


def labelled_texts(path: Path, columns: Mapping[str, str], valid: float, seed: int) -> Splits:
    """Return labelled texts: a table, a folder with the tables `train` and `test`, or a folder of classes.

    Args:
        path: A `.csv`, `.tsv` or `.jsonl` file, of which a fifth is kept for testing whatever the seed unless
            it has a column `split` that says `train` or `test`; or a folder with two such files named
            `train` and `test`; or a folder with a folder of `.txt` files for each class, as for
            `folder_of_classes`.
        columns: The name in a table of the fields `text` and `label`.
        valid: Fraction of the training part that is kept for validation, in (0, 1).
        seed: Chooses the validation part.

    Raises:
        FileNotFoundError: There is no such file or folder.
        DataError: It cannot be read as such.
    """
    found = tables(path, columns, "--text-column or --label-column")
    if found is None:
        splits = folder_of_classes(path, (".txt",), "text", valid, seed)
        return Splits(*([example | {"text": read_text(example["text"])} for example in split] for split in splits))
    train, test = found
    return Splits(*hold_out(train, valid, seed), test)


def tables(path: Path, columns: Mapping[str, str], options: str) -> tuple[list[Example], list[Example]] | None:
    """Return the training and the test rows of a table, or of a folder with the tables `train` and `test`.

    A fifth of a single table is kept for testing, whatever the seed, unless it has a column `split` that says
    `train` or `test`. A folder without both tables gives `None`.

    Args:
        path: A `.csv`, `.tsv` or `.jsonl` file, or a folder.
        columns: The field that each column becomes in an example, and its name in the table.
        options: Which options name the columns, for the sentence that refuses a table.
    """
    if not path.is_file():
        found = parts(path)
        return (list(table(found[0], columns, options)), list(table(found[1], columns, options))) if found else None
    rows = list(table(path, columns, options, optional=("split",)))
    own = [{field: row[field] for field in columns} for row in rows]
    test = [row["split"] == "test" for row in rows]
    if not any(test):
        return hold_out(own, TEST_SHARE, seed=0)
    return list(compress(own, map(not_, test))), list(compress(own, test))


def parts(folder: Path) -> list[Path]:
    """Return the tables `train` and `test` of a folder, or nothing if it does not have both."""
    found = [path for stem in ("train", "test") for end in TABLES if (path := folder / f"{stem}{end}").is_file()]
    return found if [path.stem for path in found] == ["train", "test"] else []


def table(
    path: Path,
    columns: Mapping[str, str],
    options: str = "another name",
    optional: Sequence[str] = (),
    separator: str | None = None,
) -> Iterator[Example]:
    """Yield the rows of a table, as text, one at a time.

    Args:
        path: A `.csv`, `.tsv` or `.jsonl` file.
        columns: The field that each column becomes in an example, and its name in the table.
        options: Which options name the columns.
        optional: Columns that may be missing; their fields are then empty.
        separator: What stands between the fields of a row; `None` is what the ending of the name says.

    Raises:
        FileNotFoundError: There is no such file.
        DataError: The table has no such column, or a row cannot be read; the sentence names its line.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    separator = separator or SEPARATORS.get(path.suffix.lower())
    if separator is None and path.suffix.lower() not in TABLES:
        raise DataError(f"{str(path)!r} is no table; its name must end in {', '.join(TABLES)}.")
    try:
        for line, row in records(path, separator) if separator else objects(path):
            missing = next((name for name in columns.values() if row.get(name) is None), None)
            if missing is not None:
                raise DataError(
                    f"{str(path)!r}, line {line}: there is no {missing!r}; there are: {', '.join(map(str, row))}. "
                    f"Name the column with {options}."
                )
            named = {field: str(row[name]) for field, name in columns.items()}
            yield named | {name: str(row.get(name) or "") for name in optional}
    except UnicodeDecodeError as error:
        raise DataError(f"{str(path)!r} is not in UTF-8: {error.reason} at byte {error.start}.") from error


def inputs(path: Path, column: str) -> Iterator[str]:
    """Yield one column of a `.csv`, `.tsv` or `.jsonl` table, or the lines of any other file that are not empty."""
    if path.suffix.lower() in TABLES:
        yield from (row[column] for row in table(path, {column: column}, "--text-column"))
        return
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        yield from (line.rstrip("\r\n") for line in file if line.strip())


def records(path: Path, separator: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a CSV or TSV file by column name, each with the number of its last line."""
    csv.field_size_limit(LONGEST)
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, delimiter=separator, strict=True)
        try:
            names = next(reader, [])
            for values in reader:
                if values and len(values) != len(names):
                    raise DataError(
                        f"{str(path)!r}, line {reader.line_num}: {len(values)} fields where the first line names "
                        f"{len(names)}; put a text that holds the delimiter or a line break in double quotes."
                    )
                if values:
                    yield reader.line_num, dict(zip(names, values, strict=True))
        except csv.Error as error:
            raise DataError(
                f"{str(path)!r}, line {reader.line_num}: quotes are out of place ({error}); a text that holds "
                f"a double quote stands in double quotes, with its own doubled."
            ) from error


def objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of a JSONL file, each with the number of its line."""
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise DataError(f"{str(path)!r}, line {number}: this is no JSON ({error}).") from error
                if not isinstance(row, dict):
                    raise DataError(f"{str(path)!r}, line {number}: a JSON object must stand on each line.")
                yield number, row


def read_text(path: Path) -> str:
    """Return what a text file holds.

    Raises:
        DataError: It is not in UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{str(path)!r} is not in UTF-8: {error.reason} at byte {error.start}.") from error


def folder_of_classes(path: Path, suffixes: Sequence[str], field: str, valid: float, seed: int) -> Splits:
    """Return the files below a folder that holds a folder for each class.

    Either the classes lie in `path`, and a fifth of the files is kept for testing whatever the seed, or
    they lie in `path/train` and `path/test`. The validation part is cut from the training part by seed.

    Args:
        path: An existing folder.
        suffixes: Endings of the files to take, in lower case, with their dots.
        field: Name that the path of a file gets in its example; `label` is its class.
        valid: Fraction of the training part that is kept for validation, in (0, 1).
        seed: Chooses the validation part.

    Raises:
        FileNotFoundError: There is no such folder.
        DataError: The folder has no such files, or no two classes of them.
    """
    if not path.is_dir():
        raise FileNotFoundError(f"There is no folder {str(path)!r}; give --data a folder with a folder for each class.")
    if (path / "train").is_dir() and (path / "test").is_dir():
        train, test = files_by_class(path / "train", suffixes, field), files_by_class(path / "test", suffixes, field)
    else:
        train, test = hold_out(files_by_class(path, suffixes, field), TEST_SHARE, seed=0)
    train, held = hold_out(train, valid, seed)
    return Splits(train, held, test)


def files_by_class(path: Path, suffixes: Sequence[str], field: str) -> list[Example]:
    """Return the files of each class below a folder, in the order of their names."""
    found = [
        {field: file, "label": folder.name}
        for folder in sorted(path.iterdir())
        if folder.is_dir() and not folder.name.startswith(".")
        for file in sorted(folder.rglob("*"))
        if file.suffix.lower() in suffixes and not file.name.startswith(".")
    ]
    if not found:
        raise DataError(
            f"{str(path)!r} holds no folder with {', '.join(suffixes)} files in it; give a folder with a folder "
            f"for each class."
        )
    classes = sorted({str(example["label"]) for example in found})
    if len(classes) < 2:
        raise DataError(f"{str(path)!r} holds one class only, {classes[0]!r}; give at least two.")
    return found

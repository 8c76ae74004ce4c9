"""Examples from the rows of any table: which column is which, what is left out, and what is said of it."""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from data.columns import Names, column_places, header_columns, named_columns, place_of
from data.delimited import table_rows
from data.records import READERS, TABLES, Record, is_table
from data.splits import DataError, Example, OptionError, Splits, part_of
from data.text_files import File, content_name, content_suffix, encoding_refusal, text_lines, undecodable

LOG = logging.getLogger("tasks")
LOST_LIMIT = 0.01  # share of the rows that may be unreadable
SAMPLE = 50  # rows that tell whether the first one has names
LABELS = re.compile(r"(?:__label__\S+\s+)+")  # before a text of fastText
SHARD = re.compile(r"-\d+-of-\d+$")  # end of the name of one of several files for a part


@dataclass(frozen=True)
class TableFormat:
    """What the user says of files: where the fields are, and how the text is encoded.

    Attributes:
        columns: Field -> name or number, from 1, of its column.
        encoding: Name of the encoding; `None` is UTF-8, or what the file itself tells.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None


class Table(NamedTuple):
    """The records of a table, and its columns: their names, or their numbers from "1" if it has no names."""

    columns: list[str]
    records: Iterator[Record]


class InputRow(NamedTuple):
    """An input in a file.

    Attributes:
        number: Number of its row or line, from 1.
        value: The input.
        error: What is wrong with it, if it cannot be read.
        kept: Values of other columns.
    """

    number: int
    value: str
    error: str = ""
    kept: Mapping[str, str] = {}


def open_table(path: File, names: Names, form: TableFormat) -> Table:
    """Open a table.

    Raises:
        FileNotFoundError: There is no such file.
        DataError: It is not a table, or is empty.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    if content_suffix(path) in READERS:
        records = READERS[content_suffix(path)](path, form.encoding)
        head = list(islice(records, SAMPLE))
        return Table(list(dict.fromkeys(name for record in head for name in record.values)), chain(head, records))
    rows = table_rows(path, form.encoding)
    first = list(islice(rows, SAMPLE))
    if not first or first[0].error:
        raise DataError(f"{str(path)!r}: {first[0].error if first else 'it is empty'}.")
    columns = header_columns([row.cells for row in first], names, form.columns, str(path))
    named = columns is not None
    columns = columns or [str(number) for number in range(1, len(first[0].cells) + 1)]
    records = (
        Record(number, dict(zip(columns, row.cells, strict=False)), row.error)
        for number, row in enumerate(chain(first[named:], rows), start=1)
    )
    return Table(columns, records)


def example_rows(path: File, names: Names, form: TableFormat, order: Sequence[str] = ()) -> list[Example]:
    """Return the rows of a table as examples with these fields, and `split` if the table has such a column.

    Rows that cannot be read are left out, with a notice of their number.

    Args:
        path: A table, also compressed.
        names: Field of an example -> names that its column may have, the usual first.
        form: Columns and encoding, as the user gave them.
        order: Fields of the first columns of a table without names; without it, such a table is refused.

    Raises:
        FileNotFoundError: There is no such file.
        DataError: It is not a table, a column is missing, or over 1 % of the rows cannot be read.
        OptionError: A column or an encoding that the user named does not exist.
    """
    table = open_table(path, names, form)
    places = column_places(table.columns, names, form.columns, str(path), order)
    split = place_of(table.columns, "split", form.columns)
    found, lost = list[Example](), list[Record]()
    for record in table.records:
        if record.error:
            lost.append(record)
            continue
        example = {name: record.values.get(place, "") for name, place in places.items()}
        found.append(example | ({"split": record.values.get(split, "")} if split else {}))
    check_lost(lost, len(found), path)
    return found


def check_lost(lost: Sequence[Record], kept: int, path: File) -> None:
    """Give notice of the rows that cannot be read.

    Raises:
        DataError: They are more than one in a hundred.
    """
    if not lost:
        return
    first = f"the first is row {lost[0].number}: {lost[0].error}"
    if len(lost) > LOST_LIMIT * (kept + len(lost)):
        raise DataError(f"{str(path)!r}: {len(lost):,} of {kept + len(lost):,} rows cannot be read; {first}.")
    LOG.warning("%s: %d of %d rows cannot be read and are left out; %s.", path.name, len(lost), kept + len(lost), first)


def table_parts(path: Path, names: Names, form: TableFormat, order: Sequence[str] = ()) -> Splits | None:
    """Return the parts that a table, or a folder of tables, has itself; `None` for a folder without tables.

    * A column `split` names the part of each row; rows of an unknown part are left out, with a notice.
    * In a folder the names of the files tell the parts, such as `train.csv`, `dev.jsonl` or `test-00000.parquet`.
    * Rows without a part are for training; a table that is called `test` is for testing.

    Args:
        path, names, form, order: As for `example_rows`.
    """
    if path.is_dir():
        files = part_files(path)
        return None if files is None else folder_parts(files, names, form, order)
    rows = example_rows(path, names, form, order)
    if not any("split" in row for row in rows):
        empty: list[Example] = []
        return Splits(empty, empty, rows) if part_of(content_name(path)) == "test" else Splits(rows, empty, empty)
    return row_parts(rows, path.name)


def folder_parts(files: Mapping[str, Sequence[Path]], names: Names, form: TableFormat, order: Sequence[str]) -> Splits:
    """Return the rows of the tables of each part."""
    found: dict[str, list[Example]] = {part: [] for part in files}
    for part, paths in files.items():
        for path in paths:
            found[part] += plain_rows(path, names, form, order)
    return Splits(**found)


def plain_rows(path: File, names: Names, form: TableFormat, order: Sequence[str]) -> list[Example]:
    """Return the rows of a table without the names of their parts."""
    return [{name: row[name] for name in names} for row in example_rows(path, names, form, order)]


def row_parts(rows: Sequence[Example], name: str) -> Splits:
    """Return the parts of rows with a `split`, and give notice of what they are."""
    parts: dict[str, list[Example]] = {part: [] for part in Splits._fields}
    alien = Counter[str]()
    for row in rows:
        part = part_of(row["split"]) if row["split"].strip() else "train"
        if part is None:
            alien[row["split"]] += 1
        else:
            parts[part].append({key: value for key, value in row.items() if key != "split"})
    if alien:
        said = ", ".join(f"{count} of {part!r}" for part, count in alien.items())
        LOG.warning("%s: rows left out, since their split is not train, valid or test: %s.", name, said)
    return Splits(**parts)


def part_files(folder: Path) -> dict[str, list[Path]] | None:
    """Return the tables of a folder by part, or `None` if it has none; a single table is for training.

    Raises:
        DataError: It has several tables, and their names tell no parts; or a part twice.
    """
    tables = [path for path in sorted(folder.iterdir()) if is_table(path) and not path.name.startswith(".")]
    found: dict[str, list[Path]] = {part: [] for part in Splits._fields}
    for path in tables:
        if part := part_of(content_name(path)):
            found[part].append(path)
    other = [path.name for path in tables if part_of(content_name(path)) is None]
    if not tables:
        return None
    if not any(found.values()):
        if len(tables) > 1:
            raise DataError(
                f"{str(folder)!r} holds {len(tables)} tables, and none is called train or test: "
                f"{', '.join(other[:5])}; name one of them."
            )
        return found | {"train": tables}
    if other:
        LOG.warning("%s: not used, since the name tells no part: %s.", folder.resolve().name, ", ".join(other))
    for part, files in found.items():
        check_files(files, part, folder)
    return found


def check_files(files: Sequence[Path], part: str, folder: Path) -> None:
    """Give notice of a part made of several files.

    Raises:
        DataError: They have different kinds, so that one may be a copy of another.
    """
    said = ", ".join(path.name for path in files)
    if len({content_suffix(path) for path in files}) > 1:
        raise DataError(f"{str(folder)!r} has files of different kinds for one part: {said}; keep those of one kind.")
    if len(files) > 1 and not all(SHARD.search(Path(content_name(path)).stem) for path in files):
        LOG.warning("%s: several files are read as one part, %s: %s.", folder.resolve().name, part, said)


def input_rows(path: Path, names: Names, form: TableFormat, keep: Sequence[str] = ()) -> Iterator[InputRow]:
    """Yield the inputs in a file: one column of a table, or the lines of any other text file.

    Args:
        path: A file, also compressed.
        names: Field of the input -> names that its column may have, the usual first.
        form: Columns and encoding, as the user gave them.
        keep: Other columns whose values are given with each row, by name or number.

    Raises:
        FileNotFoundError, DataError, OptionError: As for `example_rows`.
    """
    if not is_table(path):
        yield from line_inputs(path, form, keep)
        return
    table = open_table(path, names, form)
    order = tuple(names) if len(table.columns) == 1 else ()
    (place,) = column_places(table.columns, names, form.columns, str(path), order).values()
    kept = named_columns(table.columns, keep, str(path))
    for record in table.records:
        others = {name: record.values.get(key, "") for name, key in kept.items()}
        yield InputRow(record.number, record.values.get(place, ""), record.error, others)


def line_inputs(path: Path, form: TableFormat, keep: Sequence[str]) -> Iterator[InputRow]:
    """Yield the lines of a text file; a label of fastText before a text is left out, with a notice.

    Raises:
        OptionError: Columns are to be kept, and the file has none.
    """
    if keep:
        raise OptionError(
            f"{str(path)!r} is not a table, so it has no column {keep[0]!r}; a table ends in {', '.join(TABLES)}."
        )
    labelled = False
    for number, line in enumerate(text_lines(path, form.encoding), start=1):
        error = encoding_refusal(line, f"line {number}") if undecodable(line) else ""
        label = LABELS.match(line)
        if label and not labelled:
            labelled = True
            LOG.warning("%s: labels before the texts, such as %r, are left out.", path.name, label[0].strip())
        yield InputRow(number, line[label.end() :] if label else line, error)

"""Examples from the rows of any table: which column is which, what is left out, and what is said of it."""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from data.columns import Names, column_places, header_columns, named_columns, split_column
from data.delimited import table_rows
from data.plain_files import check_plain
from data.records import READERS, TABLES, Record, is_table
from data.splits import DataError, Example, OptionError, Splits, part_of
from data.text_files import File, content_suffix, encoding_refusal, text_lines, undecodable
from data.values import Listed

LOG = logging.getLogger("tasks")
LOST_LIMIT = 0.01  # share of the rows that may be unreadable
SAMPLE = 50  # rows that tell whether the first one has names
REPEATED = "it has the names of the columns again"
LABELS = re.compile(r"(?:__label__\S+\s+)+")  # before a text of fastText


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
    """The records of a table, the first of them, and its columns: their names, or from "1" if it has no names."""

    columns: list[str]
    records: Iterator[Record]
    head: Sequence[Record]


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
    check_plain(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    if content_suffix(path) in READERS:
        records = READERS[content_suffix(path)](path, form.encoding)
        head = list(islice(records, SAMPLE))
        columns = list(dict.fromkeys(name for record in head for name in record.values))
        if not columns:
            raise DataError(f"{str(path)!r}: {head[0].error if head else 'it is empty'}.")
        return Table(columns, chain(head, records), head)
    rows = table_rows(path, form.encoding)
    first = list(islice(rows, SAMPLE))
    if not first or first[0].error:
        raise DataError(f"{str(path)!r}: {first[0].error if first else 'it is empty'}.")
    found = header_columns([row.cells for row in first], names, form.columns, str(path))
    columns = found or [str(number) for number in range(1, len(first[0].cells) + 1)]
    names_row = None if found is None else first[0]
    records = (
        Record(number, dict(zip(columns, row.cells, strict=False)), REPEATED if row == names_row else row.error)
        for number, row in enumerate(chain(first[found is not None :], rows), start=1)
    )
    head = list(islice(records, SAMPLE))
    return Table(columns, chain(head, records), head)


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
    check_fields(form.columns, names)
    places = column_places(table.columns, names, form.columns, str(path), order, first_row(table))
    split = split_column(table.columns, form.columns, [record.values for record in table.head], str(path))
    found, lost = list[Example](), list[Record]()
    for record in table.records:
        example = {name: record.values.get(place, "") for name, place in places.items()}
        if error := record.error or list_error(example):
            lost.append(record._replace(error=error))
            continue
        found.append(example | ({"split": record.values.get(split, "")} if split else {}))
    check_lost(lost, len(found), path)
    if not found:
        raise DataError(f"{str(path)!r} has no rows below the names of its columns: {', '.join(table.columns)}.")
    return found


def list_error(example: Mapping[str, str]) -> str:
    """Return what is wrong with values that are lists where a text is expected; nothing if none is."""
    listed = next((name for name, value in example.items() if isinstance(value, Listed)), None)
    return f"its {listed} is a list, not a text; join its values" if listed else ""


def first_row(table: Table) -> list[str]:
    """Return the values of the first record of a table."""
    return list(table.head[0].values.values()) if table.head else []


def check_fields(given: Mapping[str, str], names: Names) -> None:
    """Raise `OptionError` if the user gave a column for a field that there is not."""
    if unknown := [field for field in given if field not in (*names, "split")]:
        raise OptionError(f"--columns names {unknown[0]!r}, which is not one of: {', '.join((*names, 'split'))}.")


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


def row_parts(rows: Sequence[Example], name: str) -> Splits:
    """Return the parts of rows with a `split`, with a notice of the rows that are left out.

    Rows without a part are for training, and so are all rows if none names a part.
    """
    parts: dict[str, list[Example]] = {part: [] for part in Splits._fields}
    known = {value: part_of(value) for value in {row["split"] for row in rows}}
    alien = Counter(row["split"] for row in rows if row["split"].strip() and not known[row["split"]])
    if alien and not any(known.values()):
        LOG.warning("%s: its column of splits is not used, since no value is train, valid or test.", name)
        alien.clear()
    for row in rows:
        if row["split"] not in alien:
            part = known[row["split"]] or "train"
            parts[part].append({key: value for key, value in row.items() if key != "split"})
    if alien:
        said = ", ".join(f"{count} of {part!r}" for part, count in alien.most_common(5))
        LOG.warning(
            "%s: %d rows left out, since their split is not train, valid or test: %s%s.",
            name, alien.total(), said, " and others" if len(alien) > 5 else "",
        )  # fmt: skip
    return Splits(**parts)


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
    (place,) = column_places(table.columns, names, form.columns, str(path), order, first_row(table)).values()
    kept = named_columns(table.columns, keep, str(path))
    for record in table.records:
        others = {name: readable(record.values.get(key, "")) for name, key in kept.items()}
        value = record.values.get(place, "")
        yield InputRow(record.number, readable(value), record.error or list_error({"text": value}), others)


def readable(text: str) -> str:
    """Return a text in which signs stand for bytes that are not in the encoding of its file."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


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
        error = encoding_refusal(line, f"line {number}", path, form.encoding) if undecodable(line) else ""
        label = LABELS.match(line)
        if label and not labelled:
            labelled = True
            LOG.warning("%s: labels before the texts, such as %r, are left out.", path.name, label[0].strip())
        yield InputRow(number, readable(line[label.end() :] if label else line), error)

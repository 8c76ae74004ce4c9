"""Tables with a column for each pixel, as Kaggle's MNIST has them."""

import logging
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from math import isqrt
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from data.columns import ColumnError, GivenColumnError, named_columns, place_of
from data.delimited import Row, table_rows
from data.pictures.pixel_arrays import array_examples, is_transposed, level_images
from data.records import DELIMITED, Record
from data.splits import DataError, Example
from data.tables import TableFormat, check_lost
from data.text_files import File, content_name, content_suffix

LABEL_NAMES = ("label", "class", "target", "digit", "y", "labels", "class_id", "classid", "category")
PIXEL = re.compile(r"(?:pixel|pix|px|p|x|col|column|v|f|feature|attr)?[ _.-]?\d+(?:[x_]\d+)?", re.IGNORECASE)
LEAST = 50  # columns of a table of pixels
SAMPLE = 200  # rows that tell which column is the label
LOG = logging.getLogger("tasks")


class Layout(NamedTuple):
    """The columns of a table of pixels, by place from 0."""

    names: list[str] | None
    label: int | None
    pixels: list[int]
    width: int
    first: int  # number of rows before the data


class PixelRows(NamedTuple):
    """The pictures of a table: uint8 `(count, side, side)`, and the rows that they are in."""

    images: np.ndarray
    rows: list[tuple[int, dict[int, str]]]  # number of the row, and its cells that are not pixels, by place
    layout: Layout
    lost: list[Record]


def is_pixel_table(file: File) -> bool:
    """Return whether a file is a table whose rows are pixels, by its number of columns."""
    if content_suffix(file) not in DELIMITED:
        return False
    try:
        first = next(table_rows(file, None), Row([]))
    except DataError:
        return False
    return len(first.cells) >= LEAST


def is_number(cell: str) -> bool:
    """Return whether a cell is a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def pixel_examples(file: File, form: TableFormat) -> list[Example]:
    """Return the pictures of a table with their labels; EMNIST, told by its name, is turned upright.

    Args:
        file: A table with a label and 784 pixels in each row, or another square.
        form: Columns and encoding, as the user gave them.

    Raises:
        ColumnError: It has no column of labels.
        DataError: Its pixels are not a square, or over 1 % of the rows cannot be read.
    """
    images, rows, layout, lost = pixel_rows(file, form)
    if layout.label is None:
        raise ColumnError(
            f"{str(file)!r} has {len(layout.pixels)} columns of pixels, and none with labels; "
            f"name it with --columns label=NAME."
        )
    check_lost(lost, len(rows), file)
    labels = [cells[layout.label].strip() for _, cells in rows]
    return array_examples(images, labels, content_name(file), is_transposed(PurePosixPath(content_name(file))))


def pixel_rows(file: File, form: TableFormat) -> PixelRows:
    """Return the rows of a table of pixels, and those that cannot be read."""
    rows = table_rows(file, form.encoding)
    head = list(islice(rows, SAMPLE))
    layout = pixel_layout([row.cells for row in head if not row.error], form, file)
    others = sorted(set(range(layout.width)) - set(layout.pixels))
    found, pixels, lost = list[tuple[int, dict[int, str]]](), list[np.ndarray](), list[Record]()
    for number, row in enumerate(chain(head[layout.first :], rows), start=1):
        try:
            values = [] if row.error else [float(row.cells[place]) for place in layout.pixels]
        except ValueError:
            values = []
        if not values:
            lost.append(Record(number, {}, row.error or "a pixel is not a number"))
            continue
        found.append((number, {place: row.cells[place] for place in others}))
        pixels.append(np.array(values, "float32"))
    if not found:
        raise DataError(f"{str(file)!r} has no rows of pixels.")
    return PixelRows(np.stack(pixels), found, layout, lost)


def pixel_layout(rows: Sequence[Sequence[str]], form: TableFormat, file: File) -> Layout:
    """Return which column is the label, and which are pixels.

    Args:
        rows: The first rows, also that of the names.
        form: Columns that the user gave.
        file: The table, for messages.
    """
    cells = [cell.strip().lstrip("\ufeff") for cell in rows[0]]
    names = None if all(map(is_number, cells)) else cells
    if names is None and is_numbered_row(rows):
        LOG.warning("%s: its first row is not a picture but names that a program has numbered.", content_name(file))
        return pixel_layout(rows[1:], form, file)._replace(first=1)
    columns = names or [str(number) for number in range(1, len(cells) + 1)]
    given = {field: name for field, name in form.columns.items() if field == "label"}
    found = place_of(columns, "label", given, LABEL_NAMES if names else ())
    if given and found is None:
        raise GivenColumnError(f"{str(file)!r} has no column {given['label']!r}.")
    label = columns.index(found) if found else None if names else nameless_label(rows, file)
    rest = [place for place in range(len(columns)) if place != label]
    named = [place for place in rest if PIXEL.fullmatch(columns[place])]
    pixels = named if names and is_square(len(named)) else rest
    if not is_square(len(pixels)):
        raise DataError(
            f"{str(file)!r} has {len(pixels)} columns beside the label, which is not a square such as 784 for 28x28."
        )
    return Layout(names, label, pixels, len(columns), int(names is not None))


def is_numbered_row(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row has names such as `0.1` that pandas gives to repeated numbers."""
    fractions = [sum(not float(cell).is_integer() for cell in row if is_number(cell)) for row in rows[:SAMPLE]]
    return len(rows) > 1 and fractions[0] > 0 and not any(fractions[1:])


def nameless_label(rows: Sequence[Sequence[str]], file: File) -> int | None:
    """Return the column of labels of a table without names: the first or the last; `None` if all are pixels."""
    width = len(rows[0])
    if is_square(width) or not is_square(width - 1):
        return None
    first, last = ({row[place].strip() for row in rows if len(row) == width} for place in (0, width - 1))
    place = width - 1 if len(first) == 1 and len(last) > 1 else 0
    LOG.warning("%s has no names of columns; column %d is read as the label.", content_name(file), place + 1)
    return place


def is_square(count: int) -> bool:
    """Return whether so many pixels are a square."""
    return count > 0 and isqrt(count) ** 2 == count


class PixelInput(NamedTuple):
    """A row of a table of pixels to answer.

    Attributes:
        number: Number of the row, from 1.
        value: The picture, uint8 `(side, side)`; `None` if it cannot be read.
        error: What is wrong with it, if it cannot be read.
        kept: Values of other columns.
    """

    number: int
    value: np.ndarray | None
    error: str
    kept: dict[str, str]


def pixel_inputs(file: File, form: TableFormat, keep: Sequence[str] = ()) -> Iterator[PixelInput]:
    """Yield the pictures of a table of pixels, in order, with or without a column of labels.

    Args:
        file: A table with 784 pixels in each row, or another square.
        form: Columns and encoding, as the user gave them.
        keep: Other columns whose values are given with each row, by name or number.

    Raises:
        DataError: Its pixels are not a square.
        OptionError: A column does not exist.
    """
    pixels, rows, layout, lost = pixel_rows(file, form)
    images = level_images(pixels, content_name(file))
    if is_transposed(PurePosixPath(content_name(file))):
        images = np.ascontiguousarray(images.swapaxes(1, 2))
    columns = layout.names or [str(number) for number in range(1, layout.width + 1)]
    kept = {name: columns.index(place) for name, place in named_columns(columns, keep, str(file)).items()}
    found = [
        PixelInput(number, image, "", {name: cells.get(place, "") for name, place in kept.items()})
        for image, (number, cells) in zip(images, rows, strict=True)
    ]
    yield from sorted(
        [*found, *(PixelInput(row.number, None, row.error, {}) for row in lost)], key=lambda row: row.number
    )

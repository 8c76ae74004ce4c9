"""Labelled pictures as people have them: IDX, arrays, tables, folders, zips. An example has `image` and `label`."""

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from data.columns import ColumnError, Names
from data.pictures.class_folders import class_folder_parts
from data.pictures.containers import Entry, file_tree, used_entries
from data.pictures.files import SUFFIXES
from data.pictures.idx import idx_parts, set_entries
from data.pictures.picture_tables import named_pictures, table_parts
from data.pictures.pixel_arrays import array_parts
from data.pictures.pixel_tables import LABEL_NAMES, is_pixel_table, pixel_examples
from data.records import is_table
from data.splits import DataError, Example, Splits
from data.tables import TableFormat

LOG = logging.getLogger("tasks")
IMAGE_NAMES = (
    "image", "image/bytes", "img/bytes", "file_name", "filename", "file", "path", "image_path", "filepath",
    "image_name", "image_id", "img", "name", "picture", "id",
)  # fmt: skip
NAMES: Names = {"image": IMAGE_NAMES, "label": LABEL_NAMES}


def labelled_pictures(path: Path, names: Names = NAMES, form: TableFormat | None = None) -> Splits:
    """Return the parts that the user's own labelled pictures have; without parts all are for training.

    The first of these kinds that a folder or a zip holds is read; a single file may be of each kind:

    * IDX files, as MNIST and EMNIST are published.
    * `.npz` and `.npy` files with arrays such as `x_train` and `y_train`.
    * Tables with a label and a column for each pixel.
    * Tables with the names of pictures and their labels, or Parquet files with the pictures themselves.
    * A folder for each class, or names of pictures such as `7_001.png`.

    An `image` is a file, or an array uint8 `(height, width)` or `(height, width, 3)`.

    Args:
        path: A folder, a zip or a file.
        names: Field of a table, `image` and `label` -> names that its column may have.
        form: Columns and encoding of tables, as the user gave them.

    Raises:
        FileNotFoundError: There is no such file or folder.
        DataError, OptionError: The data cannot be used.
    """
    form, name = form or TableFormat(), path.resolve().name
    entries = set_entries(path) or used_entries(file_tree(path), name)
    for kind, read in (
        ("IDX files", idx_parts),
        ("arrays", array_parts),
        ("tables of pixels", partial(pixel_parts, form)),
    ):
        if (found := read(entries, name)) is not None:
            if pictures := sum(entry.is_picture for entry in entries):
                LOG.warning("%s: %d pictures beside the %s are not used.", name, pictures, kind)
            return found
    if is_table(path) and path.suffix.lower() != ".zip":
        beside, table = used_entries(file_tree(path.parent), name), Entry((path.name,), path)
        return table_parts([table], lambda entry: named_pictures(entry, beside, names, form), name)
    if path.suffix.lower() in SUFFIXES and path.is_file():
        raise DataError(f"{str(path)!r} is one picture; give a folder of pictures, a zip or a table.")
    if path.is_file() and path.suffix.lower() != ".zip":
        raise DataError(
            f"{str(path)!r} is of a kind that is not read; give a folder, a zip, IDX files, .npz or a table, and "
            f"unpack other archives."
        )
    return table_or_folder_parts(entries, name, names, form)


def pixel_parts(form: TableFormat, entries: Sequence[Entry], name: str) -> Splits | None:
    """Return the parts of tables of pixels, or `None` if there are none."""
    tables = [entry for entry in entries if is_pixel_table(entry.text)]
    return table_parts(tables, lambda entry: pixel_examples(entry.text, form), name) if tables else None


def table_or_folder_parts(entries: Sequence[Entry], name: str, names: Names, form: TableFormat) -> Splits:
    """Return the parts of tables of names, or of folders of classes if there are no such tables."""
    tables = [entry for entry in entries if is_table(entry.text)]
    if not tables:
        return class_folder_parts(entries, name)

    def read(entry: Entry) -> list[Example]:
        return named_pictures(entry, entries, names, form)

    try:
        found = table_parts(tables, read, name)
    except ColumnError as error:
        try:
            found = class_folder_parts(entries, name)
        except DataError:
            raise error from None
        LOG.warning("%s: tables beside the pictures are not used: %s", name, error)
        return found
    return with_folder_parts(found, entries, name)


def with_folder_parts(found: Splits, entries: Sequence[Entry], name: str) -> Splits:
    """Return parts from tables, with those training and validation parts that only folders of classes have."""
    used = {row["image"] for part in found for row in part}
    if not found.train:
        try:
            folders = class_folder_parts([entry for entry in entries if entry.file not in used], name)
        except DataError:
            return found
        LOG.warning("%s: the labels of its test part are those of a table, the others are names of folders.", name)
        return Splits(folders.train, found.valid or folders.valid, found.test)
    LOG.warning("%s: the labels are those of the tables, not names of folders or pictures.", name)
    return found

"""Texts and their classes, from the user's own files."""

from collections.abc import Mapping
from pathlib import Path

from data import tables
from data.sources import class_folder_splits, files_by_class
from data.splits import DataError, Example, Examples, Splits, holdout_split

SUFFIXES = (".txt",)


def labelled_texts(path: Path, columns: Mapping[str, str], valid: float, seed: int) -> Splits:
    """Return the splits of labelled texts in the user's own files.

    A path is one of three things:

    * a `.csv`, `.tsv` or `.jsonl` table, split as by `table_parts`;
    * a folder with two such tables named `train` and `test`;
    * a folder with a folder of `.txt` files for each class, as for `class_folder_splits`.

    Args:
        path: A table or a folder.
        columns: Field (`text` or `label`) -> name of its column in a table.
        valid: Fraction of the training part that is kept for validation, in (0, 1).
        seed: Chooses the validation part.

    Raises:
        FileNotFoundError: There is no such file or folder.
        DataError: It has another form, or cannot be read.
    """
    found = tables.table_parts(path, columns, "--text-column or --label-column")
    if found is None:
        splits = class_folder_splits(path, SUFFIXES, "text", valid, seed)
        return Splits(*map(examples_with_texts, splits))
    train, test = found
    return Splits(*holdout_split(train, valid, seed), test)


def all_texts(path: Path, columns: Mapping[str, str]) -> list[Example]:
    """Return all labelled texts of a table, of a folder with tables, or of a folder of classes."""
    found = tables.table_parts(path, columns, "--text-column or --label-column")
    return examples_with_texts(files_by_class(path, SUFFIXES, "text")) if found is None else [*found[0], *found[1]]


def examples_with_texts(examples: Examples) -> list[Example]:
    """Return examples with the contents of their text files."""
    return [example | {"text": read_text(example["text"])} for example in examples]


def read_text(path: Path) -> str:
    """Return the contents of a text file.

    Raises:
        DataError: The file is not in UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{str(path)!r} is not in UTF-8: {error.reason} at byte {error.start}.") from error

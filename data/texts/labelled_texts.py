"""Texts and their classes, from the user's own files."""

import logging
import re
from pathlib import Path

from data.columns import Names
from data.holdout import completed_splits, scored_examples
from data.labels import check_labels, cleaned_labels
from data.sources import class_folder_parts
from data.splits import DataError, Example, Examples, Splits, part_of
from data.tables import TableFormat, example_rows, table_parts
from data.text_files import content_name, content_suffix, decoded_lines, read_text

LOG = logging.getLogger("tasks")
SUFFIXES = (".txt",)
ORDER = ("text", "label")  # of the columns of a table without names that is called `.txt`
PREFIX = "__label__"  # of a class, in the form of fastText
FASTTEXT = re.compile(rf"((?:{PREFIX}\S+\s+)+)(.*)", re.DOTALL)


def labelled_texts(path: Path, names: Names, form: TableFormat, valid: float, seed: int) -> Splits:
    """Return the splits of labelled texts in the user's own files.

    A path is one of five things:

    * a table, as for `table_parts`;
    * a text file in the form of fastText, a line for each text: `__label__good A lovely film.`;
    * a text file whose lines are a text, a tab and a label;
    * a folder with such files, whose names tell the parts, such as `train.csv` and `test.csv`;
    * a folder with a folder of `.txt` files for each class, as for `class_folder_parts`.

    Missing parts are drawn from the training part. Labels are cleaned, and texts without a word left out.

    Args:
        path: A file or a folder.
        names: Field (`text` or `label`) -> names that its column may have.
        form: Columns and encoding, as the user gave them.
        valid: Fraction of the training part that is kept for validation if there is none, in (0, 1).
        seed: Chooses the validation part.

    Raises:
        FileNotFoundError: There is no such file or folder.
        DataError: It has another form, or cannot be read.
    """
    splits = completed_splits(labelled_parts(path, names, form), valid, seed, path.resolve().name)
    check_labels(splits)
    return splits


def all_texts(path: Path, names: Names, form: TableFormat) -> Examples:
    """Return the labelled texts at a path to test on: its test part if it names parts, or else all."""
    return scored_examples(labelled_parts(path, names, form), path.resolve().name)


def labelled_parts(path: Path, names: Names, form: TableFormat) -> Splits:
    """Return the parts that the user's own files have themselves, cleaned."""
    if path.is_file() and content_suffix(path) in SUFFIXES:
        parts = text_file_parts(path, names, form)
    elif (found := table_parts(path, names, form) or text_parts(path, names, form)) is not None:
        parts = found
    else:
        parts = Splits(
            *(examples_with_texts(part, form.encoding) for part in class_folder_parts(path, SUFFIXES, "text"))
        )
    return cleaned_labels(without_empty_texts(parts, path.resolve().name), path.resolve().name)


def text_parts(folder: Path, names: Names, form: TableFormat) -> Splits | None:
    """Return the parts in the text files of a folder whose names tell them, or `None` if there are none."""
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and content_suffix(file) in SUFFIXES]
    named = {file: part for file in files if (part := part_of(content_name(file)))}
    if "train" not in named.values() and "test" not in named.values():
        return None
    return Splits(
        *(
            [row for file, own in named.items() if own == part for row in text_rows(file, names, form)]
            for part in Splits._fields
        )
    )


def text_file_parts(path: Path, names: Names, form: TableFormat) -> Splits:
    """Return the parts of a single text file."""
    rows = text_rows(path, names, form)
    return Splits([], [], rows) if part_of(content_name(path)) == "test" else Splits(rows, [], [])


def text_rows(path: Path, names: Names, form: TableFormat) -> list[Example]:
    """Return the examples in a text file: in the form of fastText, or with a tab between text and label."""
    first = next((line for line in decoded_lines(path, form.encoding) if line.strip()), "")
    if not first.startswith(PREFIX):
        return [{name: row[name] for name in names} for row in example_rows(path, names, form, ORDER)]
    rows = [(number, FASTTEXT.match(line)) for number, line in enumerate(decoded_lines(path, form.encoding), start=1)]
    found = [(match[1].split(), match[2]) for _, match in rows if match]
    single = [{"text": text, "label": labels[0].removeprefix(PREFIX)} for labels, text in found if len(labels) == 1]
    for count, what in ((len(rows) - len(found), "no label or no text"), (len(found) - len(single), "several labels")):
        if count:
            LOG.warning("%s: %d of %d lines have %s and are left out.", path.name, count, len(rows), what)
    if not single:
        raise DataError(f"{str(path)!r} has no line with one label, such as '__label__good A lovely film.'.")
    return single


def without_empty_texts(parts: Splits, name: str) -> Splits:
    """Return parts without the examples whose text is empty, with a notice of their number."""
    kept = Splits(*([row for row in part if row["text"].strip()] for part in parts))
    if lost := sum(map(len, parts)) - sum(map(len, kept)):
        LOG.warning("%s: %d examples without a text are left out.", name, lost)
    return kept


def examples_with_texts(examples: Examples, encoding: str | None) -> list[Example]:
    """Return examples with the contents of their text files."""
    return [example | {"text": read_text(example["text"], encoding)} for example in examples]

"""Texts and their classes, from the user's own files."""

import logging
import re
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from data.columns import Names
from data.holdout import completed_splits, scored_examples
from data.labels import check_labels, cleaned_labels
from data.parts import file_parts
from data.records import TABLES, is_table
from data.sources import class_folder_parts
from data.splits import DataError, Example, Examples, Splits
from data.tables import TableFormat, example_rows
from data.text_files import content_suffix, decoded_lines, read_text

LOG = logging.getLogger("tasks")
SUFFIXES = (".txt",)
ORDER = ("text", "label")  # of the columns of a table without names that is called `.txt`
SAMPLE = 100  # lines from which the form is told
PREFIX = "__label__"  # of a class, in the form of fastText
FASTTEXT = re.compile(rf"\s*((?:{PREFIX}\S+\s+)+)(.*)", re.DOTALL)


def labelled_texts(path: Path, names: Names, form: TableFormat, valid: float, seed: int) -> Splits:
    """Return the splits of labelled texts in the user's own files.

    A path is one of five things:

    * a table, as for `example_rows`;
    * a text file in the form of fastText, a line for each text: `__label__good A lovely film.`;
    * a text file whose lines are a text and a label with a tab between, in any order;
    * a folder with such files, as for `file_parts`;
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
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {str(path)!r}.")
    if path.is_file() and not is_table(path) and content_suffix(path) not in SUFFIXES:
        raise DataError(
            f"{str(path)!r} is not a table or a text file by its name, which ends in none of: "
            f"{', '.join((*TABLES, *SUFFIXES))}. Name it so, or unpack it and give the folder."
        )
    parts = file_parts(path, partial(text_rows, names=names, form=form), SUFFIXES)
    if parts is None:
        folders = class_folder_parts(path, SUFFIXES, "text")
        parts = Splits(*(examples_with_texts(part, form.encoding) for part in folders))
    return cleaned_labels(without_empty_texts(parts, path.resolve().name), path.resolve().name)


def text_rows(path: Path, names: Names, form: TableFormat) -> list[Example]:
    """Return the examples in a table, or in a text file: in the form of fastText, or with a tab before the label."""
    if is_table(path):
        return example_rows(path, names, form)
    head = list(islice(filter(str.strip, decoded_lines(path, form.encoding)), SAMPLE))
    if not any(line.lstrip().startswith(PREFIX) for line in head):
        return example_rows(path, names, form, label_order(head))
    rows = [(number, FASTTEXT.match(line)) for number, line in enumerate(decoded_lines(path, form.encoding), start=1)]
    found = [(match[1].split(), match[2]) for _, match in rows if match]
    single = [{"text": text, "label": labels[0].removeprefix(PREFIX)} for labels, text in found if len(labels) == 1]
    for count, what in ((len(rows) - len(found), "no label or no text"), (len(found) - len(single), "several labels")):
        if count:
            LOG.warning("%s: %d of %d lines have %s and are left out.", path.name, count, len(rows), what)
    if not single:
        raise DataError(f"{str(path)!r} has no line with one label, such as '__label__good A lovely film.'.")
    return single


def label_order(lines: Sequence[str]) -> Sequence[str]:
    """Return the fields of two columns with a tab between; that with fewer values has the labels.

    Example:
        >>> label_order(["ham\tSee you at six.", "ham\tOn my way.", "spam\tWin a phone!"])
        ('label', 'text')
    """
    rows = [row for line in lines if len(row := line.split("\t")) == len(ORDER)]
    first, second = ({row[place].strip() for row in rows} for place in range(2))
    return ORDER[::-1] if len(first) < len(second) else ORDER


def without_empty_texts(parts: Splits, name: str) -> Splits:
    """Return parts without the examples whose text is empty, with a notice of their number."""
    kept = Splits(*([row for row in part if row["text"].strip()] for part in parts))
    if lost := sum(map(len, parts)) - sum(map(len, kept)):
        LOG.warning("%s: %d examples without a text are left out.", name, lost)
    return kept


def examples_with_texts(examples: Examples, encoding: str | None) -> list[Example]:
    """Return examples with the contents of their text files."""
    return [example | {"text": read_text(example["text"], encoding)} for example in examples]

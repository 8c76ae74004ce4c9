"""Pairs of sentences in two languages, from the user's own files."""

import gzip
import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from data.sources import TEST_SHARE
from data.splits import DataError, Example, Examples, OptionError, Splits, holdout_split
from data.tables import table_parts

LOG = logging.getLogger("tasks")
ENDINGS = ("", ".gz")
VALID = ("val", "valid", "validation", "dev")


def sentence_pairs(path: Path, source: str, target: str, valid: float, seed: int, test: str | None = None) -> Splits:
    """Return the splits of sentence pairs, `text` and its `translation`, in the user's own files.

    A path is one of three things:

    * a folder with files such as `train.en` and `train.de`, plain or `.gz`, one sentence per line;
    * a `.tsv`, `.csv` or `.jsonl` table with a column for each language;
    * a folder with such tables named `train` and `test`.

    The start of a file's name is its split:

    * `train`: for training;
    * `val`, `valid`, `validation` or `dev`: for validation; without one, drawn from the training part by seed;
    * `test`: for testing; without one, a fifth of the training part, whatever the seed.

    Args:
        path: A table or a folder.
        source: Language to translate from: the suffix of its files, or the name of its column.
        target: Language to translate to.
        valid: Fraction of the training part kept for validation if no file is for it, in (0, 1).
        seed: Chooses the validation part.
        test: Name of the file to test on, without its suffix; `None` is the first.

    Raises:
        FileNotFoundError: There is no such file or folder.
        DataError: The files do not match each other, or cannot be read.
        OptionError: There is no file named `test`.
    """
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {str(path)!r}.")
    found = table_parts(path, {"text": source, "translation": target}, "--source and --target")
    if found is not None:
        train, tested = (complete_pairs(rows, str(path)) for rows in found)
        return Splits(*holdout_split(train, valid, seed), tested)
    names = file_stems(path, source, target)

    def pairs(chosen: Iterable[str]) -> list[Example]:
        return [pair for name in chosen for pair in file_pairs(path, name, source, target)]

    training, held, tests = (list(filter(is_part, names)) for is_part in (is_training, is_validation, is_test))
    if not training:
        raise DataError(f"{str(path)!r} has no file for training; one must be called 'train.{source}'.")
    if test is not None and test not in tests:
        raise OptionError(f"{str(path)!r} has no file {test!r} to test on; choose one of: {', '.join(tests)}.")
    train, tested = pairs(training), pairs([test] if test else tests[:1])
    if not tests:
        train, tested = holdout_split(train, TEST_SHARE, seed=0)
    return Splits(train, pairs(held), tested) if held else Splits(*holdout_split(train, valid, seed), tested)


def is_training(name: str) -> bool:
    """Return whether a file is for training."""
    return name.startswith("train")


def is_validation(name: str) -> bool:
    """Return whether a file is for validation."""
    return re.split("[_-]", name, maxsplit=1)[0] in VALID


def is_test(name: str) -> bool:
    """Return whether a file is for testing."""
    return name.startswith("test")


def all_pairs(path: Path, source: str, target: str) -> list[Example]:
    """Return all pairs of sentences in a table, or in the files of a folder, as `sentence_pairs` reads them."""
    found = table_parts(path, {"text": source, "translation": target}, "--source and --target")
    if found is not None:
        return [*complete_pairs([*found[0], *found[1]], str(path))]
    return [pair for name in file_stems(path, source, target) for pair in file_pairs(path, name, source, target)]


def file_stems(folder: Path, source: str, target: str) -> list[str]:
    """Return the names, without suffixes, of the files that a folder has in both languages, sorted."""
    own, other = (
        {path.name.removesuffix(".gz").removesuffix(f".{language}") for path in language_files(folder, language)}
        for language in (source, target)
    )
    for here, there, language in ((own, other, target), (other, own, source)):
        if alone := sorted(name for name in here - there if name.startswith(("train", "test", *VALID))):
            raise DataError(f"{str(folder)!r} has {alone[0]!r} in one language, and no file '{alone[0]}.{language}'.")
    if not own:
        raise DataError(
            f"{str(folder)!r} has no files that end in '.{source}' and '.{target}'; name the languages with --source "
            f"and --target."
        )
    return sorted(own)


def language_files(folder: Path, language: str) -> list[Path]:
    """Return the files of a folder in one language."""
    return [path for ending in ENDINGS for path in folder.glob(f"*.{language}{ending}") if path.is_file()]


def file_pairs(folder: Path, name: str, source: str, target: str) -> Examples:
    """Return the sentence pairs of two files, line by line.

    Raises:
        DataError: The files differ in their number of lines, or have the same text.
    """
    one, other = (list(file_lines(folder, name, language)) for language in (source, target))
    if len(one) != len(other):
        raise DataError(
            f"'{name}.{source}' has {len(one):,} lines and '{name}.{target}' has {len(other):,}; the same "
            f"lines must translate each other."
        )
    if one == other:
        raise DataError(f"'{name}.{source}' and '{name}.{target}' hold the same text; give two languages.")
    return complete_pairs([{"text": text, "translation": own} for text, own in zip(one, other, strict=True)], name)


def file_lines(folder: Path, name: str, language: str) -> Iterator[str]:
    """Yield the lines of a file, plain or compressed."""
    path = next(path for ending in ENDINGS if (path := folder / f"{name}.{language}{ending}").is_file())
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="\n") as file:
            yield from (line.rstrip("\r\n") for line in file)
    except UnicodeDecodeError as error:
        raise DataError(f"{str(path)!r} is not in UTF-8: {error.reason} at byte {error.start}.") from error
    except (EOFError, gzip.BadGzipFile) as error:
        raise DataError(f"{str(path)!r} is damaged: {error}.") from error


def complete_pairs(rows: Examples, name: str) -> list[Example]:
    """Return the pairs without an empty side, with a notice of the number left out."""
    empty = [
        place for place, row in enumerate(rows, start=1) if not (row["text"].strip() and row["translation"].strip())
    ]
    if empty:
        LOG.warning("%s: %d pairs with an empty side are left out, the first in line %d.", name, len(empty), empty[0])
    left = set(empty)
    kept = [row for place, row in enumerate(rows, start=1) if place not in left]
    if not kept:
        raise DataError(f"{name!r} has no pair of sentences.")
    return kept

"""Pairs of sentences in two languages, from the user's own files."""

import logging
import re
from itertools import islice
from pathlib import Path

from data.holdout import completed_splits
from data.splits import DataError, Example, Examples, Splits
from data.tables import TableFormat, row_parts
from data.text_files import File, content_name, content_suffix, decoded_lines
from data.texts import segment_files, translation_memories
from data.texts.corpus_parts import chosen_corpora, corpus_part
from data.texts.languages import are_swapped, looks_like_another
from data.texts.pair_sources import found_corpora
from data.texts.pair_tables import pair_rows
from data.texts.parallel_files import Corpus
from data.texts.references import with_references

LOG = logging.getLogger("tasks")
MARKUP = re.compile(r"\s*</?(?:url|keywords|speaker|talkid|title|description|reviewer|translator|doc)\b.*>\s*$")
SAMPLE = 100  # pairs from which languages are told
EQUAL_LIMIT = 0.5  # share of pairs with the same text on both sides


def sentence_pairs(
    path: Path, source: str, target: str, form: TableFormat, valid: float, seed: int, test: str | None = None
) -> Splits:
    """Return the splits of sentence pairs, `text` and its `translation`, in the user's own files.

    Where a table such as `test.references.jsonl` is beside the files for validation or testing, pairs also have their
    `references`.

    A path is one of these:

    * a folder or a zip of files whose names differ by the language, such as `train.en` and `train.de`;
    * one of two such files, with the other beside it;
    * a table, or a text file with tabs, with a column for each language; or a folder or a zip of them;
    * a translation memory (`.tmx`, `.xliff`), or a test set of WMT (`.sgm`, `.xml`).

    Names tell the parts, as `chosen_corpora` says; so does a column `split` of a table. Missing parts are drawn from
    the training part.

    Args:
        path: A file or a folder.
        source: Language to translate from, as names of files or columns have it, or another code or name of it.
        target: Language to translate to.
        form: Columns and encoding, as the user gave them.
        valid: Fraction of the training part that is kept for validation if there is none, in (0, 1).
        seed: Chooses the validation part.
        test: Name of the file to test on, without language and ending; `None` is the first.

    Raises:
        FileNotFoundError: There is no such file or folder.
        DataError: The files do not match each other, or cannot be read.
        OptionError: There is no file named `test`, or no column that the user named.
    """
    parts = pair_parts(path, source, target, form, test)
    repeated = len(parts.train) - len({f"{row['text']}\n{row['translation']}" for row in parts.train})
    if repeated:
        LOG.warning("%s: %d of %d training pairs repeat another one.", path, repeated, len(parts.train))
    return completed_splits(parts, valid, seed, path.resolve().name)


def all_pairs(path: Path, source: str, target: str, form: TableFormat) -> Examples:
    """Return the sentence pairs at a path to test on: its test part if it names parts, or else all."""
    train, valid, test = pair_parts(path, source, target, form, None)
    if test and train:
        LOG.warning(
            "%s: its test part is scored, %d of %d pairs.", path, len(test), len(train) + len(valid) + len(test)
        )
    return test or [*train, *valid]


def pair_parts(path: Path, source: str, target: str, form: TableFormat, test: str | None) -> Splits:
    """Return the parts that the user's own files have themselves."""
    chosen = chosen_corpora(found_corpora(path, source, target), str(path), test)
    parts: dict[str, Examples] = {part: [] for part in Splits._fields}
    for part, corpora in chosen.items():
        for corpus in corpora:
            rows = checked_pairs(corpus_rows(corpus, source, target, form), corpus.name, source, target)
            if corpus.references and part != "train":
                rows = with_references(rows, corpus.references, source, target, form.encoding)
            for own, found in named_parts(rows, part, corpus, str(path)).items():
                parts[own] = [*parts[own], *found] if parts[own] else found
    return Splits(**parts)


def named_parts(rows: list[Example], part: str, corpus: Corpus, path: str) -> dict[str, Examples]:
    """Return pairs by part: that which their `split` tells, unless the name of their file tells one."""
    if "split" not in rows[0]:
        return {part: rows}
    if corpus_part(corpus.name) is None:
        return row_parts(rows, path)._asdict()
    return {part: [{"text": row["text"], "translation": row["translation"]} for row in rows]}


def corpus_rows(corpus: Corpus, source: str, target: str, form: TableFormat) -> list[Example]:
    """Return the pairs of a corpus, and their `split` if it tells one.

    Raises:
        DataError: Its files do not match each other, or cannot be read.
    """
    suffix = content_suffix(corpus.source)
    if suffix in segment_files.SUFFIXES:
        return segment_files.segment_pairs(corpus.source, corpus.target, source, target, form.encoding)
    if suffix in translation_memories.SUFFIXES:
        return translation_memories.memory_pairs(corpus.source, source, target, form.encoding)
    if corpus.source == corpus.target:
        return pair_rows(corpus.source, source, target, form)
    return line_pairs(corpus.source, corpus.target, form.encoding)


def line_pairs(one: File, other: File, encoding: str | None) -> list[Example]:
    """Return the pairs of lines of two files; lines of markup in both, as in the talks of IWSLT, are left out.

    Raises:
        DataError: The files differ in their number of lines.
    """
    texts, translations = (list(decoded_lines(path, encoding)) for path in (one, other))
    if len(texts) != len(translations):
        raise DataError(
            f"{content_name(one)!r} has {len(texts):,} lines and {content_name(other)!r} has {len(translations):,}; "
            f"the same lines must translate each other, so look for a line that is missing or broken in two."
        )
    rows = [{"text": text, "translation": own} for text, own in zip(texts, translations, strict=True)]
    if not (rows and rows[0]["text"].lstrip().startswith("<")):
        return rows
    kept = [row for row in rows if not (MARKUP.match(row["text"]) and MARKUP.match(row["translation"]))]
    if len(kept) < len(rows):
        LOG.warning("%s: %d lines of markup are left out.", content_name(one), len(rows) - len(kept))
    return kept


def checked_pairs(rows: list[Example], name: str, source: str, target: str) -> list[Example]:
    """Return the pairs without an empty side, with notices of what is left out or looks wrong.

    Raises:
        DataError: There are none, or all have the same text on both sides.
    """
    kept = complete_pairs(rows, name)
    equal = sum(row["text"] == row["translation"] for row in kept)
    if equal == len(kept):
        raise DataError(f"{name!r} holds the same text in {source!r} and {target!r}; give two languages.")
    if equal > EQUAL_LIMIT * len(kept):
        LOG.warning("%s: %d of %d pairs have the same text on both sides.", name, equal, len(kept))
    one, other = ([row[field] for row in islice(kept, SAMPLE)] for field in ("text", "translation"))
    if are_swapped(one, other, source, target):
        LOG.warning("%s: its texts in %r look like %r, and the other way round.", name, source, target)
        return kept
    for texts, language in ((one, source), (other, target)):
        if found := looks_like_another(texts, language):
            LOG.warning("%s: its texts in %r look like %r.", name, language, found)
    return kept


def complete_pairs(rows: list[Example], name: str) -> list[Example]:
    """Return the pairs without an empty side, with a notice of the number left out."""
    kept = [row for row in rows if row["text"].strip() and row["translation"].strip()]
    if not kept:
        raise DataError(f"{name!r} has no pair of sentences.")
    if len(kept) < len(rows):
        first = next(
            place for place, row in enumerate(rows, 1) if not (row["text"].strip() and row["translation"].strip())
        )
        LOG.warning(
            "%s: %d pairs with an empty side are left out, the first in line %d.", name, len(rows) - len(kept), first
        )
    return kept

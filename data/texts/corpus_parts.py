"""Which corpora of a folder are for training, validation and testing: by rule, and said."""

import logging
import re
from collections.abc import Sequence

from data.splits import PARTS, DataError, OptionError, part_of
from data.texts.parallel_files import Corpus

LOG = logging.getLogger("tasks")
VARIANT = re.compile(
    r"[._-](?:bpe|spm?|tok|tokeni[sz]ed|clean\w*|lc|tc|lower\w*|true\w*|norm\w*|dedup\w*|filter\w*)"
    r"(?:[._-]?\d+k?)?(?=[._-]|$)"
)
PLAIN = ("train", "valid", "val", "dev", "validation", "test")
SHOWN = 8  # names in a message
UNCLEAR = "unclear"  # part of a name that tells several
SAID = {"train": "training", "valid": "validation", "test": "testing"}


def corpus_part(name: str) -> str | None:
    """Return the part that a corpus is for by its name, or else by its folders; `None` if they tell none.

    Example:
        >>> [corpus_part(name) for name in ("dev.tok.clean", "training/europarl-v7", "europarl-v7", "train-dev")]
        ['valid', 'train', None, 'unclear']
    """
    for word in reversed(name.split("/")):
        if part := part_of(word):
            return part
        if set(re.findall("[a-z]+", word.lower())) & PARTS.keys():
            return UNCLEAR
    return None


def chosen_corpora(found: Sequence[Corpus], path: str, test: str | None) -> dict[str, list[Corpus]]:
    """Return the corpora of each part, with a notice of what is used for what.

    * A name tells the part; a corpus whose name tells none is for training.
    * All corpora for training and all for validation are used, and of those for testing the first.
    * Of several versions of one corpus, such as `train` and `train.bpe`, the one with the plainest name is used.

    Args:
        found: Corpora, sorted by name.
        path: Name of the data, for messages.
        test: Name of the corpus to test on; `None` is the first for testing.

    Raises:
        OptionError: There is no corpus named `test`.
        DataError: No corpus is for training or testing.
    """
    raw = raw_corpora(found)
    parts = {corpus.name: corpus_part(corpus.name) for corpus in found}
    if len(found) == 1 and parts[found[0].name] == UNCLEAR:
        parts[found[0].name] = None
    tests = [named_corpus(found, test, parts, path)] if test else [one for one in raw if parts[one.name] == "test"][:1]
    chosen = {
        "train": [one for one in raw if parts[one.name] in ("train", None) and one not in tests],
        "valid": [one for one in raw if parts[one.name] == "valid" and one not in tests],
        "test": tests,
    }
    if not chosen["train"] and not tests:
        raise DataError(f"{path!r} has no text for training; its files are: {listed([one.name for one in found])}.")
    say_parts(chosen, found, path)
    return chosen


def raw_corpora(found: Sequence[Corpus]) -> list[Corpus]:
    """Return the plainest version of each corpus, in order."""
    versions: dict[str, list[Corpus]] = {}
    for corpus in found:
        versions.setdefault(VARIANT.sub("", corpus.name), []).append(corpus)
    return [min(group, key=lambda one: len(VARIANT.findall(one.name))) for group in versions.values()]


def named_corpus(found: Sequence[Corpus], test: str, parts: dict[str, str | None], path: str) -> Corpus:
    """Return the corpus that the user named to test on, by its whole name or its beginning.

    Raises:
        OptionError: There is none, or several begin so.
    """
    able = [corpus for corpus in found if parts[corpus.name] != "train"]
    for fits in (
        [corpus for corpus in able if corpus.name == test.lower()],
        [corpus for corpus in able if corpus.name.rpartition("/")[2] == test.lower()],
        [corpus for corpus in raw_corpora(able) if corpus.name.rpartition("/")[2].startswith(f"{test.lower()}-")],
    ):
        if len(fits) == 1:
            return fits[0]
    tests = [corpus.name for corpus in able if parts[corpus.name] == "test"] or [corpus.name for corpus in able]
    choice = f"choose one of: {', '.join(tests)}" if tests else "its files are for training"
    raise OptionError(f"{path!r} has no file {test!r} to test on; {choice}.")


def say_parts(chosen: dict[str, list[Corpus]], found: Sequence[Corpus], path: str) -> None:
    """Say which corpora are used for what, and which are not used; as a warning unless all names are plain."""
    if len(found) == 1:
        return
    said = "; ".join(f"{SAID[part]} from {listed([one.name for one in own])}" for part, own in chosen.items() if own)
    used = [one for own in chosen.values() for one in own]
    unused = [corpus for corpus in found if not any(corpus is one for one in used)]
    if any(corpus_part(corpus.name) == "test" for corpus in unused):
        said += "; another is chosen with --test NAME"
    if unused:
        said += f"; not used: {listed([shown_name(corpus, used) for corpus in unused])}"
    plain = not unused and all(one.name in PLAIN for one in used)
    LOG.log(logging.INFO if plain else logging.WARNING, "%s: %s.", path, said)


def shown_name(corpus: Corpus, used: Sequence[Corpus]) -> str:
    """Return the name of a corpus, or of its file where one that is used has the same name."""
    return corpus.source.name if any(one.name == corpus.name for one in used) else corpus.name


def listed(names: Sequence[str]) -> str:
    """Return names as a list for a message, which says how many are left out.

    Example:
        >>> listed([str(number) for number in range(12)])
        '0, 1, 2, 3, 4, 5, 6, 7 and 4 more'
    """
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")

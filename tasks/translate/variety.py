"""Other versions of training pairs: as people type in haste, and with other names and numbers."""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from data.splits import Example
from tasks.translate.config import Config

WORD = re.compile(r"[^\W\d_]{3,}|\d+")  # a word that may be a name, or a number
MARKS = ".!?"
DIGITS = 18  # of the longest number that is drawn


def copied_names(examples: Iterable[Example]) -> tuple[str, ...]:
    """Return the words with a capital inside a source that its translation has too, sorted: mostly names.

    Example:
        >>> copied_names([{"text": "I met Tom in Rome.", "translation": "Ich traf Tom in Rom."}])
        ('Tom',)
    """
    found = set[str]()
    for example in examples:
        words = {word.group() for word in WORD.finditer(example["text"]) if word.start()}
        found |= {word for word in words if word[0].isupper() and not word.isupper()} & {
            *WORD.findall(example["translation"])
        }
    return tuple(sorted(found))


def varied_pair(
    pair: tuple[str, str], config: Config, names: Sequence[str], random: np.random.Generator
) -> tuple[str, str]:
    """Return a pair as it is, or with other names and numbers, or as typed in haste, as often as the settings say."""
    if config.exchange and random.random() < config.exchange:
        pair = exchanged_pair(*pair, names, random)
    if config.hasty and random.random() < config.hasty:
        pair = hasty_pair(*pair, random)
    return pair


def hasty_pair(text: str, translation: str, random: np.random.Generator) -> tuple[str, str]:
    """Return a pair as it would be if the text had been typed in haste, in at least one of three ways, each as likely.

    * The text is in small letters; its translation is as before.
    * Neither has the full stop, or another mark, at its end, unless nothing else is in one.
    * The apostrophes of the text are typographic ones.

    Example:
        >>> import numpy as np
        >>> hasty_pair("Tom's here.", "Tom ist da.", np.random.default_rng(7))
        ('tom\u2019s here', 'Tom ist da')
    """
    small, bare, curly = (bool(chosen >> way & 1) for chosen in [int(random.integers(1, 8))] for way in range(3))
    if small:
        text = text.lower()
    if bare and len(text) > 3 and text[-1:] in MARKS and translation[-1:] in MARKS:
        plain = text.rstrip(f" {MARKS}"), translation.rstrip(f" {MARKS}")
        text, translation = plain if all(plain) else (text, translation)
    return text.replace("'", "\u2019") if curly else text, translation


def exchanged_pair(text: str, translation: str, names: Sequence[str], random: np.random.Generator) -> tuple[str, str]:
    """Return a pair with another name for each of `names`, and another number for each number, that both sides have.

    A number keeps its number of digits; one of more than 18 stays. What one side has more often than the other stays.

    Example:
        >>> import numpy as np
        >>> exchanged_pair("Tom is 31.", "Tom ist 31.", ["Ann"], np.random.default_rng(0))
        ('Tom is 86.', 'Tom ist 86.')
    """
    known = frozenset(names)
    for word in dict.fromkeys(WORD.findall(text)):
        if word.isdigit() and len(word) <= DIGITS:
            low = 10 ** (len(word) - 1) if len(word) > 1 else 0
            other = str(random.integers(low, 10 ** len(word)))
        elif word in known:
            other = names[int(random.integers(len(names)))]
        else:
            continue
        form = re.compile(rf"(?<![\w.,]){re.escape(word)}(?!\w)")
        if len(form.findall(text)) == len(form.findall(translation)) > 0:
            text, translation = form.sub(other, text), form.sub(other, translation)
    return text, translation

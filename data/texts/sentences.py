"""Texts parted into sentences, in any script. Standard library only."""

import re
from functools import lru_cache
from typing import NamedTuple

from data.texts import word_tables
from data.texts.word_tables import words_of

CLOSING = (
    r"(?:[\"'\u201c\u201d\u2018\u2019\u00bb\u203a)\]}\u300d\u300f\u3009\u300b\u3011\uff09]|\u00ab(?!\s)"
    r"|[ \u00a0\u202f]\u00bb(?!\w))*"
)
WIDE = r"[\u3002\uff01\uff1f\uff61]"  # they need no space behind them
OWN = r"[\u061f\u06d4\u0964\u0965\u0589\u1362\u1367\u104b\u17d4\u0f0d\u203c\u2047-\u2049]"  # marks of other scripts
END = re.compile(  # in Japanese, words that are cited before "to" end no sentence
    rf"(?:{WIDE}|\u2026\u2026)+{CLOSING}(?![\u3068\u300d\u300f\u201d])\s*|{OWN}+{CLOSING}\s*"
    rf"|[.!?\u2026;\u037e]+{CLOSING}(?:\s+|(?<=[!?])(?=[^\W\d_]))"
)
OPENING = re.compile(r"[\s\u00bf\u00a1\"'\u201e\u201a\u201c\u201d\u2018\u00ab\u00bb\u2039(\[{*_\u2013\u2014-]*")
WORD = re.compile(r"\S*")
BEFORE = re.compile(r"[^\s\"'\u201e\u201c\u201d\u00ab(\[{/]*$")
QUESTION = {"el": ";\u037e"}  # a semicolon is the question mark


class Tables(NamedTuple):
    """Words of a language that decide whether a full stop ends a sentence."""

    never: frozenset[str]
    perhaps: frozenset[str]
    numeric: frozenset[str]
    starters: frozenset[str]


@lru_cache
def tables(language: str) -> Tables:
    """Return the words of a language; of one that is not known, those of all."""
    found = (word_tables.ABBREVIATIONS, word_tables.PERHAPS, word_tables.BEFORE_NUMBERS, word_tables.STARTERS)
    return Tables(*(words_of(table, language) for table in found))


def sentence_spans(text: str, language: str = "") -> list[tuple[int, int]]:
    """Return the start and the end of each sentence of a text without line breaks; space between them is in none.

    * A sentence ends with a mark of any script, together with the quotes and brackets behind it.
    * After a mark of the Latin, Greek or Cyrillic script the next one begins with a space, and not in lower case.
    * A full stop after an initial, a title or another abbreviation of the language does not end it.
    * In German neither does one after the number of a day, a century or the like.

    Args:
        language: Code of the language, such as `en`.
    """
    found, start = list[tuple[int, int]](), 0
    for gap in END.finditer(text):
        end = gap.start() + len(gap.group().rstrip())
        if gap.end() < len(text) and ends_sentence(text, start, gap, language):
            found.append((start, end))
            start = gap.end()
    return [*found, (start, len(text.rstrip()))] if text[start:].strip() else found


def ends_sentence(text: str, start: int, gap: re.Match[str], language: str) -> bool:
    """Return whether a sentence ends with these marks."""
    marks = gap.group().strip()
    first = marks[0]
    if re.match(f"{WIDE}|{OWN}|\u2026\u2026", marks):
        return True
    if first in ";\u037e" and first not in QUESTION.get(language, ""):
        return False
    opening = OPENING.match(text, gap.end())
    after = text[opening.end() if opening else gap.end() :][:1]
    if after.islower():
        return False
    if first == "\u2026" or marks.startswith(".."):
        return after.isupper()
    return first != "." or not is_abbreviation(text, start, gap, language)


def is_abbreviation(text: str, start: int, gap: re.Match[str], language: str) -> bool:
    """Return whether the full stop before a gap belongs to an abbreviation, an initial or an ordinal number."""
    found = BEFORE.search(text, start, gap.start())
    word = found.group() if found else ""
    opening = OPENING.match(text, gap.end())
    place = opening.end() if opening else gap.end()
    after = re.split(r"[\W\d_]", text[place : place + 40], maxsplit=1)[0].lower()
    own, lower = tables(language), word.lower()
    if word.isdigit() or re.fullmatch("[IVX]{1,5}", word):
        return language in word_tables.ORDINALS and is_ordinal(word, after, own)
    if lower in own.perhaps:
        return after not in own.starters
    if is_initial(word, language) or lower in own.never:
        return True
    if language == "de" and lower.endswith("str"):  # a street
        return True
    return lower in own.numeric and text[gap.end()].isdigit()


def is_ordinal(word: str, after: str, own: Tables) -> bool:
    """Return whether a number with a full stop is an ordinal: before a month, or a word that begins no sentences."""
    return (
        len(word) <= 2 + word.isalpha() * 3
        and bool(after)
        and (after in word_tables.MONTHS or after not in own.starters)
    )


def is_initial(word: str, language: str) -> bool:
    """Return whether a word is a single letter, or letters with full stops between them; "I" is an English word."""
    if language == "en" and word == "I":
        return False
    return bool(re.fullmatch(r"[^\W\d_](?:\.-?[^\W\d_])*", word)) and word[0].isupper()

"""Over-long sentences, cut at commas and conjunctions into parts that a network can read."""

import re
from collections.abc import Callable, Sequence
from itertools import accumulate, takewhile
from typing import NamedTuple

from data.texts.word_tables import CONJUNCTIONS, words_of

Tokens = Sequence[int]
HALT = re.compile(r"[;:\uff1b\uff1a\u061b\u2014\u2013.!?]\W*$")
COMMA = re.compile(r"[,\uff0c\u3001\u060c]\W*$")
CLAUSE = re.compile(r"[^;:,\uff1b\uff1a\uff0c\u3001\u060c\u061b]*[;:,\uff1b\uff1a\uff0c\u3001\u060c\u061b]*")
EARLIEST = 0.4  # a part is at least this full, if there is a place to cut


class Unit(NamedTuple):
    """A word, or a part of one.

    Attributes:
        strength: How good a place to cut there is behind it.
        gap: What stands between it and the next one.
    """

    text: str
    tokens: Tokens
    strength: int
    gap: str


class Clause(NamedTuple):
    """A part of a sentence that fits into a network, as text and as sub-words."""

    text: str
    tokens: Tokens


def clauses(
    text: str, longest: int, language: str, numbers: Callable[[str], Tokens], usual: int | None = None
) -> list[Clause]:
    """Return a clean sentence whole, or if it has more than `longest` sub-words as parts of at most `usual`.

    It is cut behind semicolons and colons, else behind commas, else before conjunctions of the language, else at
    spaces, else inside a word.

    Args:
        numbers: Returns a word as sub-words.
        usual: Length that nearly all training sentences keep to, since a network does best on such; if `None`, it is
            `longest`.
    """
    words = text.split()
    rows = [numbers(word) for word in words]
    if sum(map(len, rows)) <= longest:
        return [Clause(text, [number for row in rows for number in row])]
    most = usual or longest
    units, found = text_units(words, most, language, numbers), list[Clause]()
    left, start = sum(len(unit.tokens) for unit in units), 0
    while start < len(units):
        count = cut_place(units, start, left, most)
        part = units[start : start + count]
        found.append(joined_units(part))
        left, start = left - sum(len(unit.tokens) for unit in part), start + count
    return found


def text_units(words: Sequence[str], longest: int, language: str, numbers: Callable[[str], Tokens]) -> list[Unit]:
    """Return words as units that fit; a word that does not is parted at its marks, and else into letters."""
    before = words_of(CONJUNCTIONS, language)
    found = list[Unit]()
    for word, after in zip(words, [*words[1:], ""], strict=True):
        pieces = fitting_pieces(word, longest, numbers)
        strengths = [cut_strength(piece, False) for piece in pieces[:-1]]
        strengths.append(max(cut_strength(word, True), 2 * (after.lower() in before)))
        gaps = [""] * (len(pieces) - 1) + [" "]
        found += map(Unit, pieces, map(numbers, pieces), strengths, gaps)
    return found


def cut_strength(text: str, is_word: bool) -> int:
    """Return how good a place to cut is behind a text: 4 a semicolon, 3 a comma, 1 the end of a word, 0 inside one."""
    return 4 if HALT.search(text) else 3 if COMMA.search(text) else int(is_word)


def fitting_pieces(word: str, longest: int, numbers: Callable[[str], Tokens]) -> list[str]:
    """Return the parts of a word, each of at most `longest` sub-words if it has more than one letter."""
    if len(numbers(word)) <= longest // 4 or len(word) < 2:
        return [word]
    pieces = [piece for piece in CLAUSE.findall(word) if piece]
    if len(pieces) > 1:
        return [part for piece in pieces for part in fitting_pieces(piece, longest, numbers)]
    if len(numbers(word)) <= longest:
        return [word]
    half = len(word) // 2
    return fitting_pieces(word[:half], longest, numbers) + fitting_pieces(word[half:], longest, numbers)


def cut_place(units: Sequence[Unit], start: int, left: int, longest: int) -> int:
    """Return how many units the next part takes: up to the best place that is not too early.

    Of equals it is the one that leaves the parts most alike.

    Args:
        start: Number of the first unit of the part.
        left: Sub-words from there on.
    """
    if left <= longest:
        return len(units) - start
    even = left / -(-left // longest)
    sizes = (len(units[number].tokens) for number in range(start, len(units)))
    ends = list(takewhile(lambda end: end <= longest, accumulate(sizes))) or [len(units[start].tokens)]
    late = [count for count, end in enumerate(ends, start=1) if end >= EARLIEST * longest]
    found = late or range(1, len(ends) + 1)
    return max(found, key=lambda count: (units[start + count - 1].strength, -abs(ends[count - 1] - even)))


def joined_units(units: Sequence[Unit]) -> Clause:
    """Return units as one part."""
    text = "".join(unit.text + unit.gap for unit in units).strip()
    return Clause(text, [number for unit in units for number in unit.tokens])

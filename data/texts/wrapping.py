"""Lines that were wrapped at a width, told from lines that stand alone. Standard library only."""

import re
from collections.abc import Sequence
from itertools import pairwise

NARROWEST = 45  # letters of the longest line of a wrapped paragraph
PAIR_WIDTH = 55  # the same, of one with a single break
WIDE_LETTER = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]")  # two columns wide, with a break after any
SENTENCE_END = re.compile("[.!?\u2026\u3002\uff01\uff1f\u061f\u06d4\u0964:][\"')\\]\u00bb\u201c\u201d\u2019]*$")
MARK_END = re.compile(r"[^\w\s]$")
NEW_ITEM = re.compile(
    r"(?:[-*+\u2022\u2023\u25aa\u25cf\u00b7\u2013\u2014]|#{1,6}|\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)]|\[[ xX]\])\s"
)
MOST_MARKS = 0.5  # share of lines that end with a mark; verses do more often
LEAST_SMALL = 0.3  # share of lines that begin in lower case, or in a script without case


def joined_breaks(lines: Sequence[str]) -> list[bool]:
    """Return for each line but the last whether it goes on in the next one, as in a paragraph wrapped at a width.

    * Blank lines and list items end a paragraph; so does a short line that ends a sentence.
    * In a wrapped paragraph the first word of each line would not have fit on the line before.
    * It begins with a capital and is wide; some of its lines begin in lower case; few end with a mark, unlike verses.
    """
    found = [False] * max(len(lines) - 1, 0)
    for start, end in paragraphs(lines):
        if is_wrapped(lines[start:end]):
            found[start : end - 1] = [True] * (end - 1 - start)
    return found


def paragraphs(lines: Sequence[str]) -> list[tuple[int, int]]:
    """Return the first line of each group of lines that may be one paragraph, and the line behind it."""
    ends = [place + 1 for place, (one, other) in enumerate(pairwise(lines)) if is_apart(one, other)]
    groups = list(pairwise([0, *ends, len(lines)]))
    found = list[tuple[int, int]]()
    for start, end in groups:
        widest = max(map(width, lines[start:end]), default=0)
        inner = [
            place + 1
            for place in range(start, end - 1)
            if SENTENCE_END.search(lines[place].rstrip()) and has_room(lines[place], lines[place + 1], widest)
        ]
        found += pairwise([start, *inner, end])
    return found


def is_apart(line: str, after: str) -> bool:
    """Return whether two lines are surely not of one paragraph."""
    return not line.strip() or not after.strip() or bool(NEW_ITEM.match(after.lstrip()))


def is_wrapped(lines: Sequence[str]) -> bool:
    """Return whether lines are plainly one paragraph, wrapped at a width."""
    widest, breaks = max(map(width, lines), default=0), len(lines) - 1
    if breaks < 1 or widest < (NARROWEST if breaks > 1 else PAIR_WIDTH):
        return False
    if any(has_room(one, other, widest) for one, other in pairwise(lines)):
        return False
    small = sum(begins_small(line) for line in lines[1:])
    marks = sum(bool(MARK_END.search(line.rstrip())) for line in lines[:-1])
    is_whole = breaks > 2 or bool(SENTENCE_END.search(lines[-1].rstrip()))
    return not begins_lower(lines[0]) and is_whole and small >= LEAST_SMALL * breaks and marks <= MOST_MARKS * breaks


def width(line: str) -> int:
    """Return the columns of a line."""
    return len(line.strip()) + len(WIDE_LETTER.findall(line))


def has_room(line: str, after: str, widest: int) -> bool:
    """Return whether the first word of the next line would have fit on a line."""
    word = after.split(maxsplit=1)[0]
    if WIDE_LETTER.match(word):
        return width(line) + width(word[:2]) < widest
    return width(line) + 1 + len(word) <= widest


def first_letter(line: str) -> str:
    """Return the first letter of a line, or nothing."""
    return next(filter(str.isalpha, line), "")


def begins_lower(line: str) -> bool:
    """Return whether the first letter of a line is a small one."""
    return first_letter(line).islower()


def begins_small(line: str) -> bool:
    """Return whether a line begins with a small letter, or with one of a script without case."""
    return bool(first_letter(line)) and not first_letter(line).isupper()

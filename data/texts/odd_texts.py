"""Texts that a person should look at before training: empty, damaged, in another script, or cut."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache

from data.texts.text import clean_text

MARKS = (
    "\ufffd",
    "\u00c3\u00a4",
    "\u00c3\u00b6",
    "\u00c3\u00bc",
    "\u00c3\u00a9",
    "\u00e2\u20ac",
    "\u00c2\u00a0",
)  # of a text read in another encoding
LETTERS = 3  # letters from which the script of a text counts
COMMON = 0.9  # share of the texts that have the usual script, if it is one
CUT = 3  # texts of exactly the largest length, from which they are taken for cut
LONG = 20  # characters that such a text has at least


def odd_texts(texts: Sequence[str]) -> dict[str, list[int]]:
    """Return the places of odd texts by what is odd about them.

    * `empty`: nothing that a reader sees.
    * `damaged`: characters that show a wrong encoding, or that it could not be read.
    * `foreign script`: most letters are of another script than those of nine in ten texts.
    * `cut`: exactly as long as the longest text, in characters, as several others are.

    Example:
        >>> odd_texts(["A dog runs.", " ", "Caf\u00c3\u00a9"])
        {'empty': [1], 'damaged': [2]}
    """
    scripts = [text_script(text[:500]) for text in texts]
    known = Counter(script for script in scripts if script)
    usual, count = known.most_common(1)[0] if known else ("", 0)
    longest = max(map(len, texts), default=0)
    full = [place for place, text in enumerate(texts) if len(text) == longest >= LONG]
    found = {
        "empty": [place for place, text in enumerate(texts) if not clean_text(text).strip()],
        "damaged": [place for place, text in enumerate(texts) if any(mark in text for mark in MARKS)],
        "foreign script": [
            place for place, script in enumerate(scripts) if script not in ("", usual) and count >= COMMON * len(texts)
        ],
        "cut": full if CUT <= len(full) < len(texts) and len(set(map(texts.__getitem__, full))) >= CUT else [],
    }
    return {name: places for name, places in found.items() if places}


def text_script(text: str) -> str:
    """Return the script of most letters of a text, such as `LATIN`; an empty text if there are few.

    Example:
        >>> text_script("\u0421\u043e\u0431\u0430\u043a\u0430"), text_script("A dog"), text_script("1.")
        ('CYRILLIC', 'LATIN', '')
    """
    counts = Counter(character_script(one) for one in text if one.isalpha())
    if sum(counts.values()) < LETTERS:
        return ""
    return counts.most_common(1)[0][0]


@cache
def character_script(character: str) -> str:
    """Return the script of a letter, by the first word of its name; those of Japanese are one."""
    script = unicodedata.name(character, "?").split()[0]
    return {"HIRAGANA": "CJK", "KATAKANA": "CJK", "FULLWIDTH": "LATIN", "HALFWIDTH": "CJK"}.get(script, script)

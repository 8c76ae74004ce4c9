"""Tags, emoji and the like, put back into a translation where the attention says."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from data.texts.vocabulary import SPACE
from data.texts.word_tables import SPACELESS
from tasks.translate.clauses import Tokens
from tasks.translate.document import Inset

if TYPE_CHECKING:
    from tasks.translate.codec import Codec

GAP = re.compile(r"\s*")


def inset_offsets(
    codec: "Codec", insets: Sequence[Inset], row: Tokens, tokens: Tokens, weights: np.ndarray
) -> list[int]:
    """Return how many letters of a translation stand before each inset of its clause.

    Words that look, most of all, at a sub-word before the inset in the source shall stand before it, and others behind
    it: the place with the fewest exceptions is taken. Insets keep their order, so that tags stay nested.

    Args:
        row: The clause.
        tokens: Its translation.
        weights: Attention of each written sub-word to each that was read, `(target + 1, source + 1)`.
    """
    starts = word_starts(codec, tokens)
    looks = word_looks(codec, row, tokens, starts, weights[:, :-1])
    words = [number for number, start in enumerate(starts) if not is_mark(codec.pieces.piece_text(tokens[start]))]
    found, last, opened = list[int](), 0, False
    for inset in insets:
        opens = inset.after_space or inset.is_break
        place = max(parting(looks, inset.place), last if opens else last + opened)
        if opens:  # before a word, not before a full stop
            place = next((number for number in words if number >= place), words[-1] if words else 0)
        last, opened = min(max(place, last), len(starts)), opens
        found.append(len(codec.pieces.text(tokens[: [*starts, len(tokens)][last]])))
    return found


def word_looks(codec: "Codec", row: Tokens, tokens: Tokens, starts: Sequence[int], weights: np.ndarray) -> list[int]:
    """Return the sub-word of the source that each written word looks at most; a full stop, only at such marks."""
    marks = np.array([is_mark(codec.pieces.piece_text(number)) for number in row])
    found = list[int]()
    for start, end in zip(starts, [*starts[1:], len(tokens)], strict=True):
        own = weights[start:end].sum(0)
        if marks.any() and is_mark(codec.pieces.piece_text(tokens[start])):
            own = np.where(marks, own, -1)
        found.append(int(own.argmax()))
    return found


def parting(looks: Sequence[int], place: int) -> int:
    """Return the number of words before a place in the source: that with the fewest words on the wrong side.

    Args:
        looks: The sub-word of the source that each word looks at.
    """
    wrong = np.where(np.asarray(looks) < place, -1, 1)
    return int(np.append(0, wrong.cumsum()).argmin())


def word_starts(codec: "Codec", tokens: Tokens) -> list[int]:
    """Return the sub-words that begin a word or are a mark; in a language without spaces, all."""
    texts = list(map(codec.pieces.piece_text, tokens))
    if codec.languages[1] in SPACELESS:
        return list(range(len(texts)))
    return [place for place, text in enumerate(texts) if not place or text.startswith(SPACE) or is_mark(text)]


def is_mark(text: str) -> bool:
    """Return whether a sub-word is a mark such as a full stop; bytes, as `<0xE2>`, are not."""
    return not (text[:1].isalnum() or text.startswith((SPACE, "<0x")))


def text_with_insets(text: str, insets: Sequence[tuple[Inset, int]], finished: Callable[[str], str]) -> str:
    """Return a translation with its insets.

    Args:
        insets: Each with the number of letters before it.
        finished: Returns a piece of the translation as it is to be written.
    """
    found, done = "", 0
    for inset, offset in insets:
        start = max(min(offset, len(text)), done)
        gap = GAP.match(text, start)
        end = gap.end() if gap else start
        place = end if inset.after_space and not inset.is_break else start
        found += finished(text[done:place])
        found += inset.text if place or found else inset.text.strip() + " " * inset.text.startswith(" ")
        done = end if inset.is_break else place
    return found + finished(text[done:])

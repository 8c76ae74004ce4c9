"""Text: cleaning, words, length, padding. NumPy only."""

import html
import re
import unicodedata
from collections.abc import Sequence
from typing import Literal, TypeVar

import numpy as np

PAD, UNKNOWN = 0, 1  # the first numbers of every vocabulary
BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\ufeff]+")
WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
CAPTION_TOKEN = re.compile(  # initials; clitics such as 's; words, also with marks inside; other signs
    r"(?:[a-z]\.){2,}|'(?:s|re|ve|ll|d|m)\b|n't\b|[^\W_]+?(?=n't\b)|[^\W_]+(?:(?!'(?:s|re|ve|ll|d|m)\b)[-/.,&'][^\W_]+)*"
    r"|[&$%#@*+=]"
)
PRIMES = np.array([0x9E3779B1, 0x85EBCA77C2B2AE63, 0x9E3779B97F4A7C15], "uint64")
T = TypeVar("T")
Keep = Literal["start", "end", "both"]


def clean_text(text: str) -> str:
    """Return a text without line-break tags, HTML entities and control characters, in Unicode form NFC."""
    text = html.unescape(BREAK.sub(" ", text))
    return unicodedata.normalize("NFC", " ".join(CONTROL.sub(" ", text).split()))


def text_words(text: str) -> list[str]:
    """Return the words and the other marks of a clean text.

    An apostrophe inside a word belongs to it: "don't" is one word.
    """
    return WORD.findall(text)


def caption_words(text: str) -> list[str]:
    """Return the words of a caption in lower case and without marks, tokenized as for the COCO metrics.

    Brackets are left out, and abbreviations lose their full stop.

    Reference: the tokenizer of the Penn Treebank, as used in Chen et al., 2015, https://arxiv.org/abs/1504.00325,
    section 4.1.
    """
    return CAPTION_TOKEN.findall(clean_text(text).lower().replace("\u2019", "'").replace("cannot", "can not"))


def truncated_sequence(numbers: Sequence[T], length: int, keep: Keep) -> Sequence[T]:
    """Return at most `length` elements: those at the start, those at the end, or half from each end."""
    if len(numbers) <= length:
        return numbers
    head = {"start": length, "end": 0, "both": (length + 1) // 2}[keep]
    return [*numbers[:head], *numbers[len(numbers) - (length - head) :]]


def sequence_without_spans(
    numbers: Sequence[int] | np.ndarray, share: float, random: np.random.Generator, span: int = 25
) -> Sequence[int] | np.ndarray:
    """Return a text without some of its spans of `span` elements, each left out with probability `share`, in [0, 1).

    At least one span is kept; a text of a single span is returned unchanged.
    """
    spans = -(-len(numbers) // span)
    if spans < 2 or not share:
        return numbers
    kept = random.random(spans) >= share
    kept[random.integers(spans)] = True
    return np.asarray(numbers)[np.repeat(kept, span)[: len(numbers)]]


def padding_widths(lengths: Sequence[int], longest: int, count: int = 8, step: int = 10) -> list[int]:
    """Return at most `count` increasing widths, up to `longest`, that need the least padding for these lengths.

    All but the last are multiples of `step`. The choice among those is optimal, by dynamic programming.
    """
    ends = np.unique(np.append(np.arange(step, longest, step), longest))  # (ends,): all possible widths
    starts = np.append(0, ends)
    read = np.sort(np.minimum(lengths, longest))
    below = np.searchsorted(read, starts, side="right")  # (1 + ends,): number of lengths up to each
    cost = (below[None, 1:] - below[:, None]) * ends  # (1 + ends, ends): tokens of those from a start to an end
    cost = np.where(ends > starts[:, None], cost, np.inf)
    best, before = cost[0], list[np.ndarray]()
    for _ in range(min(count, len(ends)) - 1):
        totals = best[:, None] + cost[1:]  # (ends, ends): with one more width
        best, before = totals.min(0), [*before, totals.argmin(0)]
    chosen = [len(ends) - 1]
    for previous in reversed(before):
        chosen.append(previous[chosen[-1]])
    found = ends[chosen[::-1]]
    used = np.unique(np.append(np.searchsorted(found, read), len(found) - 1))
    return [int(width) for width in found[used]]


def padding_width(length: int, widths: Sequence[int]) -> int:
    """Return the smallest of increasing widths that holds `length`, or the last of them."""
    return next((width for width in widths if width >= length), widths[-1])


def padded_batch(rows: Sequence[Sequence[int] | np.ndarray], width: int) -> np.ndarray:
    """Return rows of numbers as int32 `(rows, width)`, padded with `PAD` at the end."""
    array = np.full((len(rows), width), PAD, "int32")
    for index, row in enumerate(rows):
        array[index, : len(row)] = row
    return array


def hashed_ngrams(numbers: Sequence[int] | np.ndarray, buckets: int) -> np.ndarray:
    """Return the hash buckets of the words and neighbouring pairs of a text: int32, sorted, unique, from 1.

    Reference: Weinberger et al., 2009, https://arxiv.org/abs/0902.2206 (hashing).
    """
    words = np.asarray(numbers, "uint64")
    keys = np.concatenate([words, words[:-1] * PRIMES[0] + words[1:] + PRIMES[1]])
    hashed = (keys * PRIMES[2]) >> np.uint64(32)  # the upper half of the product is mixed best
    return np.unique(1 + hashed % np.uint64(buckets - 1)).astype("int32")

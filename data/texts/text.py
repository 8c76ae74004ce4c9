"""Text: cleaning, words, length, padding. NumPy only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Literal, TypeVar

import numpy as np

from data.texts.markup import text_without_markup

PAD, UNKNOWN = 0, 1  # the first numbers of every vocabulary
WINDOWS = {  # characters of Windows-1252 in the place of control characters, as in a file read as Latin-1
    number: bytes([number]).decode("cp1252", "ignore") or " " for number in range(0x80, 0xA0)
}
CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff\ufff9-\ufffb]+")
INVISIBLE = re.compile(  # zero width, direction of writing, soft hyphen
    r"(?<=[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])(?P<gap>\u200b+)"  # it parts words in Thai, Lao, Burmese, Khmer
    r"|[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0]+"
    r"|(?:^|(?<=[\s\u0021-\u058f\u2000-\u200b\u200e-\u206f]))[\u200c\u200d]+|[\u200c\u200d]+(?=[\s\u0021-\u058f]|$)"
)
WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
PLAIN = str.maketrans(  # typographic marks
    dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u2035\u2039\u203a\u02b9\u02bb\u02bc\u02bd\u02c8\xb4`", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u2036\u275d\u275e\u301d\u301e\u301f\xab\xbb", '"')
    | dict.fromkeys("\u2010\u2011\u2212", "-")
    | dict.fromkeys("\u2012\u2013\u2014\u2015", " - ")
    | dict.fromkeys(["\ufe0e", "\ufe0f", *map(chr, range(0xE0020, 0xE0080))], "")  # parts of an emoji
    | {"\u2026": "..."}
)
FORMS = (  # other forms of plain letters: in a circle or a box, mathematical, joined, of full or half width
    "\u2460-\u24ff\u2102\u210a-\u2113\u2115\u2119-\u211d\u2124\u2128\u212c\u212d\u212f-\u2134\u213c-\u213f\u2145-\u2149"
    "\ufb00-\ufb06\uff01-\uffee\U0001d400-\U0001d7ff\U0001f100-\U0001f169"
)
OTHER = re.compile(f"[{''.join(chr(n) for n in PLAIN if n < 0xE0020)}{FORMS}\U000e0020-\U000e007f]+")
JOINED = re.compile(  # letters of Thai, Lao, Tibetan, Burmese, Khmer, Japanese and Chinese
    r"[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f"
    r"\U00020000-\U0003ffff]+"
)
LONGEST = 4  # letters of a word of such a script, in the mean
CAPTION_TOKEN = (  # initials; clitics such as 's; words, also with marks inside; other signs
    r"(?:[a-z]\.){2,}|'(?:s|re|ve|ll|d|m)\b|n't\b|[^\W_]+?(?=n't\b)|[^\W_]+(?:(?!'(?:s|re|ve|ll|d|m)\b)[-/.,&'][^\W_]+)*"
    r"|[&$%#@*+=]"
)
UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
STOPS = (  # letters at the end of a sentence, and what ends it
    (re.compile(r"[\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"), "\u3002"),
    (re.compile(r"[\u0900-\u0963\u0966-\u097f\u0980-\u09ff]"), "\u0964"),
    (re.compile(r"[\u0e00-\u0eff]"), ""),
)
T = TypeVar("T")
Keep = Literal["start", "end", "both"]


def clean_text(text: str) -> str:
    """Return a text without markup, control characters and invisible ones, in Unicode form NFC, on one line.

    Control characters that are marks of Windows-1252, such as \\x92, are read as these.
    """
    if "<" in text or "&" in text:
        text = text_without_markup(text)
    if not text.isprintable():
        text = CONTROL.sub(" ", text)
        if not text.isascii():
            text = INVISIBLE.sub(visible_gap, text.translate(WINDOWS))
    return unicodedata.normalize("NFC", " ".join(text.split()))


def visible_gap(found: re.Match[str]) -> str:
    """Return what stands for invisible characters: a space between words, or nothing."""
    return " " if found["gap"] else ""


def plain_marks(text: str) -> str:
    """Return a text with typographic quotes, dashes and ellipses, and other forms of plain letters, as plain ones.

    Such forms are full-width letters and mathematical ones. Other letters are kept, also those with accents.
    """
    return text.replace("`", "'") if text.isascii() else OTHER.sub(plain_form, text)


def plain_form(found: re.Match[str]) -> str:
    """Return marks and letters in another form as plain ones."""
    return unicodedata.normalize("NFKC", found[0].translate(PLAIN))


@cache
def marks() -> str:
    """Return the marks above, below and beside letters, of all scripts."""
    places = (*range(0x300, 0x1E00), *range(0xA800, 0xAC00))
    return "".join(chr(n) for n in places if unicodedata.category(chr(n))[0] == "M")


@cache
def marked_word() -> re.Pattern[str]:
    """Return the pattern of a word of any script, with its marks; it takes long to make, and ASCII needs none."""
    found = marks()
    return re.compile(rf"\w+(?:[{found}\u200c\u200d]+\w*)*(?:['\u2019]\w+(?:[{found}\u200c\u200d]+\w*)*)*|[^\w\s]")


@cache
def caption_token(is_plain: bool) -> re.Pattern[str]:
    """Return the pattern of a word of a caption, in ASCII alone or in any script.

    Letters of scripts without spaces between words are words each, with their marks.
    """
    if is_plain:
        return re.compile(CAPTION_TOKEN)
    found = marks()
    return re.compile(
        rf"(?![\W_])[{UNSPACED}][{found}\u200c\u200d]*|"
        + CAPTION_TOKEN.replace(r"[^\W_]", rf"(?:(?![{UNSPACED}])[^\W_][{found}\u200c\u200d]*)")
    )


@cache
def gap() -> re.Pattern[str]:
    """Return the pattern of a space between two letters of scripts without spaces between words."""
    return re.compile(rf"(?<=[{UNSPACED}{marks()}]) (?=[{UNSPACED}])")


def text_words(text: str) -> list[str]:
    """Return the words and the other marks of a clean text.

    An apostrophe inside a word belongs to it: "don't" is one word.
    """
    return (WORD if text.isascii() else marked_word()).findall(text)


def has_joined_words(texts: Sequence[str], sample: int = 1000) -> bool:
    """Return whether most texts are of a script without spaces, such as Chinese or Thai, and are not cut into words."""
    shown = texts[:: -(-len(texts) // sample)]
    runs = [JOINED.findall(text) for text in shown]
    letters = sum(len(run) for each in runs for run in each)
    joined = sum(2 * sum(map(len, each)) > len(text) for each, text in zip(runs, shown, strict=True))
    return 2 * joined > len(shown) and letters > LONGEST * sum(map(len, runs))


def caption_words(text: str) -> list[str]:
    """Return the words of a caption in lower case and without marks, tokenized as for the COCO metrics.

    Brackets are left out, and abbreviations lose their full stop. In scripts without spaces between words, such as
    Chinese, Japanese and Thai, each letter with its marks is a word.

    Reference: the tokenizer of the Penn Treebank, as used in Chen et al., 2015, https://arxiv.org/abs/1504.00325,
    section 4.1.
    """
    plain = plain_marks(clean_text(text)).lower().replace("cannot", "can not")
    return caption_token(plain.isascii()).findall(plain)


def caption_text(text: str) -> str:
    """Return the words of a caption, with spaces between them, as a sentence.

    Example:
        >>> caption_text("a dog runs"), caption_text("一 只 狗")
        ('A dog runs.', '一只狗。')
    """
    whole = text if text.isascii() else gap().sub("", text)
    stop = next((stop for letters, stop in STOPS if letters.match(whole[-1:])), ".")
    return whole[:1].upper() + whole[1:] + stop


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

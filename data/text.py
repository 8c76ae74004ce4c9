"""Text as numbers: cleaning, words or sub-words, length, padding. NumPy and sentencepiece only."""

import base64
import html
import io
import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Literal, Protocol, Self

import numpy as np

LOG = logging.getLogger("tasks")
PAD, UNKNOWN = 0, 1  # the first numbers of every vocabulary
BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\ufeff]+")
WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
PRIMES = np.array([0x9E3779B1, 0x85EBCA77C2B2AE63, 0x9E3779B97F4A7C15], "uint64")
Keep = Literal["start", "end", "both"]


def clean(text: str) -> str:
    """Return a text without line-break tags, HTML entities and control characters, in Unicode form NFC."""
    text = html.unescape(BREAK.sub(" ", text))
    return unicodedata.normalize("NFC", " ".join(CONTROL.sub(" ", text).split()))


def words(text: str) -> list[str]:
    """Return the words of a clean text, and each of its other marks by itself.

    An apostrophe inside a word belongs to it: "don't" is one word.
    """
    return WORD.findall(text)


def truncated(numbers: Sequence[Any], length: int, keep: Keep) -> Sequence[Any]:
    """Return at most `length` elements: those at the start, those at the end, or half from each end."""
    if len(numbers) <= length:
        return numbers
    head = {"start": length, "end": 0, "both": (length + 1) // 2}[keep]
    return [*numbers[:head], *numbers[len(numbers) - (length - head) :]]


def thinned(
    numbers: Sequence[int] | np.ndarray, share: float, random: np.random.Generator, span: int = 25
) -> Sequence[int] | np.ndarray:
    """Return a text without some of its spans of `span` elements, each left out with probability `share`, in [0, 1).

    One span at least is kept; a text of no more than one is returned as it is.
    """
    spans = -(-len(numbers) // span)
    if spans < 2 or not share:
        return numbers
    kept = random.random(spans) >= share
    kept[random.integers(spans)] = True
    return np.asarray(numbers)[np.repeat(kept, span)[: len(numbers)]]


def widths(lengths: Sequence[int], longest: int, count: int = 8, step: int = 10) -> list[int]:
    """Return at most `count` rising widths, the last of which is `longest`, that pad such lengths the least.

    All but the last are multiples of `step`; among those the choice is exact, by dynamic programming.
    """
    ends = np.unique(np.append(np.arange(step, longest, step), longest))  # (ends,): all widths that may be
    starts = np.append(0, ends)
    read = np.sort(np.minimum(lengths, longest))
    below = np.searchsorted(read, starts, side="right")  # (1 + ends,): how many lengths each holds
    cost = (below[None, 1:] - below[:, None]) * ends  # (1 + ends, ends): tokens of those from a start to an end
    cost = np.where(ends > starts[:, None], cost, np.inf)
    best, before = cost[0], list[np.ndarray]()
    for _ in range(min(count, len(ends)) - 1):
        totals = best[:, None] + cost[1:]  # (ends, ends): with one width more
        best, before = totals.min(0), [*before, totals.argmin(0)]
    chosen = [len(ends) - 1]
    for previous in reversed(before):
        chosen.append(previous[chosen[-1]])
    found = ends[chosen[::-1]]
    used = np.unique(np.append(np.searchsorted(found, read), len(found) - 1))
    return [int(width) for width in found[used]]


def width_of(length: int, widths: Sequence[int]) -> int:
    """Return the smallest of some rising widths that holds `length`, or the last of them."""
    return next((width for width in widths if width >= length), widths[-1])


def padded(rows: Sequence[Sequence[int] | np.ndarray], width: int) -> np.ndarray:
    """Return rows of numbers as int32 `(rows, width)`, with `PAD` behind each."""
    array = np.full((len(rows), width), PAD, "int32")
    for index, row in enumerate(rows):
        array[index, : len(row)] = row
    return array


def ngrams(numbers: Sequence[int] | np.ndarray, buckets: int) -> np.ndarray:
    """Return which of `buckets` hold a word or a pair of neighbours of a text: rising int32, each once, from 1.

    Reference: Weinberger et al., 2009, https://arxiv.org/abs/0902.2206 (hashing).
    """
    words = np.asarray(numbers, "uint64")
    keys = np.concatenate([words, words[:-1] * PRIMES[0] + words[1:] + PRIMES[1]])
    hashed = (keys * PRIMES[2]) >> np.uint64(32)  # the upper half of the product is the well mixed one
    return np.unique(1 + hashed % np.uint64(buckets - 1)).astype("int32")


class Vocabulary(Protocol):
    """Words to numbers; `PAD` and `UNKNOWN` are the first two of `size` numbers."""

    size: int

    @classmethod
    def learn(cls, texts: Iterable[str], size: int) -> Self:
        """Return a vocabulary of at most `size` entries, learnt from clean texts."""

    @classmethod
    def restore(cls, state: Any) -> Self:
        """Return the vocabulary whose `state` this is."""

    def state(self) -> Any:
        """Return what was learnt, as JSON types."""

    def numbers(self, word: str) -> Sequence[int]:
        """Return a word in lower case as numbers, at least one."""


class Words:
    """Each of the most frequent words, in lower case, is a number; all others share `UNKNOWN`."""

    def __init__(self, known: Sequence[str]) -> None:
        self.known = list(known)
        self.size = len(self.known) + 2
        self.table = {word: (number,) for number, word in enumerate(self.known, start=2)}

    @classmethod
    def learn(cls, texts: Iterable[str], size: int) -> Self:
        counts = Counter(word.lower() for text in texts for word in words(text))
        if len(counts) < size - 2:
            LOG.info("The training texts hold %d different words; the vocabulary has no more.", len(counts))
        return cls([word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: size - 2]])

    @classmethod
    def restore(cls, state: Any) -> Self:
        return cls(state)

    def state(self) -> Any:
        return self.known

    def numbers(self, word: str) -> Sequence[int]:
        return self.table.get(word, (UNKNOWN,))


class Pieces:
    """Sub-words of a unigram model; what has no piece is spelt in bytes, so that no text is unknown.

    Reference: Kudo, 2018, https://arxiv.org/abs/1804.10959.
    """

    def __init__(self, model: bytes) -> None:
        from sentencepiece import SentencePieceProcessor

        self.model = model
        self.processor = SentencePieceProcessor(model_proto=model)
        self.size = self.processor.get_piece_size()
        self.numbers = lru_cache(maxsize=1 << 16)(self.spelt)

    @classmethod
    def learn(cls, texts: Iterable[str], size: int) -> Self:
        from sentencepiece import SentencePieceTrainer

        buffer = io.BytesIO()
        SentencePieceTrainer.train(
            sentence_iterator=(" ".join(words(text.lower())) for text in texts),
            model_writer=buffer,
            model_type="unigram",
            vocab_size=max(size, SMALLEST),
            hard_vocab_limit=False,
            byte_fallback=True,
            pad_id=PAD,
            unk_id=UNKNOWN,
            bos_id=-1,
            eos_id=-1,
            max_sentence_length=1 << 20,
            num_threads=1,
            minloglevel=2,
        )
        return cls(buffer.getvalue())

    @classmethod
    def restore(cls, state: Any) -> Self:
        return cls(base64.b64decode(state))

    def state(self) -> Any:
        return base64.b64encode(self.model).decode("ascii")

    def spelt(self, word: str) -> Sequence[int]:
        return self.processor.encode(word) or [UNKNOWN]


SMALLEST = 512  # pieces: the 256 bytes, and room for letters
VOCABULARIES: dict[str, type[Vocabulary]] = {"words": Words, "pieces": Pieces}

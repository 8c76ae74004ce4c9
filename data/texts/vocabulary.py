"""Vocabularies: words or sub-words to numbers, and back. NumPy and sentencepiece only."""

from __future__ import annotations

import base64
import io
import logging
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, Literal, Protocol, Self, TypeAlias

import numpy as np

from data.texts.text import PAD, UNKNOWN, text_words

LOG = logging.getLogger("tasks")
START, END = 2, 3  # the next two numbers of a vocabulary of sub-words
SMALLEST = 512  # sub-words: the 256 bytes, and room for letters
DRAWS = 8  # spellings of a word that sampling chooses from
SPACE = "\u2581"  # stands for a space in sub-words
Model = Literal["unigram", "bpe"]
State: TypeAlias = Any  # JSON types


class Vocabulary(Protocol):
    """Words to numbers; `PAD` and `UNKNOWN` are the first two of `size` numbers."""

    size: int

    @classmethod
    def learn(cls, texts: Iterable[str], size: int) -> Self:
        """Return a vocabulary of at most `size` entries, learnt from clean texts."""

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the vocabulary whose `state` this is."""

    def state(self) -> State:
        """Return the vocabulary as JSON types."""

    def numbers(self, word: str) -> Sequence[int]:
        """Return a word as numbers, at least one."""


class Words:
    """Each of the most frequent words, in lower case, is a number; all others share `UNKNOWN`."""

    def __init__(self, known: Sequence[str]) -> None:
        self.words = list(known)
        self.size = len(self.words) + 2
        self.table = {word: (number,) for number, word in enumerate(self.words, start=2)}

    @classmethod
    def learn(cls, texts: Iterable[str], size: int, cut: Callable[[str], list[str]] = text_words) -> Self:
        counts = Counter(word.lower() for text in texts for word in cut(text))
        if len(counts) < size - 2:
            LOG.info("The training texts hold %d different words; the vocabulary has no more.", len(counts))
        return cls([word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: size - 2]])

    def extended(self, texts: Iterable[str], most: int, cut: Callable[[str], list[str]] = text_words) -> Words:
        """Return this vocabulary with the words of texts that it lacks after its own, at most so many, and say so."""
        counts = Counter(word for text in texts for word in map(str.lower, cut(text)) if word not in self.table)
        new = [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]]
        some = ", ".join(new[:5]) + (", ..." if len(new) > 5 else "")
        LOG.info("The vocabulary keeps its %d words; %d are new%s.", len(self.words), len(new), some and f": {some}")
        return Words([*self.words, *new])

    @classmethod
    def restore(cls, state: State) -> Self:
        return cls(state)

    def state(self) -> State:
        return self.words

    def numbers(self, word: str) -> Sequence[int]:
        return self.table.get(word, (UNKNOWN,))

    def word(self, number: int) -> str:
        """Return the word that a number, not of `PAD` or `UNKNOWN`, stands for."""
        return self.words[number - 2]


class Pieces:
    """Sub-words and single bytes; bytes spell text without sub-words, so that no text is unknown.

    `START` and `END` are special numbers that do not occur in texts.

    References: Kudo, 2018, https://arxiv.org/abs/1804.10959 (unigram); Sennrich et al., 2016,
    https://arxiv.org/abs/1508.07909 (byte-pair encoding).
    """

    def __init__(self, model: bytes) -> None:
        from sentencepiece import SentencePieceProcessor

        self.model = model
        self.processor = SentencePieceProcessor(model_proto=model)
        self.size = self.processor.get_piece_size()
        self.numbers = lru_cache(maxsize=1 << 16)(self.piece_numbers)
        self.spellings = lru_cache(maxsize=1 << 16)(self.spelling_samples)

    @classmethod
    def learn(
        cls, texts: Iterable[str], size: int, model: Model = "unigram", cased: bool = False, digits: bool = False
    ) -> Self:
        """Return sub-words learnt from clean texts.

        Args:
            texts: At least one text that is not empty.
            size: Largest number of sub-words; the 256 bytes are among them.
            model: Method that chooses the sub-words.
            cased: If false, texts are lower-cased first, with a space around each mark.
            digits: If true, each digit is a sub-word of its own.
        """
        from sentencepiece import SentencePieceTrainer

        buffer = io.BytesIO()
        SentencePieceTrainer.train(
            sentence_iterator=(text if cased else " ".join(text_words(text.lower())) for text in texts),
            model_writer=buffer,
            model_type=model,
            vocab_size=max(size, SMALLEST),
            hard_vocab_limit=False,
            byte_fallback=True,
            split_digits=digits,
            normalization_rule_name="identity" if cased else "nmt_nfkc",
            character_coverage=1.0 if cased else 0.9995,
            pad_id=PAD,
            unk_id=UNKNOWN,
            bos_id=START,
            eos_id=END,
            max_sentence_length=1 << 20,
            num_threads=1,
            minloglevel=2,
        )
        return cls(buffer.getvalue())

    @classmethod
    def restore(cls, state: State) -> Self:
        return cls(base64.b64decode(state, validate=True))

    def state(self) -> State:
        return base64.b64encode(self.model).decode("ascii")

    def piece_numbers(self, word: str) -> Sequence[int]:
        return self.processor.encode(word) or [UNKNOWN]

    def text(self, numbers: Sequence[int]) -> str:
        """Return the text that numbers spell, without those of `PAD`, `START` and `END`."""
        return self.processor.decode([int(number) for number in numbers if number not in (PAD, START, END)])

    def piece_text(self, number: int) -> str:
        """Return one sub-word as text, with U+2581 for a space."""
        return self.processor.id_to_piece(int(number))

    def sampled_spelling(self, word: str, share: float, random: np.random.Generator) -> Sequence[int]:
        """Return a random spelling of a word, as numbers.

        * Byte-pair encoding: each possible merge is skipped with probability `share`.
        * Unigram model: with probability `share` the spelling is drawn among the 8 best. Their weights are the fifth
          roots of their probabilities.

        Args:
            share: Probability of another spelling, in [0, 1).

        Reference: Provilkov et al., 2020, https://arxiv.org/abs/1910.13267 (dropout of merges).
        """
        spellings = self.spellings(word, share)
        return spellings[int(random.integers(len(spellings)))]

    def spelling_samples(self, word: str, share: float) -> list[Sequence[int]]:
        """Return the spellings that `sampled_spelling` chooses from, always the same for a word."""
        random = np.random.default_rng(zlib.crc32(word.encode()))
        best = self.processor.nbest_encode(word, nbest_size=8) if self.is_unigram else []
        if not best:
            return [self.merged_numbers(word, share, random) for _ in range(DRAWS)]
        chances = np.array([sum(map(self.processor.get_score, way)) for way in best]) / 5
        chances = np.exp(chances - chances.max())
        picks = random.choice(len(best), DRAWS, p=chances / chances.sum())
        return [best[pick if random.random() < share else 0] for pick in picks]

    @cached_property
    def piece_scores(self) -> dict[str, float]:
        """The score of each sub-word other than special numbers and bytes."""
        plain = range(END + 257, self.size)
        return {self.processor.id_to_piece(number): self.processor.get_score(number) for number in plain}

    @cached_property
    def is_unigram(self) -> bool:
        """Whether this is a unigram model; byte-pair encoding has whole numbers as scores, the ranks of merges."""
        return any(score % 1 for score in self.piece_scores.values())

    def merged_numbers(self, word: str, share: float, random: np.random.Generator) -> Sequence[int]:
        """Return a word by byte-pair encoding in which each merge is skipped with probability `share`."""
        parts = list(SPACE + word)
        while True:
            pairs = [one + other for one, other in pairwise(parts)]
            found = [(self.piece_scores[pair], -place) for place, pair in enumerate(pairs) if pair in self.piece_scores]
            kept = [merge for merge in found if random.random() >= share]
            if not kept:
                break
            place = -max(kept)[1]
            parts[place : place + 2] = [pairs[place]]
        return [number for part in parts for number in self.part_numbers(part)]

    def part_numbers(self, part: str) -> list[int]:
        """Return the number of a sub-word, or of each byte of a character that is not a sub-word."""
        if part in self.piece_scores:
            return [self.processor.piece_to_id(part)]
        return [self.processor.piece_to_id(f"<0x{byte:02X}>") for byte in part.encode()]


VOCABULARIES: dict[str, type[Vocabulary]] = {"words": Words, "pieces": Pieces}

"""Sentences to sub-words and back, and what a run has learnt of its texts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Self

import numpy as np
from typing_extensions import override

from data.splits import DataError, Example, Examples
from data.texts.text import PAD, UNKNOWN, clean_text, padded_batch, padding_width, padding_widths
from data.texts.text_items import plain
from data.texts.vocabulary import END, START, Pieces
from tasks.engine import task
from tasks.engine.config import JsonObject, SettingError
from tasks.engine.fields import checked_fields, checked_widths
from tasks.engine.task import Arrays
from tasks.translate.clauses import Tokens
from tasks.translate.confidence import Limits, packed, unpacked, unseen_pieces
from tasks.translate.config import Config
from tasks.translate.document import Document, Reader
from tasks.translate.languages import language_pair
from tasks.translate.letter_case import letter_case, usual_spelling
from tasks.translate.stand_ins import StandIns
from tasks.translate.variety import copied_names, varied_pair

LOG = logging.getLogger("tasks")
KNOWN = 0.01  # share of the training sources in a case from which on a run knows it
FIELDS = ("text", "translation")
FORM = {"source": str, "target": str, "sources": list[int], "targets": list[int], "pieces": str}  # of the state


@dataclass(frozen=True)
class Codec(task.Codec):
    """Turn sentences into sub-words and back; it learns sub-words of both languages, and how its texts look.

    Attributes:
        languages: Codes of the source and the target.
        sources, targets: Widths that sentences are padded to.
        cases: Share of the training sources in capitals and of titles; empty if that is not known.
        unseen: Whether no training source has a sub-word, `(sub-words,)`.
        limits: What validation examples showed; without it, no translation is called a guess.
        stand_ins: What training pairs show of names and numbers; without it, none is missed in a translation.
        names: Words that training pairs have on both sides; only training has them.
    """

    config: Config
    languages: tuple[str, str]
    pieces: Pieces
    sources: list[int]
    targets: list[int]
    cases: dict[str, float]
    unseen: np.ndarray
    limits: Limits | None = None
    stand_ins: StandIns | None = None
    names: tuple[str, ...] = ()

    @classmethod
    def learn(cls, config: Config, train: Examples) -> Self:
        """Return a codec for these training examples.

        Raises:
            DataError: All of them are too long.
        """
        texts = [clean_text(example[field]) for field in FIELDS for example in train]
        pieces = Pieces.learn(texts, config.vocabulary, config.pieces, cased=True, digits=True)
        widest = [config.max_length + 1]
        codec = cls(config, language_pair(config), pieces, widest, widest, {}, np.zeros(pieces.size, bool))
        kept = codec.fitting_pairs(train)
        lengths = [[len(codec.tokens(example[field])) + 1 for example in kept] for field in FIELDS]
        sources, targets = (padding_widths(each, config.max_length + 1, config.widths + 1, step=2) for each in lengths)
        unseen = unseen_pieces([codec.tokens(example["text"]) for example in train], pieces.size)
        return replace(
            codec,
            sources=sources,
            targets=targets,
            cases=codec.case_shares(train),
            unseen=unseen,
            stand_ins=StandIns.learn(train),
        )

    @override
    @classmethod
    def adapt(cls, config: Config, earlier: Self, train: Examples) -> Self:
        """Return a codec with the sub-words of an earlier one; what its limits say is learnt anew.

        Raises:
            DataError: All examples are too long.
        """
        codec = replace(earlier, config=config, limits=None)
        codec.fitting_pairs(train)
        unseen = unseen_pieces([codec.tokens(example["text"]) for example in train], codec.pieces.size)
        return replace(codec, unseen=earlier.unseen & unseen, stand_ins=StandIns.learn(train))

    @override
    def for_training(self, train: Examples) -> Self:
        return replace(self, names=copied_names(train)) if self.config.exchange else self

    @classmethod
    def restore(cls, config: Config, state: JsonObject) -> Self:
        state = checked_fields(
            state,
            FORM,
            {"cases": dict[str, float], "limits": dict[str, float] | None, "unseen": str, "stand_ins": dict | None},
        )
        pair = (state["source"], state["target"])
        for name, own, given in zip(("source", "target"), pair, (config.source, config.target), strict=True):
            if given not in (None, own):
                raise SettingError(
                    f"This run translates from {pair[0]!r} to {pair[1]!r}; received `{name}` {given!r}. "
                    f"Train one for it with --source and --target."
                )
        pieces, limits = Pieces.restore(state["pieces"]), state.get("limits")
        unseen = unpacked(state["unseen"], pieces.size) if "unseen" in state else np.zeros(pieces.size, bool)
        sources, targets = (checked_widths(state[name], config.max_length + 1) for name in ("sources", "targets"))
        found = cls(config, pair, pieces, sources, targets, state.get("cases", {}), unseen)
        stand_ins = StandIns.restore(state["stand_ins"]) if state.get("stand_ins") else None
        return replace(found, limits=Limits(**limits) if limits else None, stand_ins=stand_ins)

    @override
    def settled(self, config: Config) -> Config:
        """Return the config with the languages of the training data."""
        return replace(config, source=self.languages[0], target=self.languages[1])

    def state(self) -> JsonObject:
        return {
            "source": self.languages[0],
            "target": self.languages[1],
            "sources": self.sources,
            "targets": self.targets,
            "cases": self.cases,
            "limits": self.limits.state() if self.limits else None,
            "unseen": packed(self.unseen),
            "stand_ins": self.stand_ins.state() if self.stand_ins else None,
            "pieces": self.pieces.state(),
        }

    def with_limits(self, limits: Limits | None) -> Self:
        """Return the same codec with other limits of what is not a guess."""
        return replace(self, limits=limits)

    def fitting_pairs(self, train: Examples) -> Examples:
        """Return the pairs that are short enough to train on, with a notice of the number left out.

        Raises:
            DataError: None is.
        """
        kept = [example for example in train if self.turns(example)]
        left, longest = len(train) - len(kept), self.config.max_length
        if not kept:
            raise DataError(f"All {left:,} pairs are longer than {longest} sub-words; give a larger --max-length.")
        if left:
            LOG.warning(
                "%d of %d training pairs are longer than %d sub-words and left out; a larger --max-length keeps them.",
                left,
                len(train),
                longest,
            )
        return kept

    def case_shares(self, train: Examples) -> dict[str, float]:
        """Return the share of the sources in capitals, and of those that are titles."""
        found = [letter_case(clean_text(example["text"]), self.languages[0], self.usual) for example in train]
        return {case: round(found.count(case) / len(found), 4) for case in ("upper", "title")}

    @cached_property
    def usual(self) -> Callable[[str], str]:
        """The usual spelling of a word, as the sub-words show it."""
        return lru_cache(1 << 14)(lambda word: usual_spelling(word, lambda one: len(self.pieces.numbers(one))))

    @cached_property
    def reader(self) -> Reader:
        """How texts are read for this run."""
        known = frozenset(case for case, share in self.cases.items() if share >= KNOWN)
        usual_length = ([self.config.max_length, *self.sources[:-1]])[-1] - (len(self.sources) > 1)
        return Reader(self.languages[0], self.config.max_length, usual_length, self.pieces.numbers, self.usual, known)

    def document(self, raw: str) -> Document:
        """Return a text as sentences that the network reads, and what is kept around them."""
        return self.reader.document(raw)

    def read(self, raw: str) -> Document:
        """Return a text as `document` does.

        Raises:
            DataError: It has no visible sign.
        """
        if not any(sign.isprintable() and not sign.isspace() for sign in plain(raw)):
            raise DataError(f"The text {raw[:20]!r} is empty; give at least one word.")
        return self.document(raw)

    def tokens(self, text: str, random: np.random.Generator | None = None) -> list[int]:
        """Return a sentence as sub-words; with `random`, words get sampled spellings."""
        share = self.config.sampling if random is not None else 0.0
        found: list[int] = []
        for word in clean_text(text).split():
            found += (
                self.pieces.sampled_spelling(word, share, random) if share and random else self.pieces.numbers(word)
            )
        return found

    def numbers(self, text: str, random: np.random.Generator | None = None) -> Tokens:
        """Return at most `max_length` sub-words of a sentence, as `tokens` gives them."""
        return self.tokens(text, random)[: self.config.max_length]

    def inputs(self, read: Sequence[Tokens]) -> tuple[np.ndarray]:
        """Return sentences, as `numbers` gives them, as the array that the encoder reads: int32 `(batch, steps)`."""
        rows = [[*row, END] for row in read]
        return (padded_batch(rows, padding_width(max(map(len, rows)), self.sources)),)

    @override
    def vary(self, example: Example, random: np.random.Generator) -> Example:
        """Return an example with sampled spellings of the words of its text; some are varied as `varied_pair` says.

        The translation keeps the best spelling. Otherwise the decoder would spread the probability of a word over
        many spellings, and write rare ones.
        """
        pair = varied_pair((example["text"], example["translation"]), self.config, self.names, random)
        return example | {"spelt": [self.numbers(pair[0], random), self.numbers(pair[1])]}

    @override
    def turns(self, example: Example) -> int:
        """Return 1, or 0 for a pair with a side of more than `max_length` sub-words, which is left out."""
        return int(all(len(self.tokens(example[field])) <= self.config.max_length for field in FIELDS))

    def sentence_tokens(self, example: Example) -> tuple[Tokens, Tokens]:
        """Return both sentences of an example as sub-words."""
        text, translation = example.get("spelt") or [self.numbers(example[field]) for field in FIELDS]
        return text, translation

    def encode(self, examples: list[Example], random: np.random.Generator | None = None) -> tuple[Arrays, ...]:
        """Return the arrays of a batch: inputs, expected losses and weights.

        * Inputs: source, target so far, next target.
        * Expected losses: not used, since the network computes its loss.
        * Weights: 1 for a sub-word of the target, 0 for padding.

        With `random`, some sub-words are read as unknown.
        """
        texts, translations = zip(*map(self.sentence_tokens, examples), strict=True)
        (source,) = self.inputs(texts)
        rows = [[START, *row, END] for row in translations]
        target = padded_batch(rows, padding_width(max(map(len, rows)) - 1, self.targets) + 1)
        before, after = target[:, :-1], target[:, 1:]
        if random is not None:
            source, before = self.tokens_with_unknowns(source, random), self.tokens_with_unknowns(before, random)
        there = (after != PAD).astype("float32")
        return (source, before, after), there, there

    def tokens_with_unknowns(self, tokens: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Return sub-words with a random share of them unknown."""
        dropped = (random.random(tokens.shape) < self.config.token_dropout) & (tokens > END)
        return np.where(dropped, np.int32(UNKNOWN), tokens)

    @override
    def bucket(self, example: Example) -> int:
        """Return a number for the two padded widths of an example: 1000 times the target's, plus the source's."""
        text, translation = (len(row) + 1 for row in self.sentence_tokens(example))
        return padding_width(translation, self.targets) * 1000 + padding_width(text, self.sources)

    @override
    def cost(self, bucket: int) -> int:
        """Return the number of steps of an example of a bucket."""
        return sum(divmod(bucket, 1000))

"""Texts to arrays for the classifier: words, vocabulary, classes, widths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Self

import numpy as np
from typing_extensions import override

from data.splits import DataError, Example, Examples
from data.texts.ngrams import NgramTable
from data.texts.sentences import sentence_spans
from data.texts.text import (
    PAD,
    UNKNOWN,
    clean_text,
    padded_batch,
    padding_width,
    padding_widths,
    plain_marks,
    sequence_without_spans,
    text_words,
    truncated_sequence,
)
from data.texts.vocabulary import END, VOCABULARIES, Vocabulary
from tasks.engine import task
from tasks.engine.config import JsonObject
from tasks.engine.fields import checked_classes, checked_fields, checked_widths
from tasks.engine.task import Arrays
from tasks.sentiment.config import Config
from tasks.sentiment.reading import Reading, Tokens, warn_of_rare_words, warn_of_unknown_words
from tasks.toolbox.labels import balanced_weights, check_classes, kept_classes

STEP = 0.5  # step size of the n-gram branch, as a share of that of the recurrent branch
EXCERPT = 3  # most sentences of an excerpt
KEPT = 1 << 16  # texts whose tokens are kept for the next epoch


def read_words(text: str) -> list[str]:
    """Return the words and marks of a raw text, without markup, and with plain marks."""
    return text_words(plain_marks(clean_text(text)))


def unknown_words(spelled: Sequence[Sequence[int]]) -> int:
    """Return how many words, given by their numbers, the vocabulary of words lacks."""
    return spelled.count((UNKNOWN,))


def byte_words(spelled: Sequence[Sequence[int]]) -> int:
    """Return how many words are spelled mostly in bytes, as sub-words lack their letters."""
    return sum(2 * sum(number <= END + 256 for number in numbers) > len(numbers) for numbers in spelled)


def first_weights(config: Config) -> list[float]:
    """Return weights of the branches before a validation has given others: all the same."""
    branches = 2 if config.ngrams else 1
    return [1 / branches] * branches


UNKNOWN_COUNTS = {"words": unknown_words, "pieces": byte_words}


class Codec(task.Codec):
    """Turn texts into tokens; it learns vocabulary, classes, padding widths, and weights of the branches.

    Attributes:
        weights: Factor of the scores of each branch before the softmax.
        table: The words and pairs that the n-gram branch reads, if there is one.
        ratios: Log-count ratio of each of them in each class, `(1 + ngrams, classes)`; only for training.
        factors: Weight of the examples of each class; only for training.
    """

    def __init__(
        self,
        config: Config,
        vocabulary: Vocabulary,
        classes: list[str],
        widths: list[int],
        weights: list[float],
        table: NgramTable | None = None,
        ratios: np.ndarray | None = None,
    ) -> None:
        self.config, self.vocabulary, self.classes, self.widths = config, vocabulary, classes, widths
        self.weights, self.table, self.ratios = weights, table, ratios
        self.labels = {name: number for number, name in enumerate(classes)}
        self.factors: list[float] | None = None
        self.tokens = lru_cache(maxsize=KEPT)(self.text_tokens)  # an epoch asks for those of the last one

    @classmethod
    def learn(cls, config: Config, train: Examples) -> Self:
        texts = [plain_marks(clean_text(example["text"])) for example in train]
        vocabulary = VOCABULARIES[config.tokens].learn(texts, config.vocabulary)
        names = [example["label"] for example in train]
        codec = cls(config, vocabulary, sorted(set(names)), [config.max_length], first_weights(config))
        rows = [codec.tokens(example["text"]) for example in train]
        codec.widths = padding_widths([len(row) for row in rows], config.max_length, config.widths)
        if config.ngrams:
            codec.table = NgramTable.learn(rows, config.ngrams, config.ngram_count)
            codec.ratios = codec.learnt_ratios(rows, names)
        if config.tokens == "words":
            warn_of_rare_words(texts, rows)
        return codec

    @override
    def for_training(self, train: Examples) -> Self:
        if self.config.class_weights == "balanced":
            self.factors = balanced_weights([example["label"] for example in train], self.classes)
        return self

    @override
    @classmethod
    def adapt(cls, config: Config, earlier: Self, train: Examples) -> Self:
        """Return a codec with the vocabulary of an earlier one, and with its classes if they hold all labels."""
        names = [example["label"] for example in train]
        classes = kept_classes(names, earlier.classes)
        codec = cls(config, earlier.vocabulary, classes, earlier.widths, first_weights(config))
        if config.ngrams:
            rows = [codec.tokens(example["text"]) for example in train]
            codec.table = earlier.table or NgramTable.learn(rows, config.ngrams, config.ngram_count)
            if classes != earlier.classes or codec.table is not earlier.table:
                codec.ratios = codec.learnt_ratios(rows, names)
        warn_of_unknown_words(codec.readings(example["text"] for example in train), "training")
        return codec

    @classmethod
    def restore(cls, config: Config, state: JsonObject) -> Self:
        own = {"vocabulary": list[str] if config.tokens == "words" else str} | (
            {"ngrams": str} if config.ngrams else {}
        )
        state = checked_fields(state, own | {"classes": list[str], "widths": list[int], "weights": list[float]})
        if len(state["weights"]) != len(first_weights(config)):
            raise ValueError(f"it has {len(state['weights'])} weights of branches")
        vocabulary = VOCABULARIES[config.tokens].restore(state["vocabulary"])
        widths = checked_widths(state["widths"], config.max_length)
        table = NgramTable.restore(state["ngrams"], config.ngrams) if config.ngrams else None
        return cls(config, vocabulary, checked_classes(state["classes"]), widths, state["weights"], table)

    def state(self) -> JsonObject:
        return {
            "classes": self.classes,
            "weights": self.weights,
            "widths": self.widths,
            "vocabulary": self.vocabulary.state(),
            **({"ngrams": self.table.state()} if self.table is not None else {}),
        }

    def with_weights(self, weights: Sequence[float]) -> Self:
        """Return the same codec with other weights of the branches."""
        return type(self)(
            self.config, self.vocabulary, self.classes, self.widths, list(weights), self.table, self.ratios
        )

    def word_tokens(self, text: str) -> list[tuple[str, Sequence[int]]]:
        """Return the words of a text, each with its tokens."""
        return [(word, self.vocabulary.numbers(word.lower())) for word in read_words(text)]

    def text_tokens(self, text: str) -> Tokens:
        """Return the tokens of a text, truncated, at least one."""
        spelled = self.vocabulary.numbers
        numbers = [number for word in read_words(text) for number in spelled(word.lower())]
        return truncated_sequence(numbers or [UNKNOWN], self.config.max_length, self.config.truncate)

    def read(self, raw: str) -> Reading:
        """Return a text as `predict` takes it.

        Raises:
            DataError: It has no words and no other marks.
        """
        words = self.word_tokens(raw)
        if not words:
            raise DataError(f"The text {raw[:20]!r} is empty; give at least one word.")
        return self.reading(raw, words)

    def reading(self, text: str, words: Sequence[tuple[str, Sequence[int]]]) -> Reading:
        """Return a text as it is read, given its words with their tokens; none are a single unknown token."""
        numbers = [number for _, spelling in words for number in spelling] or [UNKNOWN]
        tokens = truncated_sequence(numbers, self.config.max_length, self.config.truncate)
        counted = [spelling for word, spelling in words if word[0].isalnum()] or [spelling for _, spelling in words]
        unknown = UNKNOWN_COUNTS[self.config.tokens](counted)
        return Reading(text, tokens, len(tokens) < len(numbers), 1 - unknown / len(counted) if counted else 0.0)

    def readings(self, texts: Iterable[str]) -> list[Reading]:
        """Return texts as they are read, also those without words."""
        return [self.reading(text, self.word_tokens(text)) for text in texts]

    def arrays(self, rows: Sequence[Tokens]) -> tuple[np.ndarray, ...]:
        """Return the tokens of texts as int32 `(batch, time)`, and with `ngrams` their words and pairs too."""
        width = padding_width(max(map(len, rows)), self.widths)
        if self.table is None:
            return (padded_batch(rows, width),)
        return padded_batch(rows, width), padded_batch([self.table.places(row) for row in rows], 2 * width)

    def learnt_ratios(self, rows: Sequence[Tokens], names: Sequence[str]) -> np.ndarray:
        """Return the log-count ratios of the words and pairs in the table, from the tokens and classes of texts."""
        assert self.table is not None
        places = map(self.table.places, rows)
        labels = [self.labels[name] for name in names]
        shape = (1 + len(self.table), len(self.classes))
        return log_count_ratios(places, labels, shape, self.config.ngram_smoothing)

    def inputs(self, raw: Sequence[Reading]) -> tuple[np.ndarray, ...]:
        """Return texts as the arrays that the network reads."""
        return self.arrays([one.tokens for one in raw])

    def encode(self, examples: list[Example], random: np.random.Generator | None = None) -> tuple[Arrays, ...]:
        """Return the arrays of the network and class numbers `(batch, branches)`; with `random`, augmented.

        In a training with weights of the classes there are also the weights `(batch, branches)`.

        Raises:
            DataError: A class was not among the training examples.
        """
        check_classes(examples, self.classes)
        rows = [self.tokens(example["text"]) for example in examples]
        tokens, *others = self.arrays(rows)
        if random is not None:
            tokens = self.augmented_tokens(rows, random)
        numbers = np.array([self.labels[example["label"]] for example in examples], "int32")
        labels = np.repeat(numbers[:, None], len(self.weights), 1)
        weights = [] if self.factors is None else [np.array(self.factors, "float32")[labels]]
        return (tokens, *others) if others else tokens, labels, *weights

    def augmented_tokens(self, rows: Sequence[Tokens], random: np.random.Generator) -> np.ndarray:
        """Return texts as int32 `(batch, time)` without some spans, and with some tokens unknown."""
        rows = [sequence_without_spans(row, self.config.span_dropout, random) for row in rows]
        tokens = padded_batch(rows, padding_width(max(map(len, rows)), self.widths))
        dropped = (random.random(tokens.shape) < self.config.token_dropout) & (tokens != PAD)
        return np.where(dropped, np.int32(UNKNOWN), tokens)

    @override
    def vary(self, example: Example, random: np.random.Generator) -> Example:
        """Return an example, or with the share `excerpts` one of a few sentences in a row of its text."""
        if not self.config.excerpts or random.random() >= self.config.excerpts:
            return example
        return example | {"text": excerpt(example["text"], random)}

    @override
    def bucket(self, example: Example) -> int:
        """Return the width that an example is padded to."""
        return padding_width(len(self.tokens(example["text"])), self.widths)


def excerpt(text: str, random: np.random.Generator) -> str:
    """Return one to three sentences in a row of a text."""
    text = clean_text(text)
    sentences = sentence_spans(text)
    if not sentences:
        return text
    first = int(random.integers(len(sentences)))
    last = min(first + int(random.integers(EXCERPT)), len(sentences) - 1)
    return text[sentences[first][0] : sentences[last][1]]


def log_count_ratios(
    rows: Iterable[np.ndarray], labels: Sequence[int], shape: tuple[int, int], smoothing: float
) -> np.ndarray:
    """Return the log-count ratio of each word and pair in each class, float32 of the shape `(1 + ngrams, classes)`.

    It is the log of the n-gram's share in the texts of the class over its share in all others. Row 0, the padding,
    is 0.

    Args:
        rows: Places of the words and pairs of each text.

    Reference: Wang and Manning, 2012, https://aclanthology.org/P12-2018.
    """
    counts = np.zeros(shape)
    for row, label in zip(rows, labels, strict=True):
        counts[row, label] += 1
    own, other = counts + smoothing, counts.sum(1, keepdims=True) - counts + smoothing
    logs = np.log((own / own.sum(0)) / (other / other.sum(0)))
    logs[0] = 0
    return (STEP * logs).astype("float32")

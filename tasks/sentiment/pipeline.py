"""Text classes, step by step: text, tokens, network, calibrated probabilities."""

import logging
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from typing_extensions import override

from data import catalogue, sources
from data.builtin import sets
from data.columns import Names
from data.holdout import holdout_split
from data.labels import relabelled_splits
from data.splits import DataError, Example, Examples, Splits
from data.texts.labelled_texts import all_texts, labelled_texts
from data.texts.text import (
    PAD,
    UNKNOWN,
    clean_text,
    hashed_ngrams,
    padded_batch,
    padding_width,
    padding_widths,
    sequence_without_spans,
    text_words,
    truncated_sequence,
)
from data.texts.vocabulary import VOCABULARIES, Vocabulary
from tasks.engine import task
from tasks.engine.config import JsonObject
from tasks.engine.task import TEXT, Answer, Arrays, Pipeline, Task, table_format
from tasks.sentiment.classify import Tokens, branch_scores, class_probabilities, word_weights
from tasks.sentiment.config import LIMITS, SOURCES, Config
from tasks.sentiment.score import score
from tasks.toolbox import calibration
from tasks.toolbox.labels import check_classes, class_answers

LOG = logging.getLogger("tasks")
COLUMNS = {  # of a table, and the names that they may have
    "text": ("text", "sentence", "review", "content", "comment", "tweet", "document", "body", "message", "reviewText"),
    "label": ("label", "labels", "class", "sentiment", "category", "polarity", "target", "stars", "rating"),
}
STEP = 0.5  # step size of the n-gram branch, as a share of that of the recurrent branch


def load(config: Config) -> Splits:
    """Return the splits: examples with a `text` and a `label`, the class name.

    Raises:
        FileNotFoundError, DataError, UnavailableError: The data is missing, invalid or unavailable.
    """
    splits = sources.splits(
        config.data,
        config.test,
        builtin=partial(builtin_splits, config),
        files=partial(own_splits, config),
        named=partial(catalogue_splits, config),
        examples=partial(all_examples, config),
        part=partial(named_part, config),
    )
    return relabelled_splits(splits, config.label_names())


def builtin_splits(config: Config) -> Splits:
    """Return the splits of the embedded reviews; the two of a pair stay together."""
    train, test = sets.reviews()
    pairs = [{"pair": pair} for pair in zip(train[::2], train[1::2], strict=True)]
    parts = holdout_split(pairs, config.valid, config.seed)
    kept, held = ([review for pair in part for review in pair["pair"]] for part in parts)
    return Splits(kept, held, test)


def own_splits(config: Config, path: str) -> Splits:
    """Return the splits of the user's own files."""
    return labelled_texts(Path(path), COLUMNS, table_format(config), config.valid, config.seed)


def all_examples(config: Config, path: Path) -> Examples:
    """Return all texts in the user's own files, to test on."""
    return all_texts(path, COLUMNS, table_format(config))


def catalogue_columns(config: Config) -> Names:
    """Return the names that the columns of a catalogue data set may have; those that the user gave count alone."""
    return COLUMNS | {field: (name,) for field, name in config.column_names().items()}


def catalogue_splits(config: Config, name: str) -> Splits:
    """Return the splits of a catalogue data set."""
    found = catalogue.read(name, ("train", "test"), catalogue_columns(config), config.data_dir)
    train, test = (list(map(text_example, found[part])) for part in ("train", "test"))
    return Splits(*holdout_split(train, config.valid, config.seed), test)


def named_part(config: Config, part: str) -> Examples | None:
    """Return another split of the data by name, or `None` if there is none."""
    found = sources.catalogue_part(config.data, part, catalogue_columns(config), config.data_dir)
    return None if found is None else list(map(text_example, found))


def text_example(row: Example) -> Example:
    """Return an example with the text and the label of a catalogue row."""
    return {"text": str(row["text"]), "label": str(row["label"])}


class Codec(task.Codec):
    """Turn texts into tokens; it learns vocabulary, classes, padding widths, and weights of the branches.

    Attributes:
        weights: Factor of the scores of each branch before the softmax.
        ratios: Log-count ratio of each hashed word and pair in each class, `(ngrams, classes)`; only for training.
    """

    def __init__(
        self,
        config: Config,
        vocabulary: Vocabulary,
        classes: list[str],
        widths: list[int],
        weights: list[float],
        ratios: np.ndarray | None = None,
    ) -> None:
        self.config, self.vocabulary, self.classes, self.widths = config, vocabulary, classes, widths
        self.weights, self.ratios = weights, ratios
        self.labels = {name: number for number, name in enumerate(classes)}

    @classmethod
    def learn(cls, config: Config, train: Examples) -> Self:
        texts = [clean_text(example["text"]) for example in train]
        vocabulary = VOCABULARIES[config.tokens].learn(texts, config.vocabulary)
        classes = sorted({example["label"] for example in train})
        branches = 2 if config.ngrams else 1
        codec = cls(config, vocabulary, classes, [config.max_length], [1 / branches] * branches)
        rows = [codec.tokens(example["text"]) for example in train]
        codec.widths = padding_widths([len(row) for row in rows], config.max_length, config.widths)
        if config.ngrams:
            labels = [codec.labels[example["label"]] for example in train]
            codec.ratios = log_count_ratios(rows, labels, len(classes), config.ngrams, config.ngram_smoothing)
        return codec

    @classmethod
    def restore(cls, config: Config, state: JsonObject) -> Self:
        vocabulary = VOCABULARIES[config.tokens].restore(state["vocabulary"])
        return cls(config, vocabulary, state["classes"], state["widths"], state["weights"])

    def state(self) -> JsonObject:
        return {
            "classes": self.classes,
            "weights": self.weights,
            "widths": self.widths,
            "vocabulary": self.vocabulary.state(),
        }

    def with_weights(self, weights: Sequence[float]) -> Self:
        """Return the same codec with other weights of the branches."""
        return type(self)(self.config, self.vocabulary, self.classes, self.widths, list(weights), self.ratios)

    def word_tokens(self, text: str) -> list[tuple[str, Sequence[int]]]:
        """Return the words of a text, each with its tokens."""
        return [(word, self.vocabulary.numbers(word.lower())) for word in text_words(clean_text(text))]

    def tokens(self, text: str) -> Tokens:
        """Return the tokens of a text, truncated, at least one."""
        numbers = [number for _, spelling in self.word_tokens(text) for number in spelling]
        return truncated_sequence(numbers or [UNKNOWN], self.config.max_length, self.config.truncate)

    def arrays(self, rows: Sequence[Tokens]) -> tuple[np.ndarray, ...]:
        """Return the tokens of texts as int32 `(batch, time)`, and with `ngrams` their words and pairs too."""
        width = padding_width(max(map(len, rows)), self.widths)
        if not self.config.ngrams:
            return (padded_batch(rows, width),)
        return padded_batch(rows, width), padded_batch(
            [hashed_ngrams(row, self.config.ngrams) for row in rows], 2 * width
        )

    def read(self, raw: str) -> str:
        """Return a text, which must have a word."""
        if not clean_text(raw):
            raise DataError(f"The text {raw[:20]!r} is empty; give at least one word.")
        return raw

    def inputs(self, read: Sequence[str]) -> tuple[np.ndarray, ...]:
        """Return texts as the arrays that the network reads."""
        return self.arrays([self.tokens(text) for text in read])

    def encode(self, examples: list[Example], random: np.random.Generator | None = None) -> tuple[Arrays, np.ndarray]:
        """Return the arrays of the network and class numbers `(batch, branches)`; with `random`, augmented.

        Raises:
            DataError: A class was not among the training examples.
        """
        check_classes(examples, self.classes)
        rows = [self.tokens(example["text"]) for example in examples]
        tokens, *others = self.arrays(rows)
        if random is not None:
            tokens = self.augmented_tokens(rows, random)
        labels = np.array([self.labels[example["label"]] for example in examples], "int32")
        return (tokens, *others) if others else tokens, np.repeat(labels[:, None], len(self.weights), 1)

    def augmented_tokens(self, rows: Sequence[Tokens], random: np.random.Generator) -> np.ndarray:
        """Return texts as int32 `(batch, time)` without some spans, and with some tokens unknown."""
        rows = [sequence_without_spans(row, self.config.span_dropout, random) for row in rows]
        tokens = padded_batch(rows, padding_width(max(map(len, rows)), self.widths))
        dropped = (random.random(tokens.shape) < self.config.token_dropout) & (tokens != PAD)
        return np.where(dropped, np.int32(UNKNOWN), tokens)

    @override
    def bucket(self, example: Example) -> int:
        """Return the width that an example is padded to."""
        return padding_width(len(self.tokens(example["text"])), self.widths)


def log_count_ratios(
    rows: Sequence[Tokens], labels: Sequence[int], classes: int, buckets: int, smoothing: float
) -> np.ndarray:
    """Return the log-count ratio of each hashed word and pair in each class, float32 `(buckets, classes)`.

    It is the log of the n-gram's share in the texts of the class over its share in all others. Row 0, the padding,
    is 0.

    Reference: Wang and Manning, 2012, https://aclanthology.org/P12-2018.
    """
    counts = np.zeros((buckets, classes))
    for row, label in zip(rows, labels, strict=True):
        counts[hashed_ngrams(row, buckets), label] += 1
    own, other = counts + smoothing, counts.sum(1, keepdims=True) - counts + smoothing
    logs = np.log((own / own.sum(0)) / (other / other.sum(0)))
    logs[0] = 0
    return (STEP * logs).astype("float32")


def calibrate(pipeline: Pipeline[Config], valid: Examples) -> Codec:
    """Return the codec with the branch weights that maximize the likelihood of the validation labels."""
    codec: Codec = pipeline.codec
    found = branch_scores(pipeline, [codec.tokens(example["text"]) for example in valid])
    labels = np.array([codec.labels[example["label"]] for example in valid])
    return codec.with_weights([round(float(weight), 6) for weight in calibration.branch_weights(found, labels)])


def predict(pipeline: Pipeline[Config], texts: Iterable[str]) -> list[Answer]:
    """Return for each text its `label`, its `probability`, and the `probabilities` of all classes.

    With `explain` there are also `words`: each word that is read, with its share in the log-odds of the label.

    Raises:
        DataError: A text has no words.
    """
    codec = pipeline.codec
    inputs = list(texts)
    if not inputs:
        return []
    rows = [codec.tokens(text) for text in inputs]
    for text, row in zip(inputs, rows, strict=True):
        if set(row) == {UNKNOWN}:
            LOG.warning("No word of %r is in the vocabulary; its answer is a guess.", text[:40])
    answers = class_answers(codec.classes, class_probabilities(pipeline, rows))
    if pipeline.config.explain:
        answers = [answer | word_weights(pipeline, text, answer) for text, answer in zip(inputs, answers, strict=True)]
    return answers


TASK = Task(
    name="sentiment",
    accepts=TEXT,
    sources=SOURCES,
    limits=LIMITS,
    config=Config,
    columns=lambda config: COLUMNS,
    load=load,
    codec=Codec,
    predict=predict,
    score=score,
    calibrate=calibrate,
)

"""Translation, step by step: text, sentences, sub-words, network, search."""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from PIL.Image import Image
from typing_extensions import override

from data import catalogue, sources
from data.builtin import sets
from data.columns import Names
from data.holdout import TEST_SEED, holdout_split
from data.splits import DataError, Example, Examples, Splits
from data.texts.pair_sources import likely_pair, path_languages
from data.texts.sentence_pairs import all_pairs, sentence_pairs
from data.texts.text import PAD, UNKNOWN, clean_text, padded_batch, padding_width, padding_widths, text_sentences
from data.texts.vocabulary import END, START, Pieces
from tasks.engine import task
from tasks.engine.config import JsonObject, SettingError
from tasks.engine.task import TEXT, Answer, Arrays, Pipeline, Task, table_format
from tasks.toolbox import figures
from tasks.translate.config import LIMITS, SOURCES, Config
from tasks.translate.decode import Tokens, beam_hypotheses, sentence_details
from tasks.translate.score import score

LOG = logging.getLogger("tasks")
PAIR = re.compile(r".*?([a-z]{2,3})(?:_to_|-)([a-z]{2,3})")  # the end of a catalogue name


def language_pair(config: Config) -> tuple[str, str]:
    """Return the language to translate from and the one to translate to.

    Without settings they follow from the name of a catalogue data set, or from the user's own files.

    Raises:
        DataError: The files are in other languages than English and German, and in more than two.
    """
    named = PAIR.fullmatch(config.data)
    if sources.is_in_catalogue(config.data) and named:
        one, other = named.groups()
        one, other = (other, one) if config.source == other or config.target == one else (one, other)
        pair = config.source or one, config.target or other
    elif config.source and config.target:
        pair = config.source, config.target
    else:
        found = [] if config.data == "builtin" else path_languages(Path(config.data), table_format(config))
        pair = likely_pair(found, config.source, config.target, config.data)
    if pair[0] == pair[1]:
        raise SettingError(f"`source` and `target` are both {pair[0]!r}; give two languages.")
    return pair


def load(config: Config) -> Splits:
    """Return the splits: examples with a `text` and its `translation`.

    Raises:
        FileNotFoundError, DataError, UnavailableError: The data is missing, invalid or unavailable.
    """
    return sources.splits(
        config.data,
        None if names_own_file(config) else config.test,
        builtin=partial(builtin_splits, config),
        files=partial(own_splits, config),
        named=partial(catalogue_splits, config),
        examples=lambda path: all_pairs(path, *language_pair(config), table_format(config)),
        part=lambda part: sources.catalogue_part(config.data, part, columns(config), config.data_dir),
    )


def names_own_file(config: Config) -> bool:
    """Return whether `test` names one of the user's own files, which `own_splits` reads."""
    own = config.data != "builtin" and not sources.is_in_catalogue(config.data)
    return own and config.test is not None and not Path(config.test).exists()


def columns(config: Config) -> Names:
    """Return the names of the column of each field of an example."""
    source, target = language_pair(config)
    return {
        "text": (source, f"translation/{source}", "text", "source", "src", "sentence"),
        "translation": (target, f"translation/{target}", "translation", "target", "tgt", "reference"),
    }


def builtin_splits(config: Config) -> Splits:
    """Return the splits of the embedded sentences."""
    source, target = language_pair(config)
    if {source, target} != {"en", "de"}:
        raise SettingError(f"The embedded sentences are in 'en' and 'de'; received {source!r} and {target!r}.")
    train, test = ([{"text": row[source], "translation": row[target]} for row in rows] for rows in sets.pairs())
    return Splits(*holdout_split(train, config.valid, config.seed), test)


def own_splits(config: Config, path: str) -> Splits:
    """Return the splits of the user's own files; `test` may name one of them."""
    test = config.test if names_own_file(config) else None
    source, target = language_pair(config)
    splits = sentence_pairs(Path(path), source, target, table_format(config), config.valid, config.seed, test)
    if not (config.source or config.target):
        LOG.warning("%s is read from %r to %r; --source and --target name others.", Path(path).name, source, target)
    return splits


def catalogue_splits(config: Config, name: str) -> Splits:
    """Return the splits of a catalogue data set."""
    found = catalogue.read(name, ("train",), columns(config), config.data_dir, optional=("validation", "test"))
    train, test = (found["train"], found["test"]) if "test" in found else holdout_split(found["train"], 0.1, TEST_SEED)
    if "validation" in found:
        return Splits(train, found["validation"], test)
    return Splits(*holdout_split(train, config.valid, config.seed), test)


class Codec(task.Codec):
    """Turn sentences into sub-words and back; it learns the sub-words of both languages, and padding widths."""

    def __init__(
        self, config: Config, languages: tuple[str, str], pieces: Pieces, sources: list[int], targets: list[int]
    ) -> None:
        self.config, self.languages, self.pieces = config, languages, pieces
        self.sources, self.targets = sources, targets

    @classmethod
    def learn(cls, config: Config, train: Examples) -> Self:
        texts = [clean_text(example[field]) for field in ("text", "translation") for example in train]
        pieces = Pieces.learn(texts, config.vocabulary, config.pieces, cased=True)
        codec = cls(config, language_pair(config), pieces, [config.max_length + 1], [config.max_length + 1])
        lengths = [[len(codec.numbers(example[field])) + 1 for example in train] for field in ("text", "translation")]
        chosen = [padding_widths(each, config.max_length + 1, config.widths + 1, step=2) for each in lengths]
        return cls(config, codec.languages, pieces, *chosen)

    @classmethod
    def restore(cls, config: Config, state: JsonObject) -> Self:
        pair = (state["source"], state["target"])
        for name, own, given in zip(("source", "target"), pair, (config.source, config.target), strict=True):
            if given not in (None, own):
                raise SettingError(
                    f"This run translates from {pair[0]!r} to {pair[1]!r}; received `{name}` {given!r}. "
                    f"Train one for it with --source and --target."
                )
        return cls(config, pair, Pieces.restore(state["pieces"]), state["sources"], state["targets"])

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
            "pieces": self.pieces.state(),
        }

    def numbers(self, text: str, random: np.random.Generator | None = None) -> Tokens:
        """Return a sentence as at most `max_length` sub-words; with `random`, words get sampled spellings."""
        share = self.config.sampling if random is not None else 0.0
        found: list[int] = []
        for word in clean_text(text).split():
            found += (
                self.pieces.sampled_spelling(word, share, random) if share and random else self.pieces.numbers(word)
            )
        return found[: self.config.max_length]

    def inputs(self, raw: Sequence[Tokens]) -> tuple[np.ndarray]:
        """Return sentences, as `numbers` gives them, as the array that the encoder reads: int32 `(batch, steps)`."""
        rows = [[*row, END] for row in raw]
        return (padded_batch(rows, padding_width(max(map(len, rows)), self.sources)),)

    @override
    def vary(self, example: Example, random: np.random.Generator) -> Example:
        """Return an example with sampled spellings of the words of its text.

        The translation keeps the best spelling. Otherwise the decoder would spread the probability of a word over
        many spellings, and write rare ones.
        """
        return example | {"spelt": [self.numbers(example["text"], random), self.numbers(example["translation"])]}

    def sentence_tokens(self, example: Example) -> tuple[Tokens, Tokens]:
        """Return both sentences of an example as sub-words."""
        text, translation = example.get("spelt") or [self.numbers(example[name]) for name in ("text", "translation")]
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


class Sentence(NamedTuple):
    """A sentence of the source, with its position."""

    text: str
    gap: str  # space between it and the next one
    owner: int  # index of its input


def predict(pipeline: Pipeline[Config], inputs: Sequence[str]) -> list[Answer]:
    """Return the `translation` of each text, with its `score`.

    * A text is translated sentence by sentence; its line breaks are kept.
    * `score` is the mean over sentences of the log-probability, divided by the length penalty.
    * With `n_best` above 1 or `alignment_file` there are `sentences`, each with its `translations`, best first.
    * With `alignment_file` each sentence has its `alignment`: the attention of each target sub-word to the source.

    Raises:
        DataError: A text is empty.
        SettingError: `beam` is larger than the vocabulary.
    """
    codec, config = pipeline.codec, pipeline.config
    check_beam(pipeline)
    check_texts(inputs)
    parts = [Sentence(part, gap, owner) for owner, text in enumerate(inputs) for part, gap in text_sentences(text)]
    rows = [input_tokens(codec, part.text) for part in parts]
    answers: list[JsonObject] = [{"translation": "", "score": []} for _ in inputs]
    for part, row, hypotheses in zip(parts, rows, beam_hypotheses(pipeline, rows), strict=True):
        answer, best = answers[part.owner], hypotheses[0]
        answer["translation"] += codec.pieces.text(best.tokens) + part.gap
        answer["score"].append(best.score)
        if config.n_best > 1 or config.alignment_file:
            answer.setdefault("sentences", []).append(sentence_details(pipeline, part.text, row, hypotheses))
    return [answer | {"score": round(float(np.mean(answer["score"])), 6)} for answer in answers]


def check_beam(pipeline: Pipeline[Config]) -> None:
    """Raise `SettingError` if the beam is larger than the vocabulary."""
    beam, size = pipeline.config.beam, pipeline.codec.pieces.size
    if beam > size:
        raise SettingError(f"`beam` is {beam}; the vocabulary has {size} sub-words only.")


def check_texts(texts: Sequence[str]) -> None:
    """Raise `DataError` if a text is empty."""
    empty = next((text for text in texts if not clean_text(text)), None)
    if empty is not None:
        raise DataError(f"The text {empty[:20]!r} is empty; give at least one word.")


def draw(pipeline: Pipeline[Config], text: str, answer: Answer) -> Iterator[tuple[Path, Image]]:
    """Yield the alignment of each sentence of an answer, with the file that `alignment_file` names."""
    if pipeline.config.alignment_file:
        for sentence in answer["sentences"]:
            yield pipeline.config.alignment_file, figures.alignment_panels([sentence["alignment"]])


def input_tokens(codec: Codec, text: str) -> Tokens:
    """Return a sentence as sub-words, with a notice if it is truncated, or mostly unknown."""
    row = codec.numbers(text)
    whole = [number for word in clean_text(text).split() for number in codec.pieces.numbers(word)]
    if len(whole) > len(row):
        LOG.warning("%r... has %d sub-words in a sentence; the first %d are read.", text[:40], len(whole), len(row))
    if sum(END < number <= END + 256 for number in row) > len(row) / 2:
        LOG.warning("Most letters of %r are not in the vocabulary; its translation is a guess.", text[:40])
    return row


TASK = Task(
    name="translate",
    accepts=TEXT,
    sources=SOURCES,
    limits=LIMITS,
    config=Config,
    load=load,
    codec=Codec,
    predict=predict,
    score=score,
    draw=draw,
)

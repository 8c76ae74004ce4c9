"""Translation, step by step: text, sentences, sub-words, network, search."""

import logging
import re
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from PIL.Image import Image
from typing_extensions import override

from data import catalogue, sources
from data.builtin import sets
from data.splits import DataError, Example, Examples, Splits, holdout_split
from data.texts.sentence_pairs import all_pairs, sentence_pairs
from data.texts.text import PAD, UNKNOWN, clean_text, padded_batch, padding_width, padding_widths, text_sentences
from data.texts.vocabulary import END, START, Pieces
from tasks.engine import task
from tasks.engine.config import SettingError
from tasks.engine.task import TEXT, Pipeline, Report, Task
from tasks.toolbox import figures, metrics
from tasks.toolbox.search import Hypothesis, memory_step, search
from tasks.translate.config import LIMITS, SOURCES, Config

LOG = logging.getLogger("tasks")
PAIR = re.compile(r".*?([a-z]{2,3})(?:_to_|-)([a-z]{2,3})")  # the end of a catalogue name
ANSWER_COUNT = 200  # answers kept, and sentences timed
ALIGNMENT_COUNT = 6  # alignments in a figure
Tokens = Sequence[int]


def language_pair(config: Config) -> tuple[str, str]:
    """Return the language to translate from and the one to translate to.

    What is not said follows from the name of a catalogue data set; other data is English and German.
    """
    named = PAIR.fullmatch(config.data)
    one, other = named.groups() if named and not Path(config.data).exists() else ("en", "de")
    if config.source == other or config.target == one:
        one, other = other, one
    pair = config.source or one, config.target or other
    if pair[0] == pair[1]:
        raise SettingError(f"`source` and `target` are both {pair[0]!r}; give two languages.")
    return pair


def load(config: Config) -> Splits:
    """Return examples with a `text` and its `translation`.

    Raises:
        FileNotFoundError, DataError, UnavailableError: The data is missing, unfit, or not to be had.
    """
    return sources.load(
        config.data,
        builtin=partial(builtin_splits, config),
        files=partial(own_splits, config),
        named=partial(catalogue_splits, config),
    )


def builtin_splits(config: Config) -> Splits:
    """Return the embedded sentences."""
    source, target = language_pair(config)
    if {source, target} != {"en", "de"}:
        raise SettingError(f"The embedded sentences are in 'en' and 'de'; received {source!r} and {target!r}.")
    train, test = ([{"text": row[source], "translation": row[target]} for row in rows] for rows in sets.pairs())
    splits = Splits(*holdout_split(train, config.valid, config.seed), test)
    return splits if config.test is None else splits._replace(test=part_to_test(config, config.test))


def own_splits(config: Config, path: str) -> Splits:
    """Return the sentences in the user's own files; `test` may name one of them."""
    test = config.test
    other = None if test is None or not Path(test).exists() else part_to_test(config, test)
    own = test if other is None else None
    splits = sentence_pairs(Path(path), *language_pair(config), config.valid, config.seed, own)
    return splits if other is None else splits._replace(test=other)


def catalogue_splits(config: Config, name: str) -> Splits:
    """Return a data set of the catalogue."""
    columns = dict(zip(("text", "translation"), language_pair(config), strict=True))
    found = catalogue.read(name, ("train",), columns, config.data_dir, optional=("validation", "test"))
    train = found["train"]
    if config.test is not None:
        test = part_to_test(config, config.test)
    else:
        train, test = (train, found["test"]) if "test" in found else holdout_split(train, 0.1, seed=0)
    if "validation" in found:
        return Splits(train, found["validation"], test)
    return Splits(*holdout_split(train, config.valid, config.seed), test)


def part_to_test(config: Config, test: str) -> Examples:
    """Return the sentences to test on instead of the data's own."""
    source, target = language_pair(config)
    columns = {"text": source, "translation": target}
    return sources.part_to_test(
        config.data,
        test,
        files=lambda path: all_pairs(path, source, target),
        named=lambda part: catalogue.read_part(config.data, part, columns, config.data_dir),
    )


class Codec(task.Codec):
    """Sentences to sub-words and back; it learns the sub-words of both languages, and the widths to pad to."""

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
    def restore(cls, config: Config, state: dict[str, Any]) -> Self:
        known = (state["source"], state["target"])
        for name, own, given in zip(("source", "target"), known, (config.source, config.target), strict=True):
            if given not in (None, own):
                raise SettingError(
                    f"This run translates from {known[0]!r} to {known[1]!r}; received `{name}` {given!r}. "
                    f"Train one for it with --source and --target."
                )
        return cls(config, known, Pieces.restore(state["pieces"]), state["sources"], state["targets"])

    def state(self) -> dict[str, Any]:
        return {
            "source": self.languages[0],
            "target": self.languages[1],
            "sources": self.sources,
            "targets": self.targets,
            "pieces": self.pieces.state(),
        }

    def numbers(self, text: str, random: np.random.Generator | None = None) -> Tokens:
        """Return a sentence as at most `length` sub-words; with `random`, its words are spelt as sampling chooses."""
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
        """Return an example with the words of its text spelt as sampling chooses.

        Those of its translation are not: a decoder that learns many spellings of a word shares its probability among
        them, and writes the rare ones.
        """
        return example | {"spelt": [self.numbers(example["text"], random), self.numbers(example["translation"])]}

    def sentence_tokens(self, example: Example) -> tuple[Tokens, Tokens]:
        """Return both sentences of an example as sub-words."""
        text, translation = example.get("spelt") or [self.numbers(example[name]) for name in ("text", "translation")]
        return text, translation

    def encode(self, examples: list[Example], random: np.random.Generator | None = None) -> tuple[Any, ...]:
        """Return source, target so far and what is next in it, then twice where that is: 1, or 0 where a row is padded.

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
        """Return sub-words of which some are unknown."""
        dropped = (random.random(tokens.shape) < self.config.token_dropout) & (tokens > END)
        return np.where(dropped, np.int32(UNKNOWN), tokens)

    @override
    def bucket(self, example: Example) -> int:
        """Return a number that tells apart the widths that an example is padded to, the target's first."""
        text, translation = (len(row) + 1 for row in self.sentence_tokens(example))
        return padding_width(translation, self.targets) * 1000 + padding_width(text, self.sources)

    @override
    def cost(self, bucket: int) -> int:
        """Return how many steps an example of a bucket takes."""
        return sum(divmod(bucket, 1000))


class Sentence(NamedTuple):
    """A sentence of the source, and where it stands."""

    text: str
    gap: str  # what stands between it and the next one
    owner: int  # which of the inputs it is part of


def predict(pipeline: Pipeline[Config], inputs: Sequence[str]) -> list[dict[str, Any]]:
    """Return for each text its `translation`, and the `score` of it: the mean over sentences of their log-probability
    divided by the penalty of their length.

    A text is cut into sentences, and put together again with the line breaks that it had. With `n_best` above 1 or
    with `alignment_file`, `sentences` has each sentence by itself: its `translations`, best first, and its `alignment`.
    That is the attention that each sub-word of the best one paid to each of the source.

    Raises:
        DataError: A text is empty.
        SettingError: More is asked for than the vocabulary has.
    """
    codec, config = pipeline.codec, pipeline.config
    if config.beam > codec.pieces.size:
        raise SettingError(f"`beam` is {config.beam}; the vocabulary has {codec.pieces.size} sub-words only.")
    empty = next((text for text in inputs if not clean_text(text)), None)
    if empty is not None:
        raise DataError(f"The text {empty[:20]!r} is empty; give at least one word.")
    parts = [Sentence(part, gap, owner) for owner, text in enumerate(inputs) for part, gap in text_sentences(text)]
    rows = [input_tokens(codec, part.text) for part in parts]
    found = beam_hypotheses(pipeline, rows)
    answers: list[dict[str, Any]] = [{"translation": "", "score": []} for _ in inputs]
    for part, row, hypotheses in zip(parts, rows, found, strict=True):
        answer, best = answers[part.owner], hypotheses[0]
        answer["translation"] += codec.pieces.text(best.tokens) + part.gap
        answer["score"].append(best.score)
        if config.n_best > 1 or config.alignment_file:
            answer.setdefault("sentences", []).append(sentence_details(pipeline, part.text, row, hypotheses))
    return [answer | {"score": round(float(np.mean(answer["score"])), 6)} for answer in answers]


def draw(pipeline: Pipeline[Config], text: str, answer: dict[str, Any]) -> Iterator[tuple[Path, Image]]:
    """Yield the alignment of each sentence of an answer, with the file that `alignment_file` names."""
    if pipeline.config.alignment_file:
        for sentence in answer["sentences"]:
            yield pipeline.config.alignment_file, figures.alignment_panels([sentence["alignment"]])


def input_tokens(codec: Codec, text: str) -> Tokens:
    """Return a sentence as sub-words, and say where it is cut, or spelt in bytes for the most part."""
    row = codec.numbers(text)
    whole = [number for word in clean_text(text).split() for number in codec.pieces.numbers(word)]
    if len(whole) > len(row):
        LOG.warning("%r... has %d sub-words in a sentence; the first %d are read.", text[:40], len(whole), len(row))
    if sum(END < number <= END + 256 for number in row) > len(row) / 2:
        LOG.warning("Hardly any letter of %r is known to this run; its translation is a guess.", text[:40])
    return row


def beam_hypotheses(pipeline: Pipeline[Config], rows: Sequence[Tokens]) -> list[list[Hypothesis]]:
    """Return the best translations of sentences given as sub-words; those of like length share a batch."""
    config, size = pipeline.config, pipeline.config.batch_size
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    found: list[list[Hypothesis]] = [[] for _ in rows]
    for first in range(0, len(rows), size):
        batch = order[first : first + size]
        memory, states = encoder_memory(pipeline, [rows[index] for index in batch])
        best = search(
            memory_step(pipeline.network, memory),
            states,
            batch=len(batch),
            start=START,
            end=END,
            max_length=config.max_length,
            width=config.beam,
            length_penalty=config.length_penalty,
            min_length=config.min_length,
            no_repeat_ngram=config.no_repeat_ngram,
            best=config.n_best,
        )
        for index, hypotheses in zip(batch, best, strict=True):
            found[index] = hypotheses
    return found


def encoder_memory(
    pipeline: Pipeline[Config], rows: Sequence[Tokens]
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Return what the decoder looks at in sentences, and its first states."""
    (source,) = pipeline.codec.inputs(rows)
    keys, values, *states = pipeline.network("encode", source)
    return (source != PAD, keys, values), (np.arange(len(rows)), *states)


def sentence_details(
    pipeline: Pipeline[Config], text: str, row: Tokens, hypotheses: Sequence[Hypothesis]
) -> dict[str, Any]:
    """Return a sentence with its translations, and with `alignment_file` what each sub-word looked at."""
    pieces = pipeline.codec.pieces
    given = [{"text": pieces.text(one.tokens), "score": round(one.score, 6)} for one in hypotheses]
    if not pipeline.config.alignment_file:
        return {"text": text, "translations": given}
    return {"text": text, "translations": given, "alignment": attention_alignment(pipeline, row, hypotheses[0].tokens)}


def attention_alignment(pipeline: Pipeline[Config], row: Tokens, tokens: Tokens) -> dict[str, Any]:
    """Return the sub-words of a sentence and of its translation, and the attention between them."""
    pieces = pipeline.codec.pieces
    memory, (_, *states) = encoder_memory(pipeline, [row])
    weights = []
    for token in (START, *tokens):
        _, looks, *states = pipeline.network("step", np.array([token], "int32"), *memory, *states)
        weights.append([round(float(look), 4) for look in looks[0][: len(row) + 1]])
    return {
        "source": [*map(pieces.piece_text, row), "</s>"],
        "target": [*map(pieces.piece_text, tokens), "</s>"],
        "weights": weights,
    }


def score(pipeline: Pipeline[Config], examples: Examples) -> Report:
    """Return BLEU and chrF with their intervals, BLEU in lower case, length ratio, and sentences a second."""
    codec = pipeline.codec
    rows = [codec.numbers(example["text"]) for example in examples]
    found = beam_hypotheses(pipeline.with_settings(n_best=1), rows)
    answers = [codec.pieces.text(hypotheses[0].tokens) for hypotheses in found]
    truth = [clean_text(example["translation"]) for example in examples]
    rates = {
        f"{name}_per_second": sentences_per_second(pipeline, rows[:ANSWER_COUNT], beam)
        for name, beam in (("greedy", 1), ("beam5", 5))
    }
    picked = [index for index, row in enumerate(rows) if len(row) < 20][:ALIGNMENT_COUNT]
    return Report(
        metrics=metrics.translation_metrics(answers, truth) | rates,
        answers=[
            {"input": example["text"], "answer": {"translation": answer}, "reference": example["translation"]}
            for example, answer in list(zip(examples, answers, strict=True))[:ANSWER_COUNT]
        ],
        figures={
            "lengths": lambda: figures.bleu_by_length(answers, truth, [len(row) for row in rows]),
            "alignments": lambda: figures.alignment_panels(
                [attention_alignment(pipeline, rows[index], found[index][0].tokens) for index in picked]
            ),
        },
    )


def sentences_per_second(pipeline: Pipeline[Config], rows: Sequence[Tokens], beam: int) -> float:
    """Return how many sentences are translated in a second with a beam."""
    start = time.perf_counter()
    beam_hypotheses(pipeline.with_settings(beam=beam, n_best=1), rows)
    return round(len(rows) / (time.perf_counter() - start), 1)


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

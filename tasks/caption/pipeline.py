"""Captions, step by step: pictures, words, network, search."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any, Self

import numpy as np

from data import builtin, catalogue
from data.captions import captioned
from data.photo import encoded, square
from data.places import Held
from data.splits import Example, Examples, Splits, hold_out
from data.text import padded, plain_words, width_of, widths
from data.vocabulary import END, START, Pieces, Words
from tasks.caption.config import LIMITS, SOURCES, Config
from tasks.caption.describe import attention, batches, described, remembered
from tasks.caption.score import score
from tasks.engine import figures
from tasks.engine.config import SettingError
from tasks.engine.decoding import Hypothesis
from tasks.engine.task import Pipeline, Task

SIDES = {"left", "right"}  # a mirrored picture would make a lie of them
Tokens = Sequence[int]


def load(config: Config) -> Splits:
    """Return examples with an `image`, a file or a uint8 array, and its `captions`.

    Raises:
        FileNotFoundError, DataError, UnavailableError: The data is missing, unfit, or not to be had.
    """
    if config.data == "builtin":
        train, test = builtin.scenes()
        return Splits(*hold_out(train, config.valid, config.seed), test)
    if Path(config.data).exists() or not catalogue.is_name(config.data):
        columns = {"image": config.image_column, "caption": config.caption_column}
        return captioned(Path(config.data), columns, config.valid, config.seed)
    numbers = count(1)

    def small(row: Example) -> Example:
        """Return a picture as a small file, since thousands are to fit into memory."""
        return row | {"image": Held(f"picture {next(numbers)}", encoded(square(row["image"], config.size)))}

    columns = {"image": "image", "captions": "captions/text"}
    found = catalogue.read(config.data, ("train",), columns, config.data_dir, optional=("val", "test"), change=small)
    train, test = (found["train"], found["test"]) if "test" in found else hold_out(found["train"], 0.1, seed=0)
    if "val" in found:
        return Splits(train, found["val"], test)
    return Splits(*hold_out(train, config.valid, config.seed), test)


class Codec:
    """Captions to tokens and back, pictures to arrays; it learns the words, and the widths to pad to."""

    def __init__(self, config: Config, vocabulary: Words | Pieces, widths: list[int]) -> None:
        self.config, self.vocabulary, self.widths = config, vocabulary, widths
        if isinstance(vocabulary, Pieces):
            self.start, self.end, self.size = START, END, vocabulary.size
        else:
            self.start, self.end, self.size = vocabulary.size, vocabulary.size + 1, vocabulary.size + 2

    @classmethod
    def learn(cls, config: Config, train: Examples) -> Self:
        captions = [caption for example in train for caption in example["captions"]]
        if config.tokens == "words":
            vocabulary: Words | Pieces = Words.learn(captions, config.vocabulary, plain_words)
        else:
            texts = [" ".join(plain_words(caption)) for caption in captions]
            vocabulary = Pieces.learn(texts, config.vocabulary, "bpe", cased=True)
        codec = cls(config, vocabulary, [config.length + 1])
        longest = [codec.longest(example) for example in train]
        return cls(config, vocabulary, widths(longest, config.length + 1, config.widths + 1, step=2))

    @classmethod
    def restore(cls, config: Config, state: dict[str, Any]) -> Self:
        kind: type[Words | Pieces] = {"words": Words, "pieces": Pieces}[state["tokens"]]
        return cls(config, kind.restore(state["vocabulary"]), state["widths"])

    def state(self) -> dict[str, Any]:
        return {"tokens": self.config.tokens, "widths": self.widths, "vocabulary": self.vocabulary.state()}

    def numbers(self, caption: str) -> Tokens:
        """Return a caption as at most `length` tokens."""
        found = [number for word in plain_words(caption) for number in self.vocabulary.numbers(word)]
        return found[: self.config.length]

    def words(self, tokens: Tokens) -> list[str]:
        """Return tokens for a reader, one by one."""
        if isinstance(self.vocabulary, Pieces):
            return [self.vocabulary.shown(token) for token in tokens]
        return [self.vocabulary.word(token) for token in tokens]

    def text(self, tokens: Tokens) -> str:
        """Return tokens as a sentence."""
        pieces = isinstance(self.vocabulary, Pieces)
        text = self.vocabulary.text(tokens) if pieces else " ".join(self.words(tokens))  # type: ignore[union-attr]
        return text[:1].upper() + text[1:] + "."

    def inputs(self, raw: Sequence[Path | str | np.ndarray]) -> np.ndarray:
        """Return pictures, files or uint8 arrays, as uint8 `(batch, size, size, 3)`."""
        return np.stack([square(picture, self.config.size) for picture in raw])

    def longest(self, example: Example) -> int:
        """Return how many tokens the longest caption of an example has, its end among them."""
        return max(len(self.numbers(caption)) for caption in example["captions"]) + 1

    def bucket(self, example: Example) -> int:
        """Return the width that the captions of an example are padded to."""
        return width_of(self.longest(example), self.widths)

    def cost(self, bucket: int) -> int:
        """Return how many steps a caption of a bucket takes."""
        return bucket

    def encode(self, examples: list[Example], random: np.random.Generator | None = None) -> tuple[Any, ...]:
        """Return pictures as the encoder reads them, or what it saw of them before; captions so far and what is next,
        int32 `(batch, captions, time)`; then zeros, and how many tokens the captions of each picture have, `(batch,)`.

        With `random` the captions are in any order, and some pictures are mirrored.
        """
        seen = np.stack([self.seen(example, random) for example in examples])
        chosen = [self.chosen(example["captions"], random) for example in examples]
        rows = [[self.start, *self.numbers(caption), self.end] for captions in chosen for caption in captions]
        most, width = max(map(len, chosen)), width_of(max(map(len, rows)) - 1, self.widths) + 1
        tokens = np.zeros((len(examples), most, width), "int32")
        places = [(row, column) for row, captions in enumerate(chosen) for column in range(len(captions))]
        tokens[tuple(np.transpose(places))] = padded(rows, width)
        before, after = tokens[:, :, :-1], tokens[:, :, 1:]
        counts = (after > 0).sum((1, 2)).astype("float32")
        return (seen, before, after), np.zeros_like(counts), counts

    def chosen(self, captions: Sequence[str], random: np.random.Generator | None) -> Sequence[str]:
        """Return at most as many captions as an epoch shows, each time others."""
        if random is None:
            return captions[: self.config.captions]
        return [captions[place] for place in random.permutation(len(captions))[: self.config.captions]]

    def seen(self, example: Example, random: np.random.Generator | None) -> np.ndarray:
        """Return what the network reads of the picture of an example."""
        if "grid" not in example:
            return square(example["image"], self.config.size)
        mirrored = random is not None and "mirrored" in example and random.random() < 0.5
        told = SIDES & {word for caption in example["captions"] for word in plain_words(caption)} if mirrored else ()
        seen: np.ndarray = example["mirrored" if mirrored and not told else "grid"]
        return seen


def predict(pipeline: Pipeline[Config], inputs: Sequence[Path | str | np.ndarray]) -> list[dict[str, Any]]:
    """Return for each picture its `caption`, and the `score` of it: its log-probability divided by the penalty of its
    length.

    With `n_best` above 1 there are `captions`, best first; with `attention`, `attention`: the `words` and the `weights`
    that each paid to each cell of the grid, row by row.

    Raises:
        FileNotFoundError, DataError: A picture is not there or cannot be read.
        SettingError: More is asked for than the vocabulary has.
    """
    codec, config = pipeline.codec, pipeline.config
    if config.beam > codec.size:
        raise SettingError(f"`beam` is {config.beam}; the vocabulary has {codec.size} words only.")
    answers = []
    for batch in batches(inputs, config.batch_size):
        pixels = codec.inputs(batch)
        memory = remembered(pipeline, pixels)
        for row, found in enumerate(described(pipeline, memory)):
            answer = answered(codec, found, config.n_best)
            if config.attention:
                looks = looked(pipeline, memory, row, found[0].tokens)
                answer |= {"attention": looks}
                figures.save_new(config.attention, figures.looks([(pixels[row], looks)]))
            answers.append(answer)
    return answers


def answered(codec: Codec, found: Sequence[Hypothesis], n_best: int) -> dict[str, Any]:
    """Return the answer that captions found make."""
    captions = [{"caption": codec.text(one.tokens), "score": round(one.score, 6)} for one in found]
    return captions[0] | ({"captions": captions} if n_best > 1 else {})


def looked(pipeline: Pipeline[Config], memory: Any, row: int, tokens: Tokens) -> dict[str, Any]:
    """Return the words of a caption and where each looked, as JSON types."""
    weights = attention(pipeline, memory, row, tokens)
    return {
        "words": [*pipeline.codec.words(tokens), "</s>"],
        "weights": [[round(float(weight), 4) for weight in line] for line in weights],
    }


TASK = Task(
    name="caption",
    accepts="image",
    returns="text",
    sources=SOURCES,
    limits=LIMITS,
    config=Config,
    load=load,
    codec=Codec,
    predict=predict,
    score=score,
)

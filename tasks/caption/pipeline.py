"""Captions, step by step: pictures, words, network, search."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Self

import numpy as np
from PIL.Image import Image
from typing_extensions import override

from data import catalogue, sources
from data.builtin import sets
from data.pictures.captions import all_captioned_pictures, captioned_splits
from data.pictures.files import MemoryFile
from data.pictures.photo import jpeg_bytes, square_pixels
from data.splits import Example, Examples, Splits, holdout_split
from data.texts.text import caption_words, padded_batch, padding_width, padding_widths
from data.texts.vocabulary import END, START, Pieces, Words
from tasks.caption.config import LIMITS, PHOTOGRAPHS, SOURCES, Config
from tasks.caption.describe import batches, caption_attention, caption_hypotheses, picture_memory
from tasks.caption.score import score
from tasks.engine import task
from tasks.engine.config import SettingError
from tasks.engine.task import IMAGE, Pipeline, Task
from tasks.toolbox import figures
from tasks.toolbox.search import Hypothesis

SIDES = {"left", "right"}  # a mirrored picture would make a lie of them
COLUMNS = {"image": "image", "captions": "captions/text"}  # of the catalogue
Tokens = Sequence[int]


def load(config: Config) -> Splits:
    """Return examples with an `image`, a file or a uint8 array, and its `captions`.

    Raises:
        FileNotFoundError, DataError, PartError, UnavailableError: The data is missing, unfit, or not to be had.
    """
    splits = sources.load(
        config.data,
        builtin=partial(builtin_splits, config),
        files=partial(own_splits, config),
        named=partial(catalogue_splits, config),
    )
    if config.test is None:
        return splits
    if (config.data, config.test) == ("builtin", PHOTOGRAPHS):
        return splits._replace(test=sets.photographs())
    files, named = partial(all_examples, config), partial(catalogue_part, config)
    return splits._replace(test=sources.part_to_test(config.data, config.test, files=files, named=named))


def builtin_splits(config: Config) -> Splits:
    """Return the embedded scenes."""
    train, test = sets.scenes()
    return Splits(*holdout_split(train, config.valid, config.seed), test)


def columns(config: Config) -> dict[str, str]:
    """Return the name in a table of each field of an example."""
    return {"image": config.image_column, "caption": config.caption_column}


def own_splits(config: Config, path: str) -> Splits:
    """Return the pictures with captions in the user's own files."""
    return captioned_splits(Path(path), columns(config), config.valid, config.seed)


def all_examples(config: Config, path: Path) -> Examples:
    """Return all pictures with captions in the user's own files, to test on."""
    return all_captioned_pictures(path, columns(config))


def catalogue_splits(config: Config, name: str) -> Splits:
    """Return a data set of the catalogue."""
    change = partial(compact_example, config, count(1))
    found = catalogue.read(name, ("train",), COLUMNS, config.data_dir, optional=("val", "test"), change=change)
    train, test = (found["train"], found["test"]) if "test" in found else holdout_split(found["train"], 0.1, seed=0)
    if "val" in found:
        return Splits(train, found["val"], test)
    return Splits(*holdout_split(train, config.valid, config.seed), test)


def catalogue_part(config: Config, part: str) -> Examples | None:
    """Return another part of a data set of the catalogue, or `None` if there is none."""
    change = partial(compact_example, config, count(1))
    return catalogue.read_part(config.data, part, COLUMNS, config.data_dir, change)


def compact_example(config: Config, numbers: Iterator[int], row: Example) -> Example:
    """Return an example with its picture as a small file in memory, since memory is to hold thousands."""
    return row | {"image": MemoryFile(f"picture {next(numbers)}", jpeg_bytes(square_pixels(row["image"], config.size)))}


class Codec(task.Codec):
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
            vocabulary: Words | Pieces = Words.learn(captions, config.vocabulary, caption_words)
        else:
            texts = [" ".join(caption_words(caption)) for caption in captions]
            vocabulary = Pieces.learn(texts, config.vocabulary, "bpe", cased=True)
        codec = cls(config, vocabulary, [config.max_length + 1])
        longest = [codec.longest_caption(example) for example in train]
        return cls(config, vocabulary, padding_widths(longest, config.max_length + 1, config.widths + 1, step=2))

    @classmethod
    def restore(cls, config: Config, state: dict[str, Any]) -> Self:
        kind: type[Words | Pieces] = {"words": Words, "pieces": Pieces}[state["tokens"]]
        return cls(config, kind.restore(state["vocabulary"]), state["widths"])

    def state(self) -> dict[str, Any]:
        return {"tokens": self.config.tokens, "widths": self.widths, "vocabulary": self.vocabulary.state()}

    def numbers(self, caption: str) -> Tokens:
        """Return a caption as at most `length` tokens."""
        found = [number for word in caption_words(caption) for number in self.vocabulary.numbers(word)]
        return found[: self.config.max_length]

    def words(self, tokens: Tokens) -> list[str]:
        """Return tokens for a reader, one by one."""
        if isinstance(self.vocabulary, Pieces):
            return [self.vocabulary.piece_text(token) for token in tokens]
        return [self.vocabulary.word(token) for token in tokens]

    def text(self, tokens: Tokens) -> str:
        """Return tokens as a sentence."""
        pieces = isinstance(self.vocabulary, Pieces)
        text = self.vocabulary.text(tokens) if pieces else " ".join(self.words(tokens))  # type: ignore[union-attr]
        return text[:1].upper() + text[1:] + "."

    def inputs(self, raw: Sequence[Path | str | np.ndarray]) -> np.ndarray:
        """Return pictures, files or uint8 arrays, as uint8 `(batch, size, size, 3)`."""
        return np.stack([square_pixels(picture, self.config.size) for picture in raw])

    def longest_caption(self, example: Example) -> int:
        """Return how many tokens the longest caption of an example has, its end among them."""
        return max(len(self.numbers(caption)) for caption in example["captions"]) + 1

    @override
    def bucket(self, example: Example) -> int:
        """Return the width that the captions of an example are padded to."""
        return padding_width(self.longest_caption(example), self.widths)

    @override
    def cost(self, bucket: int) -> int:
        """Return how many steps a caption of a bucket takes."""
        return bucket

    def encode(self, examples: list[Example], random: np.random.Generator | None = None) -> tuple[Any, ...]:
        """Return pictures as the encoder reads them, or what it saw of them before; captions so far and what is next,
        int32 `(batch, captions, time)`; then zeros, and how many tokens the captions of each picture have, `(batch,)`.

        With `random` the captions are in any order, and some pictures are mirrored.
        """
        seen = np.stack([self.network_picture(example, random) for example in examples])
        chosen = [self.caption_choice(example["captions"], random) for example in examples]
        rows = [[self.start, *self.numbers(caption), self.end] for captions in chosen for caption in captions]
        most, width = max(map(len, chosen)), padding_width(max(map(len, rows)) - 1, self.widths) + 1
        tokens = np.zeros((len(examples), most, width), "int32")
        places = [(row, column) for row, captions in enumerate(chosen) for column in range(len(captions))]
        tokens[tuple(np.transpose(places))] = padded_batch(rows, width)
        before, after = tokens[:, :, :-1], tokens[:, :, 1:]
        counts = (after > 0).sum((1, 2)).astype("float32")
        return (seen, before, after), np.zeros_like(counts), counts

    def caption_choice(self, captions: Sequence[str], random: np.random.Generator | None) -> Sequence[str]:
        """Return at most as many captions as an epoch shows, each time others."""
        if random is None:
            return captions[: self.config.captions]
        return [captions[place] for place in random.permutation(len(captions))[: self.config.captions]]

    def network_picture(self, example: Example, random: np.random.Generator | None) -> np.ndarray:
        """Return what the network reads of the picture of an example."""
        if "grid" not in example:
            return square_pixels(example["image"], self.config.size)
        mirrored = random is not None and "mirrored" in example and random.random() < 0.5
        told = SIDES & {word for caption in example["captions"] for word in caption_words(caption)} if mirrored else ()
        seen: np.ndarray = example["mirrored" if mirrored and not told else "grid"]
        return seen


def predict(pipeline: Pipeline[Config], inputs: Sequence[Path | str | np.ndarray]) -> list[dict[str, Any]]:
    """Return for each picture its `caption`, and the `score` of it: its log-probability divided by the penalty of its
    length.

    With `n_best` above 1 there are `captions`, best first. With `attention_file` there is `attention`: the `words`, and
    the `weights` that each paid to each cell of the grid, row by row.

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
        memory = picture_memory(pipeline, pixels)
        for row, found in enumerate(caption_hypotheses(pipeline, memory)):
            answer = caption_answer(codec, found, config.n_best)
            if config.attention_file:
                answer |= {"attention": attention_answer(pipeline, memory, row, found[0].tokens)}
            answers.append(answer)
    return answers


def draw(
    pipeline: Pipeline[Config], picture: Path | str | np.ndarray, answer: dict[str, Any]
) -> Iterator[tuple[Path, Image]]:
    """Yield the attention of each word of an answer, with the file that `attention_file` names."""
    if pipeline.config.attention_file:
        (pixels,) = pipeline.codec.inputs([picture])
        yield pipeline.config.attention_file, figures.attention_sheet([(pixels, answer["attention"])])


def caption_answer(codec: Codec, found: Sequence[Hypothesis], n_best: int) -> dict[str, Any]:
    """Return the answer that captions found make."""
    captions = [{"caption": codec.text(one.tokens), "score": round(one.score, 6)} for one in found]
    return captions[0] | ({"captions": captions} if n_best > 1 else {})


def attention_answer(pipeline: Pipeline[Config], memory: Any, row: int, tokens: Tokens) -> dict[str, Any]:
    """Return the words of a caption and where each looked, as JSON types."""
    weights = caption_attention(pipeline, memory, row, tokens)
    return {
        "words": [*pipeline.codec.words(tokens), "</s>"],
        "weights": [[round(float(weight), 4) for weight in line] for line in weights],
    }


TASK = Task(
    name="caption",
    accepts=IMAGE,
    sources=SOURCES,
    limits=LIMITS,
    config=Config,
    load=load,
    codec=Codec,
    predict=predict,
    score=score,
    draw=draw,
)

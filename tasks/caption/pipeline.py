"""Captions, step by step: pictures, words, network, search."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
from PIL.Image import Image

from data import catalogue, sources
from data.builtin import sets
from data.holdout import holdout_split
from data.pictures.captions import all_captioned_pictures, captioned_splits
from data.pictures.files import MemoryFile
from data.pictures.photo import jpeg_bytes, square_pixels
from data.splits import Example, Examples, Splits, chunks
from tasks.caption.codec import Codec, Tokens
from tasks.caption.config import LIMITS, PHOTOGRAPHS, SOURCES, Config
from tasks.caption.consensus import Choice, caption_choices, look_alikes, training_neighbours
from tasks.caption.describe import Memory, caption_attention, picture_memory
from tasks.caption.score import score
from tasks.engine.config import JsonObject, SettingError
from tasks.engine.task import IMAGE, Answer, Pipeline, Task, table_format
from tasks.toolbox import sheets

COLUMNS = {"image": ("image",), "captions": ("captions/text",)}  # of the catalogue
FIELDS = {  # of a table, and the names that their columns may have
    "image": (
        *("image", "image_name", "file_name", "filename", "image_path", "image_file", "image_filename", "filepath"),
        *("file_path", "path", "file", "img", "img_name", "img_path", "picture", "photo", "image_id", "img_id", "id"),
    ),
    "caption": (
        *("caption", "caption_text", "caption_str", "description", "comment", "text", "sentence", "sentences"),
        *("comments", "raw", "descriptions", "texts"),
    ),
}
LOG = logging.getLogger("tasks")


def load(config: Config) -> Splits:
    """Return the splits: examples with an `image`, a file or a uint8 array, and its `captions`.

    Raises:
        FileNotFoundError, DataError, OptionError, UnavailableError: The data is missing, invalid or unavailable.
    """
    return sources.splits(
        config.data,
        config.test,
        builtin=partial(builtin_splits, config),
        files=partial(own_splits, config),
        named=partial(catalogue_splits, config),
        examples=partial(all_examples, config),
        part=partial(named_part, config),
    )


def builtin_splits(config: Config) -> Splits:
    """Return the splits of the embedded scenes."""
    train, test = sets.scenes()
    return Splits(*holdout_split(train, config.valid, config.seed), test)


def own_splits(config: Config, path: str) -> Splits:
    """Return the splits of the user's own files."""
    return captioned_splits(Path(path), FIELDS, table_format(config), config.valid, config.seed)


def all_examples(config: Config, path: Path) -> Examples:
    """Return all pictures with captions in the user's own files, to test on."""
    return all_captioned_pictures(path, FIELDS, table_format(config))


def catalogue_splits(config: Config, name: str) -> Splits:
    """Return the splits of a catalogue data set."""
    change = partial(compact_example, config, count(1))
    found = catalogue.read(name, ("train",), COLUMNS, config.data_dir, optional=("val", "test"), change=change)
    train, test = (found["train"], found["test"]) if "test" in found else holdout_split(found["train"], 0.1, seed=0)
    if "val" in found:
        return Splits(train, found["val"], test)
    return Splits(*holdout_split(train, config.valid, config.seed), test)


def named_part(config: Config, part: str) -> Examples | None:
    """Return another split of the data by name, or `None` if there is none."""
    if (config.data, part) == ("builtin", PHOTOGRAPHS):
        return sets.photographs()
    change = partial(compact_example, config, count(1))
    return sources.catalogue_part(config.data, part, COLUMNS, config.data_dir, change)


def compact_example(config: Config, numbers: Iterator[int], row: Example) -> Example:
    """Return an example with its picture as a small JPEG file in memory, so that thousands fit."""
    return row | {
        "image": MemoryFile(
            f"picture {next(numbers)}", jpeg_bytes(square_pixels(row["image"], config.size, config.megapixels))
        )
    }


def predict(pipeline: Pipeline[Config], inputs: Iterable[np.ndarray]) -> list[Answer]:
    """Return the `caption` of each picture, with its `score`.

    * `score` is the log-probability, divided by the length penalty.
    * `agreement`, in [0, 1], is how well it agrees with the captions of the training pictures that look most alike; it
      is there if the run keeps such pictures and `consensus` is true. Of the captions that the search finds, the one
      with the largest sum of `agreement` and a hundredth of `score` is the answer.
    * With `n_best` above 1 there are `captions`, best first.
    * With `look_alikes` there are so many of these pictures: their `captions`, and the `cosine` of their vectors.
    * With `attention_file` there is `attention`: the `words`, and their `weights` for each cell, row by row.

    Raises:
        SettingError: `beam` is larger than the vocabulary.
    """
    codec, config = pipeline.codec, pipeline.config
    if config.beam > codec.size:
        raise SettingError(f"`beam` is {config.beam}; the vocabulary has {codec.size} words only.")
    answers = []
    for batch in chunks(inputs, config.batch_size):
        pixels = codec.inputs(batch)
        memory = picture_memory(pipeline, pixels)
        for row, found in enumerate(caption_choices(pipeline, memory)):
            answer = caption_answer(codec, found, config.n_best)
            if config.look_alikes:
                answer |= {"look_alikes": look_alikes(pipeline, memory, row)}
            if config.attention_file:
                answer |= {"attention": attention_answer(pipeline, memory, row, found[0].tokens)}
            answers.append(answer)
    return answers


def draw(pipeline: Pipeline[Config], pixels: np.ndarray, answer: Answer) -> Iterator[tuple[str, Path, Image]]:
    """Yield the attention of each word of an answer, if `attention_file` asks for it."""
    if pipeline.config.attention_file:
        yield "attention_file", pipeline.config.attention_file, sheets.attention_sheet([(pixels, answer["attention"])])


def calibrate(pipeline: Pipeline[Config], splits: Splits) -> Codec:
    """Return the codec with training pictures that help to choose among captions, if the settings ask for them."""
    codec: Codec = pipeline.codec
    found = training_neighbours(pipeline, splits.train)
    return codec.with_neighbours(found) if found else codec


def caption_answer(codec: Codec, found: Sequence[Choice], n_best: int) -> JsonObject:
    """Return the answer for the captions of a picture, best first."""
    captions = [
        {"caption": codec.text(one.tokens), "score": round(one.score, 6)}
        | ({} if one.agreement is None else {"agreement": round(one.agreement, 6)})
        for one in found
    ]
    return captions[0] | ({"captions": captions} if n_best > 1 else {})


def attention_answer(pipeline: Pipeline[Config], memory: Memory, row: int, tokens: Tokens) -> JsonObject:
    """Return the words of a caption and the attention of each, as JSON types."""
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
    columns=lambda config: FIELDS,
    load=load,
    codec=Codec,
    predict=predict,
    score=score,
    calibrate=calibrate,
    draw=draw,
)

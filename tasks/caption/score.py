"""Scores of captions against reference captions."""

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PIL.Image import Image

from data.builtin.scenes import is_true
from data.pictures.captions import check_lost
from data.pictures.photo import square_pixels
from data.splits import DataError, Example, Examples, chunks
from data.texts.text import caption_words
from tasks.caption.config import Config
from tasks.caption.consensus import Choice, caption_choices
from tasks.caption.describe import caption_attention, picture_memory
from tasks.engine.config import JsonObject
from tasks.engine.task import Pipeline, Report
from tasks.toolbox import metrics, sheets
from tasks.toolbox.measures import caption_measures

ANSWER_COUNT = 200  # answers kept
SHEET_COUNT = 20  # pictures of the contact sheet
ATTENTION_COUNT = 4  # pictures whose attention is drawn


def score(pipeline: Pipeline[Config], examples: Examples) -> Report:
    """Return the metrics of captions, a sheet of captions and a sheet of attention.

    * CIDEr, BLEU-1 to 4 and ROUGE-L with intervals; the number of different captions.
    * `cider_shuffled`: CIDEr if each caption is given to another picture.
    * `true`: the share of true captions, for scenes.
    * `seen_per_second`, `written_per_second`: pictures encoded and captions written per second.

    Raises:
        DataError: More than one picture in a hundred cannot be read.
    """
    captioned = caption_outcome(pipeline, examples)
    read, texts = captioned.examples, captioned.texts
    truth = [example["captions"] for example in read]
    numbers = metrics.caption_metrics(texts, truth, meteor=pipeline.config.meteor)
    shuffled = metrics.caption_metrics([*texts[1:], texts[0]], truth, resamples=1)
    rates = {
        name: round(len(read) / float(seconds), 1)
        for name, seconds in zip(("seen_per_second", "written_per_second"), captioned.seconds, strict=True)
    }

    def entry(place: int) -> JsonObject:
        name, answer = picture_name(read[place], place), {"caption": texts[place]}
        return {"input": name, "answer": answer, "reference": read[place]["captions"]}

    return Report(
        metrics=numbers | {"cider_shuffled": shuffled["cider"]} | true_share(texts, read) | rates,
        answers=list(map(entry, range(min(ANSWER_COUNT, len(texts))))),
        figures={
            "captions": lambda: caption_sheet(
                read[:SHEET_COUNT], texts, pipeline.config.size, pipeline.config.megapixels
            ),
            "attention": lambda: attention_sheet(pipeline, read[:ATTENTION_COUNT]),
        },
        measures=lambda: caption_measures(texts, truth),
        entry=entry,
    )


class Outcome(NamedTuple):
    """The captions of all readable pictures."""

    examples: list[Example]
    texts: list[str]
    seconds: np.ndarray  # (2,): of encoding, and of writing


def caption_outcome(pipeline: Pipeline[Config], examples: Examples) -> Outcome:
    """Return the captions of the readable pictures, and the time that they took.

    Raises:
        DataError: More than one picture in a hundred cannot be read.
    """
    read, texts, lost = list[Example](), list[str](), list[str]()
    spent = np.zeros(2)
    for batch in chunks(examples, pipeline.config.batch_size):
        pixels, kept = readable_pictures(batch, pipeline.config.size, pipeline.config.megapixels, lost)
        if kept:
            found, seconds = timed_captions(pipeline, pixels)
            spent += seconds
            read += kept
            texts += [pipeline.codec.text(one.tokens) for one in found]
    check_lost(lost, len(examples), "unreadable")
    return Outcome(read, texts, spent)


def readable_pictures(
    examples: Examples, size: int, megapixels: float, lost: list[str]
) -> tuple[np.ndarray, list[Example]]:
    """Return the readable pictures and their examples, and add the names of the others to `lost`."""
    pixels, kept = [], []
    for example in examples:
        try:
            pixels.append(square_pixels(example["image"], size, megapixels))
            kept.append(example)
        except (DataError, FileNotFoundError):
            lost.append(str(example["image"]))
    return np.stack(pixels) if pixels else np.zeros((0, size, size, 3), "uint8"), kept


def timed_captions(pipeline: Pipeline[Config], pixels: np.ndarray) -> tuple[list[Choice], list[float]]:
    """Return the best caption of each picture, and the seconds of encoding and of writing."""
    times = [time.perf_counter()]
    memory = picture_memory(pipeline, pixels)
    times.append(time.perf_counter())
    found = caption_choices(pipeline.with_settings(n_best=1), memory)
    times.append(time.perf_counter())
    return [each[0] for each in found], list(np.diff(times))


def true_share(texts: Sequence[str], examples: Examples) -> dict[str, float]:
    """Return the share of captions that are true of their scene, with its interval; nothing without scenes."""
    if not examples or "scene" not in examples[0]:
        return {}
    right = [
        is_true(" ".join(caption_words(text)), example["scene"]) for text, example in zip(texts, examples, strict=True)
    ]
    low, high = metrics.share_interval(sum(right), len(right))
    return {"true": sum(right) / len(right), "true_low": low, "true_high": high}


def picture_name(example: Example, row: int) -> str:
    """Return the name of the picture of an example."""
    return f"example {row}" if isinstance(example["image"], np.ndarray) else example["image"].name


def caption_sheet(examples: Sequence[Example], texts: Sequence[str], size: int, megapixels: float) -> Image:
    """Return pictures, each with its caption and the first reference."""
    return sheets.captioned_sheet(
        [
            (square_pixels(example["image"], size, megapixels), [text, example["captions"][0]])
            for example, text in zip(examples, texts, strict=False)
        ]
    )


def attention_sheet(pipeline: Pipeline[Config], examples: Sequence[Example]) -> Image:
    """Return pictures with the attention of each word of their captions."""
    return sheets.attention_sheet(list(attention_panels(pipeline, examples)))


def attention_panels(
    pipeline: Pipeline[Config], examples: Sequence[Example]
) -> Iterator[tuple[np.ndarray, JsonObject]]:
    """Yield pictures with the words of their captions and their attention."""
    config = pipeline.config
    pixels = [square_pixels(example["image"], config.size, config.megapixels) for example in examples]
    memory = picture_memory(pipeline, np.stack(pixels))
    for row, (best, *_) in enumerate(caption_choices(pipeline, memory)):
        weights = caption_attention(pipeline, memory, row, best.tokens)
        words = [*pipeline.codec.words(best.tokens), "</s>"]
        yield pixels[row], {"name": picture_name(examples[row], row), "words": words, "weights": weights.tolist()}

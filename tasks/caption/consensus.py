"""The choice among the captions that the search finds: one that agrees with those of pictures that look alike."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from data.holdout import limited_examples
from data.pictures.photo import square_pixels
from data.splits import Examples, chunks
from tasks.caption.config import Config
from tasks.caption.describe import Memory, caption_hypotheses, picture_memory
from tasks.caption.neighbours import Neighbours
from tasks.engine.config import JsonObject, SettingError
from tasks.engine.task import Pipeline
from tasks.toolbox.search import Hypothesis

LOG = logging.getLogger("tasks")
SCORE_SHARE = 0.01  # weight of the log-probability beside the agreement, chosen on validation pictures of Flickr8k
FEWEST = 500  # training pictures; among fewer, few look alike


class Choice(NamedTuple):
    """A caption, its score by the search, and how well it agrees with those of pictures that look alike."""

    tokens: list[int]
    score: float
    agreement: float | None = None

    @property
    def worth(self) -> float:
        """What the choice goes by."""
        return self.score if self.agreement is None else self.agreement + SCORE_SHARE * self.score


def caption_choices(pipeline: Pipeline[Config], memory: Memory) -> list[list[Choice]]:
    """Return the `n_best` captions of each picture, best first, from their memory."""
    config, neighbours = pipeline.config, pipeline.codec.neighbours
    if not (config.consensus and neighbours):
        return [[Choice(*one) for one in found] for found in caption_hypotheses(pipeline, memory, config.n_best)]
    nearest, _ = neighbours.nearest(picture_vectors(memory))
    return [
        agreeing(found, neighbours.agreement([one.tokens for one in found], numbers))[: config.n_best]
        for found, numbers in zip(caption_hypotheses(pipeline, memory, config.beam), nearest.tolist(), strict=True)
    ]


def agreeing(found: Sequence[Hypothesis], agreements: Sequence[float]) -> list[Choice]:
    """Return captions in the order of their worth, best first."""
    choices = [Choice(one.tokens, one.score, agreement) for one, agreement in zip(found, agreements, strict=True)]
    return sorted(choices, key=lambda choice: -choice.worth)


def picture_vectors(memory: Memory) -> np.ndarray:
    """Return what pictures are compared by: the mean of their values over cells and views, float32 `(batch, width)`."""
    vectors: np.ndarray = np.mean([values.mean(1) for (_, values), _ in memory], 0)
    return vectors


def look_alikes(pipeline: Pipeline[Config], memory: Memory, row: int) -> list[JsonObject]:
    """Return the training pictures most like a picture, best first: their captions, and the cosine of their vectors.

    Raises:
        SettingError: The run keeps no training pictures.
    """
    codec = pipeline.codec
    if codec.neighbours is None:
        raise SettingError("`look_alikes` takes a run that keeps training pictures; this one was trained without.")
    numbers, cosines = codec.neighbours.nearest(picture_vectors(memory)[row : row + 1], pipeline.config.look_alikes)
    return [
        {"captions": [codec.text(caption) for caption in codec.neighbours.captions(number)], "cosine": round(cosine, 4)}
        for number, cosine in zip(numbers[0].tolist(), cosines[0].tolist(), strict=True)
    ]


def training_neighbours(pipeline: Pipeline[Config], train: Examples) -> Neighbours | None:
    """Return the neighbours that a run keeps, at most as many as its settings say; `None` where it keeps none."""
    config, codec = pipeline.config, pipeline.codec
    kept = limited_examples(train, config.neighbours, config.seed) if config.neighbours else []
    if len(kept) < FEWEST:
        if config.neighbours:
            LOG.info("No training pictures are kept in the run: there are %d, and it takes %d.", len(kept), FEWEST)
        return None
    if len(kept) < len(train):
        LOG.warning("%d of %d training pictures are kept in the run (--neighbours).", len(kept), len(train))
    both = pipeline.with_settings(ensemble=True)
    vectors = []
    for batch in chunks((example["image"] for example in kept), config.batch_size):
        pixels = [square_pixels(picture, config.size, config.megapixels) for picture in batch]
        vectors.append(picture_vectors(picture_memory(both, np.stack(pixels))))
    captions = [[codec.numbers(caption) for caption in example["captions"]] for example in kept]
    return Neighbours.of(np.concatenate(vectors), captions)

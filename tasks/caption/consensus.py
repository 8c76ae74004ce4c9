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
from tasks.caption.neighbours import COUNT, MOST_CAPTIONS, Neighbours
from tasks.engine.config import JsonObject, SettingError
from tasks.engine.members import RunError
from tasks.engine.task import Pipeline
from tasks.toolbox.search import Hypothesis

LOG = logging.getLogger("tasks")
SCORE_SHARE = 0.01  # weight of the log-probability beside the agreement, chosen on validation pictures of Flickr8k
FEWEST = 500  # training pictures; among fewer, few look alike
LARGEST = 8_000_000  # bytes of what a run keeps of them, as text


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
    nearest, _ = nearest_pictures(pipeline, picture_vectors(memory), COUNT)
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


def nearest_pictures(pipeline: Pipeline[Config], vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the training pictures most like some pictures, as `Neighbours.nearest` does.

    Raises:
        RunError: The network gives vectors of another width.
    """
    neighbours: Neighbours = pipeline.codec.neighbours
    if vectors.shape[1] != len(neighbours.mean):
        raise RunError(
            f"{str(pipeline.run)!r} is damaged: its pictures are compared by {len(neighbours.mean):,} numbers, and its "
            f"network gives {vectors.shape[1]:,}."
        )
    return neighbours.nearest(vectors, count)


def look_alikes(pipeline: Pipeline[Config], memory: Memory, row: int) -> list[JsonObject]:
    """Return the training pictures most like a picture, best first: their captions, and the cosine of their vectors.

    Raises:
        SettingError: The run keeps no training pictures.
    """
    codec = pipeline.codec
    if codec.neighbours is None:
        raise SettingError("`look_alikes` takes a run that keeps training pictures; this one was trained without.")
    vectors = picture_vectors(memory)[row : row + 1]
    numbers, cosines = nearest_pictures(pipeline, vectors, pipeline.config.look_alikes)
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
            LOG.info(
                "No training pictures are kept in the run: %d of %d (--neighbours %d) are too few; it takes %d.",
                len(kept), len(train), config.neighbours, FEWEST,
            )  # fmt: skip
        return None
    both = pipeline.with_settings(ensemble=True)
    vectors = []
    for batch in chunks((example["image"] for example in kept), config.batch_size):
        pixels = [square_pixels(picture, config.size, config.megapixels) for picture in batch]
        vectors.append(picture_vectors(picture_memory(both, np.stack(pixels))))
    captions = [[codec.numbers(caption) for caption in example["captions"][:MOST_CAPTIONS]] for example in kept]
    found = fitting_neighbours(np.concatenate(vectors), captions, config.seed)
    if len(found.counts) < len(train):
        LOG.warning(
            "%d of %d training pictures are kept in the run (--neighbours, and at most %.0f MB).",
            len(found.counts), len(train), LARGEST / 1e6,
        )  # fmt: skip
    return found


def fitting_neighbours(vectors: np.ndarray, captions: Sequence[Sequence[Sequence[int]]], seed: int) -> Neighbours:
    """Return neighbours of some pictures, drawn by seed if a run has no room for all."""
    found = Neighbours.of(vectors, captions)
    if found.size <= LARGEST:
        return found
    most = int(len(vectors) * LARGEST / found.size * 0.95)
    rows = sorted(np.random.default_rng(seed).permutation(len(vectors))[:most].tolist())
    return Neighbours.of(vectors[rows], [captions[row] for row in rows])

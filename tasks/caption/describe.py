"""From pixels to captions, with any network that has the signatures `encode` and `step`."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from data.texts.text import PAD, UNKNOWN
from tasks.caption.config import Config
from tasks.engine.task import Pipeline
from tasks.toolbox.search import NEVER, Hypothesis, State, Step, ensemble_step, memory_step, search

Memory = list[tuple[State, State]]
# what each step looks at, and the first states, the number of the picture before them; once, or for two ways to see it


def picture_memory(pipeline: Pipeline[Config], pixels: np.ndarray) -> Memory:
    """Return what the network remembers of pictures, uint8 `(batch, size, size, 3)`, and with `ensemble` also of their
    mirror images.
    """
    found: Memory = []
    for way in (pixels, pixels[:, :, ::-1])[: 1 + pipeline.config.ensemble]:
        keys, values, *states = pipeline.network("encode", np.ascontiguousarray(way))
        found.append(((keys, values), (np.arange(len(pixels)), *states)))
    return found


def caption_hypotheses(pipeline: Pipeline[Config], memory: Memory) -> list[list[Hypothesis]]:
    """Return the best captions of remembered pictures."""
    config, codec = pipeline.config, pipeline.codec
    steps = [memory_step(pipeline.network, looked) for looked, _ in memory]
    states = tuple(array for _, states in memory for array in states)
    return search(
        step_without(ensemble_step(steps), [PAD, UNKNOWN, codec.start]),
        states,
        batch=len(states[0]),
        start=codec.start,
        end=codec.end,
        max_length=config.max_length,
        width=config.beam,
        length_penalty=config.length_penalty,
        min_length=config.min_length,
        no_repeat_ngram=config.no_repeat_ngram,
        best=config.n_best,
    )


def step_without(step: Step, never: list[int]) -> Step:
    """Return a step function that never gives some tokens, such as the one of unknown words."""

    def step_on(last: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        scores, state = step(last, state)
        scores[:, never] = NEVER
        return scores, state

    return step_on


def caption_attention(pipeline: Pipeline[Config], memory: Memory, row: int, tokens: Sequence[int]) -> np.ndarray:
    """Return what each token of a caption, its end too, paid to each cell of a picture, `(tokens, cells)`."""
    looked, (_, *states) = (tuple(array[row : row + 1] for array in part) for part in memory[0])
    rows = []
    for token in (pipeline.codec.start, *tokens):
        _, weights, *states = pipeline.network("step", np.array([token], "int32"), *looked, *states)
        rows.append(weights[0])
    return np.stack(rows)


def batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Yield items in groups of at most `size`."""
    for first in range(0, len(items), size):
        yield items[first : first + size]

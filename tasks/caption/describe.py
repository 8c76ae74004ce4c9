"""From pixels to captions, with any network that has the signatures `encode` and `step`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.texts.text import PAD, UNKNOWN
from tasks.caption.config import Config
from tasks.engine.network import check_tokens
from tasks.engine.task import Pipeline
from tasks.toolbox.search import NEVER, Hypothesis, State, Step, ensemble_step, memory_step, search

Memory = list[tuple[State, State]]  # for each view: (keys, values), and (picture numbers, first states of the decoder)


def picture_memory(pipeline: Pipeline[Config], pixels: np.ndarray) -> Memory:
    """Return the memory of pictures, uint8 `(batch, size, size, 3)`, for the decoder.

    With `ensemble` there are two views: the pictures, and their mirror images.
    """
    found: Memory = []
    for view in (pixels, pixels[:, :, ::-1])[: 1 + pipeline.config.ensemble]:
        keys, values, *states = pipeline.network("encode", np.ascontiguousarray(view))
        found.append(((keys, values), (np.arange(len(pixels)), *states)))
    return found


def caption_hypotheses(pipeline: Pipeline[Config], memory: Memory, best: int) -> list[list[Hypothesis]]:
    """Return so many captions of each picture, the most probable first, from their memory."""
    config, codec = pipeline.config, pipeline.codec
    steps = [memory_step(pipeline.network, keys_values) for keys_values, _ in memory]
    states = tuple(array for _, states in memory for array in states)
    return search(
        step_without(ensemble_step(steps), [PAD, UNKNOWN, codec.start], codec.size, pipeline.run),
        states,
        batch=len(states[0]),
        start=codec.start,
        end=codec.end,
        max_length=config.max_length,
        width=config.beam,
        length_penalty=config.length_penalty,
        min_length=config.min_length,
        no_repeat_ngram=config.no_repeat_ngram,
        best=best,
    )


def step_without(step: Step, never: list[int], size: int, run: Path) -> Step:
    """Return a step function that never gives some tokens, such as that of unknown words.

    Raises:
        RunError: The network of the run has scores for another number of tokens than `size`; the step raises it.
    """

    def limited_step(last: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        scores, state = step(last, state)
        check_tokens(scores, size, run)
        scores[:, never] = NEVER
        return scores, state

    return limited_step


def caption_attention(pipeline: Pipeline[Config], memory: Memory, row: int, tokens: Sequence[int]) -> np.ndarray:
    """Return the attention of each token of a caption, and of its end, to each cell: `(tokens, cells)`."""
    keys_values, (_, *states) = (tuple(array[row : row + 1] for array in part) for part in memory[0])
    rows = []
    for token in (pipeline.codec.start, *tokens):
        _, weights, *states = pipeline.network("step", np.array([token], "int32"), *keys_values, *states)
        rows.append(weights[0])
    return np.stack(rows)

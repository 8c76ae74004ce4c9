"""From sub-words to translations and alignments, with any network that has the signatures `encode` and `step`."""

from collections.abc import Iterator, Sequence

import numpy as np

from data.texts.text import PAD, padded_batch
from data.texts.vocabulary import END, START
from tasks.engine.config import JsonObject
from tasks.engine.network import check_tokens
from tasks.engine.task import Pipeline
from tasks.toolbox.search import Hypothesis, State, Step, memory_step, search
from tasks.translate.clauses import Tokens
from tasks.translate.config import Config


def beam_hypotheses(pipeline: Pipeline[Config], rows: Sequence[Tokens]) -> list[list[Hypothesis]]:
    """Return the best translations of sentences given as sub-words; sentences of similar length share a batch.

    With `rerank` they are all that the search has found.
    """
    size = pipeline.config.batch_size
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    found: list[list[Hypothesis]] = [[] for _ in rows]
    for first in range(0, len(rows), size):
        batch = order[first : first + size]
        best = batch_hypotheses(pipeline, [rows[index] for index in batch])
        for index, hypotheses in zip(batch, best, strict=True):
            found[index] = hypotheses
    return found


def batch_hypotheses(pipeline: Pipeline[Config], rows: Sequence[Tokens]) -> list[list[Hypothesis]]:
    """Return the best translations of one batch of sentences."""
    config = pipeline.config
    memory, states = encoder_memory(pipeline, rows)
    return search(
        checked_step(memory_step(pipeline.network, memory), pipeline),
        states,
        batch=len(rows),
        start=START,
        end=END,
        max_length=config.max_length,
        width=config.beam,
        length_penalty=config.length_penalty,
        min_length=config.min_length,
        no_repeat_ngram=config.no_repeat_ngram,
        best=config.beam if config.rerank else config.n_best,
    )


def checked_step(step: Step, pipeline: Pipeline[Config]) -> Step:
    """Return a step function that raises `RunError` if its scores are not those of the sub-words of the codec."""

    def run_step(last: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        scores, state = step(last, state)
        check_tokens(scores, pipeline.codec.pieces.size, pipeline.run)
        return scores, state

    return run_step


def encoder_memory(pipeline: Pipeline[Config], rows: Sequence[Tokens]) -> tuple[State, State]:
    """Return the memory of sentences for the attention (mask, keys, values), and the first states of the decoder."""
    (source,) = pipeline.codec.inputs(rows)
    keys, values, *states = pipeline.network("encode", source)
    return (source != PAD, keys, values), (np.arange(len(rows)), *states)


def attention_rows(pipeline: Pipeline[Config], rows: Sequence[Tokens], targets: Sequence[Tokens]) -> list[np.ndarray]:
    """Return the attention of each written sub-word and the end to each that was read and the end, for each sentence.

    Returns:
        An array `(target + 1, source + 1)` for each sentence.
    """
    size, found = pipeline.config.batch_size, list[np.ndarray]()
    for first in range(0, len(rows), size):
        found += batch_attention(pipeline, rows[first : first + size], targets[first : first + size])
    return found


def batch_attention(
    pipeline: Pipeline[Config], rows: Sequence[Tokens], targets: Sequence[Tokens]
) -> Iterator[np.ndarray]:
    """Yield the attention of each sentence of a batch."""
    weights = [attention for _, attention in forced_steps(pipeline, rows, targets)]
    for place, (row, tokens) in enumerate(zip(rows, targets, strict=True)):
        yield np.array([step[place, : len(row) + 1] for step in weights[: len(tokens) + 1]])


def forced_steps(
    pipeline: Pipeline[Config], rows: Sequence[Tokens], targets: Sequence[Tokens]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield for each step of some given translations the scores of the next sub-word and the attention."""
    memory, (_, *states) = encoder_memory(pipeline, rows)
    written = padded_batch([[START, *tokens] for tokens in targets], 1 + max(map(len, targets)))  # (rows, time)
    for last in written.T:
        scores, attention, *states = pipeline.network("step", last, *memory, *states)
        yield scores, attention


def attention_alignment(pipeline: Pipeline[Config], row: Tokens, tokens: Tokens) -> JsonObject:
    """Return the sub-words of source and target, and the attention of each target sub-word to the source."""
    pieces = pipeline.codec.pieces
    (weights,) = attention_rows(pipeline, [row], [tokens])
    return {
        "source": [*map(pieces.piece_text, row), "</s>"],
        "target": [*map(pieces.piece_text, tokens), "</s>"],
        "weights": [[round(float(weight), 4) for weight in step] for step in weights],
    }

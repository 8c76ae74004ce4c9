"""From sub-words to translations and alignments, with any network that has the signatures `encode` and `step`."""

from collections.abc import Sequence

import numpy as np

from data.texts.text import PAD
from data.texts.vocabulary import END, START
from tasks.engine.config import JsonObject
from tasks.engine.task import Pipeline
from tasks.toolbox.search import Hypothesis, State, memory_step, search
from tasks.translate.config import Config

Tokens = Sequence[int]


def beam_hypotheses(pipeline: Pipeline[Config], rows: Sequence[Tokens]) -> list[list[Hypothesis]]:
    """Return the best translations of sentences given as sub-words; sentences of similar length share a batch."""
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
        memory_step(pipeline.network, memory),
        states,
        batch=len(rows),
        start=START,
        end=END,
        max_length=config.max_length,
        width=config.beam,
        length_penalty=config.length_penalty,
        min_length=config.min_length,
        no_repeat_ngram=config.no_repeat_ngram,
        best=config.n_best,
    )


def encoder_memory(pipeline: Pipeline[Config], rows: Sequence[Tokens]) -> tuple[State, State]:
    """Return the memory of sentences for the attention (mask, keys, values), and the first states of the decoder."""
    (source,) = pipeline.codec.inputs(rows)
    keys, values, *states = pipeline.network("encode", source)
    return (source != PAD, keys, values), (np.arange(len(rows)), *states)


def sentence_details(
    pipeline: Pipeline[Config], text: str, row: Tokens, hypotheses: Sequence[Hypothesis]
) -> JsonObject:
    """Return a sentence with its translations, and with `alignment_file` its alignment."""
    pieces = pipeline.codec.pieces
    given = [{"text": pieces.text(one.tokens), "score": round(one.score, 6)} for one in hypotheses]
    if not pipeline.config.alignment_file:
        return {"text": text, "translations": given}
    return {"text": text, "translations": given, "alignment": attention_alignment(pipeline, row, hypotheses[0].tokens)}


def attention_alignment(pipeline: Pipeline[Config], row: Tokens, tokens: Tokens) -> JsonObject:
    """Return the sub-words of source and target, and the attention of each target sub-word to the source."""
    pieces = pipeline.codec.pieces
    memory, (_, *states) = encoder_memory(pipeline, [row])
    weights = []
    for token in (START, *tokens):
        _, attention, *states = pipeline.network("step", np.array([token], "int32"), *memory, *states)
        weights.append([round(float(weight), 4) for weight in attention[0][: len(row) + 1]])
    return {
        "source": [*map(pieces.piece_text, row), "</s>"],
        "target": [*map(pieces.piece_text, tokens), "</s>"],
        "weights": weights,
    }

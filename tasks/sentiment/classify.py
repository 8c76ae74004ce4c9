"""Scores and probabilities of classes, and what each word adds to them."""

from collections.abc import Sequence

import numpy as np

from data.texts.text import UNKNOWN, truncated_sequence
from tasks.engine.config import JsonObject
from tasks.engine.network import only_output
from tasks.engine.task import Answer, Pipeline
from tasks.sentiment.config import Config
from tasks.sentiment.reading import Tokens
from tasks.toolbox import calibration


def branch_scores(pipeline: Pipeline[Config], rows: Sequence[Tokens]) -> np.ndarray:
    """Return the score of each class by each branch for the tokens of texts, float32 `(texts, branches, classes)`.

    Texts of similar length share a batch.
    """
    codec, size = pipeline.codec, pipeline.config.batch_size
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    found = np.empty((len(rows), len(codec.weights), len(codec.classes)), "float32")
    for start in range(0, len(rows), size):
        batch = order[start : start + size]
        outputs = pipeline.network("classify", *codec.arrays([rows[index] for index in batch]))
        found[batch] = only_output(outputs, (len(batch), *found.shape[1:]), pipeline.run)
    return found


def class_probabilities(pipeline: Pipeline[Config], rows: Sequence[Tokens]) -> np.ndarray:
    """Return the calibrated probability of each class for the tokens of texts, `(texts, classes)`."""
    return calibration.calibrated_probabilities(branch_scores(pipeline, rows), np.array(pipeline.codec.weights))


def word_weights(pipeline: Pipeline[Config], text: str, answer: Answer) -> JsonObject:
    """Return the weight of each word that is read, in order: its share in the log-odds of the label.

    The weight is the log-odds with the word, minus those without it; its tokens are then unknown.

    Reference: Zeiler and Fergus, 2014, https://arxiv.org/abs/1311.2901 (occlusion).
    """
    codec, config = pipeline.codec, pipeline.config
    words = codec.word_tokens(text)
    owners = [index for index, (_, numbers) in enumerate(words) for _ in numbers]  # the word of each token
    owners = list(truncated_sequence(owners, config.max_length, config.truncate))
    tokens = np.array(codec.tokens(text))
    shown = sorted(set(owners))
    rows = [tokens, *(np.where(np.array(owners) == index, UNKNOWN, tokens) for index in shown)]
    chances = class_probabilities(pipeline, rows)[:, codec.labels[answer["label"]]].clip(1e-9, 1 - 1e-9)
    odds = np.log(chances / (1 - chances))
    return {
        "words": [
            [words[index][0], round(float(odds[0] - without), 4)]
            for index, without in zip(shown, odds[1:], strict=True)
        ]
    }

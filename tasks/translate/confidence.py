"""Translations that are guesses: less probable, or of stranger words, than those of the validation examples."""

import base64
import logging
from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

from data.splits import Examples
from tasks.engine.config import JsonObject
from tasks.engine.task import Pipeline
from tasks.toolbox.search import Hypothesis, length_divisor
from tasks.translate.clauses import Tokens
from tasks.translate.config import Config
from tasks.translate.decode import beam_hypotheses

LOG = logging.getLogger("tasks")
COUNT = 1000  # validation examples
SHARE = 0.001  # share of them that each limit leaves outside


class Limits(NamedTuple):
    """What validation examples showed.

    Attributes:
        log_probability: Least log-probability of a sub-word of the best translation, on average.
        unseen: Largest share of sub-words of a source that no training source has.
    """

    log_probability: float
    unseen: float

    @classmethod
    def of(cls, values: Sequence[tuple[float, float]]) -> Self:
        """Return the limits that leave a small share of values outside."""
        probabilities, shares = np.array(values).T
        return cls(round(float(np.quantile(probabilities, SHARE)), 4), round(float(np.quantile(shares, 1 - SHARE)), 4))

    def hold(self, probability: float, share: float) -> bool:
        """Return whether a translation is inside the limits."""
        return probability >= self.log_probability and share <= self.unseen

    def state(self) -> JsonObject:
        """Return the limits as JSON types."""
        return dict(self._asdict())


def clause_values(pipeline: Pipeline[Config], tokens: Tokens, best: Hypothesis) -> tuple[float, float]:
    """Return the log-probability of a sub-word of a translation, and the share of unseen ones of its source."""
    length = len(best.tokens) + 1
    probability = best.score * length_divisor(length, pipeline.config.length_penalty) / length
    unseen = pipeline.codec.unseen
    return probability, float(np.mean(unseen[np.asarray(tokens, int)])) if len(tokens) else 0.0


def validation_limits(pipeline: Pipeline[Config], valid: Examples) -> Limits | None:
    """Return what validation examples show, by the search that answers use; `None` if there are none."""
    step = max(1, len(valid) // COUNT)
    documents = [pipeline.codec.document(example["text"]) for example in valid[::step][:COUNT]]
    rows = [clause.tokens for each in documents for sentence in each.sentences for clause in sentence.clauses]
    found = beam_hypotheses(pipeline.with_settings(n_best=1), rows)
    values = [clause_values(pipeline, row, best) for row, (best, *_) in zip(rows, found, strict=True)]
    return Limits.of(values) if values else None


def unseen_pieces(rows: Sequence[Tokens], size: int) -> np.ndarray:
    """Return which sub-words no row has: bool `(size,)`."""
    found = np.ones(size, bool)
    for row in rows:
        found[np.asarray(row, int)] = False
    return found


def packed(flags: np.ndarray) -> str:
    """Return flags as text."""
    return base64.b64encode(np.packbits(flags).tobytes()).decode("ascii")


def unpacked(text: str, size: int) -> np.ndarray:
    """Return the flags that `packed` wrote: bool `(size,)`."""
    content = base64.b64decode(text, validate=True)
    if len(content) != -(-size // 8):
        raise ValueError(f"its flags are not those of {size:,} sub-words")
    return np.unpackbits(np.frombuffer(content, "uint8"), count=size).astype(bool)

"""Texts as the classifier reads them, and what it says of those that it does not know. NumPy only."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from data.texts.text import UNKNOWN, has_joined_words
from tasks.engine.config import JsonObject

LOG = logging.getLogger("tasks")
REMARKS = {  # on marks of answers
    "cut": "{count:,} of {total:,} texts are longer than --max-length and are cut; their answers say so.",
    "confident": "Most words of {count:,} of {total:,} texts are unknown; their answers are guesses, and say so.",
}
Tokens = Sequence[int] | np.ndarray


class Reading(NamedTuple):
    """A text as it is read.

    Attributes:
        text: The text as it was given.
        tokens: Its tokens, at least one; those that are not read are left out.
        cut: Whether tokens are left out.
        known: Share of its words that the vocabulary has; of its other marks, where it has no words.
    """

    text: str
    tokens: Tokens
    cut: bool
    known: float

    @property
    def confident(self) -> bool:
        """Whether at least half of the words are known."""
        return self.known >= 0.5


def limits(text: Reading) -> JsonObject:
    """Return what an answer says of a text that is not read as a whole, or that is mostly unknown."""
    return ({"cut": True} if text.cut else {}) | ({} if text.confident else {"confident": False})


def warn_of_rare_words(texts: Sequence[str], rows: Sequence[Tokens]) -> None:
    """Warn if words do not suit the texts: their script has no spaces, or most words of new texts will be unknown.

    Args:
        texts: The training texts, clean.
        rows: Their tokens, which are words.

    Reference: Good, 1953, https://doi.org/10.1093/biomet/40.3-4.237 (the share of words that a text met once).
    """
    if has_joined_words(texts):
        LOG.warning("The script of the texts has no spaces between words; train with --tokens pieces.")
        return
    counts = np.bincount(np.concatenate([np.asarray(row) for row in rows]))
    share = (counts[UNKNOWN] + (counts[UNKNOWN + 1 :] == 1).sum()) / counts.sum()
    if share > 0.5:
        LOG.warning(
            "Of the words of the training texts, %.0f %% are unknown to the vocabulary or stand there once; new texts "
            "will be mostly unknown. Train with --tokens pieces, or with more texts.",
            100 * share,
        )


def warn_of_unknown_words(texts: Sequence[Reading], part: str) -> None:
    """Warn if most words of texts are unknown.

    Args:
        part: What the texts are, such as `validation`.
    """
    known = float(np.mean([text.known for text in texts]))
    if known < 0.5:
        LOG.warning(
            "Of the words of the %s texts %.0f %% are unknown; scores on them say little. Give texts of the language "
            "of the training, or train with --tokens pieces.",
            part,
            100 * (1 - known),
        )

"""Translate a sentence, greedily: at each step the most probable sub-word.

Sub-words are cut by sentencepiece. `predict` also searches with a beam, brings back names and numbers that a
translation has lost, reads whole documents and keeps their markup.
"""

import base64
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sentencepiece import SentencePieceProcessor

Network = Callable[..., Sequence[np.ndarray]]
START, END = 2, 3


def answer(network: Network, folder: Path, given: str) -> object:
    """Return the translation of a sentence; one without a visible sign raises `ValueError`."""
    if not any(sign.isprintable() and not sign.isspace() for sign in given):
        raise ValueError(f"The text {given[:20]!r} is empty; give at least one word.")
    codec, about = (json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("codec", "signature"))
    pieces = SentencePieceProcessor(model_proto=base64.b64decode(codec["pieces"]))
    read = [number for word in given.split() for number in pieces.encode(word)]
    length = about["settings"]["max_length"]
    source = np.array([[*read[: min(length, (about["steps"] or length + 1) - 1)], END]], "int32")
    keys, values, *states = network("encode", source)
    written = [START]
    while written[-1] != END and len(written) <= length:
        last, there = np.array(written[-1:], "int32"), np.ones(source.shape, bool)
        scores, _, *states = network("step", last, there, keys, values, *states)
        written.append(int(scores[0].argmax()))
    return {"translation": pieces.decode([number for number in written if number > END])}

"""Classify a text.

Words, marks and n-grams are cut as in training. `predict` also reads markup, typographic marks and other forms of
letters as plain ones. Sub-words, where the run has them, are cut by sentencepiece.
"""

import base64
import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

Network = Callable[..., Sequence[np.ndarray]]
FACTORS = np.array([0x9E3779B1, 0x85EBCA77C2B2AE63, 0x9E3779B97F4A7C15], "uint64")


def answer(network: Network, folder: Path, given: str) -> object:
    """Return the label of a text, and its probability."""
    codec, about = (json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("codec", "signature"))
    settings, words = about["settings"], cut_words(unicodedata.normalize("NFC", given))
    if isinstance(codec["vocabulary"], list):
        table = {word: [number] for number, word in enumerate(codec["vocabulary"], start=2)}
        spelled = [table.get(word.lower(), [1]) for word in words]
    else:
        from sentencepiece import SentencePieceProcessor

        pieces = SentencePieceProcessor(model_proto=base64.b64decode(codec["vocabulary"]))
        spelled = [pieces.encode(word.lower()) or [1] for word in words]
    tokens = [number for numbers in spelled for number in numbers] or [1]
    length = min(settings["max_length"], about["steps"] or len(tokens), len(tokens))
    head = {"start": length, "end": 0, "both": (length + 1) // 2}[settings["truncate"]]
    tokens = [*tokens[:head], *tokens[len(tokens) - (length - head) :]]
    inputs = [np.array([tokens], "int32"), *hashed(np.array(tokens, "uint64"), settings["ngrams"])]
    scores = np.einsum("bc,b->c", network("classify", *inputs)[0][0].astype("float64"), codec["weights"])
    powers = np.exp(scores - scores.max())
    best = int(powers.argmax())
    return {"label": codec["classes"][best], "probability": round(float(powers[best] / powers.sum()), 6)}


def cut_words(text: str) -> list[str]:
    """Return the words of a text in any script, with their marks above, below and beside letters, and other signs."""
    places = (*range(0x300, 0x1E00), *range(0xA800, 0xAC00))
    marks = "".join(chr(place) for place in places if unicodedata.category(chr(place))[0] == "M")
    word = rf"\w+(?:[{marks}\u200c\u200d]+\w*)*"
    return re.findall(rf"{word}(?:['\u2019]{word})*|[^\w\s]", text)


def hashed(words: np.ndarray, buckets: int) -> list[np.ndarray]:
    """Return the buckets of words and pairs of words, as a batch of one; nothing without n-grams."""
    if not buckets:
        return []
    keys = np.concatenate([words, words[:-1] * FACTORS[0] + words[1:] + FACTORS[1]]) * FACTORS[2]
    return [np.unique(1 + (keys >> np.uint64(32)) % np.uint64(buckets - 1)).astype("int32")[None]]

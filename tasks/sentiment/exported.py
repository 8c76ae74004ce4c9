"""Classify a text.

Words, marks and n-grams are cut as in training. `predict` also reads markup, typographic marks and other forms of
letters as plain ones. Sub-words, where the run has them, are cut by sentencepiece.
"""

import base64
import json
import re
import unicodedata
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

Network = Callable[..., Sequence[np.ndarray]]


def answer(network: Network, folder: Path, given: str) -> object:
    """Return the label of a text, and its probability; one without a visible sign raises `ValueError`."""
    if not any(sign.isprintable() and not sign.isspace() for sign in given):
        raise ValueError(f"The text {given[:20]!r} is empty; give at least one word.")
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
    inputs = [np.array([tokens], "int32")]
    if "ngrams" in codec:
        inputs.append(ngrams(np.array(tokens, "int64"), codec["ngrams"]))
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


def ngrams(words: np.ndarray, table: str) -> np.ndarray:
    """Return the places of words and pairs of words in a table, whose keys are kept by the steps between them."""
    steps = np.frombuffer(zlib.decompress(base64.b64decode(table)), "uint8").reshape(8, -1).T.copy().view("<u8")
    keys = np.concatenate([words, words[:-1] * (1 << 20) + words[1:]])
    return (1 + np.flatnonzero(np.isin(np.cumsum(steps).astype("int64"), keys))).astype("int32")[None]

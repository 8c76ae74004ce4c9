"""Describe a picture, greedily: at each step the most probable word.

Sub-words, where the run has them, are joined by sentencepiece. What is transparent counts as white. `predict` also
searches with a beam, looks at the mirrored picture too, and, where the run keeps vectors of training pictures, chooses
the caption that agrees most with those of pictures that look alike; none of this is in here.
"""

import base64
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

Network = Callable[..., Sequence[np.ndarray]]


def answer(network: Network, folder: Path, given: str) -> object:
    """Return the caption of a picture file."""
    codec, about = (json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("codec", "signature"))
    settings, vocabulary = about["settings"], codec["vocabulary"]
    size, has_words = settings["size"], isinstance(vocabulary, list)
    start, end = (len(vocabulary) + 2, len(vocabulary) + 3) if has_words else (2, 3)
    image = ImageOps.exif_transpose(Image.open(given)).convert("RGBA")
    image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BICUBIC, reducing_gap=3.0)
    keys, values, *states = network("encode", np.asarray(image)[None])
    written = [start]
    while written[-1] != end and len(written) <= settings["max_length"]:
        scores, _, *states = network("step", np.array(written[-1:], "int32"), keys, values, *states)
        written.append(int(np.delete(scores[0], [0, 1, start]).argmax()))
        written[-1] += 2 + (written[-1] + 2 >= start)  # what was deleted counts again
    tokens = [token for token in written if token not in (start, end)]
    if has_words:
        text = " ".join(vocabulary[token - 2] for token in tokens)
    else:
        from sentencepiece import SentencePieceProcessor

        text = SentencePieceProcessor(model_proto=base64.b64decode(vocabulary)).decode(tokens)
    return {"caption": f"{text[:1].upper()}{text[1:]}."}

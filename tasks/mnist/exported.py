"""Label the picture of a digit.

A picture in the frame of MNIST, 28x28 pixels, is read as it is. Of another, all ink is cut out and centred as MNIST
does, so it should show a single digit on an even ground. `predict` also finds a digit on paper of any kind.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

Network = Callable[..., Sequence[np.ndarray]]


def answer(network: Network, folder: Path, given: str) -> object:
    """Return the label of a picture file, and its probability."""
    codec = json.loads((folder / "codec.json").read_text(encoding="utf-8"))
    levels = framed(np.asarray(Image.open(given).convert("L"), "float32"), codec["framed"])
    (probabilities,) = network("classify", (levels / 255).astype("float32")[None, :, :, None])
    best = int(probabilities[0].argmax())
    return {"label": codec["classes"][best], "probability": round(float(probabilities[0, best]), 6)}


def framed(levels: np.ndarray, boxed: bool) -> np.ndarray:
    """Return a digit as light ink on black, 28x28 levels; with `boxed` in the middle, 20 pixels large."""
    ground = np.median(np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]]))
    if levels.shape == (28, 28):
        return 255 - levels if ground > 127 else levels
    ink = np.maximum(levels - ground if ground < 127 else ground - levels, 0) / 255
    ink = np.where(ink > 0.1 * ink.max(), ink, 0)
    if not boxed:
        return np.asarray(Image.fromarray(ink * 255).resize((28, 28)))
    rows, columns = (np.flatnonzero(ink.any(axis)) for axis in (1, 0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = (max(round(side * 20 / max(ink.shape)), 1) for side in ink.shape)
    ink = np.asarray(Image.fromarray(ink).resize((width, height), Image.Resampling.BICUBIC)).clip(0)
    frame, weights = np.zeros((28, 28), "float32"), ink / ink.sum()
    top, left = (
        int(np.clip(round(14 - (weights.sum(1 - axis) * np.arange(side)).sum()), 0, 28 - side))
        for axis, side in enumerate(ink.shape)
    )
    frame[top : top + height, left : left + width] = ink * 255 / ink.max()
    return frame

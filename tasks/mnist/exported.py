"""Label the picture of a digit.

A picture in the frame of MNIST, 28x28 pixels, is read as it is. Of another, all ink is cut out and centred as MNIST
does, so it should show a single digit on an even ground. A blank picture has no label. What is transparent counts as
white, or as black if no ink shows on white. `predict` also finds a digit on paper of any kind.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

Network = Callable[..., Sequence[np.ndarray]]
FAINT = 8  # least difference of ink from its ground, in levels


def answer(network: Network, folder: Path, given: str) -> object:
    """Return the label of a picture file, and its probability."""
    codec = json.loads((folder / "codec.json").read_text(encoding="utf-8"))
    levels = shown_levels(ImageOps.exif_transpose(Image.open(given)).convert("RGBA"))
    if np.ptp(levels) < FAINT:
        return {"label": None, "probability": None, "reason": "The picture is blank: there is no ink in it."}
    levels = framed(levels, codec["framed"])
    (probabilities,) = network("classify", (levels / 255).astype("float32")[None, :, :, None])
    best = int(probabilities[0].argmax())
    return {"label": codec["classes"][best], "probability": round(float(probabilities[0, best]), 6)}


def shown_levels(image: Image.Image) -> np.ndarray:
    """Return a picture in RGBA as grey levels, over white, or over black if nothing shows there."""
    white, black = (
        np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, ground), image).convert("L"), "float32")
        for ground in ("white", "black")
    )
    return black if np.ptp(white) < FAINT else white


def framed(levels: np.ndarray, boxed: bool) -> np.ndarray:
    """Return a digit as light ink on black, 28x28 levels; with `boxed` in the middle, 20 pixels large."""
    ground = np.median(np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]]))
    if levels.shape == (28, 28):
        return 255 - levels if ground > 127 else levels
    light = ground < (levels.min() + levels.max()) / 2
    ink = np.maximum(levels - ground if light else ground - levels, 0) / 255
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

"""Pictures of results."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def confusion(matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> Image.Image:
    """Return a confusion matrix as a picture: true classes down, answers across.

    The colour is the share of the true class, so that rare mistakes stay visible; the numbers are counts.
    """
    from matplotlib.colors import PowerNorm
    from matplotlib.figure import Figure

    counts = np.asarray(matrix)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = max(4.0, 0.6 * len(classes) + 1)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.3, vmin=0, vmax=1))
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[row, column] > 0.1 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=9)
    axes.set_xticks(range(len(classes)), classes, rotation=90 if max(map(len, classes)) > 2 else 0)
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("answer")
    axes.set_ylabel("truth")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return Image.open(buffer).convert("RGB")


def gallery(images: Sequence[np.ndarray], captions: Sequence[str], columns: int = 5, side: int = 112) -> Image.Image:
    """Return pictures in rows, each enlarged to `side` pixels with its caption below.

    Args:
        images: uint8 `(height, width)` each, light on dark.
        captions: A short line for each.
    """
    font = ImageFont.load_default(size=13)
    gap, line = 8, 20
    rows = max(-(-len(images) // columns), 1)
    sheet = Image.new("RGB", (columns * (side + gap) + gap, rows * (side + line + gap) + gap), "white")
    draw = ImageDraw.Draw(sheet)
    for index, (image, caption) in enumerate(zip(images, captions, strict=True)):
        left, top = gap + index % columns * (side + gap), gap + index // columns * (side + line + gap)
        sheet.paste(Image.fromarray(image).resize((side, side), Image.Resampling.NEAREST), (left, top))
        draw.text((left + side / 2, top + side + 2), caption, fill="black", font=font, anchor="ma")
    return sheet

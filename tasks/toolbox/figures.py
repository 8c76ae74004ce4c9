"""Pictures of results."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tasks.engine.config import JsonObject
from tasks.toolbox import metrics
from tasks.toolbox.bleu import References

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def confusion_matrix(matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> Image.Image:
    """Return a confusion matrix as a picture: true classes down, answers across.

    The colour is the share of the true class, so that rare mistakes stay visible; the numbers are counts.

    Example:
        >>> confusion_matrix([[3, 1], [0, 4]], ["no", "yes"]).mode
        'RGB'
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
    return figure_image(figure)


def roc_curve(truth: Sequence[str], probabilities: np.ndarray, classes: Sequence[str]) -> Image.Image:
    """Return the ROC curve of the last of two classes, or one of each class against all others.

    Args:
        probabilities: `(examples, classes)`.

    Example:
        >>> import numpy as np
        >>> roc_curve(["a", "b"], np.array([[0.9, 0.1], [0.2, 0.8]]), ["a", "b"]).mode
        'RGB'
    """
    figure, axes = unit_axes("share of the others called so", "share of the class called so")
    shown = classes[-1:] if len(classes) == 2 else classes
    for name in shown:
        own = np.array([label == name for label in truth])
        if own.any() and not own.all():
            alarms, hits = metrics.roc_points(own, probabilities[:, list(classes).index(name)])
            axes.plot(alarms, hits, label=name)
    if len(axes.lines) > 1:  # the diagonal is always there
        axes.legend(loc="lower right", title="class")
    return figure_image(figure)


def reliability_diagram(rows: Sequence[dict[str, float]]) -> Image.Image:
    """Return accuracy over confidence, as `metrics.reliability_rows` counts them; below it, the number of examples.

    Example:
        >>> reliability_diagram([{"confidence": 0.9, "accuracy": 0.8, "examples": 10}]).mode
        'RGB'
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5, 5.5), layout="constrained")
    axes, counts = figure.subplots(2, height_ratios=[4, 1], sharex=True)
    confidence = [row["confidence"] for row in rows]
    low, high = zip(
        *(metrics.share_interval(round(row["accuracy"] * row["examples"]), int(row["examples"])) for row in rows),
        strict=True,
    )
    accuracy = np.array([row["accuracy"] for row in rows])
    error = np.clip([accuracy - low, np.array(high) - accuracy], 0, None)
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    axes.errorbar(confidence, accuracy, error, marker="o", capsize=3)
    axes.set(
        ylabel="accuracy, with 95 % interval",
        xlim=(min(*confidence, 0.5) - 0.02, 1.02),
        ylim=(min(*low, 0.5) - 0.02, 1.02),
    )
    counts.bar(confidence, [row["examples"] for row in rows], width=0.02)
    counts.set(xlabel="probability given", ylabel="examples")
    return figure_image(figure)


def accuracy_by_length(lengths: Sequence[int], right: np.ndarray, unit: str, parts: int = 8) -> Image.Image:
    """Return accuracy over length, in parts of about equally many examples, with 95 % intervals.

    Args:
        right: Whether the answer to each example was right.
        unit: What the lengths are counted in.

    Example:
        >>> import numpy as np
        >>> accuracy_by_length([3, 4, 5], np.array([True, True, False]), "words", parts=2).mode
        'RGB'
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    groups = [group for group in np.array_split(np.argsort(lengths, kind="stable"), parts) if len(group)]
    middle = [float(np.median(np.asarray(lengths)[group])) for group in groups]
    accuracy = np.array([right[group].mean() for group in groups])
    low, high = zip(*(metrics.share_interval(int(right[group].sum()), len(group)) for group in groups), strict=True)
    axes.errorbar(middle, accuracy, np.clip([accuracy - low, high - accuracy], 0, None), marker="o", capsize=3)
    axes.set(xlabel=f"{unit} read (middle of each eighth)", ylabel="accuracy, with 95 % interval")
    return figure_image(figure)


def bleu_by_length(
    answers: Sequence[str],
    truth: Sequence[References],
    lengths: Sequence[int],
    parts: int = 6,
    language: str | None = None,
) -> Image.Image:
    """Return BLEU over the length of the source, in parts of about equally many sentences, with 95 % intervals.

    Example:
        >>> bleu_by_length(["a cat sits here"] * 4, ["a cat sits here"] * 4, [4] * 4, parts=2).mode
        'RGB'
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    groups = [group for group in np.array_split(np.argsort(lengths, kind="stable"), parts) if len(group)]
    middle = [float(np.median(np.asarray(lengths)[group])) for group in groups]
    found = [
        metrics.translation_metrics([answers[i] for i in group], [truth[i] for i in group], 200, language)
        for group in groups
    ]
    bleu, low, high = (np.array([each[name] for each in found]) for name in ("bleu", "bleu_low", "bleu_high"))
    axes.errorbar(middle, bleu, np.clip([bleu - low, high - bleu], 0, None), marker="o", capsize=3)
    axes.set(xlabel="sub-words of the source (middle of each sixth)", ylabel="BLEU, with 95 % interval", ylim=(0, None))
    return figure_image(figure)


def alignment_panels(found: Sequence[JsonObject], columns: int = 2) -> Image.Image:
    """Return the attention of each target token to the source tokens, a panel for each sentence.

    Args:
        found: For each sentence the tokens of its `source` and its `target`, and the `weights`, `(target, source)`.

    Example:
        >>> alignment_panels([{"source": ["a"], "target": ["b"], "weights": [[1.0]]}]).mode
        'RGB'
    """
    from matplotlib.figure import Figure

    columns = min(columns, max(len(found), 1))
    rows = max(-(-len(found) // columns), 1)
    widest = max((len(one["source"]) for one in found), default=1)
    tallest = max((len(one["target"]) for one in found), default=1)
    size = (columns * (0.32 * widest + 1.6), rows * (0.28 * tallest + 1.4))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, one in zip(panels, found, strict=False):
        axes.imshow(one["weights"], cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(len(one["source"])), one["source"], rotation=90)
        axes.set_yticks(range(len(one["target"])), one["target"])
        axes.xaxis.tick_top()
    for axes in panels[len(found) :]:
        axes.axis("off")
    return figure_image(figure)


def unit_axes(across: str, up: str) -> tuple[Figure, Axes]:
    """Return a figure with axes from 0 to 1 both ways, and their diagonal.

    Example:
        >>> figure, axes = unit_axes("confidence", "accuracy")
        >>> axes.get_xlabel()
        'confidence'
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    axes.set(xlabel=across, ylabel=up, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    return figure, axes


def figure_image(figure: Figure) -> Image.Image:
    """Return a matplotlib figure as a picture.

    Example:
        >>> from matplotlib.figure import Figure
        >>> figure_image(Figure(figsize=(1, 1))).size
        (120, 120)
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return Image.open(buffer, formats=["PNG"]).convert("RGB")


def picture_gallery(
    images: Sequence[np.ndarray], captions: Sequence[str], columns: int = 5, side: int = 112
) -> Image.Image:
    """Return pictures in rows, each enlarged to `side` pixels with its caption below.

    Args:
        images: uint8 `(height, width)` each, light on dark.
        captions: A short line for each.

    Example:
        >>> import numpy as np
        >>> picture_gallery([np.zeros((8, 8), "uint8")], ["a black square"], columns=1).size
        (128, 148)
    """
    from PIL import ImageDraw, ImageFont

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


def comparison_sheet(rows: Sequence[Sequence[tuple[np.ndarray, str]]], side: int = 288) -> Image.Image:
    """Return rows of pictures that show the same thing, each enlarged to `side` pixels with its caption below.

    Args:
        rows: For each picture of a row its pixels, uint8 `(height, width)` or `(height, width, channels)`, and a line.

    Example:
        >>> import numpy as np
        >>> comparison_sheet([[(np.zeros((8, 8), "uint8"), "black")]], side=100).size
        (116, 140)
    """
    from PIL import ImageDraw, ImageFont

    font = ImageFont.load_default(size=15)
    gap, line = 8, 24
    columns = max((len(row) for row in rows), default=1)
    size = (columns * (side + gap) + gap, max(len(rows), 1) * (side + line + gap) + gap)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for down, row in enumerate(rows):
        for across, (pixels, caption) in enumerate(row):
            left, top = gap + across * (side + gap), gap + down * (side + line + gap)
            picture = Image.fromarray(pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)
            sheet.paste(picture.resize((side, side), Image.Resampling.NEAREST), (left, top))
            draw.text((left + side / 2, top + side + 3), caption, fill="black", font=font, anchor="ma")
    return sheet

"""Scores of super-resolution, as in the papers."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from data.pictures.imresize import degraded_picture, imresize, luma, whole_levels
from data.splits import Example, Examples
from tasks.engine.config import JsonObject
from tasks.engine.measure import mean_measure
from tasks.engine.task import Pipeline, Report
from tasks.toolbox import figures, metrics
from tasks.upscale.config import Config

SHEET_COUNT = 6  # pictures on the contact sheet
ZOOM = 96  # pixels of each side of its sections
Scores = dict[str, float]


def score(pipeline: Pipeline[Config], examples: Examples) -> Report:
    """Return PSNR and SSIM of luma beside bicubic interpolation, PSNR of colours, and the cost of a picture.

    Luma is that of the papers:

    * The truth is in 16..235, rounded.
    * The small picture is its bicubic reduction, rounded, or that of a JPEG file, or the user's own; both answers are
      rounded too.
    * `scale` pixels at the border do not count.
    """
    config, rows, seconds, area = pipeline.config, list[Scores](), 0.0, 0
    pipeline.predict([np.zeros((1, 1), "uint8")])  # opens the network before time is taken
    for example in examples:
        row, spent = example_scores(pipeline, example)
        rows.append(row)
        seconds, area = seconds + spent, area + example["truth"][:, :, 0].size
    costs = {
        "parameters": config.parameters(),
        "giga_multiply_adds_per_megapixel": config.multiply_adds() / 1e3,
        "milliseconds_per_megapixel": seconds / area * 1e9,
    }

    def entry(place: int) -> JsonObject:
        answer = {name: round(value, 4) for name, value in rows[place].items()}
        return {"input": examples[place]["name"], "answer": answer}

    spread = slice(None, None, max(len(rows) // SHEET_COUNT, 1))  # each quality of a JPEG is an example of its own
    return Report(
        metrics=mean_scores(rows) | quality_scores(examples, rows) | costs,
        answers=list(map(entry, range(len(rows)))),
        figures={"contact_sheet": lambda: contact_sheet(pipeline, examples[spread][:SHEET_COUNT], rows[spread])},
        measures=lambda: [
            mean_measure("psnr", np.array([row["psnr"] for row in rows])),
            mean_measure("ssim", np.array([row["ssim"] for row in rows]), span=2),
        ],
        entry=entry,
    )


def example_scores(pipeline: Pipeline[Config], example: Example) -> tuple[Scores, float]:
    """Return the scores of a picture, and the seconds of enlarging its luma."""
    scale = pipeline.config.scale
    truth = whole_levels(luma(example["truth"]))
    given = "given" in example or "quality" in example  # a small picture of the user's own, or of a JPEG file
    small = whole_levels(luma(example["image"])) if given else degraded_picture(truth, scale)
    start = time.perf_counter()
    (answer,) = pipeline.predict([small])
    seconds = time.perf_counter() - start
    (coloured,) = pipeline.predict([example["image"]])
    bicubic, bicubic_rgb = (whole_levels(imresize(picture, scale)) for picture in (small, example["image"]))
    scores = picture_scores(answer["image"], truth, "", scale) | picture_scores(bicubic, truth, "bicubic_", scale)
    scores["psnr_rgb"] = metrics.psnr(coloured["image"], example["truth"], scale)
    scores["bicubic_psnr_rgb"] = metrics.psnr(bicubic_rgb, example["truth"], scale)
    return scores, seconds


def mean_scores(rows: Sequence[Scores]) -> Scores:
    """Return the mean of each score over pictures, with intervals of PSNR and SSIM."""
    means: Scores = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        means[name] = float(np.mean(values))
        if name in ("psnr", "ssim"):
            means[f"{name}_low"], means[f"{name}_high"] = metrics.mean_interval(values)
    return means


def quality_scores(examples: Sequence[Example], rows: Sequence[Scores]) -> Scores:
    """Return the mean PSNR of both answers at each JPEG quality, such as `psnr_q75` and `bicubic_psnr_q75`."""
    grouped: dict[str, list[float]] = {}
    for example, row in zip(examples, rows, strict=True):
        for name in ("psnr", "bicubic_psnr") if "quality" in example else ():
            grouped.setdefault(f"{name}_q{example['quality']}", []).append(row[name])
    return {name: float(np.mean(values)) for name, values in grouped.items()}


def picture_scores(answer: np.ndarray, truth: np.ndarray, name: str, border: int) -> Scores:
    """Return PSNR and SSIM of an answer; `name` is the prefix of their names."""
    return {
        f"{name}psnr": metrics.psnr(answer, truth, border),
        f"{name}ssim": metrics.ssim(answer, truth, border),
    }


def contact_sheet(pipeline: Pipeline[Config], examples: Examples, rows: Sequence[Scores]) -> Image.Image:
    """Return bicubic interpolation, the answer and the truth side by side, at the worst square of the first."""
    shown = []
    for example, row in zip(examples, rows, strict=False):
        truth = example["truth"]
        bicubic = whole_levels(imresize(example["image"], pipeline.config.scale))
        (answer,) = pipeline.predict([example["image"]])
        place = worst_square(np.abs(bicubic.astype("float32") - truth).mean(2), min(ZOOM, *truth.shape[:2]))
        shown.append(
            [
                (bicubic[place], f"bicubic  {row['bicubic_psnr']:.2f} dB"),
                (answer["image"][place], f"ours  {row['psnr']:.2f} dB"),
                (truth[place], Path(example["name"]).name),
            ]
        )
    return figures.comparison_sheet(shown)


def worst_square(error: np.ndarray, side: int) -> tuple[slice, slice]:
    """Return the square with the largest sum of errors, with a side of so many pixels."""
    total = np.pad(error.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    sums = total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    row, column = np.unravel_index(sums.argmax(), sums.shape)
    return slice(int(row), int(row) + side), slice(int(column), int(column) + side)

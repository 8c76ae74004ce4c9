"""Scoring super-resolution as the papers do."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from data.pictures.imresize import degraded_picture, imresize, luma, whole_levels
from data.splits import Examples
from tasks.engine.task import Pipeline, Report
from tasks.toolbox import figures, metrics
from tasks.upscale.config import Config

SHEET_COUNT = 6  # pictures on the contact sheet
ZOOM = 96  # pixels of each side shown there


def score(pipeline: Pipeline[Config], examples: Examples) -> Report:
    """Return PSNR and SSIM of luma beside those of bicubic interpolation, PSNR of colours, and what a picture costs.

    Luma is that of the papers: the truth in 16..235, rounded, made small by bicubic interpolation and rounded; `scale`
    pixels at the border do not count. Both ways of enlarging answer in whole levels.
    """
    config, rows, seconds, area = pipeline.config, [], 0.0, 0
    pipeline.predict([np.zeros((1, 1), "uint8")])  # opens the network before time is taken
    for example in examples:
        truth = whole_levels(luma(example["truth"]))
        small = degraded_picture(truth, config.scale)
        start = time.perf_counter()
        (answer,) = pipeline.predict([small])
        seconds, area = seconds + time.perf_counter() - start, area + truth.size
        (coloured,) = pipeline.predict([example["image"]])
        rows.append(
            picture_scores(answer["image"], truth, "", config.scale)
            | picture_scores(whole_levels(imresize(small, config.scale)), truth, "bicubic_", config.scale)
            | {
                "psnr_rgb": metrics.psnr(coloured["image"], example["truth"], config.scale),
                "bicubic_psnr_rgb": metrics.psnr(
                    whole_levels(imresize(example["image"], config.scale)), example["truth"], config.scale
                ),
            }
        )
    means: dict[str, Any] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        means[name] = float(np.mean(values))
        if name in ("psnr", "ssim"):
            means[f"{name}_low"], means[f"{name}_high"] = metrics.mean_interval(values)
    return Report(
        metrics=means
        | {
            "parameters": config.parameters(),
            "giga_multiply_adds_per_megapixel": config.multiply_adds() / 1e3,
            "milliseconds_per_megapixel": seconds / area * 1e9,
        },
        answers=[
            {"input": example["name"], "answer": {name: round(value, 4) for name, value in row.items()}}
            for example, row in zip(examples, rows, strict=True)
        ],
        figures={"contact_sheet": lambda: contact_sheet(pipeline, examples[:SHEET_COUNT], rows)},
    )


def picture_scores(answer: np.ndarray, truth: np.ndarray, name: str, border: int) -> dict[str, float]:
    """Return PSNR and SSIM of an answer, their names beginning with `name`."""
    return {
        f"{name}psnr": metrics.psnr(answer, truth, border),
        f"{name}ssim": metrics.ssim(answer, truth, border),
    }


def contact_sheet(pipeline: Pipeline[Config], examples: Examples, rows: Sequence[dict[str, float]]) -> Image.Image:
    """Return bicubic interpolation, our answer and the truth side by side, zoomed into where the first is worst."""
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
    """Return the square of so many pixels a side in which errors add up to the most."""
    total = np.pad(error.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    sums = total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    row, column = np.unravel_index(sums.argmax(), sums.shape)
    return slice(int(row), int(row) + side), slice(int(column), int(column) + side)

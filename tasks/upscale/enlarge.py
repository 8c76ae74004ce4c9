"""Enlarging a photo piece by piece, so that its pieces fit together and memory stays small."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from data.pictures.imresize import RANGE, imresize, luma, turned_picture, unturned_picture, whole_levels
from data.pictures.photo import Photo
from tasks.engine.task import Pipeline
from tasks.upscale.config import Config

TAPS = 3  # pixels around a piece that its bicubic interpolation reads


def enlarged_photo(pipeline: Pipeline[Config], photo: Photo, show: bool = False) -> Photo:
    """Return a photo enlarged: luma by the network, all else by bicubic interpolation.

    It is done piece by piece, each with as much around it as the network sees. So the pieces fit together, and memory
    stays small.

    Args:
        show: Whether to draw a progress bar on standard error.
    """
    scale, side = pipeline.config.scale, pipeline.config.tile
    height, width, channels = photo.pixels.shape
    border = max(pipeline.config.border(), TAPS)
    wide = np.pad(photo.pixels, ((border, border), (border, border), (0, 0)), mode="symmetric")
    pixels = np.empty((height * scale, width * scale, channels), photo.pixels.dtype)
    cover = None if photo.alpha is None else np.pad(photo.alpha.astype("float32"), TAPS, mode="symmetric")
    alpha = None if cover is None else np.empty(pixels.shape[:2], "uint8")
    corners = [(row, column) for row in range(0, height, side) for column in range(0, width, side)]
    for row, column in progress_bar(corners) if show else corners:
        piece = wide[row : row + side + 2 * border, column : column + side + 2 * border]
        new = np.s_[row * scale : (row + side) * scale, column * scale : (column + side) * scale]
        pixels[new] = enlarged_piece(pipeline, piece, border)
        if alpha is not None and cover is not None:
            part = cover[row : row + side + 2 * TAPS, column : column + side + 2 * TAPS]
            alpha[new] = whole_levels(inner_picture(imresize(part, scale), TAPS * scale))
    return replace(photo, pixels=pixels, alpha=alpha)


def progress_bar(corners: list[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """Return the corners of pieces, with a bar on standard error while they are worked through."""
    from tqdm import tqdm

    return tqdm(corners, unit="piece", leave=False)


def enlarged_piece(pipeline: Pipeline[Config], piece: np.ndarray, border: int) -> np.ndarray:
    """Return a piece of a picture enlarged, without the border that is given with it."""
    scale, full = pipeline.config.scale, np.iinfo(piece.dtype).max
    levels = piece * np.float32(255 / full)  # (height, width, channels)
    grown = inner_picture(imresize(inner_picture(levels, border - TAPS), scale), TAPS * scale)
    lacking = inner_picture(luma_residual(pipeline, luma(levels)), border * scale)
    grown += lacking[:, :, None] / (1 if piece.shape[2] == 1 else RANGE)
    return np.rint(grown * (full / 255)).clip(0, full).astype(piece.dtype)


def luma_residual(pipeline: Pipeline[Config], plane: np.ndarray) -> np.ndarray:
    """Return what the network adds to the bicubic interpolation of a plane of luma, in levels of [0, 255]."""
    ways = range(8 if pipeline.config.ensemble else 1)
    total: Any = 0
    for way in ways:
        (lacking,) = pipeline.network("upscale", pipeline.codec.inputs([turned_picture(plane, way)]))
        total = total + unturned_picture(lacking[0, :, :, 0], way)
    return total * np.float32(255 / len(ways))


def inner_picture(picture: np.ndarray, border: int) -> np.ndarray:
    """Return a picture without so many rows and columns on each side."""
    return picture[border : len(picture) - border, border : picture.shape[1] - border]

"""Enlargement of a photo tile by tile, with little memory and without seams."""

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce

import numpy as np

from data.pictures.imresize import RANGE, imresize, luma, turned_picture, unturned_picture, whole_levels
from data.pictures.photo import Photo
from tasks.engine.task import Pipeline
from tasks.upscale.config import Config

TAPS = 3  # pixels around a tile that its bicubic interpolation reads


def enlarged_photo(pipeline: Pipeline[Config], photo: Photo, show: bool = False) -> Photo:
    """Return a photo enlarged: luma by the network, everything else by bicubic interpolation.

    It works tile by tile, with the receptive field of the network around each, so there are no seams.

    Args:
        show: If true, draw a progress bar on standard error.
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
        tile = wide[row : row + side + 2 * border, column : column + side + 2 * border]
        new = np.s_[row * scale : (row + side) * scale, column * scale : (column + side) * scale]
        pixels[new] = enlarged_tile(pipeline, tile, border)
        if alpha is not None and cover is not None:
            part = cover[row : row + side + 2 * TAPS, column : column + side + 2 * TAPS]
            alpha[new] = whole_levels(inner_picture(imresize(part, scale), TAPS * scale))
    return replace(photo, pixels=pixels, alpha=alpha)


def progress_bar(corners: list[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """Return the corners of tiles, with a progress bar on standard error during the iteration."""
    from tqdm import tqdm

    return tqdm(corners, unit="tile", leave=False)


def enlarged_tile(pipeline: Pipeline[Config], tile: np.ndarray, border: int) -> np.ndarray:
    """Return a tile of a picture enlarged, without its border."""
    scale, full = pipeline.config.scale, np.iinfo(tile.dtype).max
    levels = tile * np.float32(255 / full)  # (height, width, channels)
    enlarged = inner_picture(imresize(inner_picture(levels, border - TAPS), scale), TAPS * scale)
    residual = inner_picture(luma_residual(pipeline, luma(levels)), border * scale)
    enlarged += residual[:, :, None] / (1 if tile.shape[2] == 1 else RANGE)
    return np.rint(enlarged * (full / 255)).clip(0, full).astype(tile.dtype)


def luma_residual(pipeline: Pipeline[Config], plane: np.ndarray) -> np.ndarray:
    """Return the residual that the network adds to bicubic interpolation of luma, in levels of [0, 255]."""
    ways = range(8 if pipeline.config.ensemble else 1)
    residuals = []
    for way in ways:
        (batch,) = pipeline.network("upscale", pipeline.codec.inputs([turned_picture(plane, way)]))
        residuals.append(unturned_picture(batch[0, :, :, 0], way))
    return np.asarray(reduce(np.add, residuals) * np.float32(255 / len(ways)))


def inner_picture(picture: np.ndarray, border: int) -> np.ndarray:
    """Return a picture without a border of so many pixels on each side."""
    return picture[border : len(picture) - border, border : picture.shape[1] - border]

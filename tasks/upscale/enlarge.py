"""Enlargement of a photo tile by tile, with little memory and without seams."""

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce

import numpy as np

from data.pictures.imresize import RANGE, imresize, luma, turned_picture, unturned_picture
from data.pictures.photo import Photo
from data.pictures.transparency import filled_colours
from tasks.engine.network import only_output
from tasks.engine.task import Pipeline
from tasks.upscale.config import Config

TAPS = 3  # pixels around a tile that its bicubic interpolation reads
FAINT = 6 / 255  # opacity from which on colours are interpolated as premultiplied ones, wholly at twice as much


def enlarged_photo(pipeline: Pipeline[Config], photo: Photo, show: bool = False) -> Photo:
    """Return a photo enlarged: luma by the network, everything else by bicubic interpolation.

    * It works tile by tile, with the receptive field of the network around each, so there are no seams.
    * Colours count by their opacity; hidden ones are replaced by those of their neighbours first.

    Args:
        show: If true, draw a progress bar on standard error.
    """
    scale, side = pipeline.config.scale, pipeline.config.tile
    height, width, channels = photo.pixels.shape
    border = max(pipeline.config.border(), TAPS)
    shown = photo.pixels if photo.alpha is None else filled_colours(photo.pixels, photo.alpha, border)
    wide = np.pad(shown, ((border, border), (border, border), (0, 0)), mode="symmetric")
    cover = None if photo.alpha is None else np.pad(photo.alpha, TAPS, mode="symmetric")
    pixels = np.empty((height * scale, width * scale, channels), photo.pixels.dtype)
    alpha = None if photo.alpha is None else np.empty(pixels.shape[:2], photo.alpha.dtype)
    corners = [(row, column) for row in range(0, height, side) for column in range(0, width, side)]
    for row, column in progress_bar(corners) if show else corners:
        tile = wide[row : row + side + 2 * border, column : column + side + 2 * border]
        new = np.s_[row * scale : (row + side) * scale, column * scale : (column + side) * scale]
        if alpha is None or cover is None:
            pixels[new] = enlarged_tile(pipeline, tile, border)
            continue
        part = cover[row : row + side + 2 * TAPS, column : column + side + 2 * TAPS]
        pixels[new] = enlarged_tile(pipeline, tile, border, part)
        opacity = inner_picture(imresize(part.astype("float32"), scale), TAPS * scale)
        alpha[new] = np.rint(opacity).clip(0, np.iinfo(part.dtype).max).astype(part.dtype)
    return replace(photo, pixels=pixels, alpha=alpha)


def progress_bar(corners: list[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """Return the corners of tiles, with a progress bar on standard error during the iteration."""
    from tqdm import tqdm

    return tqdm(corners, unit="tile", leave=False)


def enlarged_tile(
    pipeline: Pipeline[Config], tile: np.ndarray, border: int, alpha: np.ndarray | None = None
) -> np.ndarray:
    """Return a tile of a picture enlarged, without its border; `alpha` is its opacity with a border of `TAPS`."""
    scale, full = pipeline.config.scale, np.iinfo(tile.dtype).max
    levels = tile * np.float32(255 / full)  # (height, width, channels)
    near = inner_picture(levels, border - TAPS)
    bicubic = imresize(near, scale) if alpha is None else covered_bicubic(near, alpha, scale)
    enlarged = inner_picture(bicubic, TAPS * scale)
    residual = inner_picture(luma_residual(pipeline, luma(levels)), border * scale)
    enlarged += residual[:, :, None] / (1 if tile.shape[2] == 1 else RANGE)
    return np.rint(enlarged * (full / 255)).clip(0, full).astype(tile.dtype)


def covered_bicubic(levels: np.ndarray, alpha: np.ndarray, scale: int) -> np.ndarray:
    """Return levels by bicubic interpolation, in which pixels count by their opacity.

    Where the result is fainter than `FAINT`, the quotient of small numbers gives way to plain interpolation.
    """
    plain = imresize(levels, scale)
    if np.ptp(alpha) == 0:
        return plain
    share = alpha[:, :, None] * np.float32(1 / np.iinfo(alpha.dtype).max)
    opacity = imresize(share, scale)
    quotient = (imresize(levels * share, scale) / np.maximum(opacity, FAINT)).clip(0, 255)
    return plain + (opacity / FAINT - 1).clip(0, 1) * (quotient - plain)


def luma_residual(pipeline: Pipeline[Config], plane: np.ndarray) -> np.ndarray:
    """Return the residual that the network adds to bicubic interpolation of luma, in levels of [0, 255]."""
    ways = range(8 if pipeline.config.ensemble else 1)
    residuals = []
    for way in ways:
        small = pipeline.codec.inputs([turned_picture(plane, way)])
        shape = (1, *(side * pipeline.config.scale for side in small.shape[1:3]), 1)
        batch = only_output(pipeline.network("upscale", small), shape, pipeline.run)
        residuals.append(unturned_picture(batch[0, :, :, 0], way))
    return np.asarray(reduce(np.add, residuals) * np.float32(255 / len(ways)))


def inner_picture(picture: np.ndarray, border: int) -> np.ndarray:
    """Return a picture without a border of so many pixels on each side."""
    return picture[border : len(picture) - border, border : picture.shape[1] - border]

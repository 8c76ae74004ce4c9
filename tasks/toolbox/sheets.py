"""Sheets of pictures with captions, and with the attention of each word."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from data.pictures.squares import shown_size
from tasks.engine.config import JsonObject
from tasks.toolbox.lettering import say_missing_letters, text_font, wrapped_lines


def captioned_sheet(rows: Sequence[tuple[np.ndarray, Sequence[str]]], columns: int = 4, side: int = 240) -> Image.Image:
    """Return pictures in their own shape, each with lines of text below it.

    Args:
        rows: Pixels, uint8 `(height, width, 3)`, and texts, which are wrapped; the first of them is black.

    Example:
        >>> import numpy as np
        >>> captioned_sheet([(np.zeros((8, 8, 3), "uint8"), ["a black square"])], columns=1).mode
        'RGB'
    """
    say_missing_letters(text for _, texts in rows for text in texts)
    texts = [
        [(line, text_font(text, 14), number == 0) for number, text in enumerate(lines) for line in wrapped(text, side)]
        for _, lines in rows
    ]
    gap, line = 10, 18
    tall = side + line * max(map(len, texts), default=0) + 2 * gap
    sheet = Image.new("RGB", (columns * (side + gap) + gap, max(-(-len(rows) // columns), 1) * tall + gap), "white")
    draw = ImageDraw.Draw(sheet)
    for index, ((pixels, _), lines) in enumerate(zip(rows, texts, strict=True)):
        left, top = gap + index % columns * (side + gap), gap + index // columns * tall
        paste_within(sheet, shaped_picture(pixels, side), left, top, (side, side))
        for number, (text, font, ours) in enumerate(lines):
            place = (left, top + side + 4 + number * line)
            draw.text(place, text, fill="black" if ours else "grey", font=font)
    return sheet


def wrapped(text: str, width: int) -> list[str]:
    """Return the lines of a text below a picture.

    Example:
        >>> wrapped("a dog", 240)
        ['a dog']
    """
    return wrapped_lines(text, text_font(text, 14), width)


def shaped_picture(pixels: np.ndarray, side: int) -> Image.Image:
    """Return a picture in its own shape, with a longer side of `side` pixels.

    Example:
        >>> import numpy as np
        >>> shaped_picture(np.zeros((8, 16, 3), "uint8"), 100).size
        (100, 50)
    """
    return Image.fromarray(np.asarray(pixels)).resize(shown_size(pixels, side), Image.Resampling.BICUBIC)


def paste_within(sheet: Image.Image, picture: Image.Image, left: int, top: int, size: tuple[int, int]) -> None:
    """Put a picture into the middle of a part of a sheet, of such a width and height.

    Example:
        >>> sheet = Image.new("L", (4, 4), 255)
        >>> paste_within(sheet, Image.new("L", (4, 2), 0), 0, 0, (4, 4))
        >>> [sheet.getpixel((0, row)) for row in range(4)]
        [255, 0, 0, 255]
    """
    sheet.paste(picture, (left + (size[0] - picture.width) // 2, top + (size[1] - picture.height) // 2))


def attention_sheet(found: Sequence[tuple[np.ndarray, JsonObject]], side: int = 150, columns: int = 8) -> Image.Image:
    """Return the attention of each word of a caption: a panel for each word, bright at high weights.

    Args:
        found: For each picture its pixels, uint8 `(height, width, 3)`, and the `words` of its caption with their
            `weights`: the attention to the cells of a square grid, row by row. A `name` is written below the picture.

    Example:
        >>> import numpy as np
        >>> attention = {"words": ["square"], "weights": [[0.1, 0.2, 0.3, 0.4]]}
        >>> attention_sheet([(np.zeros((8, 8, 3), "uint8"), attention)]).mode
        'RGB'
    """
    say_missing_letters(word for _, one in found for word in one["words"])
    gap, line = 6, 22
    tall = max((shown_size(pixels, side)[1] for pixels, _ in found), default=side)
    panels: list[list[tuple[Image.Image, str]]] = []
    for pixels, one in found:
        picture = shaped_picture(pixels, side)
        shown = [(picture, one.get("name", ""))]
        shown += [
            (attended_picture(picture, np.asarray(w)), word)
            for word, w in zip(one["words"], one["weights"], strict=True)
        ]
        panels += [shown[first : first + columns] for first in range(0, len(shown), columns)]
    size = (columns * (side + gap) + gap, max(len(panels), 1) * (tall + line + gap) + gap)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for down, row in enumerate(panels):
        for across, (picture, word) in enumerate(row):
            left, top = gap + across * (side + gap), gap + down * (tall + line + gap)
            paste_within(sheet, picture, left, top, (side, tall))
            font = text_font(word, 15)
            shortest = wrapped_lines(word, font, side)[:1] or [""]
            draw.text((left + side / 2, top + tall + 2), shortest[0], fill="black", font=font, anchor="ma")
    return sheet


def attended_picture(picture: Image.Image, weights: np.ndarray) -> Image.Image:
    """Return a picture that is grey and darker at low attention, and bright at high attention.

    A dark picture is made brighter before, so that there is something to see.

    Example:
        >>> import numpy as np
        >>> attended_picture(Image.new("RGB", (8, 8)), np.array([0.1, 0.2, 0.3, 0.4])).size
        (8, 8)
    """
    grid = weights.reshape(round(len(weights) ** 0.5), -1)
    light = Image.fromarray(np.uint8(255 * grid / max(grid.max(), 1e-9))).resize(picture.size, Image.Resampling.BICUBIC)
    bright = brightened_picture(picture)
    dark = Image.blend(bright.convert("L").convert("RGB"), Image.new("RGB", picture.size, "black"), 0.5)
    return Image.composite(bright, dark, light)


def brightened_picture(picture: Image.Image, least: float = 110.0) -> Image.Image:
    """Return a picture whose mean level is at least about `least` of 255, by a curve that keeps black and white.

    Example:
        >>> brightened_picture(Image.new("RGB", (2, 2), (30, 30, 30))).getpixel((0, 0))
        (110, 110, 110)
    """
    mean = min(max(float(np.asarray(picture.convert("L")).mean()), 2.0), 254.0)
    power = math.log(least / 255) / math.log(mean / 255)
    return picture.point([round(255 * (level / 255) ** power) for level in range(256)] * 3) if power < 1 else picture

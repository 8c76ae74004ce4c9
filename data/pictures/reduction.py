"""Large pictures at a fraction of their size, for tasks that shrink them. Pillow only."""

from PIL import Image

REDUCED = 8_000_000  # pixels from which on a picture may be read at a smaller scale
STRIP = 64  # rows of the smaller picture that are made at a time
PLAIN_MODES = {  # mode of Pillow -> one of which means can be taken
    "1": "L",
    "I;16": "I",
    "I;16B": "I",
    "I;16L": "I",
    "I;16N": "I",
    "P": "RGB",
    "CMYK": "RGB",
    "YCbCr": "RGB",
    "LAB": "RGB",
    "HSV": "RGB",
    "RGBX": "RGB",
}
TURNS = {  # EXIF orientation -> what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def reduction(image: Image.Image, least: int | None) -> int:
    """Return by how much the sides of a large picture may be divided so that none is below `least`; 1 is not at all."""
    return max(min(image.size) // least, 1) if least and image.width * image.height > REDUCED else 1


def reduced_image(image: Image.Image, factor: int, orientation: object) -> Image.Image:
    """Return a decoded picture with sides divided by a factor, upright; its mode is one of L, I, F, RGB and RGBA.

    The rows are converted strip by strip, so that the whole picture is in memory once.
    """
    mode = "RGBA" if image.has_transparency_data else PLAIN_MODES.get(image.mode, image.mode)
    step, width = STRIP * factor, image.width
    strips = [
        image.crop((0, top, width, min(top + step, image.height))).convert(mode).reduce(factor)
        for top in range(0, image.height, step)
    ]
    found = Image.new(mode, (strips[0].width, sum(strip.height for strip in strips)))
    for number, strip in enumerate(strips):
        found.paste(strip, (0, STRIP * number))
    return found.transpose(TURNS[orientation]) if isinstance(orientation, int) and orientation in TURNS else found

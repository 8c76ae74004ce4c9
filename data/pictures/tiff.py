"""TIFF files: reading 16 bits a level, which Pillow reads as 8, and writing. NumPy and Pillow only."""

import struct
import zlib
from collections.abc import Mapping
from io import BytesIO

import numpy as np
from PIL import Image

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, ROWS = 256, 257, 258, 259, 262, 277, 278
STRIPS, STRIP_SIZES, PLANES, PREDICTOR = 273, 279, 284, 317
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_SIZES = 322, 323, 324, 325
EXTRA, FORMAT, PROFILE, XMP, X_DPI, Y_DPI, DPI_UNIT = 338, 339, 34675, 700, 282, 283, 296
CAMERA, PLACE, OTHER = 34665, 34853, 40965  # directories of EXIF data
LAYOUT = frozenset(  # tags about the file, which are not those of another file
    [
        *range(254, 267),
        *range(273, 285),
        296,
        297,
        *range(317, 326),
        330,
        *range(338, 342),
        *range(512, 533),
        700,
        34675,
    ]
)
STRIP_ROWS = 64


def deep_tiff_levels(content: bytes, tags: Mapping[int, object]) -> np.ndarray | None:
    """Return the levels of a TIFF file of 16 bits, uint16 `(height, width, channels)`.

    `None` says that it is of another kind. Pillow decodes the bytes as those of a wider grey picture of 8 bits.

    Args:
        tags: Its tags, as Pillow has read them.
    """
    width, height, channels = (numbers(tags, tag, 1)[0] for tag in (WIDTH, HEIGHT, SAMPLES))
    predictor = numbers(tags, PREDICTOR, 1)[0]
    if not is_deep(tags) or content[2:4] not in (b"*\0", b"\0*"):
        return None
    own = {tag: numbers(tags, tag) for tag in (COMPRESSION, ROWS, STRIPS, STRIP_SIZES, TILE_HEIGHT, TILES, TILE_SIZES)}
    own |= {WIDTH: (width * channels * 2,), HEIGHT: (height,), BITS: (8,), PHOTOMETRIC: (1,), SAMPLES: (1,)}
    tile = numbers(tags, TILE_WIDTH)
    own[TILE_WIDTH] = tuple(side * channels * 2 for side in tile)
    order = "<" if content[:2] == b"II" else ">"
    with Image.open(BytesIO(retagged(content, own, order)), formats=["TIFF"]) as image:
        data = np.asarray(image)
    levels = data.view(f"{order}u2").astype("uint16").reshape(height, width, channels)
    levels = summed(levels, tile[0] if tile else width) if predictor == 2 else levels
    return straight(levels, numbers(tags, EXTRA, 0)[0])


def is_deep(tags: Mapping[int, object]) -> bool:
    """Return whether tags are those of red, green and blue of 16 bits, side by side."""
    kinds = (BITS, {16}), (FORMAT, {1}), (PHOTOMETRIC, {2}), (PLANES, {1})
    known = all({*numbers(tags, tag, 1)} == values for tag, values in kinds)
    return known and numbers(tags, SAMPLES, 1)[0] in (3, 4) and numbers(tags, PREDICTOR, 1)[0] in (1, 2)


def straight(levels: np.ndarray, extra: int) -> np.ndarray:
    """Return levels whose fourth channel, if any, is alpha: `extra` is 2 if it is, and 1 if colours are times alpha."""
    if levels.shape[2] == 3 or extra == 2:
        return levels
    if extra != 1:
        return levels[:, :, :3]
    alpha = levels[:, :, 3:]
    colours = np.minimum(np.rint(levels[:, :, :3] * (65535 / np.maximum(alpha, 1))), 65535)
    return np.concatenate([colours.astype("uint16"), alpha], 2)


def numbers(tags: Mapping[int, object], tag: int, *default: int) -> tuple[int, ...]:
    """Return the whole numbers of a tag."""
    value = tags.get(tag, default)
    return tuple(int(one) for one in (value if isinstance(value, tuple) else (value,)))


def retagged(content: bytes, tags: Mapping[int, tuple[int, ...]], order: str) -> bytes:
    """Return the content of a TIFF file with other tags, whose values are whole numbers."""
    used = sorted((tag, values) for tag, values in tags.items() if values)
    padded = content + b"\0" * (len(content) % 2)
    place = len(padded) + 2 + 12 * len(used) + 4  # of values that do not fit into their entry
    entries, behind = [], b""
    for tag, values in used:
        packed = struct.pack(f"{order}{len(values)}L", *values)
        entries.append(
            struct.pack(f"{order}HHL", tag, 4, len(values))
            + (packed if len(values) == 1 else struct.pack(f"{order}L", place + len(behind)))
        )
        behind += packed if len(values) > 1 else b""
    directory = struct.pack(f"{order}H", len(used)) + b"".join(entries) + b"\0\0\0\0" + behind
    return padded[:4] + struct.pack(f"{order}L", len(padded)) + padded[8:] + directory


def summed(levels: np.ndarray, side: int) -> np.ndarray:
    """Return levels from their differences along the rows of tiles with this width."""
    parts = [np.cumsum(levels[:, left : left + side], 1, "uint16") for left in range(0, levels.shape[1], side)]
    return np.concatenate(parts, 1)


def tiff_content(levels: np.ndarray, covered: bool, metadata: Mapping[str, object]) -> bytes:
    """Return a picture as the content of a TIFF file, compressed without loss.

    Args:
        levels: uint8 or uint16 `(height, width, channels)`.
        covered: If true, the last channel is alpha.
        metadata: Entries `exif`, `icc_profile`, `xmp` and `dpi`, as Pillow has them.
    """
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    height, width, channels = levels.shape
    strips = [strip(levels[top : top + STRIP_ROWS]) for top in range(0, height, STRIP_ROWS)]
    tags = ImageFileDirectory_v2(prefix=b"II")
    for tag, value in (exif_tags(metadata.get("exif")) | own_tags(metadata)).items():
        tags[tag] = value
    tags[WIDTH], tags[HEIGHT], tags[BITS] = width, height, (8 * levels.itemsize,) * channels
    tags[COMPRESSION], tags[PREDICTOR], tags[PLANES], tags[SAMPLES] = 8, 2, 1, channels
    tags[PHOTOMETRIC], tags[ROWS] = 2 if channels > 2 else 1, STRIP_ROWS
    if covered:
        tags[EXTRA] = 2
    sizes = [len(one) for one in strips]
    tags[STRIP_SIZES], tags[STRIPS] = tuple(sizes), tuple(int(one) for one in np.cumsum([0, *sizes[:-1]]))
    tags.tagtype[STRIPS] = tags.tagtype[STRIP_SIZES] = 4  # long
    return b"II*\0\x08\0\0\0" + tags.tobytes(8) + b"".join(strips)


def strip(levels: np.ndarray) -> bytes:
    """Return rows as differences between neighbours, compressed."""
    lacking = levels.astype(levels.dtype.newbyteorder("<"))
    lacking[:, 1:] -= levels[:, :-1]
    return zlib.compress(lacking.tobytes(), 6)


def own_tags(metadata: Mapping[str, object]) -> dict[int, object]:
    """Return the tags of colour profile, XMP and resolution."""
    found = {PROFILE: metadata.get("icc_profile"), XMP: metadata.get("xmp")}
    tags = {tag: text.encode() if isinstance(text, str) else text for tag, text in found.items() if text}
    dpi = metadata.get("dpi")
    return tags | ({X_DPI: float(dpi[0]), Y_DPI: float(dpi[1]), DPI_UNIT: 2} if isinstance(dpi, tuple) else {})


def exif_tags(content: object) -> dict[int, object]:
    """Return the tags of EXIF data that a TIFF file may have, with those of the camera and of the place."""
    exif = Image.Exif()
    exif.load(content if isinstance(content, bytes) else b"")
    tags = {tag: value for tag, value in exif.items() if tag not in LAYOUT}
    for tag in (CAMERA, PLACE):
        tags.pop(tag, None)
        if inner := {key: value for key, value in exif.get_ifd(tag).items() if key != OTHER}:
            tags[tag] = inner
    return tags

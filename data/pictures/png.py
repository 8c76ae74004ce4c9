"""Chunks of PNG files, their levels of 16 bits, which Pillow reads as 8, and pixels as such a file."""

import os
import struct
import zlib
from base64 import b64encode
from collections.abc import Container, Iterable, Iterator, Mapping
from io import BytesIO
from typing import IO

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEPT = (b"cHRM", b"gAMA", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"tEXt", b"zTXt", b"iTXt")  # in this order
ELSEWHERE = (b"XML:com.adobe.xmp", b"Raw profile type exif", b"Raw profile type APP1", b"Raw profile type xmp")
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # colour type -> channels; palettes have no 16 bits
PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))  # Adam7
BAND = 512  # rows whose filters are undone at a time
PAETH = 4
Chunk = tuple[bytes, bytes]  # kind and content


def png_chunks(file: IO[bytes], kinds: Container[bytes] | None = None) -> Iterator[Chunk]:
    """Yield the chunks of a PNG file, or those of some kinds, up to its end; a damaged file ends early."""
    start = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(start)
    if file.read(8) != SIGNATURE:
        return
    while len(head := file.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        if kinds is None or kind in kinds:
            yield kind, file.read(min(size, end - file.tell()))
            size = 0
        file.seek(size + 4, os.SEEK_CUR)


def kept_chunks(file: IO[bytes]) -> tuple[Chunk, ...]:
    """Return the chunks about colours, and the texts, of a PNG file; EXIF data and XMP are kept elsewhere.

    The file stays where it is.
    """
    place = file.tell()
    file.seek(0)
    found = [(kind, data) for kind, data in png_chunks(file, KEPT) if data.partition(b"\0")[0] not in ELSEWHERE]
    file.seek(place)
    return tuple(found)


def chunk_bytes(kind: bytes, content: bytes) -> bytes:
    """Return a chunk as bytes."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def with_chunks(content: bytes, chunks: Iterable[Chunk]) -> bytes:
    """Return the content of a PNG file with more chunks behind its header."""
    head = len(SIGNATURE) + 25
    return content[:head] + b"".join(chunk_bytes(*chunk) for chunk in chunks) + content[head:]


def chunks_of(metadata: Mapping[str, object]) -> tuple[Chunk, ...]:
    """Return the chunks of a PNG file among metadata."""
    chunks = metadata.get("chunks", ())
    return chunks if isinstance(chunks, tuple) else ()


def metadata_chunks(metadata: Mapping[str, object]) -> list[Chunk]:
    """Return metadata as chunks of a PNG file."""
    chunks, chosen = list(chunks_of(metadata)), list[Chunk]()
    if isinstance(profile := metadata.get("icc_profile"), bytes) and profile:
        chosen.append((b"iCCP", b"ICC Profile\0\0" + zlib.compress(profile)))
        chunks = [chunk for chunk in chunks if chunk[0] != b"sRGB"]
    if isinstance(dpi := metadata.get("dpi"), tuple):
        metres = b"".join(round(float(side) / 0.0254).to_bytes(4, "big") for side in dpi)
        chosen.append((b"pHYs", metres + b"\1"))
    if isinstance(exif := metadata.get("exif"), bytes):
        chosen.append((b"eXIf", exif.removeprefix(b"Exif\0\0")))
    for key, keyword in (("xmp", b"XML:com.adobe.xmp"), ("comment", b"Comment")):
        if isinstance(text := metadata.get(key), str | bytes):
            words = text if isinstance(text, str) else text.decode("utf-8" if key == "xmp" else "latin-1", "replace")
            chosen.append((b"iTXt", keyword + b"\0\0\0\0\0" + words.encode()))
    return [*chosen, *chunks]


def deep_png_levels(file: IO[bytes]) -> np.ndarray | None:
    """Return the levels of a PNG file of 16 bits, uint16 `(height, width, channels)`; `None` if it has fewer bits.

    A colour that the file names as transparent becomes alpha.

    Raises:
        ValueError: The file is damaged.
    """
    chunks = list(png_chunks(file))
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", dict(chunks)[b"IHDR"])
    if depth != 16:
        return None
    shape = height, width, 2 * CHANNELS[kind]
    data = inflated(b"".join(content for name, content in chunks if name == b"IDAT"), shape, PASSES[: 7 * interlaced])
    levels = np.empty(shape, "uint8")
    for (top, left, down, right), part in data:
        levels[top::down, left::right] = unfiltered(*part)
    deep = levels.view(">u2").astype("uint16")
    key = dict(chunks).get(b"tRNS")
    if key is None:
        return deep
    hidden = (deep == np.frombuffer(key, ">u2")).all(2)
    return np.dstack([deep, np.where(hidden, 0, 65535).astype("uint16")])


Part = tuple[np.ndarray, np.ndarray]  # filters (rows,) and bytes (rows, width, bytes of a pixel)
Pass = tuple[int, int, int, int]  # first row, first column, and the steps of both


def inflated(content: bytes, shape: tuple[int, int, int], passes: tuple[Pass, ...]) -> Iterator[tuple[Pass, Part]]:
    """Yield the filtered rows of each pass of a picture; without passes, of the whole picture."""
    height, width, size = shape
    used = passes or ((0, 0, 1, 1),)
    sizes = [(len(range(top, height, down)), len(range(left, width, right))) for top, left, down, right in used]
    total = sum(rows * (1 + columns * size) for rows, columns in sizes if columns)
    try:
        data = np.frombuffer(zlib.decompressobj().decompress(content, total), "uint8")
    except zlib.error as error:
        raise ValueError(f"damaged data ({error})") from error
    if len(data) < total:
        raise ValueError("image file is truncated")
    for one, (rows, columns) in zip(used, sizes, strict=True):
        if rows and columns:
            lines, data = np.split(data, [rows * (1 + columns * size)])
            lines = lines.reshape(rows, -1)
            yield one, (lines[:, 0], lines[:, 1:].reshape(rows, columns, size))


def unfiltered(filters: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Return the bytes `(rows, width, bytes of a pixel)` of filtered rows.

    Reference: PNG specification, https://www.w3.org/TR/png-3/#9Filters.
    """
    if filters.max(initial=0) > PAETH:
        raise ValueError(f"unknown filter {filters.max()}")
    found, above = np.empty_like(data), np.zeros_like(data[0])
    for top in range(0, len(data), BAND):
        rows = slice(top, top + BAND)
        found[rows] = unfiltered_band(filters[rows], data[rows], above)
        above = found[rows][-1]
    return found


def unfiltered_band(filters: np.ndarray, data: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Return the bytes of some filtered rows below another row, one diagonal of pixels after the other.

    The neighbours that a filter reads, to the left, above and between, all lie on diagonals before.
    """
    count, width, size = data.shape
    wide = width + 1
    padded = np.zeros((count + 1, wide, size), "uint8")  # with a row above and a column to the left
    padded[0, 1:] = above
    flat, given = padded.reshape(-1, size), data.reshape(-1, size)
    for step in range(width + count - 1):
        first, last = max(0, step - width + 1), min(count - 1, step)
        start, end = step + first * width, step + last * width + 1  # the step along a diagonal is `width`

        def neighbour(shift: int, start: int = start, end: int = end) -> np.ndarray:
            return flat[start + shift : end + shift : width].astype("int16")

        own = given[step + first * (width - 1) : step + last * (width - 1) + 1 : width - 1 or 1]
        kinds = filters[first : last + 1, None]
        flat[start + wide + 1 : end + wide + 1 : width] = own + predicted(
            kinds, neighbour(wide), neighbour(1), neighbour(0)
        )
    return padded[1:, 1:]


def predicted(kinds: np.ndarray, left: np.ndarray, up: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """Return what filters predict from the neighbours of pixels, uint8."""
    return np.choose(kinds, [0, left, up, (left + up) >> 1, paeth(left, up, corner)]).astype("uint8")


def paeth(left: np.ndarray, up: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """Return the neighbour that is nearest to `left + up - corner`."""
    to_left, to_up = np.abs(up - corner), np.abs(left - corner)
    to_corner = np.abs(left + up - 2 * corner)
    return np.where((to_left <= to_up) & (to_left <= to_corner), left, np.where(to_up <= to_corner, up, corner))


def deep_png(levels: np.ndarray) -> bytes:
    """Return levels, uint16 `(height, width, channels)` with 1 to 4 channels, as the content of a PNG file."""
    height, width, channels = levels.shape
    kind = {1: 0, 3: 2, 2: 4, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    press, packed, above = zlib.compressobj(6), list[bytes](), np.zeros((width, 2 * channels), "uint8")
    for top in range(0, height, BAND):
        rows = levels[top : top + BAND].astype(">u2").view("uint8").reshape(-1, width, 2 * channels)
        packed.append(press.compress(filtered_band(rows, above).tobytes()))
        above = rows[-1]
    content = b"".join([*packed, press.flush()])
    return SIGNATURE + b"".join(
        chunk_bytes(*chunk) for chunk in ((b"IHDR", header), (b"IDAT", content), (b"IEND", b""))
    )


def filtered_band(rows: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Return rows of bytes below another row with the Paeth filter, each behind its number."""
    count, width, size = rows.shape
    padded = np.zeros((count + 1, width + 1, size), "int16")
    padded[0, 1:], padded[1:, 1:] = above, rows
    lacking = (rows - paeth(padded[1:, :-1], padded[:-1, 1:], padded[:-1, :-1])).astype("uint8")
    return np.hstack([np.full((count, 1), PAETH, "uint8"), lacking.reshape(count, -1)])


def png_text(pixels: np.ndarray) -> str:
    """Return pixels, uint8 `(height, width)` or with 1, 3 or 4 channels, as a PNG file in base64."""
    from PIL import Image

    file = BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2:] == (1,) else pixels).save(file, "PNG", compress_level=1)
    return b64encode(file.getvalue()).decode()

"""Opening pictures: which formats, how many pixels, and how many bits a level. NumPy and Pillow only."""

import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from os.path import splitext
from threading import Lock
from typing import IO

import numpy as np
from PIL import Image, UnidentifiedImageError

from data.packages import advice
from data.pictures.files import HAS_HEIF, LIST, File
from data.pictures.png import deep_png_levels
from data.pictures.reduction import REDUCED
from data.pictures.tiff import BITS, PHOTOMETRIC, deep_tiff_levels
from data.plain_files import check_plain
from data.splits import DataError

COMMON = ("PNG", "JPEG", "GIF", "BMP", "DIB", "PPM")  # formats that Pillow knows at once
RARE = ("WEBP", "TIFF", "AVIF", "JPEG2000", "ICO", "HEIF")  # and those that it loads on demand
HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
MEGAPIXELS = 50.0  # the most that is decoded, unless another limit is given
UNREADABLE = (  # what reading a damaged picture raises
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, EOFError),
    *(RuntimeError, MemoryError, AssertionError, struct.error, zlib.error, Image.DecompressionBombError),
)
DRAFT = 8  # the most by which a JPEG is decoded at a smaller scale
DNG = 50706  # tag of TIFF that the raw files of cameras have
RAW_SUFFIXES = (
    *(".3fr", ".arw", ".cr2", ".dng", ".erf", ".iiq", ".nef", ".nrw"),
    *(".orf", ".pef", ".rw2", ".sr2", ".srw"),
)
ADDRESS = re.compile("[a-z]+:/+", re.IGNORECASE)
LOCK = Lock()  # of Pillow's limit, which is one for all threads
HEAD = 65536  # bytes in which a file says how many bits it has


class SizeError(DataError):
    """A picture is larger than what is decoded.

    Attributes:
        fact: How large it is, without the way out, which not every reader has.
    """

    def __init__(self, fact: str, advice: str) -> None:
        super().__init__(f"{fact}; {advice}")
        self.fact = fact


@contextmanager
def open_picture(file: File, megapixels: float = MEGAPIXELS, least: int | None = None) -> Iterator[Image.Image]:
    """Open the picture in a file with Pillow, for a `with` statement.

    Only the formats of `data.pictures.files` are decoded, whatever the file is called.

    Args:
        megapixels, least: As for `data.pictures.photo.read_photo`.

    Raises:
        FileNotFoundError: There is no such file.
        DataError: The file is not a picture, is damaged, or is too large; also if that shows only on reading.
    """
    name = str(file)
    try:
        with warnings.catch_warnings(), quiet_image(file) as image:
            if least and is_draft(image):
                check_size(image, name, megapixels * DRAFT)
                image.draft(None, (least, least))
            check_size(image, name, megapixels)
            check_raw(image, name)
            yield image
    except FileNotFoundError as error:
        hint = "; an address is not read, so download the picture first" if ADDRESS.match(name) else ""
        raise FileNotFoundError(f"There is no file {name!r}{hint}.") from error
    except IsADirectoryError as error:
        raise IsADirectoryError(f"{name!r} is a folder; name the pictures in it.") from error
    except UnidentifiedImageError as error:
        raise DataError(f"{subject(name)} is not a picture that can be read; {way_out(file)}.") from error
    except DataError:
        raise
    except UNREADABLE as error:
        said = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        raise DataError(f"{subject(name)} cannot be read as a picture: {said}.") from error


def subject(name: str) -> str:
    """Return how a message names a picture; content in memory has no name."""
    return repr(name) if name else "The picture"


def is_draft(image: Image.Image) -> bool:
    """Return whether a picture may be decoded at a smaller scale; a progressive JPEG would not save memory."""
    large = image.width * image.height > REDUCED
    return image.format == "JPEG" and large and not image.info.get("progressive")


def check_raw(image: Image.Image, name: str) -> None:
    """Raise `DataError` if a TIFF file is the raw file of a camera, of which only a small preview could be read."""
    tags = getattr(image, "tag_v2", {})
    if image.format == "TIFF" and (DNG in tags or splitext(name)[1].lower() in RAW_SUFFIXES):
        raise DataError(f"{subject(name)} is a raw file of a camera; develop it first, into a JPEG, PNG or TIFF file.")


@contextmanager
def quiet_image(file: File) -> Iterator[Image.Image]:
    """Open the image in a file without warnings of Pillow: of its size, for which the limit is our own, and of EXIF."""
    check_plain(file)
    warnings.filterwarnings("ignore", module=r"PIL\.")
    with file.open("rb") as content, opened_image(content) as image:
        yield image


def opened_image(content: IO[bytes]) -> Image.Image:
    """Return the image in an open file, not yet decoded."""
    try:
        return unlimited_image(content, COMMON)
    except UnidentifiedImageError:
        if HAS_HEIF:
            import pillow_heif

            pillow_heif.register_heif_opener()
        Image.init()
        return unlimited_image(content, tuple(name for name in RARE if name in Image.OPEN))


def unlimited_image(content: IO[bytes], formats: tuple[str, ...]) -> Image.Image:
    """Return the image in an open file of one of some formats, without Pillow's own limit of its size."""
    with LOCK:
        kept, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(content, formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = kept


def way_out(file: File) -> str:
    """Return what to do about a file that is not read."""
    with file.open("rb") as content:
        head = content.read(12)
    if head[4:8] == b"ftyp" and head[8:] in HEIF_BRANDS and not HAS_HEIF:
        return f"it is HEIC, which {advice('pillow-heif')}"
    return f"give one of: {LIST}"


def check_size(image: Image.Image, name: str, megapixels: float) -> None:
    """Raise `SizeError` if an image would have more megapixels than a limit; pixels of 16 bits count twice."""
    bits = 16 if image.mode.startswith(("I", "F")) else stored_bits(image)
    width, height = decoded_size(image)
    size = width * height * (2 if bits > 8 else 1) / 1e6
    if size > megapixels:
        deep = " of 16 bits, which count twice" if bits > 8 else ""
        raise SizeError(
            f"{subject(name)} has {width:,}x{height:,} pixels{deep}",
            f"`megapixels` allows {megapixels:g} million. Give at least --megapixels {np.ceil(size):.0f}.",
        )


def decoded_size(image: Image.Image) -> tuple[int, int]:
    """Return the width and the height that decoding an image gives; an icon holds pictures that may be larger."""
    inner = getattr(image, "ico", None) if image.format == "ICO" else None
    return inner.frame(inner.getentryindex(image.size)).size if inner else image.size


def wide_levels(image: Image.Image, file: File) -> np.ndarray | None:
    """Return levels of 16 bits that Pillow would read as 8, uint16 `(height, width, channels)`, or `None`.

    Args:
        image: The image, not yet decoded.
        file: The file that it is in.
    """
    if not lost_bits(image) or image.format not in ("PNG", "TIFF"):
        return None
    with file.open("rb") as stream:
        content = stream.read()
    if image.format == "PNG":
        return deep_png_levels(BytesIO(content))
    return deep_tiff_levels(content, image.tag_v2)  # type: ignore[attr-defined]


def lost_bits(image: Image.Image) -> int:
    """Return the bits of a level in an image that is not yet decoded, if Pillow would read 8 of them; otherwise 0."""
    bits = 0 if image.mode.startswith(("I", "F")) else stored_bits(image)
    return bits if bits > 8 else 0


def stored_bits(image: Image.Image) -> int:
    """Return the bits of a level in the file of an image that is not yet decoded, as far as they are known."""
    tile = getattr(image, "tile", None)
    detail = tile[0].args if tile else ""
    if image.format == "PNG":
        return 16 if str(detail).endswith(";16B") else 8
    if image.format == "TIFF":
        return max(image.tag_v2.get(BITS, (1,)))  # type: ignore[attr-defined]
    if image.format == "PPM":
        return int(detail[-1]).bit_length() if isinstance(detail, tuple) else 8
    return head_bits(image) if image.format in ("AVIF", "JPEG2000", "HEIF") else 8


def head_bits(image: Image.Image) -> int:
    """Return the bits of a level that the head of an AVIF, HEIF or JPEG 2000 file tells."""
    if "bit_depth" in image.info:
        return int(image.info["bit_depth"])
    file = image.fp  # type: ignore[attr-defined]
    if file is None:
        return 8
    place = file.tell()
    file.seek(0)
    head = file.read(HEAD)
    file.seek(place)
    if image.format == "JPEG2000":
        size = head.find(b"\xff\x4f\xff\x51")  # start of the code, and its size marker
        return (head[size + 42] & 127) + 1 if 0 <= size < len(head) - 42 else 8
    found = head.find(b"av1C")
    return (12 if head[found + 6] & 32 else 10) if 0 <= found < len(head) - 6 and head[found + 6] & 64 else 8


def is_wide(image: Image.Image) -> bool:
    """Return whether a decoded image has levels that 16 bits do not hold."""
    return image.mode == "F" or (image.mode == "I" and max(image.getextrema()) > 65535)  # type: ignore[operator]


def grey_scale(image: Image.Image) -> tuple[float, float]:
    """Return the level of black and that of white in an image of more than 8 bits.

    Floats span 0 to 1, and whole numbers 0 to 65,535. In a TIFF file they may have 12 bits, or span white to black.
    """
    tags = getattr(image, "tag_v2", {})
    white = 1.0 if image.mode == "F" else 4095.0 if tags.get(BITS) == (12,) else 65535.0
    return (white, 0.0) if tags.get(PHOTOMETRIC) == 0 else (0.0, white)


def deep_levels(image: Image.Image, black: float, white: float) -> np.ndarray:
    """Return an image of more than 8 bits as uint16 `(height, width)`; levels above its range are scaled down to it."""
    levels, most = np.nan_to_num(np.asarray(image, "float64"), posinf=0), max(black, white)
    levels = np.rint(levels * (65535 / max(most, float(levels.max(initial=0))))).clip(0, 65535)
    return (levels if white else 65535 - levels).astype("uint16")

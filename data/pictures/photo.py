"""Photos as files: reading them with all that a file knows, and writing them again.

NumPy and Pillow only.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from data.pictures.files import FORMATS, SUFFIXES, File
from data.splits import DataError

LOG = logging.getLogger("tasks")
TEXT_TAGS = (
    270,
    271,
    272,
    305,
    306,
    315,
    33432,
)  # TIFF's tags for description, camera, software, date, artist, copyright
METADATA = ("exif", "icc_profile", "dpi", "xmp", "comment")  # what Pillow hands from one file to the next
QUALITY: dict[str, dict[str, Any]] = {
    "PNG": {"compress_level": 3},  # twice as fast as the usual 6, and hardly larger
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95},
    "TIFF": {"compression": "tiff_lzw"},
}


class OutputError(OSError):
    """A file that cannot be written."""

    exit_code = 73


@dataclass(frozen=True)
class Photo:
    """A picture and what its file says about it.

    Attributes:
        pixels: `(height, width, channels)` with one channel for grey or three for red, green and blue; uint8, or
            uint16 for grey levels of 16 bits.
        alpha: How much each pixel covers, uint8 `(height, width)`; `None` covers all.
        format: Pillow's name of the file format, such as `"JPEG"`.
        metadata: EXIF, colour profile, resolution and the like, as Pillow writes them.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    format: str = "PNG"
    metadata: dict[str, Any] = field(default_factory=dict)


@contextmanager
def open_picture(file: File) -> Iterator[Image.Image]:
    """Give the picture in a file, as Pillow opens it.

    Raises:
        FileNotFoundError: There is no such file.
        DataError: The file is not a picture, or it is damaged or absurdly large; also where that shows only later.
    """
    name = str(file)
    try:
        with warnings.catch_warnings(), file.open("rb") as content:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # large, and not absurdly so
            with Image.open(content) as image:
                yield image
    except FileNotFoundError as error:
        raise FileNotFoundError(f"There is no file {name!r}.") from error
    except IsADirectoryError as error:
        raise IsADirectoryError(f"{name!r} is a folder; name the pictures in it.") from error
    except UnidentifiedImageError as error:
        raise DataError(f"{name!r} is not a picture that can be read; give one of: {' '.join(SUFFIXES)}.") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, BadZipFile) as error:
        raise DataError(f"{name!r} cannot be read as a picture: {str(error).rstrip('.')}.") from error


def read_photo(file: File) -> Photo:
    """Return the photo in a file.

    Any mode is read: grey, colour, palette, CMYK, 16 bits, transparency; it is turned as its EXIF orientation says. Of
    an animation it is the first frame, with a notice. JPEG is decoded by an accurate transform.

    Raises:
        FileNotFoundError, DataError: As `opened`.
    """
    with open_picture(file) as image:
        return photo_from_image(image, str(file))


def photo_of(picture: File | str | np.ndarray) -> Photo:
    """Return a picture, a file or a uint8 array as for `check_array`, as a photo; a fourth channel is transparency.

    Raises:
        FileNotFoundError, DataError: As `opened` and `check_array`.
    """
    if not isinstance(picture, np.ndarray):
        return read_photo(Path(picture) if isinstance(picture, str) else picture)
    check_array(picture)
    pixels = np.atleast_3d(picture)
    return Photo(pixels[:, :, :3], pixels[:, :, 3]) if pixels.shape[2] == 4 else Photo(pixels)


def square_pixels(picture: File | str | np.ndarray, side: int) -> np.ndarray:
    """Return a picture, a file or a uint8 array as for `check_array`, pressed into a square: uint8 `(side, side, 3)`.

    What is transparent is white.

    Raises:
        FileNotFoundError, DataError: As `opened` and `check_array`.
    """
    photo = photo_of(picture)
    pixels, alpha = photo.pixels, photo.alpha
    if pixels.dtype == np.uint16:
        pixels = (pixels / 257).round().astype("uint8")
    image = Image.fromarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)).copy())
    if alpha is not None:
        image.putalpha(Image.fromarray(alpha))
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    if image.size != (side, side):
        image = image.resize((side, side), Image.Resampling.BICUBIC, reducing_gap=3.0)
    return np.asarray(image)


def jpeg_bytes(pixels: np.ndarray) -> bytes:
    """Return pixels, uint8 `(height, width, 3)`, as the content of a JPEG file."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=92)
    return buffer.getvalue()


def check_array(picture: np.ndarray) -> None:
    """Raise `DataError` unless an array is a picture: uint8 `(height, width)`, or with 1, 3 or 4 channels as well."""
    channels = picture.shape[2] if picture.ndim == 3 else 1
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or channels not in (1, 3, 4) or not picture.size:
        raise DataError(
            f"A picture must be uint8 (height, width) or (height, width, channels); "
            f"received {picture.dtype} {picture.shape}."
        )


def photo_from_image(image: Image.Image, name: str) -> Photo:
    """Return a Pillow image as a photo."""
    frames, kind = getattr(image, "n_frames", 1), image.format or "PNG"
    if frames > 1 and kind != "MPO":  # a JPEG with a preview is not an animation
        LOG.warning("%r has %d frames; the first is read.", name, frames)
    image.load()
    own_colours = image.mode not in ("CMYK", "YCCK", "LAB")
    tags = image.getexif()
    image = ImageOps.exif_transpose(image)
    metadata = {key: image.info[key] for key in METADATA if image.info.get(key)}
    if kind == "TIFF":  # its EXIF data stand among tags that are about the file
        exif = Image.Exif()
        exif.update({tag: value for tag, value in tags.items() if tag in TEXT_TAGS})
        metadata["exif"] = exif.tobytes()
    if not own_colours:
        metadata.pop("icc_profile", None)  # it is about colours that are red, green and blue from now on
    about = Photo(np.zeros((0, 0, 1)), format="JPEG" if kind == "MPO" else kind, metadata=metadata)
    if image.mode.startswith(("I", "F")):
        return replace(about, pixels=deep_levels(image)[:, :, None])
    alpha = None
    if image.has_transparency_data:
        image = image.convert("LA" if image.mode in ("LA", "La", "L", "1") else "RGBA")
        alpha = np.asarray(image.getchannel("A"))
    grey = image.mode in ("1", "L", "LA", "La")
    pixels = np.asarray(image.convert("L" if grey else "RGB"))
    return replace(about, pixels=pixels[:, :, None] if grey else pixels, alpha=alpha)


def deep_levels(image: Image.Image) -> np.ndarray:
    """Return an image of more than 8 bits as uint16 `(height, width)`; floats are taken to reach from 0 to 1."""
    levels = np.asarray(image, "float64")
    if image.mode == "F":
        levels = np.nan_to_num(levels) / max(1.0, float(np.nanmax(levels, initial=0))) * 65535
    return np.rint(levels).clip(0, 65535).astype("uint16")


def write_photo(photo: Photo, path: Path, format: str | None = None) -> None:
    """Write a photo to a new path, in its format or in another one by Pillow's name.

    What a format cannot hold is left out, with a notice where it can be seen: transparency becomes white in JPEG and
    BMP, grey levels of 16 bits become 8 in all but PNG and TIFF.

    Raises:
        FileExistsError: There is something at the path.
        OutputError: It cannot be written.
    """
    form = (format or photo.format).upper()
    pixels = photo.pixels[:, :, 0] if photo.pixels.shape[2] == 1 else photo.pixels
    if pixels.dtype == np.uint16 and form not in ("PNG", "TIFF"):
        LOG.warning("%s holds 8 bits a level; %r loses the other 8.", form, str(path))
        pixels = (pixels / 257).round().astype("uint8")
    image = Image.fromarray(pixels)
    if photo.alpha is not None:
        image.putalpha(Image.fromarray(photo.alpha))
        if form in ("JPEG", "BMP"):
            LOG.warning("%s holds no transparency; it becomes white in %r.", form, str(path))
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")
    part = path.with_name(f".part-{path.name}")
    if path.exists():
        raise FileExistsError(f"{str(path)!r} exists; name another file or folder with --out.")
    try:
        with part.open("xb") as file:
            image.save(file, format=form, **{**photo.metadata, **QUALITY.get(form, {})})
        part.rename(path)
    except OSError as error:
        raise OutputError(f"{str(path)!r} cannot be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)


def make_parent_folder(path: Path) -> None:
    """Make the folder of a file that is to be written, so that it is known before the work whether it can be.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{str(path)!r} cannot be written: {error.strerror}.") from error


def format_of(path: Path) -> str | None:
    """Return Pillow's name of the format that the ending of a path stands for, if any."""
    return FORMATS.get(path.suffix.lower())

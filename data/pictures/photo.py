"""Photos as files: reading and writing them with their metadata. NumPy and Pillow only."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from data.pictures.files import FORMATS, SUFFIXES, File
from data.splits import DataError

LOG = logging.getLogger("tasks")
Picture = File | str | np.ndarray
TEXT_TAGS = (
    270,
    271,
    272,
    305,
    306,
    315,
    33432,
)  # TIFF's tags for description, camera, software, date, artist, copyright
METADATA = ("exif", "icc_profile", "dpi", "xmp", "comment")  # entries of Pillow's `info` that are kept
QUALITY: dict[str, dict[str, int | str]] = {
    "PNG": {"compress_level": 3},  # twice as fast as the default of 6, with files of nearly the same size
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95},
    "TIFF": {"compression": "tiff_lzw"},
}


class OutputError(OSError):
    """A file that cannot be written."""

    exit_code = 73


@dataclass(frozen=True)
class Photo:
    """A picture with the metadata of its file.

    Attributes:
        pixels: `(height, width, channels)` with one channel (grey) or three (red, green, blue). The type is
            uint8, or uint16 for grey levels of 16 bits.
        alpha: Opacity of each pixel, uint8 `(height, width)`; `None` is opaque.
        format: Pillow's name of the file format, such as `"JPEG"`.
        metadata: EXIF, colour profile, resolution and comments, as Pillow writes them.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    format: str = "PNG"
    metadata: dict[str, object] = field(default_factory=dict)


@contextmanager
def open_picture(file: File) -> Iterator[Image.Image]:
    """Open the picture in a file with Pillow, for a `with` statement.

    Raises:
        FileNotFoundError: There is no such file.
        DataError: The file is not a picture, is damaged, or is absurdly large; also if that shows only on reading.
    """
    name = str(file)
    try:
        with warnings.catch_warnings(), file.open("rb") as content:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # large, but not absurdly so
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

    * Any mode is read: grey, colour, palette, CMYK, 16 bits, transparency.
    * The EXIF orientation is applied.
    * An animation gives its first frame, with a notice.
    * JPEG is decoded by the accurate transform.

    Raises:
        FileNotFoundError, DataError: As for `open_picture`.
    """
    with open_picture(file) as image:
        return photo_from_image(image, str(file))


def photo_of(picture: Picture) -> Photo:
    """Return a picture, a file or an array as for `check_array`, as a photo; a fourth channel is its alpha.

    Raises:
        FileNotFoundError, DataError: As for `open_picture` and `check_array`.
    """
    if not isinstance(picture, np.ndarray):
        return read_photo(Path(picture) if isinstance(picture, str) else picture)
    check_array(picture)
    pixels = np.atleast_3d(picture)
    return Photo(pixels[:, :, :3], pixels[:, :, 3]) if pixels.shape[2] == 4 else Photo(pixels)


def square_pixels(picture: Picture, side: int) -> np.ndarray:
    """Return a picture, a file or an array as for `check_array`, resized to a square: uint8 `(side, side, 3)`.

    Transparent pixels become white.

    Raises:
        FileNotFoundError, DataError: As for `open_picture` and `check_array`.
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
    tags = image.getexif()
    image = ImageOps.exif_transpose(image)
    metadata = image_metadata(image, kind, tags)
    photo = Photo(np.zeros((0, 0, 1)), format="JPEG" if kind == "MPO" else kind, metadata=metadata)
    if image.mode.startswith(("I", "F")):
        return replace(photo, pixels=deep_levels(image)[:, :, None])
    alpha = None
    if image.has_transparency_data:
        image = image.convert("LA" if image.mode in ("LA", "La", "L", "1") else "RGBA")
        alpha = np.asarray(image.getchannel("A"))
    is_grey = image.mode in ("1", "L", "LA", "La")
    pixels = np.asarray(image.convert("L" if is_grey else "RGB"))
    return replace(photo, pixels=pixels[:, :, None] if is_grey else pixels, alpha=alpha)


def image_metadata(image: Image.Image, kind: str, tags: Image.Exif) -> dict[str, object]:
    """Return the metadata to keep of an upright Pillow image, from its file format and the tags of its file."""
    metadata = {key: image.info[key] for key in METADATA if image.info.get(key)}
    if kind == "TIFF":  # its EXIF data are mixed with tags about the file
        exif = Image.Exif()
        exif.update({tag: value for tag, value in tags.items() if tag in TEXT_TAGS})
        metadata["exif"] = exif.tobytes()
    if image.mode in ("CMYK", "YCCK", "LAB"):
        metadata.pop("icc_profile", None)  # the colours are red, green and blue from now on
    return metadata


def deep_levels(image: Image.Image) -> np.ndarray:
    """Return an image of more than 8 bits as uint16 `(height, width)`.

    Floats span 0 to 1, and whole numbers 0 to 65,535; larger values are scaled down to that.
    """
    levels = np.nan_to_num(np.asarray(image, "float64"), posinf=0)
    white = 1.0 if image.mode == "F" else 65535.0
    return np.rint(levels * (65535 / max(white, float(levels.max(initial=0))))).clip(0, 65535).astype("uint16")


def write_photo(photo: Photo, path: Path, format: str | None = None) -> None:
    """Write a photo to a new file, in its own format or in another one by Pillow's name.

    A format may not hold everything; these changes come with a notice:

    * JPEG and BMP: transparency becomes white.
    * All but PNG and TIFF: grey levels of 16 bits become 8 bits.

    Raises:
        FileExistsError: The path exists.
        OutputError: The file cannot be written.
    """
    form = (format or photo.format).upper()
    image = writable_image(photo, form, str(path))
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


def writable_image(photo: Photo, form: str, name: str) -> Image.Image:
    """Return a photo as a Pillow image that a file format can hold, with a notice of each loss."""
    pixels = photo.pixels[:, :, 0] if photo.pixels.shape[2] == 1 else photo.pixels
    if pixels.dtype == np.uint16 and form not in ("PNG", "TIFF"):
        LOG.warning("%s holds 8 bits a level; %r loses the other 8.", form, name)
        pixels = (pixels / 257).round().astype("uint8")
    image = Image.fromarray(pixels)
    if photo.alpha is None:
        return image
    image.putalpha(Image.fromarray(photo.alpha))
    if form not in ("JPEG", "BMP"):
        return image
    LOG.warning("%s holds no transparency; it becomes white in %r.", form, name)
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")


def make_parent_folder(path: Path) -> None:
    """Create the folder of an output file, so that an impossible path fails before the work.

    Raises:
        OutputError: The folder cannot be created.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{str(path)!r} cannot be written: {error.strerror}.") from error


def format_of(path: Path) -> str | None:
    """Return Pillow's name of the format that a path's suffix stands for, or `None`."""
    return FORMATS.get(path.suffix.lower())

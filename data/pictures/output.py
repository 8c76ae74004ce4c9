"""Photos into files: what each format can hold, known before the work, and writing. NumPy and Pillow only."""

import logging
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, features

from data.pictures.files import FORMATS, NAMES, OTHER_SUFFIXES, FormatError, OutputError
from data.pictures.photo import Photo, shallow_levels, shallow_photo
from data.pictures.png import chunks_of, deep_png, metadata_chunks, with_chunks
from data.pictures.tiff import tiff_content

LOG = logging.getLogger("tasks")
QUALITY: dict[str, dict[str, int | str]] = {
    "PNG": {"compress_level": 3},  # twice as fast as the default of 6, with files of nearly the same size
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95},
    "AVIF": {"quality": 90, "subsampling": "4:4:4"},
}
SIDES = {"WEBP": 16383, "JPEG": 65500, "AVIF": 65536, "ICO": 256, "GIF": 65535}  # largest side of a format
MOST_BYTES = 4_000_000_000  # of a TIFF file or of a BMP file
OPAQUE = ("JPEG", "BMP", "PPM")  # formats without transparency
DEEP = ("PNG", "TIFF")  # formats that are written with 16 bits
COLOURS = 256  # of a GIF file
READ_ONLY = {"HEIF": ".jpg"}  # formats that are not written -> the ending of the files that are written instead
HOLDS = {  # format -> the metadata that it holds
    "PNG": ("exif", "icc_profile", "dpi", "xmp", "comment", "chunks"),
    "JPEG": ("exif", "icc_profile", "dpi", "xmp", "comment"),
    "TIFF": ("exif", "icc_profile", "dpi", "xmp"),
    "WEBP": ("exif", "icc_profile", "xmp"),
    "AVIF": ("exif", "icc_profile", "xmp"),
    "BMP": ("dpi",),
    "GIF": ("comment",),
    "JPEG2000": ("comment",),
}
MARKER = 65_533 - 31  # bytes of EXIF data or XMP in a JPEG file
KINDS = {"exif": "EXIF data", "icc_profile": "colour profile", "dpi": "resolution", "xmp": "XMP", "comment": "comment"}


def format_of(path: Path) -> str | None:
    """Return Pillow's name of the format that a path's suffix stands for, or `None`."""
    return FORMATS.get(path.suffix.lower())


def check_name(path: Path) -> None:
    """Raise `OutputError` if a name ends as a picture does, and such pictures are not written."""
    suffix = path.suffix.lower()
    if suffix in OTHER_SUFFIXES and not path.is_dir():
        written = ", ".join(name for name in NAMES if name not in READ_ONLY)
        raise OutputError(f"{str(path)!r} cannot be written: {suffix} is not the ending of {written}.")


def written_path(path: Path) -> Path:
    """Return the path of a picture that is written, for that of one in perhaps another format, which is only read."""
    return path.with_suffix(READ_ONLY[form]) if (form := format_of(path)) in READ_ONLY else path


def written_format(photo: Photo, path: Path, chosen: bool) -> str:
    """Return the format of a photo that is written, which is that of the path; if it has none, the photo's own.

    If a file has another format than its name says, so that its answer has too, there is a notice.
    """
    own, named = photo.format if photo.format not in READ_ONLY else "JPEG", format_of(path)
    if named and named != own and not chosen:
        LOG.warning("%r is called as %s and holds %s; the answer is %s.", path.name, named, own, named)
    return named or own


def check_photo(photo: Photo, scale: int, form: str, path: Path) -> None:
    """Check before the work that a format can hold a photo that grows by a factor, with its metadata.

    Raises:
        FormatError: It cannot; the message names the way out.
        OutputError: This installation does not write the format.
    """
    if form not in Image.SAVE:
        Image.init()
    if form not in Image.SAVE or (form in ("AVIF", "WEBP") and not features.check(form.lower())):
        raise OutputError(f"{str(path)!r} cannot be written: Pillow here does not write {form}; name a PNG file.")
    height, width, channels = photo.pixels.shape
    side, most = scale * max(height, width), SIDES.get(form)
    if most and side > most:
        raise too_large(f"a side of {side:,} pixels; {form} has at most {most:,}", path)
    if form in ("TIFF", "BMP") and scale**2 * photo.pixels.nbytes * (channels + 1) / channels > MOST_BYTES:
        raise too_large(f"more than 4 GB, which {form} does not", path)
    check_metadata(photo, form, path)


def check_metadata(photo: Photo, form: str, path: Path) -> None:
    """Raise `FormatError` if a format cannot hold the metadata of a photo: a small one is written as a trial."""
    for name in ("exif", "xmp"):
        content = photo.metadata.get(name)
        if form == "JPEG" and isinstance(content, str | bytes) and len(content) > MARKER:
            raise too_large(f"{KINDS[name]} of {len(content):,} bytes; JPEG holds 64 kB", path)
    alpha = None if photo.alpha is None else photo.alpha[:1, :1]
    try:
        photo_content(replace(photo, pixels=photo.pixels[:1, :1], alpha=alpha), form)
    except (
        OSError,
        SyntaxError,
        ValueError,
        TypeError,
        ArithmeticError,
        RuntimeError,
        LookupError,
        struct.error,
    ) as error:
        raise too_large(f"metadata that {form} does not hold ({str(error).rstrip('.')})", path) from error


def too_large(what: str, path: Path) -> FormatError:
    """Return the error of a picture that a format cannot hold."""
    return FormatError(f"{str(path)!r} cannot be written, since it would have {what}. Name a PNG file with --out.")


def write_photo(photo: Photo, path: Path, format: str | None = None) -> None:
    """Write a photo to a new file, in its own format or in another one by Pillow's name.

    The file appears whole or not at all. A format may not hold everything; these changes come with a notice:

    * JPEG, BMP and PPM: transparency becomes white.
    * All but PNG and TIFF: levels of 16 bits become 8 bits.
    * GIF: more than 256 colours are approximated.
    * Metadata that a format does not hold is left out.

    Raises:
        FileExistsError: The path exists.
        OutputError: The file cannot be written.
    """
    form = (format or photo.format).upper()
    if path.exists():
        raise FileExistsError(f"{str(path)!r} exists; name another file or folder with --out.")
    report_losses(photo, form, str(path))
    photo = photo if fits_profile(photo, form) else replace(photo, metadata=photo.metadata | {"icc_profile": b""})
    part = part_path(path)
    try:
        content = photo_content(photo, form)
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError as error:
        raise OutputError(f"{str(path)!r} cannot be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)


def part_path(path: Path) -> Path:
    """Return where a file is written before it gets its name; what a killed run has left there is written over."""
    return path.with_name(f".part-{zlib.crc32(path.name.encode(errors='surrogateescape')):08x}-{path.name[-40:]}")


def make_parent_folder(path: Path) -> None:
    """Create the folder of an output file, so that an impossible path fails before the work.

    Raises:
        OutputError: The folder, or a file in it, cannot be created.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.exists()  # a name that is too long fails
        part_path(path).open("wb").close()
        part_path(path).unlink()
    except OSError as error:
        raise OutputError(f"{str(path)!r} cannot be written: {error.strerror}.") from error


def report_losses(photo: Photo, form: str, name: str) -> None:
    """Send a notice of each thing that a format does not hold of a photo."""
    if photo.pixels.dtype == np.uint16 and form not in DEEP:
        LOG.warning("%s holds 8 bits a level; %r loses the other 8.", form, name)
    if photo.alpha is not None and form in OPAQUE:
        LOG.warning("%s holds no transparency; it becomes white in %r.", form, name)
    if form == "GIF" and more_colours(photo):
        LOG.warning("GIF holds %d colours; %r has more, which are approximated.", COLOURS, name)
    held = [key for key in HOLDS.get(form, ()) if key != "icc_profile" or fits_profile(photo, form)]
    if lost := [text for key in photo.metadata if key not in held for text in metadata_names(photo.metadata, key)]:
        LOG.warning("%s does not hold everything; left out of %r: %s.", form, name, ", ".join(lost))


def fits_profile(photo: Photo, form: str) -> bool:
    """Return whether the colour profile of a photo, if it is one of grey, fits what a format makes of grey."""
    profile, deep = photo.metadata.get("icc_profile"), photo.pixels.dtype == np.uint16
    is_coloured = form == "WEBP" or (photo.alpha is not None and (form == "AVIF" or (form == "TIFF" and deep)))
    return not (isinstance(profile, bytes) and profile[16:20] == b"GRAY" and is_coloured)


def more_colours(photo: Photo) -> bool:
    """Return whether a photo has more colours than a GIF file, or transparency that is not whole."""
    pixels = photo.pixels.reshape(-1, photo.pixels.shape[2])[:, :3].astype("uint32")
    codes = pixels @ np.array([1, 256, 65536][: pixels.shape[1]], "uint32")
    partly = photo.alpha is not None and bool(
        ((photo.alpha > 0) & (photo.alpha < np.iinfo(photo.alpha.dtype).max)).any()
    )
    return partly or len(np.unique(codes)) > COLOURS - (photo.alpha is not None)


def metadata_names(metadata: Mapping[str, object], key: str) -> list[str]:
    """Return the names of an entry of metadata: those of its chunks, each once."""
    if key != "chunks":
        return [KINDS[key]]
    kinds = [kind.decode() for kind, _ in chunks_of(metadata)]
    return list(dict.fromkeys("texts" if kind.endswith("Xt") else kind for kind in kinds))


def photo_content(photo: Photo, form: str) -> bytes:
    """Return a photo as the content of a file, with the metadata that the format holds."""
    if form == "TIFF":
        return tiff_content(*samples(photo), photo.metadata)
    if form == "PNG" and photo.pixels.dtype == np.uint16:
        return with_chunks(deep_png(samples(photo, grey=True)[0]), metadata_chunks(photo.metadata))
    buffer, image = BytesIO(), writable_image(photo, form)
    kept = {} if form == "PNG" else {key: photo.metadata[key] for key in HOLDS.get(form, ()) if key in photo.metadata}
    sizes = {"sizes": [image.size]} if form == "ICO" else {}
    whole = {"lossless": True, "quality": 80} if form == "WEBP" and photo.lossless else {}
    image.save(buffer, format=form, **{**kept, **QUALITY.get(form, {}), **sizes, **whole})
    return with_chunks(buffer.getvalue(), metadata_chunks(photo.metadata)) if form == "PNG" else buffer.getvalue()


def samples(photo: Photo, grey: bool = False) -> tuple[np.ndarray, bool]:
    """Return the levels of a photo with its alpha behind them, and whether it has alpha.

    Grey of 16 bits with alpha becomes red, green and blue unless `grey` is true, since not every reader knows it.
    """
    if photo.alpha is None:
        return photo.pixels, False
    deep = photo.pixels.dtype == np.uint16
    colours = np.repeat(photo.pixels, 3, 2) if deep and not grey and photo.pixels.shape[2] == 1 else photo.pixels
    return np.concatenate([colours, photo.alpha[:, :, None]], 2), True


def writable_image(photo: Photo, form: str) -> Image.Image:
    """Return a photo as a Pillow image that a file format can hold."""
    photo = shallow_photo(photo)
    image = Image.fromarray(photo.pixels[:, :, 0] if photo.pixels.shape[2] == 1 else photo.pixels)
    if photo.alpha is None:
        return image
    image.putalpha(Image.fromarray(shallow_levels(photo.alpha)))
    if form not in OPAQUE:
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")

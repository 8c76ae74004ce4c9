"""Photos: reading them from files, memory, arrays and images of Pillow, with their metadata. NumPy and Pillow only."""

import logging
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from data.pictures.decoding import (
    MEGAPIXELS,
    check_size,
    deep_levels,
    grey_scale,
    is_wide,
    lost_bits,
    open_picture,
    wide_levels,
)
from data.pictures.files import File, LoadedImage, MemoryFile
from data.pictures.imresize import turned_picture
from data.pictures.jpeg import file_quality
from data.pictures.png import kept_chunks
from data.pictures.reduction import reduced_image, reduction
from data.pictures.squares import square_of
from data.splits import DataError

LOG = logging.getLogger("tasks")
Levels = tuple[np.ndarray, np.ndarray | None]  # pixels and alpha of a photo
Picture = File | str | bytes | np.ndarray | LoadedImage
TEXT_TAGS = (270, 271, 272, 305, 306, 315, 33432)  # TIFF's tags for texts about the picture
SIZE_TAGS, INNER_SIZE_TAGS = {256, 257}, {40962, 40963}  # EXIF's tags for the size of the picture
INNER_TAGS = (34665, 34853)  # TIFF's tags for what EXIF says of camera and place
METADATA: Mapping[str, tuple[type, ...]] = {  # entries of Pillow's `info` that are kept, and their types
    "exif": (bytes,),
    "icc_profile": (bytes,),
    "dpi": (tuple,),
    "xmp": (bytes, str),
    "comment": (bytes, str),
}
SPOILT_EXIF = (  # what reading them raises
    *(SyntaxError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, struct.error),
)
ORIENTATION = 274  # tag of EXIF
PLAIN_FORMATS = {"MPO": "JPEG", "DIB": "BMP"}  # formats that are read as kinds of others
NOT_TEXTS = ("exif", "transparency", "icc_profile", "dpi", "gamma", "background")
WAYS = {2: 2, 3: 3, 4: 1, 5: 4, 6: 5, 7: 7, 8: 6}  # EXIF orientation -> way of `turned_picture`


@dataclass(frozen=True)
class Photo:
    """A picture with the metadata of its file.

    Attributes:
        pixels: `(height, width, channels)` with one channel (grey) or three (red, green, blue), uint8 or uint16.
        alpha: Opacity of each pixel `(height, width)`, uint8 or uint16; `None` is opaque.
        format: Pillow's name of the file format, such as `"JPEG"`.
        metadata: EXIF, colour profile, resolution and comments, as Pillow writes them, and `chunks` of a PNG file.
        quality: That of a JPEG file, 1 to 100, by its quantization; `None` for others.
        lossless: Whether a WebP file has lost nothing.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    format: str = "PNG"
    metadata: dict[str, object] = field(default_factory=dict)
    quality: int | None = None
    lossless: bool = False


def read_photo(file: File, megapixels: float = MEGAPIXELS, least: int | None = None) -> Photo:
    """Return the photo in a file.

    * Any mode is read: grey, colour, palette, CMYK, 16 bits, transparency.
    * The EXIF orientation is applied.
    * An animation gives its first frame, with a notice.
    * JPEG is decoded by the accurate transform.

    Args:
        megapixels: Most megapixels to decode; a pixel of 16 bits counts twice.
        least: Side that is enough; a large JPEG is decoded at a smaller scale then, to sides that are not below it.

    Raises:
        FileNotFoundError, DataError: As for `open_picture`.
    """
    with open_picture(file, megapixels, least) as image:
        chunks = kept_chunks(image.fp) if image.format == "PNG" and image.fp else ()  # type: ignore[attr-defined]
        large, lossless = reduction(image, least) > 1, image.format == "WEBP" and is_lossless_webp(file)
        levels = None if large else wide_levels(image, file)
        orientation = readable_exif(image, str(file)).get(ORIENTATION, 1)
        photo = photo_from_image(image, str(file), levels is not None, least)
    photo = replace(photo, lossless=lossless)
    if chunks:
        photo.metadata["chunks"] = chunks
    if levels is None:
        return photo
    pixels, alpha = split_levels(turned_picture(levels, WAYS.get(orientation, 0)))
    return replace(photo, pixels=pixels, alpha=alpha)


def is_lossless_webp(file: File) -> bool:
    """Return whether a WebP file is lossless: its first chunk of pixels is VP8L."""
    with file.open("rb") as content:
        head = content.read(1 << 16)
    lossless, lossy = (place if place >= 0 else len(head) for place in (head.find(b"VP8L"), head.find(b"VP8 ")))
    return lossless < lossy


def split_levels(levels: np.ndarray) -> Levels:
    """Return levels with 1 to 4 channels as the pixels and the alpha of a photo."""
    colours = 3 if levels.shape[2] > 2 else 1
    return levels[:, :, :colours], levels[:, :, colours] if levels.shape[2] > colours else None


def photo_of(picture: Picture, megapixels: float = MEGAPIXELS, least: int | None = None, deep: bool = False) -> Photo:
    """Return a picture as a photo: a file, its content, an image of Pillow, or an array as for `check_array`.

    Args:
        megapixels, least: As for `read_photo`.
        deep: If true, levels of 16 bits stay; otherwise they become 8 bits.

    Raises:
        FileNotFoundError, DataError: As for `open_picture` and `check_array`.
    """
    photo = whole_photo(picture, megapixels, least)
    return photo if deep else shallow_photo(photo)


def whole_photo(picture: Picture, megapixels: float, least: int | None) -> Photo:
    """Return a picture as a photo with all its bits."""
    if isinstance(picture, np.ndarray):
        check_array(picture)
        return Photo(*split_levels(np.atleast_3d(picture)))
    if isinstance(picture, Image.Image):
        check_size(picture, "the image", megapixels)
        return photo_from_image(picture, "the image")
    if isinstance(picture, str):
        return read_photo(Path(picture), megapixels, least)
    file = MemoryFile("", picture) if isinstance(picture, bytes) else picture
    return read_photo(file, megapixels, least)  # type: ignore[arg-type]


def shallow_photo(photo: Photo) -> Photo:
    """Return a photo with 8 bits a level."""
    alpha = None if photo.alpha is None else shallow_levels(photo.alpha)
    return replace(photo, pixels=shallow_levels(photo.pixels), alpha=alpha)


def shallow_levels(levels: np.ndarray) -> np.ndarray:
    """Return levels of 8 or 16 bits as uint8."""
    return (levels / 257).round().astype("uint8") if levels.dtype == np.uint16 else levels


def square_pixels(picture: Picture, side: int, megapixels: float = MEGAPIXELS) -> np.ndarray:
    """Return a picture, as for `photo_of`, resized to a square: uint8 `(side, side, 3)`.

    Transparent pixels become white.

    Raises:
        FileNotFoundError, DataError: As for `open_picture` and `check_array`.
    """
    photo = photo_of(picture, megapixels, least=4 * side)
    pixels, alpha = photo.pixels, photo.alpha
    image = Image.fromarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)).copy())
    width, height = image.size
    if alpha is not None:
        image.putalpha(Image.fromarray(alpha))
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    if image.size != (side, side):
        image = image.resize((side, side), Image.Resampling.BICUBIC, reducing_gap=3.0)
    return square_of(np.asarray(image), width, height)


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


def photo_from_image(image: Image.Image, name: str, deep: bool = False, least: int | None = None) -> Photo:
    """Return a Pillow image as a photo.

    Args:
        deep: If true, all bits of its levels are read elsewhere; otherwise their loss comes with a notice.
        least: As for `read_photo`; a picture that is reduced has no metadata.
    """
    frames, kind = getattr(image, "n_frames", 1), image.format or "PNG"
    if frames > 1:
        what = "further pictures, such as a preview," if kind == "MPO" else "further frames"
        LOG.warning("%r has %d %s; the first picture is read.", name, frames - 1, what)
    if kind == "ICO" and len(sizes := image.info.get("sizes", ())) > 1:
        LOG.warning("%r has %d sizes; the largest is read, and the others are left out.", name, len(sizes))
    if not deep and not least and (bits := lost_bits(image)):
        LOG.warning("%r has %d bits a level; 8 of them are read.", name, bits)
    image.load()
    if is_wide(image):
        LOG.warning("%r has 32 bits a level; 16 of them are read.", name)
    quality = file_quality(tables) if (tables := getattr(image, "quantization", None)) else None
    scale = grey_scale(image)
    tags = readable_exif(image, name)
    if (factor := reduction(image, least)) > 1:
        image = reduced_image(image, factor, tags.get(ORIENTATION))
        return Photo(*image_levels(image, scale), PLAIN_FORMATS.get(kind, kind), {}, quality)
    image = ImageOps.exif_transpose(image)
    metadata = image_metadata(image, kind, tags)
    pixels, alpha = (np.zeros((0, 0, 1)), None) if deep else image_levels(image, scale)
    return Photo(pixels, alpha, PLAIN_FORMATS.get(kind, kind), metadata, quality)


def readable_exif(image: Image.Image, name: str) -> Image.Exif:
    """Return the EXIF data of an image; unreadable ones are removed from it, with a notice.

    A text in a PNG file that has the name of something else is removed as well.
    """
    for key in [key for key, value in image.info.items() if isinstance(value, str) and key in NOT_TEXTS]:
        del image.info[key]
    try:
        if isinstance(content := image.info.get("exif"), bytes):
            Image.Exif().load(content)
        return image.getexif()
    except SPOILT_EXIF as error:
        LOG.warning("The EXIF data of %r are left out, since they cannot be read: %s.", name, str(error).rstrip("."))
        image.info.pop("exif", None)
        return Image.Exif()


def exif_without_sizes(content: bytes) -> bytes:
    """Return EXIF data without the size of the picture, which an answer of another size would belie."""
    exif = Image.Exif()
    try:
        exif.load(content)
        inner = exif.get_ifd(INNER_TAGS[0])
        outer_sizes, inner_sizes = SIZE_TAGS & set(exif), INNER_SIZE_TAGS & set(inner)
        for tag in outer_sizes:
            del exif[tag]
        for tag in inner_sizes:
            del inner[tag]
        return exif.tobytes() if outer_sizes or inner_sizes else content
    except SPOILT_EXIF:
        return content  # what cannot be read as tags is kept as it is


def image_levels(image: Image.Image, scale: tuple[float, float]) -> Levels:
    """Return the pixels and the alpha of a Pillow image; `scale` is that of grey levels of more than 8 bits."""
    if image.mode.startswith(("I", "F")):
        levels, key = deep_levels(image, *scale), image.info.get("transparency")
        hidden = levels == key if isinstance(key, int) else None  # a level that stands for transparency
        return levels[:, :, None], None if hidden is None else np.where(hidden, 0, 65535).astype("uint16")
    alpha = None
    if image.has_transparency_data:
        image = image.convert("LA" if image.mode in ("LA", "La", "L", "1") else "RGBA")
        alpha = np.asarray(image.getchannel("A"))
    is_grey = image.mode in ("1", "L", "LA", "La")
    pixels = np.asarray(image.convert("L" if is_grey else "RGB"))
    return pixels[:, :, None] if is_grey else pixels, alpha


def is_resolution(dpi: tuple[float, ...]) -> bool:
    """Return whether a resolution makes sense."""
    return len(dpi) == 2 and all(0 < float(side) < 1e6 for side in dpi)


def image_metadata(image: Image.Image, kind: str, tags: Image.Exif) -> dict[str, object]:
    """Return the metadata to keep of an upright Pillow image, from its file format and the tags of its file."""
    metadata = {key: image.info[key] for key, types in METADATA.items() if isinstance(image.info.get(key), types)}
    metadata = {key: value for key, value in metadata.items() if value and (key != "dpi" or is_resolution(value))}
    if kind == "TIFF":  # its EXIF data are mixed with tags about the file
        exif = Image.Exif()
        exif.update({tag: value for tag, value in tags.items() if tag in TEXT_TAGS})
        exif.update({tag: inner for tag in INNER_TAGS if (inner := dict(tags.get_ifd(tag)))})
        metadata["exif"] = exif.tobytes()
    elif kind == "PNG":
        metadata.pop("comment", None)  # it is among the chunks
        if "exif" not in metadata and len(rest := image.getexif()):
            metadata["exif"] = rest.tobytes()
    if isinstance(content := metadata.get("exif"), bytes):
        metadata["exif"] = exif_without_sizes(content)
    if image.mode in ("CMYK", "YCCK", "LAB"):
        metadata.pop("icc_profile", None)  # the colours are red, green and blue from now on
    return metadata

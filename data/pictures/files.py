"""Locations of pictures: files, members of zips, memory; and the search for them."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from importlib.util import find_spec
from io import BytesIO
from os.path import splitext
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from zipfile import ZipFile

import numpy as np

from data.packages import advice
from data.splits import DataError
from data.zips import member_bytes, opened_zip

LOG = logging.getLogger("tasks")
NAMES = {  # Pillow's name of a format -> the endings of its files
    "PNG": ".png .apng",
    "JPEG": ".jpg .jpeg .jpe .jfif .mpo",
    "BMP": ".bmp .dib",
    "WEBP": ".webp",
    "TIFF": ".tif .tiff",
    "GIF": ".gif",
    "AVIF": ".avif",
    "JPEG2000": ".jp2 .j2k .j2c .jpc .jpf .jpx",
    "ICO": ".ico",
    "PPM": ".ppm .pgm .pbm .pnm",
    "HEIF": ".heic .heif .hif",
}
HAS_HEIF = find_spec("pillow_heif") is not None
FORMATS = {suffix: name for name, suffixes in NAMES.items() for suffix in suffixes.split()}  # HEIF only if installed
FORMATS = {suffix: name for suffix, name in FORMATS.items() if HAS_HEIF or name != "HEIF"}
SUFFIXES = tuple(FORMATS)
LIST = ", ".join(name for name in NAMES if name in FORMATS.values())
OTHERS = """
.3fr .ai .arw .avifs .bpg .cr2 .cr3 .cur .dcm .dcx .dds .djvu .dng .dpx .emf .eps .exr .fit .fits .flif .hdr
.heic .heics .heif .hif .icns .iiq .jls .jxl .jxr .kra .nef .nrw .orf .pam .pcd .pcx .pdf .pef .pfm .ps .psb
.psd .qoi .raf .ras .raw .rw2 .sgi .sr2 .srw .svg .svgz .tga .wdp .wmf .x3f .xbm .xcf .xpm
"""
OTHER_SUFFIXES = frozenset(OTHERS.split())  # of pictures that are not read or not written
UNREAD = OTHER_SUFFIXES - {*SUFFIXES}


class OutputError(OSError):
    """A file that cannot be written."""

    exit_code = 73


class FormatError(OutputError):
    """A picture that its file format cannot hold; other pictures may be written."""


@dataclass(frozen=True)
class ZipMember:
    """A file in a zip, with the methods of a path that readers use."""

    archive: Path
    member: str

    @property
    def name(self) -> str:
        """Return its name without folders."""
        return Path(self.member).name

    def open(self, mode: str = "rb") -> BytesIO:
        """Return its content, as a path opens a file to read."""
        return BytesIO(member_bytes(archive_of(self.archive), self.member, str(self)))

    def __str__(self) -> str:
        return f"{self.archive}/{self.member}"


@dataclass(frozen=True)
class MemoryFile:
    """A file in memory, with the methods of a path that readers use."""

    name: str
    content: bytes = field(repr=False)

    def open(self, mode: str = "rb") -> BytesIO:
        """Return its content, as a path opens a file to read."""
        return BytesIO(self.content)

    def __str__(self) -> str:
        return self.name


File = Path | ZipMember | MemoryFile


@runtime_checkable
class LoadedImage(Protocol):
    """An image of Pillow, told by its methods, since importing Pillow takes time."""

    def getexif(self) -> Any: ...
    def getbands(self) -> tuple[str, ...]: ...
    def getchannel(self, channel: Any) -> Any: ...


def archive_of(path: Path) -> ZipFile:
    """Return a zip that stays open between pictures, because reading its list of names is slow.

    Raises:
        DataError: As for `opened_zip`.
    """
    return cached_archive(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def cached_archive(path: Path, changed: int) -> ZipFile:
    return opened_zip(path)


def picture_stamp(picture: File | np.ndarray) -> list[str | int]:
    """Return the identity of a picture as JSON types, for keys of caches. Files are not read.

    * A file: its name, its size and its modification time.
    * A member of a zip: its name, its size and its checksum.
    * An array, or a file in memory: a SHA-256.
    """
    if isinstance(picture, Path):
        status = picture.stat()
        return [picture.name, status.st_size, status.st_mtime_ns]
    if isinstance(picture, ZipMember):
        info = archive_of(picture.archive).getinfo(picture.member)
        return [picture.name, info.file_size, info.CRC]
    return [sha256(picture.content if isinstance(picture, MemoryFile) else picture.tobytes()).hexdigest()]


JUNK = ("thumbs.db", "desktop.ini", "__macosx")  # what systems leave in folders, beside hidden files
NAME_COUNT = 3  # files named in a notice


def folder_photos(folder: Path) -> list[Path]:
    """Return the picture files in a folder at any depth, by name; the other files are counted in a notice.

    Raises:
        DataError: There are none.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not is_junk(path.relative_to(folder))]
    found = [path for path in files if path.suffix.lower() in SUFFIXES]
    other = sum(path.suffix.lower() in UNREAD for path in files)
    said = unread_formats(map(str, files))
    rest = len(files) - len(found) - other
    kinds = [*filter(None, [said]), *([f"not pictures {rest}"] if rest else [])]
    if kinds:
        LOG.warning("Left out of %r: %s.", str(folder), "; ".join(kinds))
    if not found:
        raise DataError(f"{str(folder)!r} holds no pictures; they end in {' '.join(SUFFIXES)}.")
    return found


def unread_formats(names: Iterable[str]) -> str:
    """Return how many names are of pictures in formats that are not read, and the first of them; or nothing.

    Example:
        >>> unread_formats(["a.png", "b.psd", "c.svg"])
        'in formats that are not read 2, b.psd, c.svg'
    """
    other = [name for name in names if splitext(name)[1].lower() in UNREAD]
    heif = any(splitext(name)[1].lower() in NAMES["HEIF"].split() for name in other)
    hint = f"; HEIC {advice('pillow-heif')}" if heif else ""
    return f"in formats that are not read {len(other)}, {some_names(other)}{hint}" if other else ""


def is_junk(path: Path) -> bool:
    """Return whether a file is hidden or left by a system, by its path in a folder."""
    return any(part.startswith(".") or part.lower() in JUNK for part in path.parts)


def some_names(names: Iterable[str]) -> str:
    """Return the first of some names, and whether there are more.

    Example:
        >>> some_names("abcd")
        'a, b, c, ...'
    """
    given = list(names)
    return ", ".join(given[:NAME_COUNT]) + (", ..." if len(given) > NAME_COUNT else "")

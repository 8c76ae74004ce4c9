"""Locations of pictures: files, members of zips, memory; and the search for them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np

from data.splits import DataError

FORMATS = {  # suffix -> Pillow's name of the format
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".bmp": "BMP",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".gif": "GIF",
}
SUFFIXES = tuple(FORMATS)


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
        return BytesIO(archive_of(self.archive).read(self.member))

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


def archive_of(path: Path) -> ZipFile:
    """Return a zip that stays open between pictures, because reading its list of names is slow."""
    return cached_archive(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def cached_archive(path: Path, changed: int) -> ZipFile:
    return ZipFile(path)


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


def find_photos(places: str, suffixes: Sequence[str] = SUFFIXES) -> tuple[list[File], list[File]]:
    """Return the picture files in folders and zips, by name: those before the last place, and those of the last.

    Args:
        places: Folders, zips or single pictures; several are joined with commas.

    Raises:
        FileNotFoundError: A place does not exist.
        DataError: A place holds no pictures, or is not a whole zip.
    """
    before: list[File] = []
    here: list[File] = []
    for place in [places] if Path(places).exists() else [part.strip() for part in places.split(",") if part.strip()]:
        before, here = before + here, files_in(Path(place), suffixes)
        if not here:
            raise DataError(f"{place!r} holds no pictures; they end in {' '.join(suffixes)}.")
    return before, here


def files_in(place: Path, suffixes: Sequence[str]) -> list[File]:
    """Return the picture files in a folder or a zip; a picture file gives itself."""
    if not place.exists():
        raise FileNotFoundError(f"There is no folder or zip {str(place)!r}; give --data an existing one.")
    if place.suffix.lower() in suffixes and place.is_file():
        return [place]
    if place.is_file():
        try:
            with ZipFile(place) as archive:
                names = [name for name in sorted(archive.namelist()) if not name.startswith("__MACOSX/")]
        except BadZipFile as error:
            raise DataError(f"{str(place)!r} is neither a folder nor a whole zip of pictures.") from error
        return [ZipMember(place, name) for name in names if is_visible_picture(Path(name), suffixes)]
    return [path for path in sorted(place.rglob("*")) if path.is_file() and is_visible_picture(path, suffixes)]


def is_visible_picture(path: Path, suffixes: Sequence[str]) -> bool:
    """Return whether a file is a picture by its suffix, and is not hidden."""
    return path.suffix.lower() in suffixes and not path.name.startswith(".")

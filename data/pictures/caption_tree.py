"""Files of a folder or a zip, with those in the zips inside, by their paths."""

import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from os.path import splitext
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from zipfile import BadZipFile
from zipfile import Path as ZipPath

from data.pictures.files import OTHER_SUFFIXES, SUFFIXES, ZipMember, archive_of, is_junk
from data.splits import DataError

HEAD = 4096  # bytes by which most files differ
PICTURES = frozenset(SUFFIXES)
ENDINGS = PICTURES | OTHER_SUFFIXES  # of pictures, also of those that are not read


class Entry(NamedTuple):
    """A file of the user's data.

    Attributes:
        parts: The folders from the top of the data, and its name; a zip in a folder counts as a folder.
        file: A file, or a file in a zip.
    """

    parts: tuple[str, ...]
    file: Path | ZipMember

    @property
    def name(self) -> str:
        """Return its name without folders."""
        return self.parts[-1]

    @property
    def folder(self) -> tuple[str, ...]:
        """Return its folders."""
        return self.parts[:-1]

    @property
    def text(self) -> Path | ZipPath:
        """Return the file as readers of text and of tables take it."""
        return self.file if isinstance(self.file, Path) else ZipPath(archive_of(self.file.archive), self.file.member)

    @property
    def is_picture(self) -> bool:
        """Whether it ends as a picture that can be read."""
        return splitext(self.name)[1].lower() in PICTURES


def file_tree(root: Path) -> list[Entry]:
    """Return the files in a folder or a zip, and in zips in the folder, without those that systems leave there.

    Raises:
        DataError: A zip is damaged, or has a password.
    """
    if root.is_file():
        return zip_tree(root, ())
    found = list[Entry]()
    for path in sorted(files_below(root)):
        parts = path.relative_to(root).parts
        inside = path.suffix.lower() == ".zip"
        found += zip_tree(path, (*parts[:-1], path.stem)) if inside else [Entry(parts, path)]
    return found


def files_below(root: Path) -> Iterator[Path]:
    """Yield the visible files below a folder, also behind links to other folders, each folder once."""
    seen = set[str]()
    for place, folders, names in os.walk(root, followlinks=True):
        seen.add(os.path.realpath(place))
        folders[:] = [
            name for name in folders if not is_junk(Path(name)) and os.path.realpath(Path(place, name)) not in seen
        ]
        yield from (path for name in names if not is_junk(Path(name)) and (path := Path(place, name)).is_file())


def zip_tree(archive: Path, folder: Sequence[str]) -> list[Entry]:
    """Return the files in a zip, below some folders.

    Raises:
        DataError: It is damaged, or has a password.
    """
    try:
        members = archive_of(archive).infolist()
    except BadZipFile as error:
        raise DataError(f"{str(archive)!r} is neither a folder nor a whole zip of pictures.") from error
    if any(member.flag_bits & 1 for member in members):
        raise DataError(f"{str(archive)!r} has a password; unpack it, and give the folder.")
    return [
        Entry((*folder, *PurePosixPath(member.filename).parts), ZipMember(archive, member.filename))
        for member in sorted(members, key=lambda member: member.filename)
        if not member.is_dir() and not is_junk(Path(member.filename))
    ]


def stem_of(name: str) -> str:
    """Return the name of a picture without its ending; a name with another ending stays whole.

    Example:
        >>> stem_of("a.b.JPG"), stem_of("2011.05")
        ('a.b', '2011.05')
    """
    stem, dot, suffix = name.rpartition(".")
    return stem if stem and f"{dot}{suffix}".lower() in ENDINGS else name


def size_of(file: Path | ZipMember) -> int:
    """Return the number of bytes of a file."""
    if isinstance(file, ZipMember):
        return archive_of(file.archive).getinfo(file.member).file_size
    return file.stat().st_size


def head_of(file: Path | ZipMember) -> tuple[int, bytes]:
    """Return the size of a file and its beginning, by which most files are told apart."""
    with file.open("rb") as content:
        return size_of(file), content.read(HEAD)


def content_of(file: Path | ZipMember) -> tuple[int, bytes]:
    """Return the size of a file and a SHA-256 of its content, by which copies are known."""
    with file.open("rb") as content:
        return size_of(file), sha256(content.read()).digest()

"""Files of a folder or a zip, with those in the zips inside, by their places, without what systems leave there."""

import logging
import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from zipfile import Path as ZipPath

from data.pictures.files import OTHER_SUFFIXES, SUFFIXES, ZipMember, archive_of, is_junk, unread_formats
from data.plain_files import check_plain
from data.sources import is_part_name
from data.text_files import File as TextFile
from data.zips import is_plain_member

LOG = logging.getLogger("tasks")
HEAD = 4096  # bytes by which most files differ
ENDINGS = OTHER_SUFFIXES | {*SUFFIXES}  # of pictures, also of those that are not read
COPIES = {"thumb", "thumbs", "thumbnail", "thumbnails", "@eadir", "$recycle.bin"}  # folders of small or deleted copies


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
        """Its name without folders."""
        return self.parts[-1]

    @property
    def folders(self) -> tuple[str, ...]:
        """The names of the folders that it is in, outermost first."""
        return self.parts[:-1]

    @property
    def inside(self) -> PurePosixPath:
        """Its place as a path."""
        return PurePosixPath(*self.parts)

    @property
    def text(self) -> TextFile:
        """The file as readers of text and of tables take it."""
        return self.file if isinstance(self.file, Path) else ZipPath(archive_of(self.file.archive), self.file.member)

    @property
    def is_picture(self) -> bool:
        """Whether it ends as a picture that can be read."""
        return os.path.splitext(self.name)[1].lower() in SUFFIXES


def file_tree(root: Path) -> list[Entry]:
    """Return the files in a folder or a zip, and in zips in the folder, by name; another file gives itself.

    A zip is not opened if it is unpacked beside itself.

    Raises:
        FileNotFoundError: There is no such file or folder.
        DataError: As for `opened_zip`.
    """
    check_plain(root)
    if not root.exists():
        raise FileNotFoundError(f"There is no file or folder {str(root)!r}; give --data an existing one.")
    if root.is_file():
        return zip_tree(root, ()) if root.suffix.lower() == ".zip" else [Entry((root.name,), root)]
    found = list[Entry]()
    for path in sorted(files_below(root)):
        parts = path.relative_to(root).parts
        if path.suffix.lower() != ".zip":
            found.append(Entry(parts, path))
        elif not path.with_suffix("").is_dir():
            found += zip_tree(path, (*parts[:-1], path.stem))
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


def zip_tree(archive: Path, folders: Sequence[str]) -> list[Entry]:
    """Return the files in a zip, below some folders, by name.

    Raises:
        DataError: As for `opened_zip`.
    """
    members = [member for member in archive_of(archive).infolist() if is_plain_member(member)]
    found = [(PurePosixPath(member.filename.replace("\\", "/")), member.filename) for member in members]
    return [
        Entry((*folders, *inside.parts), ZipMember(archive, name))
        for inside, name in sorted(found, key=lambda pair: pair[1])
        if not is_junk(Path(inside))
    ]


def used_entries(entries: Sequence[Entry], name: str) -> list[Entry]:
    """Return files without thumbnails, if there are other pictures; those and pictures not read come with a notice.

    Args:
        name: What the data is called.
    """
    copies = {entry for entry in entries if any(folder.lower().strip(".") in COPIES for folder in entry.folders)}
    left = sum(entry.is_picture for entry in copies)
    if left == sum(entry.is_picture for entry in entries):
        copies, left = set(), 0
    if left:
        LOG.warning("%s: %d pictures in folders of thumbnails are left out.", name, left)
    kept = [entry for entry in entries if entry not in copies]
    if said := unread_formats([entry.name for entry in kept]):
        LOG.warning("%s: pictures are left out, %s.", name, said)
    return kept


def without_shared_folders(entries: Sequence[Entry], kept: int = 1) -> list[Entry]:
    """Return entries without the folders that hold all of them, as zips leave them; folders of parts stay.

    Args:
        entries: Files with their places.
        kept: Number of folders that each entry keeps.
    """
    found = list(entries)
    while (
        found
        and all(len(entry.folders) > kept for entry in found)
        and len({entry.folders[0] for entry in found}) == 1
        and not is_part_name(found[0].folders[0])
    ):
        found = [inner_entry(entry) for entry in found]
    return found


def inner_entry(entry: Entry) -> Entry:
    """Return an entry without its outermost folder."""
    return entry._replace(parts=entry.parts[1:])


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

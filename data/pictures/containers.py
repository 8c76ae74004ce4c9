"""Files in folders and zips, each with its place inside, without what systems leave there."""

import logging
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile, is_zipfile
from zipfile import Path as ZipPath

from data.pictures.files import SUFFIXES, ZipMember, is_junk
from data.sources import is_part_name
from data.splits import DataError
from data.text_files import File as TextFile

LOG = logging.getLogger("tasks")
COPIES = ("thumbnails", "thumbnail", "@eadir", "$recycle.bin")  # folders of small or deleted copies


class Entry(NamedTuple):
    """A file, and its place in the folder or the zip that holds it."""

    inside: PurePosixPath
    file: Path | ZipMember

    @property
    def name(self) -> str:
        """Its name without folders."""
        return self.inside.name

    @property
    def folders(self) -> tuple[str, ...]:
        """The names of the folders that it is in, outermost first."""
        return self.inside.parts[:-1]

    @property
    def text(self) -> TextFile:
        """The file as readers of tables take it."""
        return ZipPath(self.file.archive, self.file.member) if isinstance(self.file, ZipMember) else self.file

    def is_picture(self) -> bool:
        """Return whether it is a picture by its ending."""
        return self.inside.suffix.lower() in SUFFIXES


def container_entries(path: Path) -> list[Entry]:
    """Return the files in a folder or a zip at any depth, by name; another file gives itself.

    Zips in a folder count as folders of their names, unless there is such a folder.

    Raises:
        FileNotFoundError: There is no such file or folder.
        DataError: A zip is damaged or encrypted.
    """
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {str(path)!r}; give --data an existing one.")
    if path.is_file():
        found = zip_entries(path) if path.suffix.lower() == ".zip" else [Entry(PurePosixPath(path.name), path)]
    else:
        files = [file for file in sorted(path.rglob("*")) if file.is_file()]
        found = [Entry(PurePosixPath(file.relative_to(path).as_posix()), file) for file in files]
        zips = [file for file in files if file.parent == path and is_wanted_zip(file)]
        found = [entry for entry in found if entry.file not in zips]
        found += [Entry(file.stem / inner.inside, inner.file) for file in zips for inner in zip_entries(file)]
    found = [entry for entry in found if not is_junk(Path(entry.inside))]
    kept = [entry for entry in found if not any(name.lower() in COPIES for name in entry.folders)]
    if copies := sum(entry.is_picture() for entry in found) - sum(entry.is_picture() for entry in kept):
        LOG.warning("%s: %d pictures in folders of thumbnails are not used.", path.resolve().name, copies)
    return kept


def is_wanted_zip(path: Path) -> bool:
    """Return whether a file is a zip that is not unpacked beside it."""
    return path.suffix.lower() == ".zip" and not path.with_suffix("").exists() and is_zipfile(path)


def zip_entries(path: Path) -> list[Entry]:
    """Return the files in a zip, by name."""
    try:
        with ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except BadZipFile as error:
        raise DataError(f"{str(path)!r} is not a whole zip; download it again.") from error
    if any(info.flag_bits & 1 for info in infos):
        raise DataError(f"{str(path)!r} is encrypted; unpack it, and give the folder.")
    names = sorted(info.filename for info in infos)
    return [Entry(PurePosixPath(name.replace("\\", "/")), ZipMember(path, name)) for name in names]


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
    return entry._replace(inside=PurePosixPath(*entry.inside.parts[1:]))

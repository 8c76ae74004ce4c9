"""Members of a run: plain files and folders, looked at before anything is opened. Standard library only."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

FILES = (
    *("config.json", "codec.json", "environment.json", "metrics.json", "history.csv", "answers.jsonl", "README.md"),
    "model.keras",
)
FOLDERS = ("onnx", "checkpoint", "figures")
MEGABYTE = 1 << 20
LARGEST = {  # bytes of a file that is read as a whole; a vocabulary of 500,000 words takes 9 MB
    "config.json": MEGABYTE,
    "environment.json": MEGABYTE,
    "state.json": 8 * MEGABYTE,
    "metrics.json": 8 * MEGABYTE,
    "history.csv": 8 * MEGABYTE,
    "codec.json": 16 * MEGABYTE,
}
KINDS = {  # what is not a plain file
    stat.S_IFLNK: "a link",
    stat.S_IFDIR: "a folder",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}


class RunError(ValueError):
    """A run directory that cannot be read."""

    exit_code = 65


def check_members(run: Path) -> None:
    """Raise `RunError` unless the members of a run are plain files, and plain folders of such.

    The directory itself may be a link, since the user names it.
    """
    for name in FILES:
        check_kind(run / name, stat.S_IFREG)
    for name in FOLDERS:
        check_kind(run / name, stat.S_IFDIR)
        for path in paths_in(run / name):
            check_kind(path, stat.S_IFREG, stat.S_IFDIR)


def paths_in(folder: Path) -> Iterator[Path]:
    """Yield what is in a folder and in the folders in it, links as themselves; a missing folder holds nothing."""
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))


def check_kind(path: Path, *kinds: int) -> None:
    """Raise `RunError` if there is something of another kind than one of these."""
    try:
        found = stat.S_IFMT(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return
    if found not in kinds:
        wanted = "folders" if kinds == (stat.S_IFDIR,) else "files"
        said = "a file" if found == stat.S_IFREG else KINDS.get(found, "something else")
        raise RunError(f"{str(path)!r} is {said}; a run holds plain {wanted} there.")


def is_plain_file(path: Path) -> bool:
    """Return whether a path is a file, and not a link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def file_content(path: Path, largest: int | None = None, *, follow: bool = False) -> bytes:
    """Return what a plain file holds.

    Args:
        largest: Most bytes that it may have; `None` asks `LARGEST` for its name.
        follow: If true, the file may be a link to a plain file.

    Raises:
        FileNotFoundError: There is none.
        RunError: It is a link, a device or a pipe, or it is too large.
    """
    most = LARGEST.get(path.name, MEGABYTE) if largest is None else largest
    if not follow:
        check_kind(path, stat.S_IFREG)
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise RunError(f"{str(path)!r} is a socket, and not a plain file.") from error
        raise
    with open(number, "rb") as file:
        facts = os.fstat(number)
        if not stat.S_ISREG(facts.st_mode):
            kind = KINDS.get(stat.S_IFMT(facts.st_mode), "something else")
            raise RunError(f"{str(path)!r} is {kind}, and not a plain file.")
        if facts.st_size > most:
            raise RunError(f"{str(path)!r} is damaged: it has {facts.st_size:,} bytes, and at most {most:,} are read.")
        return file.read(most + 1)

"""Files that are written: each whole or absent. Standard library only."""

from __future__ import annotations

import csv
import errno
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.engine.config import Json, Settings

if TYPE_CHECKING:
    from PIL.Image import Image

PART = ".part-"  # begins the name of a file that is not complete
REASONS = {  # what an error of the system says is missing, and the way out
    errno.ENOSPC: "no space is left on its disk; free some space, or name another place",
    errno.EDQUOT: "the disk quota of this user is used up; free some space, or name another place",
    errno.EROFS: "its file system is read-only; name a place that can be written to",
    errno.EFBIG: "the largest size of a file is reached; name another place",
    errno.EIO: "its disk fails; name another place",
    errno.EMFILE: "too many files are open; raise the limit with `ulimit -n`",
    errno.EACCES: "this user may not write to its folder; change its permissions, or name another",
    errno.EPERM: "this user may not write to its folder; change its permissions, or name another",
    errno.ENOENT: "its folder does not exist, or takes no new files; name another",
    errno.ENOTDIR: "its folder is a file; name another",
    errno.EEXIST: "another file has its name, or that of its folder; name another",
    errno.EISDIR: "a folder has its name; name another",
    errno.ENAMETOOLONG: "its name is too long; name another",
}
NO_INODES = "its disk holds no more files, since no inode is left; remove some files, or name another place"


class WriteError(OSError):
    """A file that cannot be written, and what is missing for it."""

    exit_code = 73

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path if isinstance(path, str) else repr(str(path))} cannot be written: {reason}.")
        self.path, self.reason = path, reason


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Give a path to write to; the file appears under its own name once it is complete and on disk.

    Raises:
        WriteError: The disk is full or cannot be written to; a file that was there before is as it was.
    """
    part = part_of(path)
    try:
        with named_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            part.unlink(missing_ok=True)  # a link of that name is not written through
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            yield part
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            part.replace(path)
            folder = os.open(path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
    finally:
        with suppress(OSError):  # where it could not be made
            part.unlink(missing_ok=True)


def part_of(path: Path) -> Path:
    """Return what a file is called until it is complete."""
    return path.with_name(f"{PART}{path.name}")


@contextmanager
def named_errors(path: Path | str) -> Iterator[None]:
    """Raise `WriteError` in place of an error of the system that has a known reason, for a `with` statement.

    Args:
        path: The file, or in words what is written to, such as standard output.

    Example:
        >>> with named_errors("standard output"):
        ...     raise OSError(errno.ENOSPC, "No space left on device")
        Traceback (most recent call last):
        tasks.engine.files.WriteError: standard output cannot be written: no space is left on its disk; free some \
space, or name another place.
    """
    try:
        yield
    except WriteError:
        raise
    except OSError as error:
        reason = reason_of(error, path) if is_about(error, path) else None
        if reason is None:
            raise
        raise WriteError(path, reason) from error


def reason_of(error: OSError, path: Path | str) -> str | None:
    """Return what an error of the system says is missing; HDF5 says so in text alone."""
    said = str(error) if type(error) is OSError else ""  # a class of ours has its own sentence
    number = next((number for number in REASONS if number == error.errno or os.strerror(number) in said), 0)
    return NO_INODES if number == errno.ENOSPC and lacks_inodes(path) else REASONS.get(number)


def lacks_inodes(path: Path | str) -> bool:
    """Return whether the disk of a file has space left, and no inode for another file."""
    folder = None if isinstance(path, str) else next(filter(Path.is_dir, path.absolute().parents), None)
    if folder is None:
        return False
    facts = os.statvfs(folder)
    return facts.f_bavail > 0 and facts.f_files > 0 and facts.f_ffree == 0


def is_about(error: OSError, path: Path | str) -> bool:
    """Return whether an error is about a file that is written, or what is in or above it, not about one that is read.

    Args:
        path: The file, or a folder.
    """
    named = error.filename2 or error.filename
    if named is None or isinstance(path, str):
        return named is None
    found = Path(str(named))
    return found == part_of(path) or found.is_relative_to(path) or path.is_relative_to(found)


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, unless it is there.

    Raises:
        WriteError: It cannot be made.
    """
    with named_errors(path):
        path.mkdir(parents=True, exist_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with atomic_file(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Json) -> None:
    """Write a JSON file, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_csv(path: Path, rows: Sequence[Settings]) -> None:
    """Write a table, whole or not at all."""
    with atomic_file(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_lines(path: Path, rows: Sequence[Json]) -> None:
    """Write a JSON object a line, whole or not at all."""
    write_text(path, "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows))


def write_new(path: Path, picture: Image) -> Path:
    """Write a picture as PNG, and return its file: `a.png`, or if that exists `a-2.png`, `a-3.png` and so on."""
    names = (path if number == 1 else path.with_stem(f"{path.stem}-{number}") for number in count(1))
    free = next(name for name in names if not os.path.lexists(name))
    with named_errors(free), free.open("xb") as file:
        try:
            picture.save(file, format="png")
        except BaseException:
            free.unlink()
            raise
    return free

"""Files that are written: each whole or absent. Standard library only."""

from __future__ import annotations

import csv
import errno
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.engine.config import Json, Settings

if TYPE_CHECKING:
    from PIL.Image import Image

PART = ".part-"  # begins the name of a file that is not complete
MISSING = {  # what an error of the system says is missing, and the way out
    errno.ENOSPC: "no space is left on its disk; free some, or name a place on another disk",
    errno.EDQUOT: "the disk quota of this user is used up; free some space, or name a place on another disk",
    errno.EROFS: "its file system is read-only; name a place that can be written to",
    errno.EFBIG: "the largest size of a file is reached; name a place on another disk",
    errno.EIO: "its disk fails; name a place on another disk",
}
FOLDER = {  # the same, where they come from its folder
    errno.EACCES: "this user may not write to its folder; change its permissions, or name another",
    errno.EPERM: "this user may not write to its folder; change its permissions, or name another",
    errno.ENOTDIR: "its folder is a file; name another",
    errno.EEXIST: "its folder is a file; name another",
    errno.EISDIR: "a folder has its name; name another",
    errno.ENAMETOOLONG: "its name is too long; name another",
}


class WriteError(OSError):
    """A file that cannot be written, and what is missing for it."""

    exit_code = 73

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{str(path)!r} cannot be written: {reason}.")
        self.reason = reason


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Give a path to write to; the file appears under its own name once it is complete and on disk.

    Raises:
        WriteError: The disk is full or cannot be written to; a file that was there before is as it was.
    """
    part = path.with_name(f"{PART}{path.name}")
    with named_errors(path, MISSING | FOLDER):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)  # a link of that name is not written through
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        with named_errors(path, MISSING):
            yield part
        with named_errors(path, MISSING | FOLDER):
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            part.replace(path)
            folder = os.open(path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def named_errors(path: Path, reasons: dict[int, str]) -> Iterator[None]:
    """Raise `WriteError` in place of an error of the system that has a known reason, for a `with` statement."""
    try:
        yield
    except WriteError:
        raise
    except OSError as error:
        reason = reasons.get(error.errno or 0) or next(
            (said for number, said in reasons.items() if os.strerror(number) in str(error)), None
        )  # HDF5 gives text alone
        if reason is None:
            raise
        raise WriteError(path, reason) from error


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
    with named_errors(free, MISSING | FOLDER), free.open("xb") as file:
        picture.save(file, format="png")
    return free

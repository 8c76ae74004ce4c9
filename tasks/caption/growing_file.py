"""An array file that grows row by row over several starts of a program, and is itself only once it is complete."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tasks.engine.files import PART, write_text

SAVED = 5.0  # seconds between the moments when all rows so far are on disk


class GrowingFile:
    """An `.npy` file of float16 that is not complete yet, beside a file with the number of its rows on disk.

    Args:
        path: The file to become.
        rows: Path of the file until then.
        file: That file, open to read and to write.

    Attributes:
        done: Rows that are there; those of an earlier start at first.
    """

    def __init__(self, path: Path, rows: Path, file: BinaryIO) -> None:
        self.path, self.rows, self.file = path, rows, file
        self.count = rows.with_name(f"{rows.name}.count")
        self.done, end = self.on_disk()
        self.file.truncate(end)
        self.file.seek(end)
        self.saved = time.monotonic()

    def on_disk(self) -> tuple[int, int]:
        """Return how many rows are on disk for certain, and where they end."""
        try:
            done, end = map(int, self.count.read_text(encoding="ascii").split())
        except (OSError, ValueError):
            return 0, 0
        return (done, end) if done > 0 and 0 < end <= self.rows.stat().st_size else (0, 0)

    def add(self, rows: np.ndarray, total: int) -> None:
        """Write some rows of `total` rows in all, float16 `(rows, ...)`."""
        if not self.done:
            header = {"descr": "<f2", "fortran_order": False, "shape": (total, *rows.shape[1:])}
            np.lib.format.write_array_header_1_0(self.file, header)
        self.file.write(rows.tobytes())
        self.done += len(rows)
        if time.monotonic() - self.saved >= SAVED:
            self.save()

    def save(self) -> None:
        """Bring the rows to disk, and then their number."""
        self.file.flush()
        os.fsync(self.file.fileno())
        write_text(self.count, f"{self.done} {self.file.tell()}")
        self.saved = time.monotonic()

    def finish(self) -> None:
        """Give the file its name."""
        self.save()
        self.rows.replace(self.path)
        self.count.unlink()

    def keep(self) -> None:
        """Keep what is on disk for certain for another start, if it can find it; else remove the file."""
        done, end = self.on_disk()
        if done and self.rows == first_part(self.path):
            os.truncate(self.rows, end)
            self.done = done
        else:
            self.done = 0
            for path in (self.rows, self.count):
                path.unlink(missing_ok=True)


@contextmanager
def growing_file(path: Path) -> Iterator[GrowingFile]:
    """Open a file that grows, for a `with` statement; if it cannot be written further, it is kept as it is.

    Only one process adds to it; another one that wants the same file begins one of its own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path)
    rows = first_part(path)
    try:
        file = opened(rows)
    except BlockingIOError:
        rows = path.with_name(f"{PART}{os.getpid()}-{path.name}")
        file = opened(rows)
    growing = GrowingFile(path, rows, file)
    try:
        with file:
            yield growing
    except OSError:
        growing.keep()
        raise


def first_part(path: Path) -> Path:
    """Return where the rows of a file are until it is complete, if one process alone wants it."""
    return path.with_name(f"{PART}{path.name}")


def opened(path: Path) -> BinaryIO:
    """Return a file to read and to write, made if it is not there, and locked; a link is refused.

    Raises:
        BlockingIOError: Another process has locked it, or has just completed it.
    """
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644), "r+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not path.exists() or not os.path.samestat(os.fstat(file.fileno()), path.lstat()):
            raise BlockingIOError
    except OSError:
        file.close()
        raise
    return file


def remove_abandoned(path: Path) -> None:
    """Remove what killed processes have left of their own files, which no other process looks for."""
    for rows in path.parent.glob(f"{PART}[0-9]*-{path.name}"):
        with suppress(OSError), opened(rows):
            for name in (rows, rows.with_name(f"{rows.name}.count")):
                name.unlink(missing_ok=True)

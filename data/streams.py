"""Bytes of files with limits: of a line, and of what a compressed file may become. Standard library only."""

import io
import os
from collections.abc import Callable
from typing import IO, Any

from data.limits import LimitError, is_bomb, limit, limit_refusal

BUFFER = 1 << 16  # bytes that are read and checked at a time
TAIL = 1 << 12  # bytes at the end of these in which most often a line ends


class CheckedBytes(io.RawIOBase):
    """The bytes of an open file, each buffer of which is checked before it is used.

    Args:
        file: Where they come from.
        check: Gets the bytes and the place behind them; raises `DataError` to refuse the file.
    """

    def __init__(self, file: Any, check: Callable[[memoryview, int], None]) -> None:
        self.file, self.check, self.place = file, check, 0

    def readinto(self, buffer: Any) -> int:
        """Read some bytes; none at the end of the file."""
        count = int(self.file.readinto1(buffer))
        self.place += count
        self.check(buffer[:count], self.place)
        return count

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self.file.seekable())

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the file."""
        self.place = int(self.file.seek(place, whence))
        return self.place

    def tell(self) -> int:
        return self.place

    def close(self) -> None:
        """Close the file too."""
        if not self.closed:
            self.file.close()
        super().close()


class LineCheck:
    """The length of the line that is being read.

    Args:
        name: Path of the file, for errors.
        kind: Name of the limit.
    """

    def __init__(self, name: str, kind: str = "line") -> None:
        self.name, self.kind, self.most, self.length = name, kind, limit(kind), 0

    def __call__(self, data: memoryview, place: int) -> None:
        """Add bytes, and raise `LimitError` if the line is too long."""
        if b"\n" in bytes(data[-TAIL:]):
            self.length = 0  # but for what is behind it, which is short
            return
        content = bytes(data)
        end = max(content.rfind(b"\n"), content.rfind(b"\r"))
        self.length = len(data) - end - 1 if end >= 0 else self.length + len(data)
        if self.length > self.most:
            raise LimitError(f"{self.name!r} {limit_refusal('has a line', self.kind)}.")


def is_short(file: object, most: int) -> bool:
    """Return whether an open file is a plain one of so few bytes that none of its lines can have more."""
    return isinstance(file, io.FileIO) and os.fstat(file.fileno()).st_size <= most


def checked_lines(file: Any, check: LineCheck) -> IO[bytes]:
    """Return an open file of text whose lines have a largest length."""
    return io.BufferedReader(CheckedBytes(file, check), BUFFER)


def checked_unpacking(file: Any, name: str, packed: int) -> IO[bytes]:
    """Return an open compressed file that may not become implausibly large.

    Args:
        file: An open file of unpacked bytes.
        name: Its path, for errors.
        packed: Bytes of the compressed file.
    """

    def check(data: memoryview, place: int) -> None:
        if is_bomb(packed, place):
            raise LimitError(f"{name!r} {limit_refusal('unpacks to a multiple of its size', 'ratio')}.")

    return io.BufferedReader(CheckedBytes(file, check), BUFFER)

"""Text files as people have them: plain or compressed, in UTF-8 or in an encoding that is told or named."""

import bz2
import codecs
import gzip
import io
import lzma
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from pathlib import Path, PurePath
from typing import IO, Any, TypeAlias
from zipfile import Path as ZipPath
from zipfile import ZipFile

from data.encodings import CONTROLS, head_encoding, likely_encoding
from data.limits import LimitError, limit, limit_refusal
from data.plain_files import check_plain
from data.splits import DataError, OptionError
from data.streams import LineCheck, checked_lines, checked_unpacking, is_short
from data.zips import DAMAGED as DAMAGED_ZIP
from data.zips import UNPACKING, is_plain_member, opened_zip

File: TypeAlias = Path | ZipPath  # a file, or one inside a zip
HEAD = 1 << 16  # bytes from which the encoding and the line ends are told
SCANNED, GUESSED = 1 << 24, 1 << 14  # bytes in which other signs than ASCII are sought, and from which they are told
WIDE = ("utf-16", "utf-32")
ERRORS = {"cp1252": CONTROLS}  # encoding -> what is done with bytes that are not in it
BLOCK = 1024  # lines that are checked together
OPENERS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
UNREADABLE = re.compile("[\udc80-\udcff]")  # bytes that are not in the encoding, as they are read
DAMAGED = (gzip.BadGzipFile, *UNPACKING)
WHOLE = (".json",)  # endings of files whose text may be one line


def content_name(path: File) -> str:
    """Return the name of the file inside a compressed one, or the name of a plain file.

    A `.zip` counts as a compressed file if it holds one visible file.

    Example:
        >>> content_name(Path("reviews.csv.gz"))
        'reviews.csv'
    """
    if path.suffix.lower() == ".zip" and isinstance(path, Path):
        members = zip_members(path)
        return PurePath(members[0]).name if len(members) == 1 else path.name
    return path.name[: -len(path.suffix)] if path.suffix.lower() in OPENERS else path.name


def content_suffix(path: File) -> str:
    """Return the suffix of `content_name` in lower case, with its dot."""
    return PurePath(content_name(path)).suffix.lower()


def zip_members(path: Path) -> list[str]:
    """Return the names of the visible files in a zip, none if there is no whole zip."""
    try:
        check_plain(path)
        with ZipFile(path) as archive:
            return [one.filename for one in archive.infolist() if is_visible(one.filename) and is_plain_member(one)]
    except (OSError, *DAMAGED_ZIP):
        return []


def is_visible(name: str) -> bool:
    """Return whether a member of a zip is a file that a user put there."""
    return not name.endswith("/") and not any(part.startswith((".", "__MACOSX")) for part in PurePath(name).parts)


def open_bytes(path: File) -> IO[bytes]:
    """Open the content of a plain or compressed file.

    Raises:
        FileNotFoundError: There is no such file.
    """
    check_plain(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    if path.suffix.lower() == ".zip" and isinstance(path, Path):
        return open_member(path)
    if path.suffix.lower() in OPENERS:
        file = OPENERS[path.suffix.lower()](path if isinstance(path, Path) else path.open("rb"))
        return checked_unpacking(file, str(path), packed_size(path))
    return path.open("rb")


def packed_size(path: File) -> int:
    """Return the number of bytes of a file, or of a file inside a zip."""
    return path.stat().st_size if isinstance(path, Path) else path.root.getinfo(path.at).file_size


def open_lines(path: File) -> IO[bytes]:
    """Open the content of a text file, whose lines have a largest length; that of JSON may be one line."""
    check = LineCheck(str(path), "file" if content_suffix(path) in WHOLE else "line")
    file = open_bytes(path)
    if isinstance(file, io.BufferedReader) and is_short(file.raw, check.most):
        return file
    return checked_lines(file, check)


def open_member(path: Path) -> IO[bytes]:
    """Open the one visible file in a zip.

    Raises:
        DataError: The zip is damaged, or holds several files or none.
    """
    try:
        with opened_zip(path) as archive:  # the open member keeps what it reads from
            members = zip_members(path)
            if len(members) == 1:
                return archive.open(members[0])
    except UNPACKING as error:
        raise DataError(f"{str(path)!r} cannot be unpacked: {error}.") from error
    raise DataError(
        f"{str(path)!r} holds {len(members)} files, not one; unzip it, and give one of them or their folder."
    )


@contextmanager
def open_text(path: File, encoding: str | None = None, newline: str | None = "") -> Iterator[IO[str]]:
    """Open a text file to read, for a `with` statement; bytes that are not in its encoding become surrogates.

    Args:
        path: A file, plain or compressed: `.gz`, `.bz2`, `.xz`, or a `.zip` of one file.
        encoding: Name of the encoding; a byte-order mark counts more. `None` is UTF-8.
        newline: As for `open`.

    Raises:
        FileNotFoundError: There is no such file.
        DataError: The file is damaged, or not a text file.
        OptionError: No encoding has this name.
    """
    try:
        with open_lines(path) as file:
            head = file.read(HEAD)
        given = named_encoding(encoding) if encoding else None
        found = head_encoding(head, given, str(path), path.name)
        errors = ERRORS.get(found, "strict" if found.startswith(WIDE) else "surrogateescape")
        with open_lines(path) as file, io.TextIOWrapper(file, found, errors, newline) as text:
            yield text
    except UnicodeDecodeError as error:
        raise DataError(
            f"{str(path)!r} is not in {found}: {error.reason}; name its encoding with --encoding."
        ) from error
    except DAMAGED as error:
        raise DataError(f"{str(path)!r} is damaged: {error}.") from error
    except OSError as error:
        if type(error) is OSError and error.errno is None:  # from a decompressor
            raise DataError(f"{str(path)!r} is damaged: {error}.") from error
        raise


def named_encoding(name: str) -> str:
    """Return Python's name of an encoding; latin-1 is cp1252, as in browsers, since its controls are not used.

    Raises:
        OptionError: No text encoding has this name.
    """
    try:
        "".encode(name)
        found = codecs.lookup(name).name
    except LookupError as error:
        raise OptionError(
            f"No encoding is named {name!r}; name one such as utf-8, latin-1, cp1252 or utf-16."
        ) from error
    return "cp1252" if found == "iso8859-1" else found


def undecodable(text: str) -> bool:
    """Return whether a text has bytes that were not in the encoding of its file."""
    return not text.isascii() and UNREADABLE.search(text) is not None


def encoding_refusal(text: str, place: str, path: File | None = None, encoding: str | None = None) -> str:
    """Return a clause that refuses a text with undecodable bytes, and names the likely encoding.

    Args:
        place: Row or line of the text.
        path: The file, all of which tells the encoding; `None` takes the text alone.
        encoding: The encoding that the user gave.
    """
    used = encoding or "UTF-8"
    byte = next(ord(letter) - 0xDC00 for letter in text if UNREADABLE.match(letter))
    if path is None:
        likely = likely_encoding(text.encode(used, "surrogateescape"))
    else:
        likely = file_likely_encoding(path, path.stat().st_mtime_ns if isinstance(path, Path) else 0)
    other = named_encoding(likely) != named_encoding(used)
    way = f"give its encoding, likely --encoding {likely}" if other else "remove what is damaged"
    return f"{place} is not in {used} (byte 0x{byte:02x}); {way}"


@lru_cache(maxsize=8)
def file_likely_encoding(path: File, changed: int) -> str:
    """Return the likely encoding of a file, from lines that are not ASCII in its first part.

    Args:
        path: A file, plain or compressed.
        changed: When it was changed.
    """
    with open_lines(path) as file:
        lines = [line for line in file.readlines(SCANNED) if not line.isascii()]
    return likely_encoding(b"".join(lines)[:GUESSED])


def text_lines(path: File, encoding: str | None = None) -> Iterator[str]:
    """Yield the lines of a text file without their ends, one at a time.

    Lines end with a line feed, with or without a carriage return before it. A file with carriage returns alone has
    these as ends. No other sign ends a line, so that the lines of parallel files stay in step.

    Args:
        path: A file as for `open_text`.
        encoding: As for `open_text`.

    Raises:
        FileNotFoundError, DataError, OptionError: As for `open_text`.
    """
    with open_text(path, encoding, newline="\n") as file:
        first = file.readline(HEAD)
        old = "\n" not in first and "\r" in first
    with open_text(path, encoding, newline="\r" if old else "\n") as file:
        yield from (line.rstrip("\r\n") for line in file)


def decoded_lines(path: File, encoding: str | None = None) -> Iterator[str]:
    """Yield the lines of a text file as `text_lines` does, and refuse the first that is not in its encoding.

    Raises:
        DataError: A line has bytes that are not in the encoding; the message names the line and the likely encoding.
    """
    lines, number = text_lines(path, encoding), 0
    while block := list(islice(lines, BLOCK)):
        if undecodable("".join(block)):
            place, line = next((place, line) for place, line in enumerate(block, number + 1) if undecodable(line))
            raise DataError(f"{str(path)!r}: {encoding_refusal(line, f'line {place}', path, encoding)}.")
        yield from block
        number += len(block)


def read_text(path: File, encoding: str | None = None) -> str:
    """Return the contents of a text file.

    Raises:
        DataError: The file is not in its encoding.
    """
    if isinstance(path, Path) and path.is_file() and path.stat().st_size > limit("file"):
        raise LimitError(f"{str(path)!r} {limit_refusal('has a size', 'file')}.")
    with open_text(path, encoding, newline=None) as file:
        text = file.read()
    if bad := UNREADABLE.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        raise DataError(f"{str(path)!r}: {encoding_refusal(text, f'line {line}', path, encoding)}.")
    return text

"""Text files as people have them: plain or compressed, in UTF-8 or in an encoding that is told or named."""

import bz2
import codecs
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path, PurePath
from typing import IO, Any, TypeAlias
from zipfile import BadZipFile, ZipFile
from zipfile import Path as ZipPath

from data.splits import DataError, OptionError

File: TypeAlias = Path | ZipPath  # a file, or one inside a zip
HEAD = 1 << 16  # bytes from which the encoding and the line ends are told
BLOCK = 1024  # lines that are checked together
OPENERS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
WESTERN = ("ascii", "utf-8", "latin-1", "iso8859-1", "cp1250", "cp1252", "cp1254", "cp1257")
MARKS = {  # byte-order mark -> encoding; the longer ones first
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
UNREADABLE = re.compile("[\udc80-\udcff]")  # bytes that are not in the encoding, as they are read
DAMAGED = (EOFError, gzip.BadGzipFile, lzma.LZMAError, BadZipFile, zlib.error)


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
        with ZipFile(path) as archive:
            return [name for name in archive.namelist() if is_visible(name)]
    except (OSError, BadZipFile):
        return []


def is_visible(name: str) -> bool:
    """Return whether a member of a zip is a file that a user put there."""
    return not name.endswith("/") and not any(part.startswith((".", "__MACOSX")) for part in PurePath(name).parts)


def open_bytes(path: File) -> IO[bytes]:
    """Open the content of a plain or compressed file.

    Raises:
        FileNotFoundError: There is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    if path.suffix.lower() == ".zip" and isinstance(path, Path):
        return open_member(path)
    if path.suffix.lower() in OPENERS:
        file: IO[bytes] = OPENERS[path.suffix.lower()](path if isinstance(path, Path) else path.open("rb"))
        return file
    return path.open("rb")


def open_member(path: Path) -> IO[bytes]:
    """Open the one visible file in a zip.

    Raises:
        DataError: The zip is damaged, or holds several files or none.
    """
    members = zip_members(path)
    if len(members) != 1:
        raise DataError(
            f"{str(path)!r} holds {len(members)} files, not one; unzip it, and give one of them or their folder."
        )
    return ZipFile(path).open(members[0])


@contextmanager
def open_text(path: File, encoding: str | None = None, newline: str | None = "") -> Iterator[IO[str]]:
    """Open a text file to read, for a `with` statement; bytes that are not in its encoding become surrogates.

    Args:
        path: A file, plain or compressed: `.gz`, `.bz2`, `.xz`, or a `.zip` of one file.
        encoding: Name of the encoding; `None` is that of the byte-order mark, or else UTF-8.
        newline: As for `open`.

    Raises:
        FileNotFoundError: There is no such file.
        DataError: The file is damaged, or not a text file.
        OptionError: No encoding has this name.
    """
    try:
        with open_bytes(path) as file:
            head = file.read(HEAD)
        found = named_encoding(encoding) if encoding else told_encoding(head, str(path))
        errors = "surrogateescape" if found.startswith("utf-8") else "strict"
        with open_bytes(path) as file, io.TextIOWrapper(file, found, errors, newline) as text:
            yield text
    except UnicodeDecodeError as error:
        raise DataError(
            f"{str(path)!r} is not in {encoding or found}: {error.reason}; name its encoding with --encoding."
        ) from error
    except DAMAGED as error:
        raise DataError(f"{str(path)!r} is damaged: {error}.") from error


def named_encoding(name: str) -> str:
    """Return Python's name of an encoding.

    Raises:
        OptionError: No text encoding has this name.
    """
    try:
        "".encode(name)
        return codecs.lookup(name).name
    except LookupError as error:
        raise OptionError(
            f"No encoding is named {name!r}; name one such as utf-8, latin-1, cp1252 or utf-16."
        ) from error


def told_encoding(head: bytes, name: str) -> str:
    """Return the encoding that the first bytes of a file tell, UTF-8 if nothing else.

    Raises:
        DataError: There are zero bytes in them, so the file is not text in UTF-8.
    """
    found = next((encoding for mark, encoding in MARKS.items() if head.startswith(mark)), "utf-8")
    zeros = head.count(b"\0")
    if found.startswith("utf-8") and zeros > len(head) / 5:
        wide = "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
        raise DataError(f"{name!r} is not in UTF-8: it has zero bytes. If it is text, give --encoding {wide}.")
    return found


def undecodable(text: str) -> bool:
    """Return whether a text has bytes that were not in the encoding of its file."""
    return not text.isascii() and UNREADABLE.search(text) is not None


def encoding_refusal(text: str, place: str) -> str:
    """Return a clause that refuses a text with undecodable bytes, and names the likely encoding.

    Args:
        place: Row or line of the text.
    """
    raw = text.encode("utf-8", "surrogateescape")
    byte = next(ord(letter) - 0xDC00 for letter in text if UNREADABLE.match(letter))
    likely = likely_encoding(raw)
    return f"{place} is not in UTF-8 (byte 0x{byte:02x}); give its encoding, likely --encoding {likely}"


def likely_encoding(raw: bytes) -> str:
    """Return the name of the encoding that some bytes are likely in, `latin-1` if nothing speaks for another.

    Example:
        >>> likely_encoding("Größe, naïve café, señor".encode("latin-1"))
        'latin-1'
    """
    from charset_normalizer import from_bytes

    western = "cp1252" if re.search(rb"[\x80-\x9f]", raw) else "latin-1"
    best = from_bytes(raw, cp_exclusion=["utf_7"]).best() if len(raw) > 400 else None
    named = best.encoding.replace("_", "-") if best else western
    return western if named in WESTERN else named


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
            raise DataError(f"{str(path)!r}: {encoding_refusal(line, f'line {place}')}.")
        yield from block
        number += len(block)


def read_text(path: File, encoding: str | None = None) -> str:
    """Return the contents of a text file.

    Raises:
        DataError: The file is not in its encoding.
    """
    with open_text(path, encoding, newline=None) as file:
        text = file.read()
    if bad := UNREADABLE.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        raise DataError(f"{str(path)!r}: {encoding_refusal(text, f'line {line}')}.")
    return text

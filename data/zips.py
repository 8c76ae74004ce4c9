"""Zips of the user: checked by their directory before anything in them is read. Standard library only."""

import errno
import stat
import struct
import zlib
from collections import Counter
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from data.limits import LimitError, is_bomb, limit, limit_refusal
from data.plain_files import check_plain
from data.splits import DataError

METHODS = (ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA)
ENCRYPTED = 0x1 | 0x40  # flags of a member
DAMAGED = (BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error, EOFError)  # by its directory
UNPACKING = (BadZipFile, NotImplementedError, EOFError, LZMAError, zlib.error)  # by a member


def opened_zip(path: Path) -> ZipFile:
    """Open a zip to read.

    Raises:
        FileNotFoundError: There is no such file.
        DataError: It is damaged, encrypted or a bomb, or has names that lead out of it.
    """
    check_plain(path)
    try:
        archive = ZipFile(path)
    except (*DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise DataError(f"{str(path)!r} is damaged: {str(error).rstrip('.')}; download it again.") from error
    try:
        check_directory(archive, str(path), path.stat().st_size)
    except BaseException:
        archive.close()
        raise
    return archive


def check_directory(archive: ZipFile, name: str, size: int) -> None:
    """Raise `DataError` if a zip is not one to read, by its directory alone.

    Args:
        archive: The open zip.
        name: Its path, for errors.
        size: Bytes of its file.
    """
    members = archive.infolist()
    if len(members) > limit("members"):
        raise LimitError(f"{name!r} {limit_refusal('has files', 'members')}.")
    if wrong := next((f"{one.filename!r} {error}" for one in members if (error := member_error(one))), None):
        raise DataError(f"{name!r} is not read: its member {wrong}.")
    if sum(member.compress_size for member in members) > size:
        raise DataError(f"{name!r} is damaged: its members overlap; download it again.")
    if len(set(archive.NameToInfo)) < len(members):
        doubled = Counter(member.filename for member in members).most_common(1)[0][0]
        raise DataError(f"{name!r} has two members called {doubled!r}; keep one of them.")


def member_error(member: ZipInfo) -> str:
    """Return what is wrong with a member of a zip; nothing if it can be read."""
    if member.flag_bits & ENCRYPTED:
        return "is encrypted; unpack the zip, and give the folder"
    if member.compress_type not in METHODS:
        return "is compressed by a method that is not read; unpack the zip, and give the folder"
    if member.header_offset < 0:
        return "begins before the zip; download it again"
    if is_bomb(member.compress_size, member.file_size):
        return limit_refusal("unpacks to a multiple of its size", "ratio")
    name = member.filename.replace("\\", "/")
    if name.startswith("/") or (".." in name and ".." in PurePosixPath(name).parts):
        return "has a name that leads out of the zip"
    return ""


def is_plain_member(member: ZipInfo) -> bool:
    """Return whether a member is a file, and not a folder or a link."""
    return not member.is_dir() and not stat.S_ISLNK(member.external_attr >> 16)


def member_bytes(archive: ZipFile, member: str, name: str) -> bytes:
    """Return the content of a file in a zip.

    Raises:
        DataError: It is damaged.
    """
    try:
        return archive.read(member)
    except UNPACKING as error:
        raise DataError(f"{name!r} is damaged: {str(error).rstrip('.')}.") from error
    except OSError as error:
        if error.errno is None:  # from a decompressor
            raise DataError(f"{name!r} is damaged: {str(error).rstrip('.')}.") from error
        raise

"""Members of a run: plain files and folders, looked at before anything is opened. Standard library only.

A run is a directory, or a bundle: a sealed zip, whose members have paths as if it were one, such as `a.zip/codec.json`.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from tasks.engine import sealed

FILES = (
    *("config.json", "codec.json", "environment.json", "metrics.json", "history.csv", "answers.jsonl", "README.md"),
    "model.keras",
)
FOLDERS = ("onnx", "checkpoint", "figures", "tensorboard")
MEGABYTE = 1 << 20
LARGEST = {  # bytes of a file that is read as a whole; a vocabulary of 500,000 words takes 9 MB
    "config.json": MEGABYTE,
    "environment.json": MEGABYTE,
    "state.json": 8 * MEGABYTE,
    "metrics.json": 8 * MEGABYTE,
    "history.csv": 8 * MEGABYTE,
    "codec.json": 16 * MEGABYTE,
}
LARGEST_WEIGHTS = 2 << 30  # bytes of a file of weights
PACKED = {  # the files of a bundle that are not read as a whole everywhere, and their largest sizes
    "model.keras": LARGEST_WEIGHTS,
    "answers.jsonl": 256 * MEGABYTE,
}
INSIDE = {  # other members of a bundle, and their largest sizes
    re.compile(r"onnx/\w{1,60}\.onnx", re.ASCII): LARGEST_WEIGHTS,
    re.compile(r"figures/[\w-]{1,60}\.png", re.ASCII): 16 * MEGABYTE,
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

    The directory itself may be a link, since the user names it. All of a bundle is checked, its sums too.
    """
    if is_bundle(run):
        bundle_members(run)
        return
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
    if bundle_of(path):
        return  # a bundle has plain files alone
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
    if bundle := bundle_of(path):
        return path.relative_to(bundle).as_posix() in bundle_members(bundle)
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
    if bundle := bundle_of(path):
        return bundled_content(bundle, path, most)
    if not follow:
        check_kind(path, stat.S_IFREG)
    with opened_plain(path, follow) as file:
        if (size := os.fstat(file.fileno()).st_size) > most:
            raise RunError(f"{str(path)!r} is damaged: it has {size:,} bytes, and at most {most:,} are read.")
        return file.read(most + 1)


@contextmanager
def opened_plain(path: Path, follow: bool) -> Iterator[BinaryIO]:
    """Open a plain file of a directory to read, for a `with` statement.

    Raises:
        FileNotFoundError, RunError: As for `file_content`.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise RunError(f"{str(path)!r} is a socket, and not a plain file.") from error
        raise
    with open(number, "rb") as file:
        kind = stat.S_IFMT(os.fstat(number).st_mode)
        if kind != stat.S_IFREG:
            raise RunError(f"{str(path)!r} is {KINDS.get(kind, 'something else')}, and not a plain file.")
        yield file


def file_size(path: Path) -> int:
    """Return the number of bytes of a plain file of a run, which is there."""
    if bundle := bundle_of(path):
        return bundle_members(bundle)[path.relative_to(bundle).as_posix()].size
    return path.lstat().st_size


def has_file(path: Path) -> bool:
    """Return whether a run has something of this name, be it a link to nothing."""
    return is_plain_file(path) if bundle_of(path) else os.path.lexists(path)


def files_in(folder: Path, suffix: str) -> list[Path]:
    """Return what is in a folder of a run with a suffix, by name; a missing folder holds nothing."""
    if bundle := bundle_of(folder):
        inside = folder.relative_to(bundle)
        found = [bundle / name for name in bundle_members(bundle) if Path(name).parent == inside]
    else:
        found = [*folder.glob("*")]
    return sorted(path for path in found if path.suffix == suffix)


@contextmanager
def file_on_disk(path: Path) -> Iterator[Path]:
    """Give a file of a run on the disk, for a `with` statement; one of a bundle is a copy that only this user reads.

    For libraries that read nothing but paths. The copy is removed afterwards.
    """
    if not bundle_of(path):
        yield path
        return
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="fourlayers-") as folder:
        copy = Path(folder, path.name)
        copy.write_bytes(file_content(path, LARGEST_WEIGHTS))
        yield copy


def is_run(path: Path) -> bool:
    """Return whether a path may be a run: a directory, or a bundle."""
    return path.is_dir() or is_bundle(path)


def is_bundle(path: Path) -> bool:
    """Return whether a path is a file that may be a bundle, by its name; what it holds is checked where it is read."""
    return path.suffix.lower() == ".zip" and path.is_file()


def bundle_of(path: Path) -> Path | None:
    """Return the bundle that a path leads into, if any."""
    above = (path.parent, path.parent.parent)
    return next((place for place in above if place.suffix.lower() == ".zip" and place.is_file()), None)


def largest_member(name: str) -> int | None:
    """Return the most bytes that a member of a bundle may have; `None` for a name that no bundle has.

    Example:
        >>> largest_member("codec.json"), largest_member("onnx/step.onnx"), largest_member("../run.py")
        (16777216, 2147483648, None)
    """
    if name in FILES:
        return PACKED.get(name) or LARGEST.get(name, MEGABYTE)
    return next((size for form, size in INSIDE.items() if form.fullmatch(name)), None)


def bundle_members(bundle: Path) -> dict[str, sealed.Member]:
    """Return the members of a bundle by name, after a look at all of it.

    Raises:
        RunError: It is damaged, or not a bundle.
    """
    facts = bundle.stat()
    return checked_bundle(bundle, (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns))


@lru_cache(maxsize=64)
def checked_bundle(bundle: Path, version: tuple[int, ...]) -> dict[str, sealed.Member]:
    """Return the members of a bundle; it is looked at once for each version of the file."""
    try:
        with opened_plain(bundle, follow=True) as file:
            return sealed.checked_members(file, largest_member)
    except sealed.SealError as error:
        raise RunError(f"{str(bundle)!r} is damaged, or not a bundle: {error}.") from error


def bundled_content(bundle: Path, path: Path, most: int) -> bytes:
    """Return what a member of a bundle holds."""
    members, name = bundle_members(bundle), path.relative_to(bundle).as_posix()
    if name not in members:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    if members[name].size > most:
        raise RunError(f"{str(path)!r} is damaged: it has {members[name].size:,} bytes, and at most {most:,} are read.")
    try:
        with opened_plain(bundle, follow=True) as file:
            return sealed.member_content(file, name, members)
    except sealed.SealError as error:
        raise RunError(f"{str(bundle)!r} is damaged: {error}.") from error


def opened_file(path: Path) -> BinaryIO:
    """Return a plain file of a run, open to read."""
    return BytesIO(file_content(path, LARGEST_WEIGHTS)) if bundle_of(path) else path.open("rb")

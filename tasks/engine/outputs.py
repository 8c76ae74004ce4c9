"""Files that a prediction makes, known before the work to be possible."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import IO

from tasks.engine.config import SettingError, TaskConfig, inner_type, setting_types
from tasks.engine.files import WriteError, named_errors

STANDARD_OUTPUT = "standard output"


def check_outputs(config: TaskConfig) -> None:
    """Raise an error if a file that answers are drawn into cannot be made.

    Raises:
        SettingError: Its name ends as another format.
        OSError: It cannot be written there.
    """
    for name, path in drawn_files(config).items():
        if path.suffix.lower() not in ("", ".png"):
            raise SettingError(f"`{name}` is {str(path)!r}, and the picture is a PNG file; let it end in .png.")
        check_folder(path)


def drawn_files(config: TaskConfig) -> dict[str, Path]:
    """Return the files that answers are drawn into, by the settings that name them."""
    kinds, values = setting_types(type(config)), config.state()
    names = [field.name for field in fields(config) if field.metadata["when"] == "answer"]
    return {name: Path(values[name]) for name in names if values[name] and inner_type(kinds[name]) is Path}


def check_folder(file: Path) -> None:
    """Raise `OSError` unless a file can be made in its folder."""
    folder = file.parent
    if not folder.is_dir():
        reason = "is a file" if folder.exists() else "does not exist"
    elif os.statvfs(folder).f_flag & os.ST_RDONLY:
        reason = "is on a read-only file system"
    elif not os.access(folder, os.W_OK | os.X_OK):
        reason = "cannot be written to"
    else:
        return
    raise OSError(f"{str(file)!r} cannot be made, since its folder {reason}; name another file.")


def check_new(path: Path) -> None:
    """Raise `OSError` if a file exists, or cannot be made."""
    if path.exists():
        raise FileExistsError(f"{str(path)!r} exists; name a new file with --out.")
    check_folder(path)


@contextmanager
def opened_output(path: Path) -> Iterator[IO[str]]:
    """Open a new file for answers, for a `with` statement; if the work fails before the first, no file is left.

    Raises:
        OSError: It exists, or cannot be made or written.
    """
    check_new(path)
    with named_errors(path), path.open("x", encoding="utf-8") as file:
        try:
            yield file
        except BaseException:
            if is_empty(file, path):
                path.unlink()
            raise


def is_empty(file: IO[str], path: Path) -> bool:
    """Return whether nothing has been written into an open file."""
    try:
        return not file.tell()
    except OSError:  # what it holds in memory cannot be written either
        return not path.stat().st_size


@contextmanager
def standard_output() -> Iterator[IO[str]]:
    """Give standard output, for a `with` statement.

    Raises:
        OSError: It cannot be written.
    """
    try:
        with named_errors(STANDARD_OUTPUT):
            yield sys.stdout
            sys.stdout.flush()
    except WriteError as error:
        if error.path == STANDARD_OUTPUT:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python writes what is left when it ends
        raise

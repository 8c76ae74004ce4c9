"""Files that a prediction makes, known before the work to be possible."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import IO

from tasks.engine.config import SettingError, TaskConfig, inner_type, setting_types


def check_outputs(config: TaskConfig) -> None:
    """Raise an error if a file that answers are drawn into cannot be made.

    Raises:
        SettingError: Its name ends as another format.
        OSError: It cannot be written there.
    """
    for field in fields(config):
        value = config.state()[field.name]
        is_path = inner_type(setting_types(type(config))[field.name]) is Path
        if value and is_path and field.metadata["when"] == "answer":
            if Path(value).suffix.lower() not in ("", ".png"):
                raise SettingError(
                    f"`{field.name}` is {str(value)!r}, and the picture is a PNG file; let it end in .png."
                )
            check_folder(Path(value))


def check_folder(file: Path) -> None:
    """Raise `OSError` unless a file can be made in its folder."""
    if not os.access(file.parent, os.W_OK | os.X_OK):
        reason = "cannot be written to" if file.parent.is_dir() else "does not exist"
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
        OSError: It exists, or cannot be made.
    """
    check_new(path)
    with path.open("x", encoding="utf-8") as file:
        try:
            yield file
        except BaseException:
            if not file.tell():
                path.unlink()
            raise

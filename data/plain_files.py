"""Files of the user: plain ones are opened, devices, pipes and sockets are refused first. Standard library only."""

import os
import stat
from pathlib import Path

from data.splits import DataError

KINDS = {
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe, which cannot be read twice",
    stat.S_IFSOCK: "a socket",
}


def check_plain(path: object) -> None:
    """Raise `DataError` if a path is a device, a pipe or a socket, also behind links; other things are not checked.

    Example:
        >>> check_plain(Path("/dev/zero"))
        Traceback (most recent call last):
        data.splits.DataError: '/dev/zero' is a device; give a plain file.
    """
    if not isinstance(path, Path):
        return
    try:
        kind = KINDS.get(stat.S_IFMT(os.stat(path).st_mode))
    except (OSError, ValueError):
        return  # whoever opens it says what is wrong
    if kind:
        raise DataError(f"{str(path)!r} is {kind}; give a plain file.")

"""Limits of what is read from files, and how to raise them. Standard library only."""

import os
import re
from functools import cache

from data.splits import DataError, OptionError

VARIABLE = "FOURLAYERS_LIMITS"  # of the environment: "line=128MB,ratio=1000"
LIMITS = {  # name -> the most that is read
    "line": 64_000_000,  # bytes of a line of text
    "field": 16_000_000,  # characters of a field of a table
    "file": 1_000_000_000,  # bytes of a file that is read at once, such as JSON
    "ratio": 200,  # bytes that each byte of a compressed file becomes, beyond `FREE`
    "members": 1_000_000,  # files in a zip
    "columns": 100_000,  # columns of a table
    "cells": 500_000_000,  # rows times columns of a Parquet file
    "depth": 64,  # lists and objects inside each other in JSON
}
FREE = 16_000_000  # bytes that a compressed file of any ratio may become
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
SIZE = re.compile(r"(\d{1,15})\s*([KMG]?)B?", re.IGNORECASE)


class LimitError(DataError):
    """The data is larger than a limit, which the user may raise."""


def limit(name: str) -> int:
    """Return a limit by its name: the user's own, or the default.

    Raises:
        OptionError: The environment variable that raises limits is not a list of limits.
    """
    return raised_limits(os.environ.get(VARIABLE, "")).get(name, LIMITS[name])


@cache
def raised_limits(text: str) -> dict[str, int]:
    """Return limits as the user writes them.

    Example:
        >>> raised_limits("line=128MB, ratio=1000")
        {'line': 128000000, 'ratio': 1000}
    """
    found: dict[str, int] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, size = part.partition("=")
        match = SIZE.fullmatch(size.strip())
        if name.strip() not in LIMITS or not match:
            raise OptionError(
                f"{VARIABLE} has {part!r}; write for example line=128MB, with one of: {', '.join(LIMITS)}."
            )
        found[name.strip()] = int(match[1]) * UNITS[match[2].upper()]
    return found


def limit_refusal(what: str, name: str) -> str:
    """Return a clause that refuses data above a limit, and says how to raise it.

    Example:
        >>> limit_refusal("has a line", "line")
        'has a line above the limit of 64,000,000; a larger one is set by FOURLAYERS_LIMITS=line=128000000'
    """
    return f"{what} above the limit of {limit(name):,}; a larger one is set by {VARIABLE}={name}={2 * limit(name)}"


def is_bomb(packed: int, unpacked: int) -> bool:
    """Return whether so few compressed bytes become so many that the data is not plausible."""
    return unpacked > FREE and unpacked > limit("ratio") * max(packed, 1)

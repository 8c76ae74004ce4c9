"""Pictures that are in two parts as copies of each other."""

import logging
from collections import Counter
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from data.pictures.containers import content_of, head_of, size_of
from data.pictures.files import MemoryFile, ZipMember
from data.splits import Splits

LOG = logging.getLogger("tasks")
Picture = Any  # a file, a file in memory, or an array


def say_copies(parts: Splits) -> None:
    """Give notice of pictures that are in two parts as copies: of files with equal content, or of equal arrays.

    Args:
        parts: Examples with an `image`.
    """
    files = [[example["image"] for example in part] for part in parts]
    for key in (size_key, head_key, content_key):  # the next one reads only what is equal in those before
        counts = Counter(key(file) for part in files for file in part)
        files = [[file for file in part if counts[key(file)] > 1] for part in files]
    found = [{content_key(file): picture_name(file) for file in part} for part in files]
    for (one, first), (other, second) in combinations(zip(Splits._fields, found, strict=True), 2):
        if doubled := sorted(second[key] for key in first.keys() & second.keys()):
            LOG.warning(
                "Also in the %s part, as copies: %d pictures of the %s part, the first is %r.",
                one, len(doubled), other, doubled[0],
            )  # fmt: skip


def size_key(picture: Picture) -> Any:
    """Return the size of a file, or the shape of an array."""
    if isinstance(picture, np.ndarray):
        return picture.shape
    return len(picture.content) if isinstance(picture, MemoryFile) else size_of(picture)


def head_key(picture: Picture) -> Any:
    """Return the beginning of a file, by which most are told apart."""
    return head_of(picture) if isinstance(picture, Path | ZipMember) else content_key(picture)


def content_key(picture: Picture) -> Any:
    """Return a digest of the content of a picture."""
    if isinstance(picture, Path | ZipMember):
        return content_of(picture)
    return sha256(picture.tobytes() if isinstance(picture, np.ndarray) else picture.content).digest()


def picture_name(picture: Picture) -> str:
    """Return what a picture is called."""
    return "array" if isinstance(picture, np.ndarray) else str(picture.name)

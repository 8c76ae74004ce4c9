"""IDX files, as MNIST and the sets of its kind are published."""

import gzip
import logging
import re
import struct
from collections.abc import Mapping, Sequence
from io import BytesIO
from math import prod
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from data.pictures.containers import Entry
from data.pictures.pixel_arrays import array_examples, is_transposed
from data.splits import DataError, Example, Splits, part_of
from data.streams import checked_unpacking
from data.text_files import DAMAGED, OPENERS, open_bytes

LOG = logging.getLogger("tasks")
NAME = re.compile(
    r"(?P<set>.*?)(?P<part>train|t10k|test|val|valid|validation|dev)[-_. ]?(?P<kind>image|label)s?"
    r"(?P<end>[-_. ]idx\d?)?([-_. ](ubyte|byte|short|int|float|double))?",
    re.IGNORECASE,
)
TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


class Key(NamedTuple):
    """What the name of an IDX file tells."""

    set: str  # the beginning of the name, such as "emnist-letters-"
    part: str
    kind: str  # "image" or "label"


def idx_key(place: PurePosixPath) -> Key | None:
    """Return what the name of an IDX file tells, plain or compressed; `None` for another file.

    Example:
        >>> idx_key(PurePosixPath("t10k-images.idx3-ubyte.gz"))
        Key(set='', part='test', kind='image')
    """
    name = place.stem if place.suffix.lower() in OPENERS else place.name
    found = NAME.fullmatch(name)
    if found is None or not ("idx" in name.lower() or "ubyte" in name.lower()):
        return None
    part = "test" if found["part"].lower() == "t10k" else part_of(found["part"])
    return Key(found["set"].lower(), str(part), found["kind"].lower())


def idx_parts(entries: Sequence[Entry], name: str) -> Splits | None:
    """Return the parts of IDX files, or `None` if there are none; `t10k` is the test part.

    * EMNIST, told by its name, is turned upright, and its file of classes, if any, names them by their characters.
    * A test or validation part without labels is not used, with a notice.

    Args:
        entries: Files of the data; copies of one file count once.
        name: What the data is called.

    Raises:
        DataError: A file is damaged or missing, or there are several sets.
    """
    files: dict[Key, list[Entry]] = {}
    for entry in entries:
        if key := idx_key(entry.inside):
            files.setdefault(key, []).append(entry)
    if not files:
        return None
    sets = sorted({key.set for key in files})
    if len(sets) > 1:
        first = next(files[key][0].file for key in files if key.set == sets[0])
        said = ", ".join(one.strip("-_. ") or "one without a name" for one in sets)
        raise DataError(f"{name!r} holds several data sets: {said}; name one file of one, such as {str(first)!r}.")
    classes = class_characters(entries, sets[0])
    found: dict[str, list[Example]] = {part: [] for part in Splits._fields}
    for part in ("train", "valid", "test"):
        found[part] = idx_examples(files, Key(sets[0], part, "image"), classes)
    return Splits(**found)


def idx_examples(files: Mapping[Key, Sequence[Entry]], key: Key, classes: Mapping[str, str]) -> list[Example]:
    """Return the examples of one part."""
    images, labels = files.get(key, ()), files.get(key._replace(kind="label"), ())
    if not images and not labels:
        return []
    if not (images and labels):
        has, lacks = ("pictures", "labels") if images else ("labels", "pictures")
        file = (images or labels)[0].file
        if key.part == "train" or not any(other.part == "train" for other in files):
            raise DataError(
                f"{str(file)!r} has the {has} of a part whose {lacks} are missing; put their file beside it."
            )
        LOG.warning("%s: not used, since the file of its %s is missing.", file.name, lacks)
        return []
    pictures, numbers = single_array(images), single_array(labels)
    if numbers.ndim == 2:
        LOG.warning("%s: the first of %d numbers is read as the label.", labels[0].name, numbers.shape[1])
        numbers = numbers[:, 0]
    names = [classes.get(str(number), str(number)) for number in numbers.tolist()]
    return array_examples(pictures, names, images[0].name, is_transposed(images[0].inside))


def single_array(copies: Sequence[Entry]) -> np.ndarray:
    """Return the array in a file of which there may be copies.

    Raises:
        DataError: They differ.
    """
    first, *rest = [idx_array(file_content(copy), str(copy.file)) for copy in copies]
    for copy, other in zip(copies[1:], rest, strict=True):
        if not np.array_equal(first, other):
            raise DataError(
                f"Two files of one name differ: {str(copies[0].file)!r} and {str(copy.file)!r}; name the folder of one."
            )
    return first


def file_content(entry: Entry) -> bytes:
    """Return the content of a plain or compressed file."""
    try:
        with open_bytes(entry.text) as file:
            return file.read()
    except DAMAGED as error:
        raise DataError(f"{str(entry.file)!r} is damaged: {error}; download it again.") from error


def idx_array(content: bytes, name: str) -> np.ndarray:
    """Return the array in an IDX file, plain or gzipped.

    Args:
        content: The content of the file.
        name: What it is called, for messages.

    Raises:
        DataError: It is damaged, or is not an IDX file.

    Example:
        >>> idx_array(bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 7]), "labels")
        array([5, 7], dtype=uint8)
    """
    try:
        content = unpacked(content, name) if content[:2] == b"\x1f\x8b" else content
        zero, kind, axes = struct.unpack(">HBB", content[:4])
        shape = struct.unpack(f">{axes}I", content[4 : 4 + 4 * axes])
    except (*DAMAGED, struct.error) as error:
        raise DataError(f"{name!r} is damaged, or is not an IDX file; download it again.") from error
    if zero or kind not in TYPES or not axes:
        raise DataError(f"{name!r} is not an IDX file; give it as it was published, plain or gzipped.")
    values, type_ = content[4 + 4 * axes :], np.dtype(TYPES[kind])
    wanted = prod(shape) * type_.itemsize
    if len(values) != wanted:
        raise DataError(f"{name!r} is damaged: {len(values):,} of {wanted:,} bytes are there; download it again.")
    return np.frombuffer(values, type_).reshape(shape).astype(type_.newbyteorder("="))


def unpacked(content: bytes, name: str) -> bytes:
    """Return gzipped content as it was."""
    with checked_unpacking(gzip.GzipFile(fileobj=BytesIO(content)), name, len(content)) as file:
        return file.read()


def class_characters(entries: Sequence[Entry], name: str) -> dict[str, str]:
    """Return the character of each class number, from the file of classes that EMNIST has; none without it.

    Args:
        entries: Files of the data.
        name: The beginning of the names of the set, such as `emnist-letters-`.
    """
    file = next((entry for entry in entries if entry.name.lower() == f"{name}mapping.txt"), None)
    if file is None:
        return {}
    rows = [line.split() for line in file.text.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not all(len(row) > 1 and all(cell.isdecimal() for cell in row) for row in rows):
        raise DataError(f"{str(file.file)!r} has other lines than a class and the numbers of its characters.")
    LOG.warning("%s: it names the classes by their characters.", file.name)
    return {row[0]: chr(int(row[1])) for row in rows}


def set_entries(path: Path) -> list[Entry] | None:
    """Return the files beside an IDX file that belong to its set, or `None` for another file."""
    key = idx_key(PurePosixPath(path.name))
    if key is None or not path.is_file():
        return None
    beside = [Entry((file.name,), file) for file in sorted(path.parent.iterdir()) if file.is_file()]
    found = [entry for entry in beside if (other := idx_key(entry.inside)) and other.set == key.set]
    return found + [entry for entry in beside if entry.name.lower() == f"{key.set}mapping.txt"]

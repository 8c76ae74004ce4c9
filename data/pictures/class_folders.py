"""Pictures whose folders or names tell their classes, in folders and zips."""

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from data.columns import listed
from data.pictures.containers import Entry, inner_entry, without_shared_folders
from data.sources import is_part_name
from data.splits import DataError, Example, Splits, part_of

LOG = logging.getLogger("tasks")
SEPARATORS = re.compile(r"[_\-. ()]+")
CAMERA = {"img", "image", "dsc", "dscn", "photo", "pic", "picture", "scan", "frame", "file", "pxl", "p", "x"}
Placed = dict[str, list[Entry]]  # part -> its pictures, without the folder of the part


def class_folder_parts(entries: Sequence[Entry], name: str) -> Splits:
    """Return the parts of pictures by the folders of their classes, or by names such as `7_001.png`.

    * Folders called `train`, `valid`, `test` or the like are parts, above the classes or below them; never classes.
    * Folders that hold all the others, as zips leave them, are seen through.
    * A validation or test part without classes is not used, with a notice.

    Args:
        entries: Files of the data.
        name: What the data is called.

    Raises:
        DataError: There are no pictures, or nothing tells their classes.
    """
    pictures = [entry for entry in entries if entry.is_picture]
    if not pictures:
        raise DataError(
            f"{name!r} holds no pictures, IDX files, arrays or tables of pictures; give a folder per class."
        )
    placed = placed_parts(without_shared_folders(pictures), name)
    flat = flat_labels([entry.name for part in placed.values() for entry in part if not entry.folders], name)
    found = {part: labelled_entries(inner, flat, f"{name}, {part}") for part, inner in placed.items()}
    for part in ("valid", "test"):
        if placed[part] and not found[part] and found["train"]:
            LOG.warning("%s: the %s part is not used, since nothing tells its classes.", name, part)
    if not any(found.values()):
        raise DataError(
            f"{name!r} holds {len(pictures)} pictures, and nothing tells their classes; give a folder per class, names "
            f"such as 7_001.png, or a table with the columns image and label."
        )
    if not found["train"] and placed["train"]:
        raise DataError(f"{name!r}: nothing tells the classes of its training pictures; give them a folder per class.")
    return Splits(**found)


def placed_parts(entries: Sequence[Entry], name: str) -> Placed:
    """Return pictures by part, each without the folder that names its part."""
    placed: Placed = {part: [] for part in Splits._fields}
    if all(len(entry.folders) > 1 and is_part_name(entry.folders[1]) for entry in entries):
        for entry in entries:  # parts below the classes
            placed[str(part_of(entry.folders[1]))].append(entry._replace(parts=(entry.parts[0], *entry.parts[2:])))
        return placed
    inner = [entry for entry in entries if entry.folders and is_part_name(entry.folders[0])]
    other = [entry for entry in entries if not (entry.folders and is_part_name(entry.folders[0]))]
    classed = any(len(entry.folders) > 1 for entry in inner)
    if inner and not classed and any(entry.folders for entry in other):
        folders = sorted({entry.folders[0] for entry in inner})
        LOG.warning(
            "%s: the folder %s beside folders of classes is named as a part and not used; rename it if it is a class.",
            name, listed(folders),
        )  # fmt: skip
        inner = []
    if not inner:
        return placed | {"train": list(other)}
    if other:
        beside = sorted({entry.parts[0] for entry in other})
        LOG.warning("%s: %d pictures beside the parts are not used: %s.", name, len(other), listed(beside))
    for entry in inner:
        placed[str(part_of(entry.folders[0]))].append(inner_entry(entry))
    return {part: without_part_folders(without_shared_folders(found)) for part, found in placed.items()}


def without_part_folders(entries: Sequence[Entry]) -> list[Entry]:
    """Return the pictures of a part without a second folder of a part, as in `train/train/7/1.png`."""
    found = list(entries)
    while found and all(entry.folders and is_part_name(entry.folders[0]) for entry in found):
        found = without_shared_folders([inner_entry(entry) for entry in found])
    return found


def labelled_entries(entries: Sequence[Entry], flat: Mapping[str, str], name: str) -> list[Example]:
    """Return examples of the pictures of a part: by folder if it has folders, and otherwise by name.

    Args:
        entries: Pictures of the part.
        flat: Name of a picture outside folders -> its label; empty if names tell none.
        name: What the part is called.
    """
    classed = [entry for entry in entries if entry.folders]
    labels = {entry.name: flat_label for entry in entries if (flat_label := flat.get(entry.name))}
    if classed and len({entry.folders[0] for entry in classed}) == 1 and len(classed) == len(entries):
        own = flat_labels([entry.name for entry in classed], name)  # one folder around names that tell classes
        if own and classed[0].folders[0] not in own.values():
            return [{"image": entry.file, "label": own[entry.name]} for entry in entries]
    if not classed:
        return [{"image": entry.file, "label": labels[entry.name]} for entry in entries if entry.name in labels]
    if loose := len(entries) - len(classed):
        LOG.warning("%s: %d pictures outside the folders of the classes are not used.", name, loose)
    if alien := sorted({entry.folders[0] for entry in classed if is_part_name(entry.folders[0])}):
        raise DataError(f"{name}: the folder {alien[0]!r} is named as a part and is not a class; move it to the top.")
    return [{"image": entry.file, "label": entry.folders[0]} for entry in classed]


def flat_labels(names: Sequence[str], name: str) -> dict[str, str]:
    """Return the label of each picture by its name if these have one reading, with a notice; otherwise nothing.

    The label is the first word of all names, or the last one: a letter, a digit or a word, and each occurs twice or
    more on average.

    Args:
        names: Names of pictures, with endings.
        name: What the data is called.

    Raises:
        DataError: There are two readings.

    Example:
        >>> flat_labels(["7_001.png", "7_002.png", "3_001.png", "3_002.png"], "digits")
        {'7_001.png': '7', '7_002.png': '7', '3_001.png': '3', '3_002.png': '3'}
    """
    words = [[word for word in SEPARATORS.split(PurePath(one).stem) if word] for one in names]
    if not words or min(map(len, words)) < 2:
        return {}
    readings = {place: [row[number] for row in words] for place, number in (("first", 0), ("last", -1))}
    first, last = readings.values()
    readings = {place: labels for place, labels in readings.items() if are_labels(labels)}
    if len(readings) == 2 and are_counts(last, first) != are_counts(first, last):
        readings = {"first": first} if are_counts(last, first) else {"last": last}
    if len(readings) == 2 and readings["first"] != readings["last"]:
        one, other = (labels[0] for labels in readings.values())
        raise DataError(
            f"{name!r}: the name {names[0]!r} may stand for the class {one!r} or {other!r}; give a folder per class, "
            f"or a table with the columns image and label."
        )
    if not readings:
        return {}
    place, labels = next(iter(readings.items()))
    LOG.warning("%s: the %s word of each name is read as its label: %s.", name, place, listed(sorted({*labels})))
    return dict(zip(names, labels, strict=True))


def are_labels(words: Sequence[str]) -> bool:
    """Return whether words may be labels: single signs or words without digits, repeated, and not those of cameras."""
    distinct = {*words}
    forms = all(len(word) == 1 or word.isalpha() for word in distinct)
    return forms and 2 <= len(distinct) <= len(words) / 2 and not {word.lower() for word in distinct} & CAMERA


def are_counts(words: Sequence[str], labels: Sequence[str]) -> bool:
    """Return whether words count the pictures of each label, from 0 or from 1."""
    numbers: dict[str, list[int]] = {}
    for word, label in zip(words, labels, strict=True):
        numbers.setdefault(label, []).append(int(word) if word.isdecimal() else -1)
    return all(sorted(found) == list(range(min(found), min(found) + len(found))) for found in numbers.values()) and all(
        min(found) in (0, 1) for found in numbers.values()
    )

"""What the place of a photo tells: its resolution, its scale, its part, and of which picture it is a copy."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from data.pictures.containers import Entry
from data.sources import is_part_name
from data.splits import PARTS, part_of

HIGH, LOW = {"hr", "gt", "hq"}, {"lr", "lq"}  # words of folders and of names
HIGH_FOLDERS, LOW_FOLDERS = {"high", "target"}, {"low", "input"}  # plain names of folders, if both are there
PLAIN = {"images", "image", "pictures", "data", "res", "resolution"}  # words that tell nothing
KINDS = {"x", "bicubic", "unknown", "mild", "wild", "difficult", "bi"}  # words for how low resolution was made
MARK = re.compile(r"(?:(?:^|[ _-]|(?<=[\dRQ]))x|(?:^|[ _-])srf[ _-]?)([2-9])$", re.IGNORECASE)  # scale, at the end
LOOSE_MARK = re.compile(r"(?:[ _-]?x|[ _-]srf[ _-]?)([2-9])$", re.IGNORECASE)
MADE_KIND = re.compile(r"(?:bic|bicubic|bi|mild|wild|unknown)?(hr|gt|hq|lr|lq)(?:x?[2-9])?")  # last word of a name
WORD = re.compile(r"[a-z]+|\d+")


class Place(NamedTuple):
    """What the place of a picture tells.

    Attributes:
        entry: The picture.
        kind: "high", "low" or nothing.
        scale: The scale in its name, or that of a folder; 0 for none.
        key: What is the same in the places of its copies of other sizes.
        part: The part that a folder tells, or nothing.
    """

    entry: Entry
    kind: str
    scale: int
    key: str
    part: str


def described_places(entries: Sequence[Entry], name: str) -> list[Place]:
    """Return what the places of pictures tell.

    Args:
        entries: Pictures.
        name: The name of the folder that holds all; it tells a resolution if that is its last word.
    """
    ends = {stem_kind(entry.inside.stem) for entry in entries}
    return told_places([described_place(entry, name, {"high", "low"} <= ends) for entry in entries])


def described_place(entry: Entry, name: str, ends: bool) -> Place:
    """Return what the place of a picture tells; names such as `a_HR.png` tell a resolution if `ends` is true."""
    stem = entry.inside.stem
    told = last_told([kind_of({*plain_words(folder)}) for folder in entry.folders])
    own = stem_kind(stem) if ends or (told and stem_kind(stem) == told) else ""
    end = re.search(r"[ _-][a-z]+(\d?)$", stem, re.IGNORECASE) if own else None
    stem = stem[: end.start()] if end else stem
    outer = kind_of({*plain_words(name)}) if is_last_kind(plain_words(name)) else ""
    kinds = [outer, *(kind_of({*plain_words(folder)}) for folder in entry.folders), own]
    marks = [int(mark[1]) for one in (name, *entry.folders) if (mark := MARK.search(one))]
    form = LOOSE_MARK if marks or last_told(kinds) == "low" else MARK  # `babyx2` is a copy there; `matrix2` is a name
    marks += [int(mark[1]) for mark in form.finditer(stem)] + ([int(end[1])] if end and end[1] else [])
    parts = [part_of(one) or "" for one in entry.folders if kind_of({*plain_words(one)}) or is_part_name(one)]
    keys = [key_of(folder) for folder in entry.folders]
    return Place(
        entry=entry,
        kind=last_told(kinds),
        scale=[0, *marks][-1],
        key="/".join([*filter(None, keys), form.sub("", stem).lower()]),
        part=last_told(parts),
    )


def last_told(words: Sequence[str]) -> str:
    """Return the last word that is not empty, or an empty one."""
    return next(filter(None, reversed(words)), "")


def key_of(folder: str) -> str:
    """Return the words of a folder without those of resolution, of scale, and of how the pictures were made."""
    return " ".join(word for word in plain_words(MARK.sub("", folder)) if word not in HIGH | LOW | PLAIN | KINDS)


def stem_kind(stem: str) -> str:
    """Return "high" or "low" if the last word of the name of a picture tells one of them."""
    words = re.split(r"[ _-]+", stem.lower())
    last = MADE_KIND.fullmatch(words[-1])
    return kind_of({last[1]}) if len(words) > 1 and last else ""


def plain_words(name: str) -> list[str]:
    """Return the words of a name in lower case, with capitals that begin them apart.

    Example:
        >>> plain_words("DIV2K_train_LR"), plain_words("LRx2")
        (['div', '2', 'k', 'train', 'lr'], ['lr', 'x', '2'])
    """
    return WORD.findall(re.sub(r"(?<=[A-Z])(?=x\d)", " ", name).lower())


def is_last_kind(words: Sequence[str]) -> bool:
    """Return whether the last word that is neither a number nor about parts and kinds tells the resolution."""
    rest = [word for word in words if word.isalpha() and word not in PLAIN | KINDS | PARTS.keys()]
    return bool(rest) and rest[-1] in HIGH | LOW


def kind_of(words: set[str]) -> str:
    """Return "high" or "low" if words tell one of them."""
    high, low = bool(words & HIGH), bool(words & LOW)
    return "high" if high > low else "low" if low > high else ""


def told_places(places: Sequence[Place]) -> list[Place]:
    """Return places whose kind is told by folders that are called `high` and `low`, if both are there."""
    names = [{*map(plain_folder, one.entry.folders)} for one in places]
    both = any(own & HIGH_FOLDERS for own in names) and any(own & LOW_FOLDERS for own in names)
    if any(one.kind for one in places) or not both:
        return list(places)
    return [
        one._replace(
            kind="high" if own & HIGH_FOLDERS else "low" if own & LOW_FOLDERS else "",
            key="/".join(word for word in one.key.split("/") if plain_folder(word) not in HIGH_FOLDERS | LOW_FOLDERS),
        )
        for one, own in zip(places, names, strict=True)
    ]


def plain_folder(name: str) -> str:
    """Return the name of a folder without what differs between people.

    Example:
        >>> plain_folder("High_Resolution"), plain_folder("low-res images")
        ('high', 'low')
    """
    return re.sub("(?:res|resolution)?(?:images?)?$", "", re.sub("[^a-z]", "", name.lower()), count=1)

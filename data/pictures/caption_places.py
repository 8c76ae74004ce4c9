"""Pictures by the names that captions give them: whole paths first, bare names only where they are unique."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from data.pictures.containers import Entry, content_of, stem_of
from data.sources import is_part_name
from data.splits import part_of

START = re.compile(r"^[a-z][a-z\d+.-]+://[^/]*|^[a-z]:(?=/)", re.IGNORECASE)  # of an address, and a drive of Windows
NUMBER = re.compile(r"^\d+$|_\d{12}$")  # name of a picture, or the end of one of COCO
COUNT = re.compile(r"#\w+$")  # number of the caption behind the name of its picture


class Match(NamedTuple):
    """A picture that fits a name, and how well.

    Attributes:
        entry: The picture.
        strength: Numbers to compare: is the path whole, how many folders agree, does the part agree, and the ending.
    """

    entry: Entry
    strength: tuple[int, ...]


def path_parts(name: str) -> tuple[str, ...]:
    """Return the folders and the name in a path, as in any system, or in an address.

    Example:
        >>> path_parts("C:\\\\photos\\\\a.jpg"), path_parts("./b/../a.jpg"), path_parts("https://a.org/b/c.jpg?d=e")
        (('photos', 'a.jpg'), ('a.jpg',), ('b', 'c.jpg'))
    """
    text = unicodedata.normalize("NFC", name.strip().strip("\"'")).replace("\\", "/")
    if START.match(text) and "://" in text:
        text = text.partition("?")[0]
    found = list[str]()
    for part in START.sub("", text).split("/"):
        if part == ".." and found:
            found.pop()
        elif part.strip() not in ("", ".", ".."):
            found.append(part)
    return tuple(found)


def uncounted_parts(name: str) -> tuple[str, ...]:
    """Return the folders and the name in a path without the number of a caption behind it, as in `a.jpg#3`."""
    return path_parts(COUNT.sub("", name.strip().strip("\"'")))


def plain_parts(parts: Sequence[str]) -> tuple[str, ...]:
    """Return a path by which equal paths are known: without letter case and the ending of a picture."""
    plain = [unicodedata.normalize("NFC", part).casefold() for part in parts]
    return (*plain[:-1], stem_of(plain[-1])) if plain else ()


class Places:
    """The pictures of the user's data, found by path or by name."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.by_name: dict[str, list[tuple[tuple[str, ...], Entry]]] = {}
        self.folders = set[tuple[str, ...]]()  # with pictures, each also without its first ones
        for entry in entries:
            plain = plain_parts(entry.parts)
            self.by_name.setdefault(plain[-1], []).append((plain, entry))
            if plain[:-1] not in self.folders:
                self.folders |= {plain[first:-1] for first in range(len(plain))}
        self.by_number: dict[str, list[tuple[tuple[str, ...], Entry]]] | None = None

    def named_parts(self, name: str) -> tuple[str, ...]:
        """Return the folders and the name in a path; what may be the number of a caption stays if a picture has it."""
        whole = path_parts(name)
        return whole if plain_parts(whole)[-1:] and plain_parts(whole)[-1] in self.by_name else uncounted_parts(name)

    def matches(self, name: str, base: Sequence[str] = (), part: str = "", hint: str = "") -> list[Match]:
        """Return the pictures that fit a name best; several if it is ambiguous, none if there is none.

        A picture in another folder does not fit if there is a folder as the path of the name says.

        Args:
            name: A path or a name, with or without the ending of a picture.
            base: Folders of the file that names it.
            part: Name of its part, or nothing.
            hint: Name of the file that names it.
        """
        parts = self.named_parts(name)
        if not parts:
            return []
        own = plain_parts(parts)
        near = self.by_name.get(own[-1]) or self.numbered(own)
        found = [Match(entry, strength(plain, entry, own, parts, base, part, hint)) for plain, entry in near]
        best = max((match.strength for match in found), default=(0, 0))
        if own[-2 - best[1] : -1] in self.folders and best[1] < len(own) - 1:
            return []
        return distinct_matches([match for match in found if match.strength == best])

    def numbered(self, own: Sequence[str]) -> list[tuple[tuple[str, ...], Entry]]:
        """Return the pictures that are called as a number with zeros before it, or as in COCO, if a name is one."""
        if len(own) != 1 or not own[0].isdecimal():
            return []
        if self.by_number is None:
            self.by_number = {}
            for name, entries in self.by_name.items():
                if number := NUMBER.search(name):
                    self.by_number.setdefault(number[0].lstrip("_0") or "0", []).extend(entries)
        return self.by_number.get(own[0].lstrip("0") or "0", [])


def strength(
    plain: tuple[str, ...],
    entry: Entry,
    own: tuple[str, ...],
    parts: tuple[str, ...],
    base: Sequence[str],
    part: str,
    hint: str,
) -> tuple[int, ...]:
    """Return how well a picture fits a name, as numbers to compare."""
    above = plain_parts((*base, "a"))[:-1]
    whole = next((size + 1 for size in range(len(above), -1, -1) if plain == (*above[:size], *own)), 0)
    depth = same_end(plain[:-1], own[:-1])
    ending = entry.name.lower() == parts[-1].lower()
    return whole, depth, nearness(entry.folders, part, hint), ending, entry.name == parts[-1]


def same_end(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many last elements of two sequences are equal."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def nearness(folders: Sequence[str], part: str, hint: str) -> int:
    """Return 2 if the file of captions is called as a folder of a picture, 1 if a folder is called as its part."""
    if any(is_part_folder(folder) and folder.lower() in hint.lower() for folder in folders):
        return 2
    return int(bool(part) and folder_part(folders) == part_of(part))


def is_part_folder(name: str) -> bool:
    """Return whether a folder is called as a part, perhaps with a year: `train2017`."""
    return is_part_name(re.sub(r"\d+", "", name))


def folder_part(folders: Sequence[str]) -> str | None:
    """Return the part that the nearest of some folders names, or `None`."""
    return next((part_of(re.sub(r"\d+", "", name)) for name in reversed(folders) if is_part_folder(name)), None)


def distinct_matches(matches: list[Match]) -> list[Match]:
    """Return matches without copies of the first one."""
    if len(matches) < 2:
        return matches
    first = content_of(matches[0].entry.file)
    return [matches[0], *(match for match in matches[1:] if content_of(match.entry.file) != first)]


def outside_picture(name: str, base: Path) -> Path | None:
    """Return the existing file at an absolute path, or at one that leads out of the folder of captions; or `None`."""
    text = name.strip()
    path = Path(text) if Path(text).is_absolute() else base / text if ".." in Path(text).parts else None
    try:
        return path.resolve() if path is not None and path.is_file() else None
    except (OSError, ValueError):
        return None

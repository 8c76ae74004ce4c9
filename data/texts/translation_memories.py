"""Translation memories: the pairs of sentences in TMX and XLIFF files, read as a stream."""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from xml.parsers import expat

from data.splits import DataError, Example
from data.text_files import DAMAGED, File, named_encoding, open_bytes
from data.texts.languages import plain_tag, same_language

LOG = logging.getLogger("tasks")
SUFFIXES = (".tmx", ".xlf", ".xliff")
CHUNK = 1 << 18  # bytes that are parsed at a time
UNITS = ("tu", "trans-unit", "segment")
ROLES = {"source": ("source-language", "srclang"), "target": ("target-language", "trglang")}  # of a text in XLIFF
DROPPED = ("bpt", "ept", "ph", "it", "ut", "x", "bx", "ex", "alt-trans")  # marks in a text, and other proposals
BLANKS = re.compile("[ \t\r\n]+")
Unit = list[tuple[str, str]]  # language and text of each version of a sentence


class UnitReader:
    """Collect the units of a translation memory while its XML is parsed.

    Attributes:
        units: Complete units that have not been taken yet.
    """

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.unit: Unit = []
        self.languages: dict[str, str] = {}
        self.language = ""
        self.text: list[str] | None = None
        self.muted = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Enter an element."""
        tag = plain_element(name)
        if tag in UNITS:
            self.unit = []
        elif tag in ("file", "xliff"):
            own = lowered(attributes)
            told = {role: own[name] for role, names in ROLES.items() for name in names if name in own}
            self.languages |= told
        elif tag == "tuv":
            own = lowered(attributes)
            self.language = own.get("xml:lang") or own.get("lang") or ""
        elif tag == "seg" or (tag in ROLES and self.languages):
            self.text = []
            self.language = self.languages.get(tag, "") if tag in ROLES else self.language
        self.muted += tag in DROPPED

    def data(self, text: str) -> None:
        """Take the text between two marks."""
        if self.text is not None and not self.muted:
            self.text.append(text)

    def end(self, name: str) -> None:
        """Leave an element."""
        tag = plain_element(name)
        self.muted -= tag in DROPPED
        if tag in UNITS:
            self.units.append(self.unit)
        elif (tag == "seg" or tag in ROLES) and self.text is not None:
            if not self.muted:
                self.unit.append((self.language, BLANKS.sub(" ", "".join(self.text)).strip()))
            self.text = None


@cache
def plain_element(name: str) -> str:
    """Return the name of an element without its namespace."""
    return name.rpartition(":")[2].lower()


def lowered(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return attributes by their names in lower case."""
    return {key.lower(): value for key, value in attributes.items()}


def memory_units(path: File, encoding: str | None) -> Iterator[Unit]:
    """Yield the units of a translation memory. Nothing outside the file is read, and no entity is expanded.

    Raises:
        DataError: The file is damaged, not XML, or declares or uses entities of its own.
    """
    reader = UnitReader()
    parser = expat.ParserCreate(named_encoding(encoding) if encoding else None)
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.data

    def refuse(name: str, *_: object) -> None:
        raise DataError(f"{str(path)!r} has the entity {name!r}, which is not read; write its text in its place.")

    parser.EntityDeclHandler = parser.SkippedEntityHandler = refuse
    try:
        with open_bytes(path) as file:
            while chunk := file.read(CHUNK):
                parser.Parse(chunk, False)
                yield from reader.units
                reader.units.clear()
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise DataError(
            f"{str(path)!r}, line {error.lineno}: not valid XML ({expat.errors.messages.get(error.code, error)})."
        ) from error
    except DAMAGED as error:
        raise DataError(f"{str(path)!r} is damaged: {error}.") from error


def memory_pairs(path: File, source: str, target: str, encoding: str | None) -> list[Example]:
    """Return the pairs of sentences in a translation memory, with a notice of the units that are left out.

    Raises:
        DataError: As for `memory_units`, or no unit is in both languages.
    """
    found, seen, count, several = list[Example](), Counter[str](), 0, 0
    for unit in memory_units(path, encoding):
        count += 1
        one, other = (versions(unit, language) for language in (source, target))
        seen.update(language for language, _ in unit)
        if one and other:
            several += len(one) > 1 or len(other) > 1
            found.append({"text": one[0], "translation": other[0]})
    if not found:
        said = ", ".join(plain_tag(language) for language in seen if language) or "none"
        raise DataError(
            f"{str(path)!r} has no unit in {source!r} and {target!r}; its languages are: {said}. "
            "A unit has a `seg` in a `tuv` for each language."
        )
    for number, what in (
        (count - len(found), f"have no text in {source!r} and {target!r}, and are left out"),
        (several, "have several texts in a language; the first is taken"),
    ):
        if number:
            LOG.warning("%s: %d of %d units %s.", path, number, count, what)
    return found


def versions(unit: Unit, language: str) -> list[str]:
    """Return the texts of a unit in a language, those with the very same code first."""
    found = [(plain_tag(own) != plain_tag(language), text) for own, text in unit if same_language(own, language)]
    return [text for _, text in sorted(found, key=lambda item: item[0])]


def memory_languages(path: File, encoding: str | None) -> list[str]:
    """Return the codes of the languages of the first unit with two of them."""
    for unit in memory_units(path, encoding):
        if len(found := list(dict.fromkeys(language for language, text in unit if language and text))) > 1:
            return found
    return []

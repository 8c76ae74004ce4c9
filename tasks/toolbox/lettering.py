"""Text in pictures: a font that has the letters, and lines that fit a width."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

LOG = logging.getLogger("tasks")
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
PLAIN = frozenset(map(chr, (*range(32, 127), *range(160, 384))))  # letters that Pillow's own font has
WORD = re.compile(r"\S+|\s+")
SAID = set[str]()  # letters of which it was said that no font has them
UNUSABLE = re.compile(r"LastResort|Emoji|Bitmap|Bold|Italic|Oblique|Mono|Light|Thin|Black|cm[a-z]+10|STIX(?!General)")


def text_font(text: str, size: int) -> Font:
    """Return the font that has most letters of a text: Pillow's own, or one of this machine.

    Args:
        text: A text in any language.
        size: Height of its letters, in pixels.

    Example:
        >>> text_font("A dog.", 14).getlength("A dog.") > 20
        True
    """
    letters = needed_letters(text)
    if letters <= PLAIN:
        return ImageFont.load_default(size=size)
    place = best_font(letters - PLAIN)
    return sized_font(place, size) if place else ImageFont.load_default(size=size)


def needed_letters(text: str) -> frozenset[str]:
    """Return the letters of a text that a font must have.

    Example:
        >>> sorted(needed_letters("ab a"))
        ['a', 'b']
    """
    return frozenset(letter for letter in text if not letter.isspace() and unicodedata.category(letter)[0] != "C")


@lru_cache(maxsize=64)
def sized_font(place: str, size: int) -> Font:
    """Return a font from its file.

    Example:
        >>> place = best_font(frozenset("\u0436"))
        >>> place is None or sized_font(place, 14).getlength("\u0436") > 0
        True
    """
    return ImageFont.truetype(place, size)


@lru_cache(maxsize=1024)
def best_font(letters: frozenset[str]) -> str | None:
    """Return the file of the font that has most of some letters, or `None` if none has any.

    Example:
        >>> best_font(frozenset("\u0378"))
    """
    most, place = max(
        ((len(letters & font_letters(path)), path) for path in font_files()),
        key=lambda found: found[0],
        default=(0, ""),
    )
    return place if most else None


@lru_cache(maxsize=1)
def font_files() -> tuple[str, ...]:
    """Return the upright fonts of this machine and of matplotlib, those that are called Sans first.

    Example:
        >>> any("DejaVuSans" in path for path in font_files())
        True
    """
    import matplotlib
    from matplotlib.font_manager import findSystemFonts

    own = Path(matplotlib.get_data_path(), "fonts", "ttf").glob("*.ttf")
    found = sorted({*findSystemFonts(), *map(str, own)}, key=lambda path: ("Sans" not in Path(path).name, path))
    return tuple(path for path in found if not UNUSABLE.search(Path(path).name))


@lru_cache(maxsize=4096)
def font_letters(path: str) -> frozenset[str]:
    """Return the letters that a font has, none if it cannot be read.

    Example:
        >>> all("a" in font_letters(path) for path in font_files() if path.endswith("DejaVuSans.ttf"))
        True
    """
    from matplotlib.ft2font import FT2Font

    try:
        ImageFont.truetype(path, 12)
        return frozenset(map(chr, FT2Font(path).get_charmap()))
    except (OSError, RuntimeError, ValueError):
        return frozenset()


def say_missing_letters(texts: Iterable[str]) -> None:
    """Give notice of letters that no font of this machine has, once for each letter.

    Example:
        >>> say_missing_letters(["A dog."])
    """
    lost = set[str]()
    for text in texts:
        letters = needed_letters(text) - PLAIN
        place = best_font(letters) if letters else None
        lost |= letters - (font_letters(place) if place else frozenset())
    if lost - SAID:
        SAID.update(lost)
        LOG.warning(
            "No font of this machine has %d of the letters to be drawn, such as %r; they are boxes. Install a font "
            "for them, such as Noto Sans.",
            len(lost), min(lost),
        )  # fmt: skip


def wrapped_lines(text: str, font: Font, width: float) -> list[str]:
    """Return a text as lines that are at most so many pixels wide; a word that is too long goes on in the next line.

    Args:
        text: A text in any language; in those without spaces a line may end behind any letter with its marks.
        font: The font that it is drawn with.
        width: The width of a line, in pixels.

    Example:
        >>> font = text_font("A dog", 14)
        >>> wrapped_lines("A dog runs.", font, font.getlength("A dog "))
        ['A dog', 'runs.']
    """
    lines, line = list[str](), ""
    for word in WORD.findall(text.strip()):
        if font.getlength((line + word).rstrip()) <= width:
            line += word
            continue
        if line.strip():
            lines.append(line.rstrip())
        line = ""
        for letter in letters_with_marks(word.strip()):
            if line and font.getlength(line + letter) > width:
                lines.append(line)
                line = ""
            line += letter
    return [*lines, line.rstrip()] if line.strip() else lines


def letters_with_marks(text: str) -> list[str]:
    """Return the letters of a text, each with the marks that belong to it.

    Example:
        >>> letters_with_marks("e\u0301a") == ["e\u0301", "a"]
        True
    """
    found = list[str]()
    for letter in text:
        if found and (unicodedata.category(letter)[0] == "M" or letter in "\u200c\u200d"):
            found[-1] += letter
        else:
            found.append(letter)
    return found

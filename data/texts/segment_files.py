"""Test sets as WMT and IWSLT publish them: SGML or XML with numbered segments."""

import html
import logging
import re
from collections.abc import Callable
from pathlib import Path

from data.splits import DataError, Example
from data.text_files import File, open_text, read_text
from data.texts.languages import same_language

LOG = logging.getLogger("tasks")
SUFFIXES = (".sgm", ".sgml", ".xml")
HEAD = 4096  # characters that tell whether a file has both languages
TAG = re.compile(r"<(doc|src|ref|hyp|seg)\b([^>]*)>", re.IGNORECASE)
END = re.compile(r"</seg\s*>", re.IGNORECASE)
ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""")
MARKUP = re.compile(r"</?[A-Za-z][^<>]*>")
Segments = dict[tuple[str, str], list[str]]  # document and number -> texts, the first version first


def segments(path: File, wanted: Callable[[str, str], bool], encoding: str | None) -> Segments:
    """Return the segments of a file; marks inside a segment are left out.

    Args:
        path: A `.sgm` or `.xml` file.
        wanted: Says, from the role (`src`, `ref` or nothing) and its language, whether to take a segment.
        encoding: Name of the encoding; `None` is UTF-8.

    Raises:
        DataError: The file is not in its encoding, or a segment has no end.
    """
    text = read_text(path, encoding)
    found: Segments = {}
    document, role, language, place = "", "", "", 0
    while tag := TAG.search(text, place):
        name, own, place = tag[1].lower(), attributes(tag[2]), tag.end()
        if name == "doc":
            document, role, language = own.get("docid") or own.get("id") or "", "", ""
        elif name != "seg":
            role, language = name, own.get("lang", "")
        else:
            end = END.search(text, place)
            if end is None:
                raise DataError(f"{str(path)!r}: the segment {own.get('id')!r} of document {document!r} has no end.")
            if wanted(role, language):
                content = html.unescape(MARKUP.sub("", text[place : end.start()]))
                found.setdefault((document, own.get("id", str(len(found)))), []).append(" ".join(content.split()))
            place = end.end()
    return found


def attributes(text: str) -> dict[str, str]:
    """Return the attributes in a tag, by their names in lower case."""
    return {match[1].lower(): match[2] or match[3] or match[4] or "" for match in ATTRIBUTE.finditer(text)}


def has_both_languages(path: File, encoding: str | None) -> bool:
    """Return whether a file holds sources and references, as WMT publishes them since 2021."""
    try:
        with open_text(path, encoding) as file:
            head = file.read(HEAD)
    except DataError:
        return False
    return re.search(r"<(?:src|ref)\b[^>]*\blang=", head, re.IGNORECASE) is not None


def segment_pairs(one: File, other: File, source: str, target: str, encoding: str | None) -> list[Example]:
    """Return the pairs of segments with the same document and number, with a notice of those that are left out.

    Args:
        one: File with the sources.
        other: File with the translations, or the same.
        source, target: Languages, to choose the segments in a file with both.
        encoding: Name of the encoding; `None` is UTF-8.

    Raises:
        DataError: No segment is in both, or a file cannot be read.
    """
    texts, translations = (segments(path, wanted_in(language), encoding) for path, language in (
        (one, source), (other, target)
    ))  # fmt: skip
    both = [key for key in texts if key in translations]
    if not both:
        raise DataError(f"{str(one)!r} and {str(other)!r} have no segments in common in {source!r} and {target!r}.")
    name = Path(str(one)).name
    lost, several = len(texts.keys() | translations.keys()) - len(both), sum(len(translations[key]) > 1 for key in both)
    if lost:
        LOG.warning("%s: %d segments are in one language alone, and are left out.", name, lost)
    if several:
        LOG.warning("%s: %d segments have several translations; the first is taken.", name, several)
    return [{"text": texts[key][0], "translation": translations[key][0]} for key in both]


def wanted_in(language: str) -> Callable[[str, str], bool]:
    """Return what says whether a segment is one to take: of people, and not in another language."""
    return lambda role, own: role != "hyp" and (not own or same_language(own, language))


def segment_languages(path: File, encoding: str | None) -> list[str]:
    """Return the languages of a file with sources and references, in this order."""
    with open_text(path, encoding) as file:
        text = file.read()
    found = [attributes(match[2]).get("lang") for match in TAG.finditer(text) if match[1].lower() in ("src", "ref")]
    return list(dict.fromkeys(language for language in found if language))

"""Texts as sentences to translate, and all that is kept around and inside them. Standard library only."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from data.texts.sentences import sentence_spans
from data.texts.text_items import INVISIBLE, Item, has_words, text_items
from data.texts.word_tables import MONTHS, words_of
from data.texts.wrapping import joined_breaks

SPACE = rf"(?:[\s{INVISIBLE}]|&(?:nbsp|ensp|emsp|thinsp|zwnj|zwj|shy|lrm|rlm|#160|#xa0);)"
DASH = r"[-*+\u2022\u2023\u2043\u2219\u25aa\u25ab\u25cf\u25cb\u00b7\u2013\u2014\u2015]"
LEAD = re.compile(
    rf"(?:{SPACE}+|{DASH}+(?:{SPACE}+|(?=[^\W\d_]))|>+|&gt;|\#+{SPACE}+|\[[ xX]?\]{SPACE}+|[=~_*|/\\#]{{2,}}"
    rf"|(?:\d{{1,3}}(?:\.\d{{1,3}})*[.)]|[a-z][.)]|[A-Z]\)|[ivxIVX]{{1,5}}\)|\d+\uff0e)(?:{SPACE}+|(?=[^\W\d_]{{2}}))"
    rf"|\((?:\d{{1,3}}|[a-zA-Z]|[ivxIVX]{{1,5}})\){SPACE}*|[\u2460-\u24ff]{SPACE}*|\d+[\u3001\uff0e])+"
)
TRAIL = re.compile(rf"(?:{SPACE}+|(?<=\s){DASH}+|[=~_*|/\\#]+)+$")
PAIRS = (
    ('"', '"'), ("'", "'"), ("\u201c", "\u201d"), ("\u201e", "\u201c"), ("\u201e", "\u201d"), ("\u2018", "\u2019"),
    ("\u201a", "\u2018"), ("\u201d", "\u201d"), ("\u00ab", "\u00bb"), ("\u00bb", "\u00ab"), ("\u2039", "\u203a"),
    ("\u203a", "\u2039"), ("\u300c", "\u300d"), ("\u300e", "\u300f"), ("\u300a", "\u300b"), ("(", ")"), ("[", "]"),
    ("{", "}"), ("\uff08", "\uff09"), ("\u3010", "\u3011"), ("&quot;", "&quot;"), ("&laquo;", "&raquo;"),
    ("&ldquo;", "&rdquo;"), ("&bdquo;", "&ldquo;"), ("&lsquo;", "&rsquo;"), ("&#34;", "&#34;"), ("&#39;", "&#39;"),
)  # fmt: skip
BREAK = re.compile(r"[^\S\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]*(?:\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029])\s*")
TIGHT = re.compile(r"[\s.,;:!?\u2026)\]}]")  # no space is left before them
TAG = re.compile(r"(?:<|&lt;)(/?)\s*([a-z][a-z0-9]*)", re.IGNORECASE)
OPENERS = {one[0] for one, _ in PAIRS}
ENTITIES = tuple(other for _, other in PAIRS if other.startswith("&"))
JOINING = words_of(  # elements in which a line break is like a space
    {"": "p li td th dd dt h1 h2 h3 h4 h5 h6 div blockquote figcaption caption article section"}, ""
)
SHORT = 40  # letters of a line that may be an item of its own even inside a block
EDGE_MARKS = ".,;:!?\u2026"


class Mark(NamedTuple):
    """Something that stands in a text and is not read, such as a tag or an emoji.

    Attributes:
        place: Number of letters of the text before it.
    """

    place: int
    text: str


class Passage(NamedTuple):
    """A text, and the marks taken out of it, in their order."""

    text: str
    marks: Sequence[Mark] = ()


def text_parts(text: str, language: str = "") -> list[str | Passage]:
    """Return a text as sentences, each with its marks, and as what stands around them; this is to be kept as it is.

    Markup, bullets, numbers of a list, enclosing quotes, emoji, links, space and line breaks stand around sentences or
    are marks in them. What has no letter is kept, too. In order all of it is the text.

    Args:
        language: Code of the language of the text, as for `sentence_spans`.
    """
    found = list[str | Passage]()
    for piece in passages(text):
        found += [piece] if isinstance(piece, str) else passage_parts(piece, language)
    return found


def passages(text: str) -> list[str | Passage]:
    """Return a text as passages, and as the line breaks and block tags that part them."""
    lines, breaks = [list[Item]()], list[str]()
    for item in text_items(text):
        if item.kind == "break":
            breaks.append(item.text)
            lines.append([])
        else:
            lines[-1].append(item)
    joined = joined_lines(lines, breaks)
    found, own = list[str | Passage](), lines[0]
    for line, gap, goes_on in zip(lines[1:], breaks, joined, strict=True):
        if goes_on:
            own = [*own, Item("text", gap), *line]
        else:
            found += [passage(own), gap]
            own = line
    return [*found, passage(own)]


def joined_lines(lines: Sequence[Sequence[Item]], breaks: Sequence[str]) -> list[bool]:
    """Return for each break whether the paragraph goes on behind it."""
    if not breaks:
        return []
    texts = ["".join(item.text for item in line) for line in lines]
    plain, found, start = list(map(is_line_break, breaks)), list[bool](), 0
    if any(plain):
        for place, is_plain in enumerate([*plain, False]):
            if not is_plain:
                found += [*joined_breaks(texts[start : place + 1]), False]
                start = place + 1
        found.pop()
    else:
        found = [False] * len(breaks)
    inside = block_depths(breaks)
    return [
        goes_on
        or (is_plain and depth > 0 and bool(texts[place].strip()) and goes_on_in_block(*texts[place : place + 2]))
        for place, (goes_on, is_plain, depth) in enumerate(zip(found, plain, inside, strict=True))
    ]


def is_line_break(gap: str) -> bool:
    """Return whether a break is a line break, without a tag."""
    return bool(BREAK.fullmatch(gap))


def block_depths(breaks: Sequence[str]) -> list[int]:
    """Return for each break the number of paragraphs or like tags that are open there."""
    depth, found = 0, list[int]()
    for gap in breaks:
        tag = TAG.match(gap)
        if tag and tag[2].lower() in JOINING:
            depth = max(depth + (-1 if tag[1] else 1), 0)
        found.append(depth)
    return found


def goes_on_in_block(line: str, after: str) -> bool:
    """Return whether a line of a marked-up paragraph goes on in the next one."""
    letter = next(filter(str.isalpha, after), "")
    return bool(after.strip()) and (letter.islower() or len(line.strip()) >= SHORT)


def passage(items: Sequence[Item]) -> Passage:
    """Return the words among some items as a text, and the others as its marks.

    Where space on both sides of a mark would be left, or space before a full stop, that before the mark belongs to it.
    """
    text, marks = "", list[Mark]()
    for item in items:
        if item.kind != "text":
            marks.append(Mark(len(text), item.text))
            continue
        kept = text.rstrip()
        if marks and marks[-1].place == len(text) > len(kept) > 0 and TIGHT.match(item.text):
            first = next(place for place, mark in enumerate(marks) if mark.place == len(text))
            moved = [Mark(len(kept), mark.text) for mark in marks[first:]]
            marks[first:] = [moved[0]._replace(text=text[len(kept) :] + moved[0].text), *moved[1:]]
            text = kept
        text += item.text
    return Passage(text, marks)


def passage_parts(whole: Passage, language: str) -> list[str | Passage]:
    """Return a passage as its sentences, and what stands around them."""
    found, done, used = list[str | Passage](), 0, 0
    for start, end in core_spans(whole.text, language):
        inner = [place for place, mark in enumerate(whole.marks) if start < mark.place < end]
        first = (
            inner[0]
            if inner
            else next((i for i, mark in enumerate(whole.marks) if mark.place > start), len(whole.marks))
        )
        last = inner[-1] + 1 if inner else first
        found.append(merged_text(whole.text, done, start, whole.marks[used:first]))
        own = [Mark(mark.place - start, mark.text) for mark in whole.marks[first:last]]
        found.append(with_breaks(Passage(whole.text[start:end], own)))
        done, used = end, last
    found.append(merged_text(whole.text, done, len(whole.text), whole.marks[used:]))
    return [part for part in found if part]


def core_spans(text: str, language: str) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of the words of each sentence of a passage."""
    if not has_words(text):
        return
    start, end = core_span(text, 0, len(text), language)
    for one, other in sentence_spans(text[start:end], language):
        first, last = core_span(text, start + one, start + other, language)
        if has_words(text[first:last]):
            yield first, last


def core_span(text: str, start: int, end: int, language: str) -> tuple[int, int]:
    """Return where a text begins and ends without bullets, numbers of a list, space and enclosing quotes."""
    while True:
        own = text[start:end]
        lead, trail = LEAD.match(own), None if own[-1:].isalnum() or own[-1:] in EDGE_MARKS else TRAIL.search(own)
        first = start + (lead.end() if lead and not is_date(own, lead.end(), language) else 0)
        last = max(start + trail.start() if trail else end, first)
        first, last = without_quotes(text, first, last)
        if (first, last) == (start, end):
            return start, end
        start, end = first, last


def is_date(text: str, end: int, language: str) -> bool:
    """Return whether a number with a full stop is a day of a month, as in German."""
    return language == "de" and re.split(r"\W", text[end : end + 20], maxsplit=1)[0].lower() in MONTHS


def without_quotes(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where a text begins and ends inside the quotes or brackets around all of it."""
    own = text[start:end]
    if own[:1] not in OPENERS:
        return start, end
    bare = own if own.endswith(ENTITIES) else own.rstrip(EDGE_MARKS)
    for one, other in PAIRS:
        inner = bare[len(one) : -len(other)]
        if (
            own.startswith(one)
            and bare.endswith(other)
            and has_words(inner)
            and one not in inner
            and other not in inner
        ):
            return start + len(one), start + len(bare) - len(other)
    return start, end


def merged_text(text: str, start: int, end: int, marks: Sequence[Mark]) -> str:
    """Return a part of a text with marks put back."""
    found = ""
    for mark in marks:
        place = min(max(mark.place, start), end)
        found += text[start:place] + mark.text
        start = place
    return found + text[start:end]


def with_breaks(sentence: Passage) -> Passage:
    """Return a sentence with its line breaks as marks."""
    found = [Mark(gap.start(), gap.group()) for gap in BREAK.finditer(sentence.text)]
    if not found:
        return sentence
    return Passage(sentence.text, sorted([*sentence.marks, *found], key=lambda mark: mark.place))

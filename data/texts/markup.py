"""Plain text out of HTML and XML. Standard library only."""

import html
import re
from html.entities import html5

PASSES = 4  # entities may be escaped several times, and spell tags
INLINE = re.compile(
    r"a|abbr|acronym|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|ins|kbd|label|mark|nobr|q|s|samp|small|span|strike"
    r"|strong|sub|sup|time|tt|u|var|wbr",
    re.IGNORECASE,
)
FLAG = r"(?:async|autoplay|checked|compact|controls|defer|disabled|hidden|loop|muted|nowrap|noshade|open|selected)"
ATTRIBUTES = (
    rf"(?:[\s/]+{FLAG}\b)*"
    r"(?:[\s/]+[\w:.@-]{1,100}\s*=(?:(?:[^<>\"']|\"[^\"]{0,4000}\"|'[^']{0,4000}'){0,4000}(?=>)|[^<>]{0,4000}))?"
)
BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)  # by far the most frequent tag
MARKUP = re.compile(
    r"<\?[a-z][^<>]*\?>|<!\[cdata\[|\]\]>|<!(?:\[[^<>\[\]]*\]|(?:doctype|entity|element|attlist)\b[^<>]*)>"
    rf"|<(?:/\s*)?(?P<name>[a-z][\w:.-]{{0,60}}){ATTRIBUTES}[\s/]*>",
    re.IGNORECASE,
)
HIDDEN = tuple(  # begin and end of what a reader of a page does not see
    (re.compile(begin, re.IGNORECASE), re.compile(end, re.IGNORECASE))
    for begin, end in (
        ("<!--", "-->"),
        (r"<script(?=[\s/>])", r"</script\s*>"),
        (r"<style(?=[\s/>])", r"</style\s*>"),
    )
)
ENTITY = re.compile(r"&(?:#\d{1,8}|#x[\da-f]{1,7}|[a-z][a-z\d]{1,31})(?:;|(?![\w;=]))", re.IGNORECASE)
NESTED = re.compile(r"&(?:(?:amp|#0*38|#x0*26);)+", re.IGNORECASE)


def text_without_markup(text: str) -> str:
    """Return a text without the tags of HTML and XML, and with its entities as the characters that they name.

    * Inline tags, such as `<b>`, leave nothing; all others, and comments, leave a space.
    * Scripts and style sheets go with their content; marked sections (CDATA) keep theirs.
    * A `<` that does not begin a tag stays: `I <3 it`, `x<y`, `5 < 6 and 7 > 6`.
    * Entities that are escaped several times, and tags in entities, are read too.
    """
    text = BREAK.sub(" ", text)
    for _ in range(PASSES):
        before = text
        if "<" in text and ">" in text:
            text = text_without_tags(text)
        if "&" not in text:
            break
        text = ENTITY.sub(entity_text, NESTED.sub("&", text) if "&amp;amp;" in text else text)
        if text == before:
            break
    return text


def text_without_tags(text: str) -> str:
    """Return a text without comments, scripts, style sheets and tags."""
    for begin, end in HIDDEN:
        text = text_without_spans(text, begin, end)
    return MARKUP.sub(tag_space, text)


def text_without_spans(text: str, begin: re.Pattern[str], end: re.Pattern[str]) -> str:
    """Return a text with a space for each span; one without its end stays."""
    kept, place = list[str](), 0
    while (start := begin.search(text, place)) and (stop := end.search(text, start.end())):
        kept.append(text[place : start.start()])
        place = stop.end()
    return " ".join([*kept, text[place:]]) if kept else text


def tag_space(tag: re.Match[str]) -> str:
    """Return what stands for a tag: nothing for one inside a word, otherwise a space."""
    return "" if INLINE.fullmatch(tag["name"] or "") else " "


def entity_text(entity: re.Match[str]) -> str:
    """Return the character that an entity names; a name without a semicolon is read where HTML reads it."""
    name = entity[0][1:]
    return html.unescape(entity[0]) if name[0] == "#" else html5.get(name, entity[0])

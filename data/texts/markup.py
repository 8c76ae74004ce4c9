"""What stands in a text beside its words: tags, line breaks, links, emoji, placeholders. Standard library only."""

import html
import re
from typing import Literal, NamedTuple

Kind = Literal["text", "break", "tag", "mark"]
BLOCKS = (
    "address article aside blockquote body br button caption center dd details dialog div dl dt fieldset figcaption "
    "figure footer form h[1-6] head header hr html iframe img legend li link main meta nav ol option p pre section "
    "select summary table tbody td textarea tfoot th thead title tr ul video"
)
PICTURES = (
    "\U0001f000-\U0001faff\U0001fb00-\U0001fbff\u2600-\u27bf\u2b00-\u2bff\u2300-\u23ff\u25a0-\u25ff\u2190-\u21ff"
    "\u203c\u2049\u3030\u303d\u3297\u3299\u2122\u00a9\u00ae\u24c2"
)
JOINED = "\ufe0e\ufe0f\u200d\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f"  # selectors, joiners, skin tones, flags
MARKUP = re.compile(  # a `<` is markup only before a letter, `/` or `!`; so is `&lt;`
    r"(?P<hidden><(?P<whole>script|style)\b[^>]*>.*?</(?P=whole)\s*>)"
    rf"|(?P<block></?(?:{'|'.join(BLOCKS.split())})(?=[\s/>])[^<>]*>|&lt;/?(?:{'|'.join(BLOCKS.split())})(?:[\s/][^<>]*?)?&gt;)"
    r"|(?P<tag><!--.*?-->|</?[a-z](?:[^<>\"']|\"[^\"]*\"|'[^']*')*>|<![a-z\[][^<>]*>|&lt;/?[a-z][^<>&\n]*&gt;)",
    re.IGNORECASE | re.DOTALL,
)
OBJECT = re.compile(
    MARKUP.pattern + r"|(?P<line>[ \t]*(?:\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029])|\t+|(?<!\S)\|(?!\S))"
    r"|(?P<link>\]\([^()\s]+\)|\b(?:https?|ftp)://[^\s<>\"\u3000-\u9fff\uff00-\uffef]*[^\s<>\"\u3000-\u9fff\uff00-\uffef.,;:!?'\u2019)\]}\u2026\u00bb\u201d]"
    r"|\bwww\.[^\s<>\"]*[^\s<>\".,;:!?')\]}]|(?<![\w.+-])(?:mailto:)?[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?<![\w.@-])(?:[a-z0-9-]+\.)+(?:com|org|net|edu|gov|io)\b(?:/[^\s<>\"]*[^\s<>\".,;:!?')\]}])?"
    r"|(?<![\w@])@\w+|(?<![\w&#])\#[^\W\d_]\w*)"
    r"|(?P<code>`[^`\n]+`|\{\{[^{}\n]*\}\}|[$#]?\{[\w.:!-]*\}|%\([\w.]+\)[sdf]|%[sd]\b)"
    r"|(?P<style>(?<!\w)(?:\*{1,3}|__|~~)(?=[^\W_])|(?<=[\w.!?,])(?:\*{1,3}|__|~~)(?!\w)|\[(?=[^\[\]\n]+\]\())"
    r"|(?P<smile>(?<![^\s])(?::|;|=)['^]?-?[)(\[\]DPp|/\\3](?![^\s.,!?])|(?<![^\s])<3(?![^\s.,!?]))"
    rf"|(?P<emoji>(?:[0-9#*]\ufe0f?\u20e3|[{PICTURES}][{JOINED}{PICTURES}]*))",
    re.IGNORECASE | re.DOTALL,
)
PLAIN = re.compile(r"(?:[^\W_]|[ ,!?'\"\u2019-]|\.(?!\w))*")
KINDS: dict[str, Kind] = {"hidden": "break", "block": "break", "line": "break", "tag": "tag"}
ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z][a-z0-9]*);", re.IGNORECASE)
INVISIBLE = (  # characters of no width
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
SPOILT = re.compile("[\u00ad\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")  # invisible marks inside words


class Item(NamedTuple):
    """A piece of a text.

    Attributes:
        kind: `text` is words; `break` parts them, as line breaks and block tags do; `tag` and `mark` stand among them.
    """

    kind: Kind
    text: str


def text_items(text: str) -> list[Item]:
    """Return the pieces of a text, in order; together they are the text."""
    if PLAIN.fullmatch(text):  # much faster than a search for all that is not there
        return [Item("text", text)] if text else []
    found, start = list[Item](), 0
    for match in OBJECT.finditer(text):
        if match.start() > start:
            found.append(Item("text", text[start : match.start()]))
        name = str(match.lastgroup) if match.lastgroup != "whole" else "hidden"
        found.append(Item(KINDS.get(name, "mark"), match.group()))
        start = match.end()
    return [*found, Item("text", text[start:])] if start < len(text) else found


def has_markup(text: str) -> bool:
    """Return whether a text has tags whose entities stand for signs: `&amp;`, `&lt;` and the like."""
    return bool(ENTITY.search(text) and MARKUP.search(text))


def plain(text: str) -> str:
    """Return a piece of text with its entities resolved, and without invisible marks that stand inside words."""
    return SPOILT.sub("", html.unescape(text) if "&" in text else text)


def has_words(text: str) -> bool:
    """Return whether a piece of text has a letter."""
    return any(map(str.isalpha, plain(text)))

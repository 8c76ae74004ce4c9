"""What stands in a text beside its words: tags, line breaks, links, emoji, placeholders. Standard library only."""

import html
import re
from functools import cache
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
URL_END = r"[^\s<>\"\u3000-\u9fff\uff00-\uffef.,;:!?'\u2019)\]}\u2026\u00bb\u201d]"  # no mark of the sentence
BLOCK = "|".join(BLOCKS.split())
PATTERNS = {  # a `<` is markup only before a letter, `/` or `!`; so is `&lt;`
    "hidden": r"<(?P<whole>script|style)\b[^>]*>.*?</(?P=whole)\s*>",
    "block": rf"</?(?:{BLOCK})(?=[\s/>])[^<>]*>|&lt;/?(?:{BLOCK})(?:[\s/][^<>]*?)?&gt;",
    "tag": r"<!--.*?-->|</?[a-z](?:[^<>\"']|\"[^\"]*\"|'[^']*')*>|<![a-z\[][^<>]*>|&lt;/?[a-z][^<>&\n]*&gt;",
    "line": r"[ \t]*(?:\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029])|\t+|(?<!\S)\|(?!\S)",
    "link": r"\]\([^()\s]+\)"  # the end of one in Markdown
    rf"|\b(?:https?|ftp)://[^\s<>\"\u3000-\u9fff\uff00-\uffef]*{URL_END}|\bwww\.[^\s<>\"]*{URL_END}"
    r"|(?<![\w.+-])(?:mailto:)?[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    rf"|(?<![\w.@-])(?:[a-z0-9-]+\.)+(?:com|org|net|edu|gov|io)\b(?:/[^\s<>\"]*{URL_END})?"
    r"|(?<![\w@])@\w+|(?<![\w&#])\#[^\W\d_]\w*",
    "code": r"`[^`\n]+`|\{\{[^{}\n]*\}\}|[$#]?\{[\w.:!-]*\}|%\([\w.]+\)[sdf]|%[sd]\b",
    "style": r"(?<!\w)(?:\*{1,3}|__|~~)(?=[^\W_])|(?<=[\w.!?,])(?:\*{1,3}|__|~~)(?!\w)|\[(?=[^\[\]\n]+\]\()",
    "smile": r"(?<!\S)(?:[:;=]['^]?-?[)(\[\]DPp|/\\3]|<3)(?![^\s.,!?])",
    "emoji": rf"[0-9#*]\ufe0f?\u20e3|[{PICTURES}][{JOINED}{PICTURES}]*",
}
PLAIN = re.compile(r"(?:[^\W_]|[ ,!?'\"\u2019-]|\.(?!\w))*")
KINDS: dict[str, Kind] = {"hidden": "break", "block": "break", "line": "break", "tag": "tag"}
ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z][a-z0-9]*);", re.IGNORECASE)
INVISIBLE = (  # characters of no width
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
SPOILT = re.compile("[\u00ad\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")  # not seen


@cache
def pattern(*names: str) -> re.Pattern[str]:
    """Return a pattern that finds the things of these names; it is large, and made only when there may be some."""
    found = "|".join(f"(?P<{name}>{PATTERNS[name]})" for name in names)
    return re.compile(found, re.IGNORECASE | re.DOTALL)


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
    for match in pattern(*PATTERNS).finditer(text):
        if match.start() > start:
            found.append(Item("text", text[start : match.start()]))
        found.append(Item(KINDS.get(str(match.lastgroup), "mark"), match.group()))
        start = match.end()
    return [*found, Item("text", text[start:])] if start < len(text) else found


def has_markup(text: str) -> bool:
    """Return whether a text has tags whose entities stand for signs: `&amp;`, `&lt;` and the like."""
    return bool(ENTITY.search(text) and pattern("hidden", "block", "tag").search(text))


def plain(text: str) -> str:
    """Return a piece of text with its entities resolved, and without invisible marks that stand inside words."""
    return SPOILT.sub("", html.unescape(text) if "&" in text else text)


def has_words(text: str) -> bool:
    """Return whether a piece of text has a letter."""
    return any(map(str.isalpha, plain(text)))

"""HTML pages that stand alone: no script of others, no font, no picture from elsewhere. Standard library only."""

import html
import json
from collections.abc import Iterable, Sequence

from tasks.engine.config import Json

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #57606a; --line: #d0d7de; --wash: #f3f5f8;
  --one: #0b62c4; --two: #b5460f; --three: #19733a; --four: #7a3fb0; --five: #946200; --six: #a3245f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0f1318; --soft: #9aa5b1; --line: #333b45;
  --wash: #1a2028; --one: #6cb2ff; --two: #ff9a62; --three: #6fd08c; --four: #cba6f7; --five: #e6bb5c;
  --six: #ff8fc0; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem; color: var(--ink);
  background: var(--paper); overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2rem; } h3 { font-size: 1rem; }
.wide { overflow-x: auto; margin-bottom: 1rem; } .soft, caption, figcaption { color: var(--soft); }
table { border-collapse: collapse; font-size: .9rem; } caption { text-align: left; padding-bottom: .25rem; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .75rem .3rem 0; text-align: left; vertical-align: top;
  overflow-wrap: normal; }
td { min-width: 4rem; } td.long { min-width: 12rem; overflow-wrap: anywhere; }
tr.differs { background: var(--wash); font-weight: 600; }
figure { margin: 0 0 1rem; } img, svg { max-width: 100%; height: auto; } img { background: #fff; }
.side { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem; }
input, select { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--soft);
  padding: .3rem; max-width: 100%; }
:focus-visible { outline: 3px solid var(--one); outline-offset: 2px; } summary { cursor: pointer; }
"""


def page(title: str, parts: Iterable[str], script: str = "") -> str:
    """Return a whole page; a content policy keeps it from loading anything.

    Args:
        parts: HTML of its sections.
    """
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{escaped(title)}</h1>\n"
        + "\n".join(parts)
        + "\n</main>\n"
        + (f"<script>{script}</script>\n" if script else "")
        + "</body>\n</html>\n"
    )


def escaped(value: Json) -> str:
    """Return a value as text that HTML shows as it is, within tags and quotes.

    Example:
        >>> escaped('<b>'), escaped({"label": "a"})
        ('&lt;b&gt;', '{&quot;label&quot;: &quot;a&quot;}')
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return html.escape("".join(one if one.isprintable() or one in "\n\t" else "\ufffd" for one in text))


def section(title: str, *parts: str) -> str:
    """Return a section with a heading."""
    return f"<section>\n<h2>{escaped(title)}</h2>\n" + "\n".join(parts) + "\n</section>"


def table(
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[Json]],
    marked: Sequence[bool] = (),
    pictures: Sequence[str] = (),
) -> str:
    """Return a table that can be scrolled where it is too wide.

    Args:
        marked: Whether each row stands out; none does if not given.
        pictures: HTML that goes to the end of each row.
    """
    top = "".join(f'<th scope="col">{escaped(name)}</th>' for name in head)
    lines = []
    for number, row in enumerate(rows):
        mark = ' class="differs"' if number < len(marked) and marked[number] else ""
        first, *rest = map(cell_text, row)
        shown = f"<td>{pictures[number]}</td>" if number < len(pictures) else ""
        lines.append(f'<tr{mark}><th scope="row">{first}</th>{"".join(map(table_cell, rest))}{shown}</tr>')
    top += "<td></td>" if pictures else ""
    said = escaped(caption)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{said}"><table><caption>{said}'
        f"</caption><thead><tr>{top}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def cell_text(value: Json) -> str:
    """Return what a cell shows of a value: nothing of `None`, five digits of a fraction."""
    return "" if value is None else escaped(f"{value:.5g}" if isinstance(value, float) else value)


def table_cell(text: str) -> str:
    """Return a cell; long texts have room."""
    return f'<td class="long">{text}</td>' if len(text) > 40 else f"<td>{text}</td>"


def bullets(lines: Iterable[Json]) -> str:
    """Return a list of texts."""
    return "<ul>" + "".join(f"<li>{escaped(line)}</li>" for line in lines) + "</ul>"

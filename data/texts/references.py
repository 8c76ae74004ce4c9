"""All translations of each text of a part, in a table beside its files: `test.references.jsonl` beside `test.en`."""

import logging
from collections.abc import Sequence

from data.splits import DataError, Example
from data.tables import TableFormat, open_table
from data.text_files import File, content_name
from data.texts.pair_tables import named_places
from data.values import Listed

LOG = logging.getLogger("tasks")


def with_references(
    rows: Sequence[Example], table: File, source: str, target: str, encoding: str | None
) -> list[Example]:
    """Return pairs that also have their `references`, all translations that a table has of their text.

    * A notice gives the number of texts that the table lacks; these keep their own translation alone.
    * A text that has several rows in the table has the translations of all of them.
    * A table with several texts for one translation serves the other direction, and is not used, nor is one without a
      column for each language; a notice says so.

    Args:
        rows: Pairs of a text and its `translation`.
        table: Its columns are languages; a value in the target's may be a list.
        source, target: Languages.
        encoding: Name of the encoding; `None` is UTF-8.

    Raises:
        DataError: The table cannot be read.
    """
    opened = open_table(table, {}, TableFormat(encoding=encoding))
    name = content_name(table)
    try:
        places = named_places(opened.columns, source, target, {}, str(table))
    except DataError:
        LOG.warning(
            "%s has not one column for %r and one for %r, and its references are not used; its columns are: %s.",
            name, source, target, ", ".join(opened.columns),
        )  # fmt: skip
        return list(rows)
    pairs = [
        (record.values.get(places["text"], ""), record.values.get(places["translation"], ""))
        for record in opened.records
    ]
    if any(isinstance(text, Listed) for text, _ in pairs):
        LOG.info("%s has several texts in %r for one in %r, and is not used in this direction.", name, source, target)
        return list(rows)
    known: dict[str, list[str]] = {}
    for text, value in pairs:
        known.setdefault(text, []).extend(values_of(value))
    found = [
        row | {"references": list(dict.fromkeys([row["translation"], *known.get(row["text"], ())]))} for row in rows
    ]
    if lost := sum(row["text"] not in known for row in rows):
        LOG.warning("%s: %d of %d texts are not in it, and have one reference.", name, lost, len(rows))
    return found


def values_of(value: str) -> tuple[str, ...]:
    """Return the values of a list in a table, or a single one, without empty ones.

    Example:
        >>> values_of("Ja."), values_of("")
        (('Ja.',), ())
    """
    return tuple(filter(str.strip, value.values if isinstance(value, Listed) else (value,)))

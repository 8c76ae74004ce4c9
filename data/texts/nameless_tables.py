"""Pairs of sentences in a table without names of columns, such as the sets of Anki and Tatoeba."""

import logging
import re
from collections.abc import Sequence

from data.delimited import table_rows
from data.records import Record
from data.splits import DataError, Example, OptionError
from data.tables import TableFormat, check_lost
from data.text_files import File, content_name
from data.texts.languages import are_swapped, language_code, likely_language, same_language, tags_in

LOG = logging.getLogger("tasks")
FIELDS = ("text", "translation")
CREDIT = re.compile(r"\b(?:CC[- ]?BY|CC0|Attribution|https?://)", re.IGNORECASE)
NUMBER = re.compile(r"[\d.,:%+\- ]*")  # of a sentence, a score or a date
FIRST = "en"  # language of the first column in the sets of Anki
Rows = Sequence[Sequence[str]]


def numbered_rows(path: File, rows: Rows, source: str, target: str, form: TableFormat) -> list[Example]:
    """Return the rows of a table without names as examples, with a notice of the columns.

    Args:
        path: A table.
        rows: Its first rows.
        source: Language of the texts.
        target: Language of the translations.
        form: Columns, by field and number, and encoding.

    Raises:
        DataError: It has no two columns of text, or over 1 % of its rows cannot be read.
        OptionError: A column that the user gave does not exist.
    """
    places = given_places(form, len(rows[0]), str(path)) or told_places(path, rows, source, target)
    one, other = places
    found, lost = list[Example](), list[Record]()
    for number, row in enumerate(table_rows(path, form.encoding), start=1):
        if row.error:
            lost.append(Record(number, {}, row.error))
        else:
            found.append({"text": row.cells[one], "translation": row.cells[other]})
    check_lost(lost, len(found), path)
    return found


def given_places(form: TableFormat, width: int, path: str) -> tuple[int, int] | None:
    """Return the places, from 0, of the columns that the user gave by number; `None` if none are given.

    Raises:
        OptionError: One is missing, is not a number, or does not exist.
    """
    if not form.columns:
        return None
    for field in FIELDS:
        place = form.columns.get(field)
        if place is None or not place.isdecimal() or not 1 <= int(place) <= width:
            raise OptionError(
                f"{path!r} has {width} columns without names; give the number of the column of each, such as "
                f"--columns text=1,translation=2 (received {place!r} for {field})."
            )
    one, other = (int(form.columns[field]) - 1 for field in FIELDS)
    LOG.warning("%s: its first row is read as data, and not as names of columns.", path)
    if one == other:
        raise OptionError(f"--columns names column {one + 1} for both text and translation; give two columns.")
    return one, other


def told_places(path: File, rows: Rows, source: str, target: str) -> tuple[int, int]:
    """Return the places, from 0, of the columns of the source and the target, and say which they are.

    The order follows from columns with codes of languages, else from the name of the file, else from `source`. Words
    that speak plainly for the opposite order count more than a name.
    """
    texts = text_columns(rows)
    if len(texts) < 2:
        raise DataError(
            f"{str(path)!r} has {len(texts)} columns of text, and a pair takes two; name them with --columns "
            f"text=1,translation=2."
        )
    one, other = texts[:2]
    codes = code_columns(rows)
    told = codes or name_languages(path, any(CREDIT.search(cell) for cell in rows[0]))
    if told and (same_language(told[0], target) or (len(told) > 1 and same_language(told[1], source))):
        one, other = other, one
    if not codes and are_swapped([row[one] for row in rows], [row[other] for row in rows], source, target):
        one, other = other, one
    said = sorted([(one + 1, source), (other + 1, target)])
    unused = f"; columns of text that are not used: {', '.join(str(place + 1) for place in texts[2:])}"
    LOG.warning(
        "%s has no names of columns; it reads %s%s.", path,
        ", ".join(f"column {number} as {language}" for number, language in said), unused if texts[2:] else "",
    )  # fmt: skip
    return one, other


def text_columns(rows: Rows) -> list[int]:
    """Return the places of the columns that hold sentences: no numbers, codes of languages or credits.

    Example:
        >>> text_columns([["77", "A dog.", "81", "Ein Hund.", "CC-BY 2.0"]])
        [1, 3]
    """
    columns = list(zip(*rows, strict=False))
    return [
        place
        for place, cells in enumerate(columns)
        if not all(NUMBER.fullmatch(cell.strip()) for cell in cells)
        and sum(CREDIT.search(cell) is not None for cell in cells) <= len(cells) / 2
        and not is_code_column(cells)
    ]


def is_code_column(cells: Sequence[str]) -> bool:
    """Return whether all cells of a column are the same code of a language."""
    return len(set(cells)) == 1 and len(cells) > 1 and language_code(cells[0].strip()) is not None


def code_columns(rows: Rows) -> list[str]:
    """Return the languages that columns of codes tell, in their order; none if there are not two."""
    found = [cells[0].strip() for cells in zip(*rows, strict=False) if is_code_column(cells)]
    return [language_code(code) or code for code in found] if len(found) == 2 else []


def name_languages(path: File, credited: bool) -> list[str]:
    """Return the languages of the columns that the name of a file tells, in their order; none if it tells none.

    A name with one language, such as `deu.txt`, is that of a set of Anki, whose first column is English.

    Args:
        path: A file.
        credited: If true, the rows have credits, as those of Anki have.
    """
    name = content_name(path)
    found = list(dict.fromkeys(code for _, _, tag in tags_in(name[: -len(".txt")]) if (code := language_code(tag))))
    if len(found) == 2:
        return found
    return [FIRST, *found] if (len(found) == 1 and found != [FIRST]) or credited else []


def told_languages(path: File, rows: Rows) -> list[str]:
    """Return the languages of the columns of text, as codes, the name of the file or the words tell them."""
    if found := code_columns(rows) or name_languages(path, False):
        return found
    texts = text_columns(rows)[:2]
    languages = [likely_language([row[place] for row in rows]) for place in texts]
    return [language for language in languages if language]

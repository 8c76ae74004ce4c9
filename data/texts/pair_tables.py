"""Pairs of sentences in a table: which column is in which language, with or without a line of names."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice

from data.columns import are_names, place_of, similar_column
from data.delimited import table_rows
from data.records import READERS
from data.splits import DataError, Example, OptionError
from data.tables import TableFormat, example_rows, open_table
from data.text_files import File, content_suffix
from data.texts.languages import LANGUAGES, language_code, plain_tag, same_language
from data.texts.nameless_tables import FIELDS, numbered_rows, told_languages

LOG = logging.getLogger("tasks")
SAMPLE = 300  # rows from which the columns are told
ROLES = {  # field -> names of its column that tell no language
    "text": ("text", "source", "src", "source_text", "source_sentence", "sentence", "input", "input_text"),
    "translation": ("translation", "target", "tgt", "trg", "target_text", "target_sentence", "output", "output_text"),
}
OTHERS = {"id", "ids", "url", "score", "len", "length", "count", "lang", "language", "name", "tokens", "domain"}
KEY = re.compile(r"[a-z]\w*_\w+|id|(?:text|sentence|phrase|input|output)\d?|original|translated", re.IGNORECASE)
Rows = list[list[str]]


def pair_rows(path: File, source: str, target: str, form: TableFormat) -> list[Example]:
    """Return the rows of a table as examples with `text`, `translation`, and `split` if there is such a column.

    Args:
        path: A table, or a text file with tabs.
        source: Language of the texts.
        target: Language of the translations.
        form: Columns and encoding, as the user gave them; a column may be given by its language.

    Raises:
        FileNotFoundError, DataError, OptionError: As for `data.tables.example_rows`.
    """
    form = replace(form, columns=field_columns(form.columns, source, target))
    names, rows = first_rows(path, form, (source, target))
    if names is None:
        return numbered_rows(path, rows, source, target, form)
    places = named_places(names, source, target, form.columns, str(path))
    return example_rows(path, {field: (place,) for field, place in places.items()}, form)


def field_columns(given: Mapping[str, str], source: str, target: str) -> dict[str, str]:
    """Return the columns that the user gave, by the field of an example instead of a language.

    Example:
        >>> field_columns({"en": "1", "deu": "2"}, "en", "de")
        {'text': '1', 'translation': '2'}

    Raises:
        OptionError: A name is neither a field nor one of the two languages.
    """
    found = {}
    for name, place in given.items():
        own = next((field for field, words in ROLES.items() if name in words), "split" if name == "split" else None)
        own = own or next(
            (field for field, tag in zip(FIELDS, (source, target), strict=True) if same_language(name, tag)), None
        )
        if own is None:
            raise OptionError(
                f"--columns names {name!r}, which is not one of: text, translation, split, {source}, {target}."
            )
        found[own] = place
    return found


def first_rows(path: File, form: TableFormat, languages: Sequence[str] = ()) -> tuple[list[str] | None, Rows]:
    """Return the names of the columns, `None` if the table has none, and the first rows.

    Args:
        path, form: As for `pair_rows`.
        languages: Languages that are asked for.
    """
    if content_suffix(path) in READERS:
        return open_table(path, {}, form).columns, []
    found = list(islice(table_rows(path, form.encoding), SAMPLE))
    rows = [row.cells for row in found if not row.error]
    if not rows:
        raise DataError(f"{str(path)!r}: {found[0].error if found else 'it is empty'}.")
    first = [cell.strip().lstrip("\ufeff") for cell in rows[0]]
    return (first, rows[1:]) if is_header(first, rows[1:], form.columns, languages) else (None, rows)


def is_header(first: Sequence[str], rest: Rows, given: Mapping[str, str], languages: Sequence[str]) -> bool:
    """Return whether a first row has names of columns: those that the user gave, two languages, or their roles.

    Example:
        >>> is_header(["en", "de"], [], {}, ["en", "fr"]), is_header(["It", "Es"], [], {}, ["en", "de"])
        (True, False)
    """
    if any(not place.isdecimal() and similar_column(first, place) for place in given.values()):
        return True
    told = {cell: code for cell in first if (code := column_language(cell))}
    if any(cell in told and row[place : place + 1] == [cell] for row in rest for place, cell in enumerate(first)):
        return False
    asked = any(same_language(code, language) for code in told.values() for language in languages)
    spelt = all(cell.islower() or cell.isupper() or len(cell) > 2 for cell in told)
    roles = [any(similar_column(first, word) for word in words) for words in ROLES.values()]
    named = all(KEY.fullmatch(cell) for cell in first) and are_names(first, rest)
    return (len(set(told.values())) > 1 and (asked or spelt)) or all(roles) or named


def inner_name(name: str) -> str:
    """Return the name of a column without that of the object around it.

    Example:
        >>> inner_name("translation/de"), inner_name("English words/sentences")
        ('de', 'English words/sentences')
    """
    outer, _, inner = name.strip().rpartition("/")
    return inner if re.fullmatch(r"\w*", outer) else name.strip()


def column_language(name: str) -> str | None:
    """Return the language that the name of a column tells; `None` if it tells none, or several.

    Example:
        >>> [column_language(name) for name in ("translation/de", "english_sentence", "en-US", "de_id", "Hi there.")]
        ['de', 'en', 'en', None, None]
    """
    inner = inner_name(name)
    words = re.findall(r"[^\W_]+", inner.lower())
    if len(words) > 3 or OTHERS & {*words}:
        return None
    if code := language_code(inner):
        return code
    joined = re.fullmatch(r"[\w-]+", inner)
    codes = {code for word in words if (joined or len(word) > 3) and (code := language_code(word))}
    return codes.pop() if len(codes) == 1 else None


def named_places(names: Sequence[str], source: str, target: str, given: Mapping[str, str], path: str) -> dict[str, str]:
    """Return the column of each field in a table with names, with a notice unless they are codes of languages.

    Raises:
        DataError: There is no column for a language, or there are several.
        OptionError: The user named a column that does not exist.
    """
    found, guessed = dict[str, str](), list[str]()
    for field, language in zip(FIELDS, (source, target), strict=True):
        if field in given:
            place = place_of(names, field, given)
            if place is None:
                raise OptionError(f"{path!r} has no column {given[field]!r}; its columns are: {', '.join(names)}.")
            found[field] = place
            continue
        found[field] = language_place(names, language, field, path)
        if not is_code(found[field], language):
            guessed.append(f"column {found[field]!r} as {language}")
    if guessed:
        LOG.warning("%s: it reads %s.", path, ", ".join(guessed))
    return found


def is_code(name: str, language: str) -> bool:
    """Return whether the name of a column is a code of a language, or what the user called it."""
    inner = inner_name(name)
    return inner == language or (same_language(inner, language) and len(plain_tag(inner).partition("_")[0]) <= 3)


def language_place(names: Sequence[str], language: str, field: str, path: str) -> str:
    """Return the column for a language, or else for its role.

    Raises:
        DataError: There is none, or there are several.
    """
    inner = {name: inner_name(name) for name in names}
    for fits in (
        [name for name in names if plain_tag(inner[name]) == plain_tag(language)],
        [name for name in names if same_language(inner[name], language) and column_language(name)],
        [name for name in names if (code := column_language(name)) and code == language_code(language)],
        [name for word in ROLES[field] if (name := similar_column(names, word))][:1],
    ):
        if len(fits) > 1:
            raise DataError(
                f"{path!r} has several columns for {language!r}: {', '.join(fits)}; choose one with "
                f"--columns {language}=NAME, or by its number."
            )
        if fits:
            return fits[0]
    raise DataError(
        f"{path!r} has no column {language!r}; its columns are: {', '.join(names)}. Name the languages with --source "
        f"and --target, or the column with --columns {language}=NAME."
    )


def table_languages(path: File, form: TableFormat) -> list[str]:
    """Return the codes of the languages that a table tells, in the order of its columns."""
    named = [name for name in form.columns if language_code(name)]
    if len(named) > 1:
        return named
    names, rows = first_rows(path, replace(form, columns={}))
    if names is None:
        return told_languages(path, rows)
    return list(dict.fromkeys(code for name in names if (code := column_language(name)) in LANGUAGES))

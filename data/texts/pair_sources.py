"""Where pairs of sentences are at a path: files of two languages, tables, translation memories; and their languages."""

import logging
import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from data.records import TABLES
from data.splits import DataError
from data.tables import TableFormat
from data.text_files import File, content_name, content_suffix, text_lines, zip_members
from data.texts import segment_files, translation_memories
from data.texts.corpus_parts import listed
from data.texts.languages import language_code, same_language
from data.texts.pair_tables import table_languages
from data.texts.parallel_files import (
    Corpus,
    corpora,
    doubled_files,
    file_languages,
    files_below,
    lone_file,
    opened_root,
    plain_name,
)

LOG = logging.getLogger("tasks")
REFERENCES = ".references"  # end of the name of a table with all translations
TEXTS = (".txt", "")  # of text files that may have tabs
ARCHIVES = (".tar", ".tgz", ".tbz2", ".txz", ".7z", ".rar", ".zip")
NOTES = re.compile(r"_.*|(?:readme|license|about|dataset_infos?|metadata|config|state|package)\b.*", re.IGNORECASE)


def found_corpora(path: Path, source: str, target: str) -> list[Corpus]:
    """Return the corpora at a path, sorted by name.

    Raises:
        FileNotFoundError: There is no such file or folder.
        DataError: There are none in these languages.
    """
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {str(path)!r}.")
    if is_single(path):
        return [single_corpus(path, source, target)]
    files = files_below(opened_root(path))
    found, whole = outermost(corpora(files, source, target), str(path)), bilingual_corpora(files)
    if not found and whole:
        return whole
    if alone := lone_file(files, source, target):
        raise DataError(f"{str(path)!r} has {alone[0]!r} in one language, and no file '{alone[0]}.{alone[1]}'.")
    if not found:
        raise missing_corpora(path, files, source, target)
    if doubled := doubled_files(files, source, target):
        LOG.warning("%s: not used, since another file has the same name and language: %s.", path, listed(doubled))
    found = with_references(found, whole)
    used = {str(corpus.references) for corpus in found}
    if unused := [one.source.name for one in whole if str(one.source) not in used]:
        LOG.warning("%s: not used beside the parallel files: %s.", path, listed(unused))
    return found


def with_references(found: list[Corpus], whole: list[Corpus]) -> list[Corpus]:
    """Return corpora, each with the table beside it that holds all translations of its texts, if there is one.

    Args:
        whole: Tables in the outermost folder.
    """
    tables = {table.name: table.source for table in whole}
    return [corpus._replace(references=tables.get(f"{corpus.name}{REFERENCES}")) for corpus in found]


def outermost(found: list[tuple[int, Corpus]], path: str) -> list[Corpus]:
    """Return the corpora in the fewest folders, with a notice of the others."""
    inner = [corpus.name for level, corpus in found if level > found[0][0]]
    if inner:
        LOG.warning("%s: not used, since they are in inner folders: %s.", path, listed(inner))
    return [corpus for level, corpus in found if level == found[0][0]]


def is_single(path: Path) -> bool:
    """Return whether a path is a file, and not a zip of several."""
    return path.is_file() and not (path.suffix.lower() == ".zip" and len(zip_members(path)) != 1)


def missing_corpora(path: Path, files: Mapping[str, File], source: str, target: str) -> DataError:
    """Return the error for a folder or a zip without text in two languages."""
    languages = file_languages(files)
    if languages:
        return DataError(
            f"{str(path)!r} has no text in {source!r} and {target!r}; its languages are: {', '.join(languages)}. Name "
            f"two with --source and --target."
        )
    return DataError(
        f"{str(path)!r} has no files that end in '.{source}' and '.{target}'; name the languages with --source "
        f"and --target."
    )


def single_corpus(path: Path, source: str, target: str) -> Corpus:
    """Return the corpus of a file that has both languages, or of two of which it is one.

    Raises:
        DataError: It is neither.
    """
    if content_suffix(path) in ARCHIVES:
        raise DataError(f"{str(path)!r} is an archive that is not read; unpack it, and give its folder.")
    files = beside(path)
    mates = [one for _, one in corpora(files, source, target) if path in (one.source, one.target)]
    if mates and not has_both_languages(path):
        return mates[0]
    if has_both_languages(path) or has_tabs(path):
        return Corpus(Path(content_name(path)).stem.lower(), path, path)
    raise DataError(
        f"{str(path)!r} has one language alone, and no file for {source!r} and {target!r} is beside it; give a folder "
        f"with both, or name the languages with --source and --target."
    )


def beside(path: Path) -> dict[str, File]:
    """Return the files in the folder of a file, and none that is a copy of it by its name."""
    return {
        other.name: other
        for other in sorted(path.parent.iterdir())
        if other == path or (other.is_file() and plain_name(other.name) != plain_name(path.name))
    }


def bilingual_corpora(files: Mapping[str, File]) -> list[Corpus]:
    """Return the files that hold both languages each, in the outermost folder that has some."""
    names = [
        name
        for name, file in files.items()
        if not NOTES.fullmatch(file.name) and (has_both_languages(file) or has_tabs(file))
    ]
    level = min((name.count("/") for name in names), default=0)
    found: dict[str, Corpus] = {}
    for name in names:
        stem = plain_name(name).rpartition(".")[0].lower() or name
        if name.count("/") != level:
            continue
        if stem in found:
            LOG.warning("%s is not used, since %s has the same name.", name, found[stem].source.name)
        else:
            found[stem] = Corpus(stem, files[name], files[name])
    return list(found.values())


def has_both_languages(file: File) -> bool:
    """Return whether a file is of a kind that holds both languages."""
    suffix = content_suffix(file)
    if suffix in segment_files.SUFFIXES:
        return segment_files.has_both_languages(file, None)
    return suffix in (*TABLES, *translation_memories.SUFFIXES)


def has_tabs(file: File) -> bool:
    """Return whether most of the first lines of a text file have a tab."""
    if content_suffix(file) not in TEXTS:
        return False
    try:
        lines = [line for line in islice(text_lines(file), 20) if line.strip()]
    except DataError:
        return False
    return sum("\t" in line.strip() for line in lines) > len(lines) / 2


def path_languages(path: Path, form: TableFormat) -> list[str]:
    """Return the codes of the languages at a path, in the order of columns, or with English first."""
    if not path.exists():
        return []
    files = beside(path) if is_single(path) else files_below(opened_root(path))
    if is_single(path) and (has_both_languages(path) or has_tabs(path)):
        return own_languages(path, form)
    named = [code for code in file_languages(files) if not is_single(path) or is_paired(files, path, code)]
    whole = bilingual_corpora(files) if not (named or is_single(path)) else []
    return own_languages(whole[0].source, form) if whole else sorted(named, key=lambda code: code != "en")


def is_paired(files: Mapping[str, File], path: Path, language: str) -> bool:
    """Return whether a file is one of two, of which one is in a language."""
    return any(
        path in (one.source, one.target)
        for other in file_languages(files)
        if other != language
        for _, one in corpora(files, language, other)
    )


def own_languages(file: File, form: TableFormat) -> list[str]:
    """Return the codes of the languages of a file that holds both."""
    suffix = content_suffix(file)
    if suffix in segment_files.SUFFIXES:
        return segment_files.segment_languages(file, form.encoding)
    if suffix in translation_memories.SUFFIXES:
        found = translation_memories.memory_languages(file, form.encoding)
        return list(dict.fromkeys(language_code(language) or language for language in found))
    return table_languages(file, form)


def likely_pair(found: list[str], source: str | None, target: str | None, path: str) -> tuple[str, str]:
    """Return the language to translate from and the one to translate to, where the user named one or none.

    Example:
        >>> likely_pair(["en", "fr"], None, None, "data"), likely_pair(["en", "fr"], "fr", None, "data")
        (('en', 'fr'), ('fr', 'en'))

    Raises:
        DataError: Several pairs are possible.
    """
    named = source or target
    if named:
        rest = [language for language in found if not same_language(language, named)]
        other = rest[0] if len(rest) == 1 else "de" if same_language(named, "en") else "en"
        return (source, target or other) if source else (other, named)
    if not found or {"en", "de"} <= {*found}:
        return "en", "de"
    if len(found) == 2:
        return found[0], found[1]
    raise DataError(f"{path!r} has text in: {', '.join(found)}; name two languages with --source and --target.")

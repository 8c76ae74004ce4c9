"""Files in two languages whose lines translate each other, found by their names in a folder or a zip."""

import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from data.records import TABLES
from data.splits import part_of
from data.text_files import OPENERS, File
from data.texts.languages import language_code, same_language, tags_in
from data.zips import opened_zip

DEPTH = 4  # folders in one another that are searched
ROLES = {"source": ("src", "source"), "target": ("tgt", "trg", "target")}
ROLE = re.compile(r"(?<![^\W_])(?:src|source|tgt|trg|target|ref|reference)[._-]|[._-](?:src|ref)(?=\.)", re.IGNORECASE)
ENDINGS = (".txt", ".sgm", ".sgml", ".xml", ".snt", ".text")  # behind the language
IGNORED = (  # endings of files that are not text, or hold both languages
    *(
        ".ids",
        ".scores",
        ".alg",
        ".md",
        ".pdf",
        ".html",
        ".model",
        ".vocab",
        ".py",
        ".sh",
        ".bin",
        ".idx",
        ".npy",
        ".npz",
    ),
    *(
        ".pt",
        ".pkl",
        ".zip",
        ".tar",
        ".tgz",
        ".png",
        ".jpg",
        ".wav",
        ".mp3",
        ".arrow",
        ".tmx",
        ".xlf",
        ".xliff",
        *TABLES,
    ),
)
ALONE = re.compile(r"(?:vocab|dict|lexicon|readme|license)|.*(?<![a-z])(?:codes|mono|monolingual)(?![a-z])")
Match = Callable[[str], bool]  # whether a word of a name stands for a language
Keyed = dict[str, list[str]]  # name without its language -> files with it, the best first


class Corpus(NamedTuple):
    """Text in two languages.

    Attributes:
        name: What it is called: the name of its files without language and ending.
        source: File with the text to translate.
        target: File with the translations; the same as `source` if that has both.
        references: Table with all translations of each text of `source`, if there is one: `test.references.jsonl`.
    """

    name: str
    source: File
    target: File
    references: File | None = None


def files_below(root: File) -> dict[str, File]:
    """Return the visible files below a folder or a zip, by their names in it with slashes, sorted."""

    def walk(folder: File, before: str, depth: int) -> Iterator[tuple[str, File]]:
        for entry in folder.iterdir():
            if entry.name.startswith((".", "__MACOSX")):
                continue
            if entry.is_dir():
                yield from walk(entry, f"{before}{entry.name}/", depth - 1) if depth else ()
            else:
                yield f"{before}{entry.name}", entry

    return dict(sorted(walk(root, "", DEPTH), key=lambda item: item[0]))


def opened_root(path: Path) -> File:
    """Return a folder, or the inside of a zip.

    Raises:
        DataError: As for `opened_zip`.
    """
    if path.is_dir():
        return path
    return zipfile.Path(opened_zip(path))


def plain_name(name: str) -> str:
    """Return the name of a file without the ending of a compressed one."""
    end = next((ending for ending in OPENERS if name.lower().endswith(ending)), "")
    return name[: len(name) - len(end)]


def language_keys(name: str, matches: Match) -> list[str]:
    """Return the names of a file with each word for a language replaced by `*`: files with one in common belong
    together.

    Example:
        >>> language_keys("Europarl.de-en.en.gz", lambda word: word == "en")
        ['europarl.de-*.en', 'europarl.de-en.*', 'europarl.de-*.*']
    """
    name = plain_name(name)
    places = [(start, end) for start, end, tag in tags_in(name) if matches(tag)]
    found = [f"{name[:start]}*{name[end:]}".lower() for start, end in places]
    whole, last = "", 0
    for start, end in places:
        if start >= last:
            whole, last = f"{whole}{name[last:start]}*", end
    return list(dict.fromkeys([*found, (whole + name[last:]).lower()] if found else []))


def is_parallel_name(name: str, matches: Match) -> bool:
    """Return whether a file may be text in one language by its name; `.pt` is Portuguese where that is asked for.

    Example:
        >>> [is_parallel_name("train.pt", lambda word: word == language) for language in ("pt", "de")]
        [True, False]
    """
    own = plain_name(name).lower()
    known = not own.endswith(IGNORED) or matches(own.rpartition(".")[2])
    return known and not ALONE.match(own.rpartition("/")[2])


def keyed_files(files: Mapping[str, File], matches: Match, first: tuple[str, ...], roles: bool) -> Keyed:
    """Return the names of files by each of their keys, the best first.

    Args:
        files: Name -> file.
        matches: Whether a word stands for the language.
        first: Words of a name that is to be preferred.
        roles: If true, words such as `src` do not count in the keys.
    """
    found: Keyed = {}
    for name in sorted(files, key=lambda name: (not any(word in name.lower() for word in first), len(name), name)):
        for key in (
            language_keys(ROLE.sub("", name) if roles else name, matches) if is_parallel_name(name, matches) else ()
        ):
            found.setdefault(key, []).append(name)
    return found


def keyed_pairs(files: Mapping[str, File], source: str, target: str) -> list[tuple[Keyed, Keyed]]:
    """Return the names of files by key, for source and target: as their languages tell, and as their roles tell."""
    matches = [
        *(lambda tag, own=language: same_language(tag, own) for language in (source, target)),
        *(lambda tag, own=words: tag.lower() in own for words in ROLES.values()),
    ]
    first = (("src",), ("ref", "tgt"), (), ())
    found = [keyed_files(files, *each, place < 2) for place, each in enumerate(zip(matches, first, strict=True))]
    return [(found[0], found[1]), (found[2], found[3])]


def doubled_files(files: Mapping[str, File], source: str, target: str) -> list[str]:
    """Return the names of files that are not used, since another has the same name and language."""
    one, other = keyed_pairs(files, source, target)[0]
    keys = [key for key in one if key in other]
    used = {names[key][0] for names in (one, other) for key in keys}
    rest = {name for names in (one, other) for key in keys for name in names[key][1:]} - used
    return sorted(name for name in rest if not ROLE.search(name))


def corpora(files: Mapping[str, File], source: str, target: str) -> list[tuple[int, Corpus]]:
    """Return the pairs of files whose names differ by the language alone, or by `src` and `tgt`, sorted.

    Each has the number of folders that it is in before it.
    """
    for one, other in keyed_pairs(files, source, target):
        keys = sorted((key for key in one if key in other), key=len, reverse=True)  # a shorter one replaces a longer
        found = {(one[key][0], other[key][0]): corpus_name(key) for key in keys if one[key][0] != other[key][0]}
        if found:
            deep = sorted((pair[0].count("/"), name, pair) for pair, name in found.items())
            return [(level, Corpus(name, files[pair[0]], files[pair[1]])) for level, name, pair in deep]
    return []


def corpus_name(key: str) -> str:
    """Return the name of a corpus from the common name of its files.

    Example:
        >>> [corpus_name(key) for key in ("train.*", "*-train.txt", "*/dev.txt", "dev/*.dev", "europarl-v7.de-en.*")]
        ['train', 'train', 'dev', 'dev/dev', 'europarl-v7.de-en']
    """
    end = next((ending for ending in ENDINGS if key.endswith(ending)), "")
    bare = re.sub(r"\*[._-]*|[._-]+(?=\*)", "", key.removesuffix(end).replace("*/", ""))
    return bare.strip("._-/") or "text"


def languages_by_key(files: Mapping[str, File], languages: Sequence[str] = ()) -> dict[str, dict[str, str]]:
    """Return the languages of the files that belong together: key -> language -> name of a file.

    Args:
        files: Name -> file.
        languages: Languages to look for besides those with a known code.
    """
    found: dict[str, dict[str, str]] = {}
    for name in (name for name in files if is_parallel_name(name, lambda word: bool(language_code(word)))):
        bare = ROLE.sub("", name)
        for _, _, tag in tags_in(plain_name(bare)):
            own = next((language for language in languages if same_language(tag, language)), language_code(tag))
            for key in language_keys(bare, lambda word, tag=tag: word == tag) if own else ():  # type: ignore[misc]
                found.setdefault(key, {}).setdefault(str(own), name)
    return found


def file_languages(files: Mapping[str, File]) -> list[str]:
    """Return the codes of the languages that names of files tell, sorted.

    A language counts if two files have the same name but for their languages.
    """
    return sorted({code for codes in languages_by_key(files).values() if len(codes) > 1 for code in codes})


def lone_file(files: Mapping[str, File], source: str, target: str) -> tuple[str, str] | None:
    """Return the name of a file for training, validation or testing that is there in one language alone, and the
    missing language; `None` if there is none.
    """
    groups = languages_by_key(files, (source, target))
    paired = {name for codes in groups.values() if len(codes) > 1 for name in codes.values()}
    for key, codes in groups.items():
        for language, name in codes.items():
            if language in (source, target) and name not in paired and key.endswith(("*", ".*.txt")) and part_of(key):
                return corpus_name(key), target if language == source else source
    return None

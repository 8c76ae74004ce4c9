"""Sources of examples: the embedded data, the user's own files, or a catalogue."""

import logging
import re
from collections.abc import Callable, Sequence
from functools import cache, partial
from os.path import exists  # of a name that is too long too
from pathlib import Path
from typing import TypeVar

from data import catalogue
from data.columns import Names
from data.plain_files import check_plain
from data.splits import DataError, Example, Examples, LazyExamples, OptionError, Splits, part_of
from data.text_files import is_visible

LOG = logging.getLogger("tasks")
T = TypeVar("T")


def load(data: str, *, builtin: Callable[[], T], files: Callable[[str], T], named: Callable[[str], T]) -> T:
    """Return data read by one of three functions; only this function chooses between the sources.

    Args:
        data: `"builtin"`, a path, or a catalogue name. Text without the form of a catalogue name is a path.
        builtin: Reads the embedded data.
        files: Reads the user's own files.
        named: Reads a data set of the catalogue.

    Example:
        >>> load("mnist", builtin=lambda: "embedded", files=lambda path: "files", named=lambda name: "catalogue")
        'catalogue'

    Raises:
        DataError: A path is a device, a pipe or a socket.
    """
    if data == "builtin":
        return builtin()
    if is_in_catalogue(data):
        return named(data)
    for place in joined_places(data):
        check_plain(Path(place))
    return files(data)


def joined_places(data: str) -> list[str]:
    """Return the sets that data joins with commas; a path with commas in it is one if it exists.

    Example:
        >>> joined_places("/data/sr/t91, /data/sr/general100"), joined_places("builtin")
        (['/data/sr/t91', '/data/sr/general100'], ['builtin'])
    """
    parts, places = data.split(","), list[str]()
    while parts:
        joins = (",".join(parts[:count]).strip() for count in range(len(parts), 1, -1))
        place = next((join for join in joins if exists(join)), parts[0].strip())
        parts = parts[place.count(",") + 1 :]
        if place:
            places.append(place)
    return places or [data]


def is_in_catalogue(data: str) -> bool:
    """Return whether data names a catalogue data set: it has the form of a name, and no such path exists."""
    return data != "builtin" and catalogue.is_name(data) and not Path(data).exists()


def splits(
    data: str,
    test: str | None,
    *,
    builtin: Callable[[], Splits],
    files: Callable[[str], Splits],
    named: Callable[[str], Splits],
    examples: Callable[[Path], Examples],
    part: Callable[[str], Examples | None],
) -> Splits:
    """Return the splits of data, with the examples that `test` names in place of its own test split.

    If `test` is a path, the data itself is read when its other splits are first requested. So a run is scored on other
    examples where its training data is missing.

    Args:
        data, builtin, files, named: As for `load`.
        test: A path, or the name of a part of the data; `None` keeps the test split of the data.
        examples: Reads all examples at a path.
        part: Reads a part of the data by name, or returns `None` if there is none.

    Raises:
        OptionError: `test` is neither.
    """
    own = cache(partial(load, data, builtin=builtin, files=files, named=named))
    if test is None:
        return own()
    check_plain(Path(test))
    if Path(test).exists():
        return Splits(LazyExamples(lambda: own().train), LazyExamples(lambda: own().valid), examples(Path(test)))
    found = part(test)
    if found is None and len(joined_places(test)) > 1:
        raise OptionError(f"Data cannot be joined here; received {test!r}; test on one at a time.")
    if found is None:
        raise OptionError(
            f"No split is named {test!r}; choose one of: train, valid, test, or give a path to test data."
        )
    return own()._replace(test=found)


def catalogue_part(
    data: str,
    part: str,
    columns: Names,
    data_dir: Path | None = None,
    change: Callable[[Example], Example] = dict,
) -> list[Example] | None:
    """Return one split of a catalogue data set, or `None` if data is none or has no such split."""
    if not is_in_catalogue(data):
        return None
    return catalogue.read(data, (), columns, data_dir, optional=(part,), change=change).get(part)


def data_name(data: str) -> str:
    """Return the name of data: its catalogue name, or the names of its files and folders without their parents.

    Example:
        >>> data_name("/data/sr/t91, /data/sr/general100")
        't91,general100'
        >>> data_name("ted_hrlr_translate/pt_to_en")
        'ted_hrlr_translate/pt_to_en'
    """
    own = (
        place if place == "builtin" or is_in_catalogue(place) else Path(place).resolve().name
        for place in joined_places(data)
    )
    return ",".join(own)


def class_folder_parts(path: Path, suffixes: Sequence[str], field: str) -> Splits:
    """Return the parts of a folder that holds a folder for each class.

    * Folders called `train`, `valid` or `test`, or the like in any case, are parts and hold the classes.
    * Without such folders all files are for training.
    * A folder that holds nothing but one other folder, as zips leave it, stands for that one.
    * A validation or test part without classes is not used, with a notice.

    Args:
        path: An existing folder.
        suffixes: Endings of the files to take, in lower case, with their dots.
        field: Field of an example that gets the path of the file; `label` gets its class.

    Raises:
        FileNotFoundError: There is no such folder.
        DataError: The folder has no such files.
    """
    if not path.is_dir():
        raise FileNotFoundError(f"There is no folder {str(path)!r}; give --data a folder with a folder for each class.")
    path = inner_folder(path)
    folders, other = part_folders(path)
    if not folders:
        return Splits(files_by_class(path, suffixes, field), [], [])
    if other:
        LOG.warning("%s: not used beside the parts: %s.", path.resolve().name, ", ".join(other))
    found: dict[str, list[Example]] = {part: [] for part in Splits._fields}
    for folder in folders:
        part = str(part_of(folder.name))
        if part == "train" or not found["train"] or has_classes(folder, suffixes):
            found[part] += files_by_class(folder, suffixes, field)
        else:
            LOG.warning("%s: the folder %s is not used, since it holds no classes.", path.resolve().name, folder.name)
    return Splits(**found)


def part_folders(path: Path) -> tuple[list[Path], list[str]]:
    """Return the folders that are parts, first those for training, and the names of the folders beside them.

    A folder that is called `train` is a class if other folders are, and holds none itself.
    """
    inside = visible_folders(path)
    found = sorted(filter(is_part_folder, inside), key=lambda folder: part_of(folder.name) != "train")
    other = [folder.name for folder in inside if not is_part_folder(folder)]
    return ([], other) if other and not any(map(visible_folders, found)) else (found, other)


def is_part_folder(folder: Path) -> bool:
    """Return whether a folder is called as a part."""
    return is_part_name(folder.name)


def has_classes(folder: Path, suffixes: Sequence[str]) -> bool:
    """Return whether a folder holds a folder with files of some endings."""
    return any(is_wanted_file(file, suffixes) for inner in visible_folders(folder) for file in inner.rglob("*"))


def is_part_name(name: str) -> bool:
    """Return whether a whole name is that of a part, such as `Train` or `test_set`."""
    words = [word for word in re.findall("[a-z]+", name.lower()) if word not in ("set", "data", "images", "split")]
    return len(words) == 1 and part_of(words[0]) is not None


def visible_folders(path: Path) -> list[Path]:
    """Return the folders in a folder that a user put there, sorted by name."""
    return [
        folder for folder in sorted(path.iterdir()) if folder.is_dir() and not folder.name.startswith((".", "__MACOSX"))
    ]


def inner_folder(path: Path) -> Path:
    """Return a folder, or the one that it holds if it holds nothing else and that holds folders too."""
    while True:
        inside = [entry for entry in path.iterdir() if not entry.name.startswith((".", "__MACOSX"))]
        if len(inside) != 1 or not inside[0].is_dir() or not visible_folders(inside[0]) or is_part_name(inside[0].name):
            return path
        path = inside[0]


def files_by_class(path: Path, suffixes: Sequence[str], field: str) -> list[Example]:
    """Return an example for each file of each class below a folder, sorted by name.

    Files outside the folders of classes, or with other endings, are not used; a notice gives their number.

    Raises:
        DataError: There are no such files.
    """
    files = [
        (folder.name, file)
        for folder in (visible_folders(path) if path.is_dir() else ())
        for file in sorted(folder.rglob("*"))
        if is_visible(str(file.relative_to(folder))) and file.is_file()
    ]
    found = [{field: file, "label": name} for name, file in files if is_wanted_file(file, suffixes)]
    if not found:
        raise DataError(
            f"{str(path)!r} holds no folder with {', '.join(suffixes)} files in it; give a folder with a folder "
            f"for each class."
        )
    if loose := sum(is_wanted_file(file, suffixes) for file in path.iterdir()):
        LOG.warning("%s: %d files outside the folders of the classes are not used.", path.resolve().name, loose)
    if other := len(files) - len(found):
        LOG.warning(
            "%s: %d files in the folders of the classes do not end in %s and are not used.",
            path.resolve().name, other, ", ".join(suffixes),
        )  # fmt: skip
    return found


def is_wanted_file(file: Path, suffixes: Sequence[str]) -> bool:
    """Return whether a file has one of some endings, and is not hidden."""
    return file.suffix.lower() in suffixes and not file.name.startswith(".") and file.is_file()

"""Sources of examples: the embedded data, the user's own files, or a catalogue."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

from data import catalogue
from data.splits import DataError, Example, Examples, LazyExamples, PartError, Splits, holdout_split

TEST_SHARE = 0.2
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
    """
    if data == "builtin":
        return builtin()
    return named(data) if is_in_catalogue(data) else files(data)


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
        PartError: `test` is neither.
    """
    own = cache(partial(load, data, builtin=builtin, files=files, named=named))
    if test is None:
        return own()
    if Path(test).exists():
        return Splits(LazyExamples(lambda: own().train), LazyExamples(lambda: own().valid), examples(Path(test)))
    found = part(test)
    if found is None:
        raise PartError(f"No split is named {test!r}; choose one of: train, valid, test, or give a path to test data.")
    return own()._replace(test=found)


def catalogue_part(
    data: str,
    part: str,
    columns: Mapping[str, str],
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
    if data == "builtin" or is_in_catalogue(data):
        return data
    return ",".join(Path(place.strip()).resolve().name for place in data.split(",") if place.strip())


def class_folder_splits(path: Path, suffixes: Sequence[str], field: str, valid: float, seed: int) -> Splits:
    """Return the splits of a folder that holds a folder for each class.

    * If `path/train` and `path/test` exist, they hold the classes.
    * Otherwise `path` holds them, and a fifth of the files is kept for testing, whatever the seed.
    * The validation part is drawn from the training part by seed.

    Args:
        path: An existing folder.
        suffixes: Endings of the files to take, in lower case, with their dots.
        field: Field of an example that gets the path of the file; `label` gets its class.
        valid: Fraction of the training part that is kept for validation, in (0, 1).
        seed: Chooses the validation part.

    Raises:
        FileNotFoundError: There is no such folder.
        DataError: The folder has no such files, or fewer than two classes.
    """
    if not path.is_dir():
        raise FileNotFoundError(f"There is no folder {str(path)!r}; give --data a folder with a folder for each class.")
    if (path / "train").is_dir() and (path / "test").is_dir():
        train, test = files_by_class(path / "train", suffixes, field), files_by_class(path / "test", suffixes, field)
    else:
        train, test = holdout_split(files_by_class(path, suffixes, field), TEST_SHARE, seed=0)
    train, held = holdout_split(train, valid, seed)
    return Splits(train, held, test)


def files_by_class(path: Path, suffixes: Sequence[str], field: str) -> list[Example]:
    """Return an example for each file of each class below a folder, sorted by name."""
    found = [
        {field: file, "label": folder.name}
        for folder in (sorted(path.iterdir()) if path.is_dir() else ())
        if folder.is_dir() and not folder.name.startswith(".")
        for file in sorted(folder.rglob("*"))
        if file.suffix.lower() in suffixes and not file.name.startswith(".")
    ]
    if not found:
        raise DataError(
            f"{str(path)!r} holds no folder with {', '.join(suffixes)} files in it; give a folder with a folder "
            f"for each class."
        )
    classes = sorted({str(example["label"]) for example in found})
    if len(classes) < 2:
        raise DataError(f"{str(path)!r} holds one class only, {classes[0]!r}; give at least two.")
    return found

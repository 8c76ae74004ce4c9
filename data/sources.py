"""Where examples come from: the embedded data, the user's own files, or a catalogue."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from data import catalogue
from data.splits import DataError, Example, Examples, PartError, Splits, holdout_split

TEST_SHARE = 0.2
T = TypeVar("T")


def load(data: str, *, builtin: Callable[[], T], files: Callable[[str], T], named: Callable[[str], T]) -> T:
    """Return what one of three functions makes of data: the only place that decides between them.

    Args:
        data: `"builtin"`; a path, or what has not the form of a catalogue name; or a catalogue name.
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
    """Return whether data is to be looked up in a catalogue: it has the form of a name, and there is no such path."""
    return data != "builtin" and catalogue.is_name(data) and not Path(data).exists()


def part_to_test(
    data: str, test: str, *, files: Callable[[Path], Examples], named: Callable[[str], Examples | None]
) -> Examples:
    """Return the examples to test on instead of the data's own.

    Args:
        data: As for `load`.
        test: A path, or the name of a part of a data set of the catalogue.
        files: Reads all examples at a path.
        named: Reads a part by name, or returns `None` if there is no such part.

    Raises:
        PartError: `test` is neither.
    """
    found = files(Path(test)) if Path(test).exists() else named(test) if is_in_catalogue(data) else None
    if found is None:
        raise PartError(f"No split is named {test!r}; choose one of: train, valid, test, or give a path to test data.")
    return found


def data_name(data: str) -> str:
    """Return what data is called: its catalogue name, or the names of its files and folders without their places.

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
    """Return the files below a folder that holds a folder for each class.

    The classes lie in `path`, and a fifth of the files is kept for testing, whatever the seed. Or they lie in
    `path/train` and `path/test`. The validation part is cut from the training part by seed.

    Args:
        path: An existing folder.
        suffixes: Endings of the files to take, in lower case, with their dots.
        field: Name that the path of a file gets in its example; `label` is its class.
        valid: Fraction of the training part that is kept for validation, in (0, 1).
        seed: Chooses the validation part.

    Raises:
        FileNotFoundError: There is no such folder.
        DataError: The folder has no such files, or no two classes of them.
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
    """Return the files of each class below a folder, in the order of their names."""
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

"""The user's own files, as raw examples."""

from collections.abc import Sequence
from pathlib import Path

from data.splits import DataError, Example, Splits, hold_out

TEST_SHARE = 0.2


def folder_of_classes(path: Path, suffixes: Sequence[str], field: str, valid: float, seed: int) -> Splits:
    """Return the files below a folder that holds a folder for each class.

    Either the classes lie in `path`, and a fifth of the files is kept for testing whatever the seed, or
    they lie in `path/train` and `path/test`. The validation part is cut from the training part by seed.

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
        train, test = hold_out(files_by_class(path, suffixes, field), TEST_SHARE, seed=0)
    train, held = hold_out(train, valid, seed)
    return Splits(train, held, test)


def files_by_class(path: Path, suffixes: Sequence[str], field: str) -> list[Example]:
    """Return the files of each class below a folder, in the order of their names."""
    found = [
        {field: file, "label": folder.name}
        for folder in sorted(path.iterdir())
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

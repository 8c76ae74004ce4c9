"""Pictures with captions, from the user's own files. NumPy and Pillow only."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from data.pictures.files import SUFFIXES, File, files_in
from data.sources import TEST_SHARE
from data.splits import DataError, Example, Splits, holdout_split
from data.tables import TABLES, table_rows

LOG = logging.getLogger("tasks")
LOST_LIMIT = 0.01  # share of the pictures that may be missing or damaged
PARTS = {  # name of a split in a table -> name of the split here
    "train": "train",
    "val": "valid",
    "valid": "valid",
    "validation": "valid",
    "dev": "valid",
    "test": "test",
}
Row = tuple[str, str, str]  # name of a picture, its split or nothing, a caption


def captioned_splits(path: Path, columns: dict[str, str], valid: float, seed: int) -> Splits:
    """Return the splits of pictures with captions: examples with an `image`, a file, and its `captions`.

    The captions are in one of two forms:

    * a table with a row for each caption: `.csv`, `.tsv`, `.jsonl`, or `captions.txt` (comma-separated);
    * `*.token.txt`, the form of Flickr8k, with lists of names such as `*trainImages.txt`.

    The pictures are in the folder, in folders below it, or in zips in the folder.

    A table may have a column `split`:

    * `train`: for training;
    * `val`, `valid`, `validation` or `dev`: for validation;
    * `test`: for testing; without it, a fifth of the pictures is for testing, whatever the seed;
    * any other split is left out.

    Args:
        path: A folder with captions and pictures, or a captions file in it.
        columns: Field (`image` or `caption`) -> name of its column in a table.
        valid: Fraction of the training pictures kept for validation if no split is for it, in (0, 1).
        seed: Chooses the validation pictures.

    Raises:
        FileNotFoundError: There is no such file or folder.
        DataError: There are no captions or no pictures, a zip is damaged, or over 1 % of the pictures are missing.
    """
    found = captioned_parts(path, columns)
    parts = {name: [example for part, example in found if PARTS.get(part) == name] for name in ("train", "valid")}
    test = [example for part, example in found if PARTS.get(part) == "test"]
    train = parts["train"] or [example for part, example in found if not part]
    if other := sum(bool(part) and part not in PARTS for part, _ in found):
        LOG.warning("Left out, since their split is not train, valid or test: %d pictures.", other)
    if not test:
        train, test = holdout_split(train, TEST_SHARE, seed=0)
    return Splits(train, parts["valid"], test) if parts["valid"] else Splits(*holdout_split(train, valid, seed), test)


def all_captioned_pictures(path: Path, columns: dict[str, str]) -> list[Example]:
    """Return all pictures with their captions, whatever their split; otherwise as `captioned_splits`."""
    return [example for _, example in captioned_parts(path, columns)]


def captioned_parts(path: Path, columns: dict[str, str]) -> list[tuple[str, Example]]:
    """Return pictures with their captions, each with the name of its split, or an empty name."""
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {str(path)!r}.")
    folder = path if path.is_dir() else path.parent
    captions = path if path.is_file() else captions_file(path)
    rows = token_rows(captions) if captions.name.endswith(".token.txt") else caption_rows(captions, columns)
    return matched_pictures(rows, folder_pictures(folder), str(captions))


def captions_file(folder: Path) -> Path:
    """Return the captions file of a folder: the only candidate, or the only one named `captions`."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    tokenized = [path for path in files if path.name.endswith(".token.txt") and "lemma" not in path.name]
    tabled = [path for path in files if path.suffix.lower() in TABLES or path.name.lower() == "captions.txt"]
    named = [path for path in tabled if path.stem.lower().startswith("captions")]
    for choice in (tokenized, named, tabled):
        if len(choice) == 1:
            return choice[0]
    raise DataError(
        f"{str(folder)!r} holds {'no' if not tabled else 'more than one'} file of captions; "
        f"name a .csv, .tsv or .jsonl table, or a '*.token.txt'."
    )


def caption_rows(path: Path, columns: dict[str, str]) -> Iterable[Row]:
    """Yield the rows of a table of captions."""
    separator = "," if path.suffix.lower() == ".txt" else None
    options = "--image-column or --caption-column"
    for row in table_rows(path, columns, options, optional=("split",), separator=separator):
        yield row["image"], row["split"].strip().lower(), row["caption"]


def token_rows(path: Path) -> Iterable[Row]:
    """Yield the rows of `Flickr8k.token.txt`, whose lines are `name#number`, a tab, and a caption."""
    splits: dict[str, str] = {}
    for split in ("train", "dev", "test"):
        for names in sorted(path.parent.glob(f"*{split}Images.txt")):
            splits |= dict.fromkeys(names.read_text(encoding="utf-8-sig").split(), split)
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        name, tab, caption = line.partition("\t")
        if line.strip() and not tab:
            raise DataError(f"{str(path)!r}, line {number}: there is no tab between the picture and its caption.")
        if line.strip():
            name = name.rpartition("#")[0] or name
            yield name, splits.get(name, "extra" if splits else ""), caption


def folder_pictures(folder: Path) -> list[File]:
    """Return the pictures in a folder, in folders below it, and in the zips of the folder.

    Raises:
        DataError: There are none, or a zip is damaged.
    """
    zips = [path for path in sorted(folder.iterdir()) if path.suffix.lower() == ".zip"]
    found = [file for place in (folder, *zips) for file in files_in(place, SUFFIXES)]
    if not found:
        raise DataError(f"{str(folder)!r} holds no pictures; they end in {' '.join(SUFFIXES)}.")
    return found


def matched_pictures(rows: Iterable[Row], files: Sequence[File], name: str) -> list[tuple[str, Example]]:
    """Return the examples of pictures with captions, sorted by name, each with its split.

    Raises:
        DataError: More than one picture in a hundred is missing.
    """
    captions: dict[str, list[str]] = {}
    splits: dict[str, str] = {}
    for image, split, caption in rows:
        place = Path(image.strip()).name
        if caption.strip():
            captions.setdefault(place, []).append(caption.strip())
            splits.setdefault(place, split)
    found = {file.name: file for file in files}
    lost = sorted(image for image in captions if image not in found)
    check_lost(lost, len(captions), f"named in {name!r} but missing")
    if alone := sorted(image for image in found if image not in captions):
        LOG.warning("Left out, since they have no caption: %d pictures, the first is %r.", len(alone), alone[0])
    return [
        (splits[image], {"image": found[image], "captions": captions[image]})
        for image in sorted(captions)
        if image in found
    ]


def check_lost(lost: Sequence[str], total: int, what: str) -> None:
    """Give notice of the number of pictures left out, and their fault.

    Raises:
        DataError: More than one picture in a hundred is left out.
    """
    if not lost:
        return
    if len(lost) > LOST_LIMIT * total:
        raise DataError(
            f"{what[:1].upper()}{what[1:]}: {len(lost):,} of {total:,} pictures, the first is {lost[0]!r}; at most one "
            f"in a hundred may be."
        )
    LOG.warning("Left out, %s: %d of %d pictures, the first is %r.", what, len(lost), total, lost[0])

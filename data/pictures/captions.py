"""Pictures with captions, from the user's own files. NumPy and Pillow only."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from data.columns import Names
from data.holdout import completed_splits, scored_examples
from data.pictures.files import SUFFIXES, File, files_in
from data.records import TABLES
from data.splits import DataError, Example, Examples, Splits
from data.tables import TableFormat, example_rows, row_parts
from data.text_files import content_name, content_suffix, decoded_lines

LOG = logging.getLogger("tasks")
LOST_LIMIT = 0.01  # share of the pictures that may be missing or damaged
Row = tuple[str, str, str]  # name of a picture, its split or nothing, a caption


def captioned_splits(path: Path, names: Names, form: TableFormat, valid: float, seed: int) -> Splits:
    """Return the splits of pictures with captions: examples with an `image`, a file, and its `captions`.

    The captions are in one of two forms:

    * a table with a row for each caption, also a comma-separated `captions.txt`;
    * `*.token.txt`, the form of Flickr8k, with lists of names such as `*trainImages.txt`.

    The pictures are in the folder, in folders below it, or in zips in the folder.

    A table may have a column `split`, which names the parts as in `row_parts`. Missing parts are drawn from the
    training part.

    Args:
        path: A folder with captions and pictures, or a captions file in it.
        names: Field (`image` or `caption`) -> names that its column may have.
        form: Columns and encoding, as the user gave them.
        valid: Fraction of the training pictures kept for validation if no split is for it, in (0, 1).
        seed: Chooses the validation pictures.

    Raises:
        FileNotFoundError: There is no such file or folder.
        DataError: There are no captions or no pictures, a zip is damaged, or over 1 % of the pictures are missing.
    """
    found = captioned_pictures(path, names, form)
    return completed_splits(row_parts(found, path.resolve().name), valid, seed, path.resolve().name)


def all_captioned_pictures(path: Path, names: Names, form: TableFormat) -> Examples:
    """Return the pictures with captions at a path to test on: its test part if it names parts, or else all."""
    return scored_examples(row_parts(captioned_pictures(path, names, form), path.resolve().name), path.resolve().name)


def captioned_pictures(path: Path, names: Names, form: TableFormat) -> list[Example]:
    """Return pictures with their captions, each with the name of its `split`, or an empty name."""
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {str(path)!r}.")
    folder = path if path.is_dir() else path.parent
    captions = path if path.is_file() else captions_file(path)
    rows = token_rows(captions) if captions.name.endswith(".token.txt") else caption_rows(captions, names, form)
    return matched_pictures(rows, folder_pictures(folder), str(captions))


def captions_file(folder: Path) -> Path:
    """Return the captions file of a folder: the only candidate, or the only one named `captions`."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    tokenized = [path for path in files if path.name.endswith(".token.txt") and "lemma" not in path.name]
    tabled = [path for path in files if content_suffix(path) in TABLES or path.name.lower() == "captions.txt"]
    named = [path for path in tabled if content_name(path).lower().startswith("captions")]
    for choice in (tokenized, named, tabled):
        if len(choice) == 1:
            return choice[0]
    raise DataError(
        f"{str(folder)!r} holds {'no' if not tabled else 'more than one'} file of captions; "
        f"name a .csv, .tsv or .jsonl table, or a '*.token.txt'."
    )


def caption_rows(path: Path, names: Names, form: TableFormat) -> Iterable[Row]:
    """Yield the rows of a table of captions."""
    for row in example_rows(path, names, form):
        yield row["image"], row.get("split", "").strip().lower(), row["caption"]


def token_rows(path: Path) -> Iterable[Row]:
    """Yield the rows of `Flickr8k.token.txt`, whose lines are `name#number`, a tab, and a caption."""
    splits: dict[str, str] = {}
    for split in ("train", "dev", "test"):
        for names in sorted(path.parent.glob(f"*{split}Images.txt")):
            splits |= dict.fromkeys(names.read_text(encoding="utf-8-sig").split(), split)
    for number, line in enumerate(decoded_lines(path), start=1):
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


def matched_pictures(rows: Iterable[Row], files: Sequence[File], name: str) -> list[Example]:
    """Return the examples of pictures with captions, sorted by name, each with its `split`.

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
        {"split": splits[image], "image": found[image], "captions": captions[image]}
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

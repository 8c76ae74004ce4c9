"""Pictures with captions, from the user's own files. NumPy and Pillow only."""

import logging
from dataclasses import replace
from pathlib import Path

from data.columns import Names, listed
from data.holdout import completed_splits, scored_examples
from data.pictures.caption_choice import used_sources
from data.pictures.caption_lists import Source, with_lists
from data.pictures.caption_matching import agreed_claims, joined_findings, matched_pictures, source_claims
from data.pictures.caption_notices import say_alone, say_joined, say_lost, say_other_names
from data.pictures.caption_places import Places
from data.pictures.caption_sources import caption_sources, file_source
from data.pictures.caption_tables import check_lost
from data.pictures.containers import Entry, file_tree, used_entries
from data.pictures.copies import say_copies
from data.pictures.files import SUFFIXES
from data.splits import DataError, Example, Examples, Splits
from data.tables import TableFormat, row_parts
from data.text_files import zip_members

__all__ = ["all_captioned_pictures", "captioned_splits", "check_lost"]
LOG = logging.getLogger("tasks")
BESIDE = ("annotation", "text", "caption", "label", "meta", "json", "token")  # in names of folders beside the pictures


def captioned_splits(path: Path, names: Names, form: TableFormat, valid: float, seed: int) -> Splits:
    """Return the splits of pictures with captions: examples with an `image`, a file, and its `captions`.

    The captions are in one of these forms, and the pictures in the folder, in folders below it, or in zips:

    * a table with a row for each caption or for each picture, also a comma-separated `captions.txt`;
    * JSON of COCO, of Karpathy's splits, or with the captions by the name of the picture;
    * `*.token.txt`, the form of Flickr8k, with lists of names such as `*trainImages.txt`;
    * a text file beside each picture, with a caption a line.

    The parts are named by a column `split`, by the names of the files of captions, by lists, or by folders. Missing
    parts are drawn from the training part.

    Args:
        path: A folder or a zip with captions and pictures, or a captions file.
        names: Field (`image` or `caption`) -> names that its column may have.
        form: Columns and encoding, as the user gave them.
        valid: Fraction of the training pictures kept for validation if no split is for it, in (0, 1).
        seed: Chooses the validation pictures.

    Raises:
        FileNotFoundError: There is no such file or folder.
        DataError: There are no captions or no pictures, a zip is damaged, or too many pictures are missing.
    """
    parts = row_parts(captioned_pictures(path, names, form), path.resolve().name)
    say_copies(parts)
    return completed_splits(parts, valid, seed, path.resolve().name)


def all_captioned_pictures(path: Path, names: Names, form: TableFormat) -> Examples:
    """Return the pictures with captions at a path to test on: its test part if it names parts, or else all."""
    return scored_examples(row_parts(captioned_pictures(path, names, form), path.resolve().name), path.resolve().name)


def captioned_pictures(path: Path, names: Names, form: TableFormat) -> list[Example]:
    """Return pictures with their captions, each with the name of its `split`, or an empty name."""
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {str(path)!r}.")
    root, tree, sources = opened_data(path, names, form)
    pictures = [entry for entry in used_entries(tree, root.resolve().name) if entry.is_picture]
    places = Places(pictures)
    found = [(source, source_claims(source, places, root)) for source in sources]
    used = used_sources(found, str(root))
    if not pictures and not any(each.claims for _, each in used):
        hint = "unpack the zip inside it" if any(map(is_zip, tree)) else f"they end in {' '.join(SUFFIXES)}"
        raise DataError(f"{str(root)!r} holds no pictures; {hint}.")
    whole = joined_findings([each for _, each in used])
    claims = agreed_claims(whole)
    total = len({(claim.image, claim.split) for claim in claims}) + len({*whole.lost}) + len({*whole.unclear})
    say_lost(whole, total, listed([source.name for source, _ in used]))
    say_other_names(claims)
    examples = matched_pictures(claims, root.resolve().name)
    say_alone(pictures, claims)
    say_joined(examples)
    return examples


def is_zip(entry: Entry) -> bool:
    """Return whether a file is a zip inside a zip, which is not read."""
    return entry.name.lower().endswith(".zip")


def opened_data(path: Path, names: Names, form: TableFormat) -> tuple[Path, list[Entry], list[Source]]:
    """Return the folder of the data, its files, and its captions."""
    if path.is_dir() or (path.suffix.lower() == ".zip" and len(zip_members(path)) != 1):
        tree = file_tree(path)
        root, around = wider_tree(path, tree)
        base = path.resolve().relative_to(root.resolve()).parts if around is not tree else ()
        sources = caption_sources(tree, names, form, str(path))
        return root, around, [replace(source, base=(*base, *source.base)) for source in sources]
    if path.suffix.lower() in SUFFIXES:
        raise DataError(f"{str(path)!r} is a picture, without captions; give a folder with captions, or their file.")
    root, around = wider_tree(path.parent, file_tree(path.parent))
    base = path.resolve().parent.relative_to(root.resolve()).parts
    return root, around, with_lists([file_source(path, base, names, form)], around, form)


def wider_tree(folder: Path, tree: list[Entry]) -> tuple[Path, list[Entry]]:
    """Return a folder and its files; or the folder around it, if it is for captions alone by its name.

    That is `annotations` of COCO, or `Flickr8k_text`.
    """
    beside = any(word in folder.resolve().name.lower() for word in BESIDE)
    if not folder.is_dir() or not beside or any(entry.is_picture for entry in tree):
        return folder, tree
    LOG.warning("%s holds no pictures; those in the folder around it are taken.", folder.resolve().name)
    return folder.resolve().parent, file_tree(folder.resolve().parent)

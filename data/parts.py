"""Parts that the user's own files have themselves: a column of splits, or the names of files and folders."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from data.columns import ColumnError, GivenColumnError, listed
from data.records import is_table
from data.sources import is_part_name, visible_folders
from data.splits import DataError, Example, Splits, part_of
from data.tables import row_parts
from data.text_files import content_name, content_suffix

LOG = logging.getLogger("tasks")
SHARD = re.compile(r"-\d+-of-\d+(-\w+)?$")  # end of the name of one of several files for a part
Read = Callable[[Path], list[Example]]  # the examples in a file, with their `split` if it names one


def file_parts(path: Path, read: Read, suffixes: Sequence[str] = ()) -> Splits | None:
    """Return the parts of a file, or of a folder of files; `None` for a folder without such files.

    * A column `split` names the part of each row, as in `row_parts`.
    * In a folder the names of the files tell the parts, such as `train.csv`, `dev.jsonl` or `test-00000.parquet`,
      or the names of the folders around them.
    * Rows without a part are for training; a single file that is called `test` is for testing.

    Args:
        path: A file or a folder.
        read: Returns the examples in a file.
        suffixes: Endings of files to read beside tables, if their names tell a part.
    """
    if not path.is_dir():
        return single_file_parts(path, "test" if part_of(content_name(path)) == "test" else "train", read)
    files = part_files(path, suffixes)
    if files is None:
        return None
    found = [(part, file) for part, paths in files.items() for file in paths]
    return single_file_parts(found[0][1], found[0][0], read) if len(found) == 1 else folder_parts(files, read, path)


def single_file_parts(path: Path, part: str, read: Read) -> Splits:
    """Return the parts of a file by its column of splits, or all of it as one part."""
    rows = read(path)
    if any("split" in row for row in rows):
        return row_parts(rows, path.name)
    return Splits(**{name: rows if name == part else [] for name in Splits._fields})


def folder_parts(files: Mapping[str, Sequence[Path]], read: Read, folder: Path) -> Splits:
    """Return the rows of the files of each part; a file without labels to compare with is not used, with a notice."""
    found: dict[str, list[Example]] = {part: [] for part in Splits._fields}
    for part, paths in files.items():
        check_files(paths, part, folder)
        for path in paths:
            try:
                found[part] += plain_rows(read(path), part, path)
            except (ColumnError, GivenColumnError) as error:
                if not found["train"] or part == "train":
                    raise
                LOG.warning("%s is not used: %s", path.name, str(error).replace(str(path), path.name))
    return Splits(**found)


def plain_rows(rows: Sequence[Example], part: str, path: Path) -> list[Example]:
    """Return rows without the names of their parts, with a notice if these contradict the name of the file."""
    if other := sum(part_of(row.get("split", part)) != part for row in rows):
        LOG.warning("%s: %d rows name another split than %s, as the file does; it counts.", path.name, other, part)
    return [{name: value for name, value in row.items() if name != "split"} for row in rows]


def part_files(folder: Path, suffixes: Sequence[str] = ()) -> dict[str, list[Path]] | None:
    """Return the files of a folder by part, or `None` if it has none; a single table is for training.

    Tables in folders that are called `train`, `valid` or `test` count if there are none outside, and so do those of a
    folder that is the only one.

    Raises:
        DataError: It has several tables, and their names tell no parts.
    """
    tables, inside = visible_files(folder, suffixes), visible_folders(folder)
    if not tables and len(inside) == 1 and not is_part_name(inside[0].name):
        return part_files(inside[0], suffixes)
    found: dict[str, list[Path]] = {part: [] for part in Splits._fields}
    for path, place in [*((path, content_name(path)) for path in tables), *part_folder_files(inside)]:
        if part := part_of(place):
            found[part].append(path)
    other = [path.name for path in tables if part_of(content_name(path)) is None]
    texts = [place.name for place in inside if holds_files(place, suffixes)]
    if any(found.values()) or (other and texts):
        unused, used = ([*other, *texts], "the named parts") if any(found.values()) else (other, "the folders")
        if unused:
            LOG.warning("%s: not used beside %s: %s.", folder.resolve().name, used, listed(unused))
        return found if any(found.values()) else None
    if len(other) > 1:
        raise DataError(
            f"{str(folder)!r} holds {len(other)} tables, and none is called train or test: {listed(other)}; name one "
            f"of them."
        )
    return found | {"train": tables} if other else None


def part_folder_files(folders: Sequence[Path]) -> list[tuple[Path, str]]:
    """Return the tables in folders that are called `train` and the like, each with the name of its folder."""
    parts = [folder for folder in folders if is_part_name(folder.name) and not visible_folders(folder)]
    return [(path, folder.name) for folder in parts for path in visible_files(folder)]


def holds_files(folder: Path, suffixes: Sequence[str]) -> bool:
    """Return whether a folder holds files with some endings."""
    return any(path.suffix.lower() in suffixes for path in folder.rglob("*"))


def visible_files(folder: Path, suffixes: Sequence[str] = ()) -> list[Path]:
    """Return the tables in a folder that a user put there, and files with other endings whose names tell a part."""
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    return [
        path for path in files if is_table(path) or (content_suffix(path) in suffixes and part_of(content_name(path)))
    ]


def check_files(files: Sequence[Path], part: str, folder: Path) -> None:
    """Give notice of a part made of several files.

    Raises:
        DataError: They have different kinds, or the same name, so that one may be a copy of another.
    """
    said = ", ".join(path.name for path in files)
    names = {content_name(path).lower() for path in files}
    if len({content_suffix(path) for path in files}) > 1 or (len(names) < len(files) and files[0].parent == folder):
        raise DataError(
            f"{str(folder)!r} has several files for one part, {part}, that may be copies: {said}; keep one kind."
        )
    if len(files) > 1 and not all(SHARD.search(Path(content_name(path)).stem) for path in files):
        LOG.warning("%s: several files are read as one part, %s: %s.", folder.resolve().name, part, said)

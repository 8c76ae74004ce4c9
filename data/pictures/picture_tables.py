"""Tables that name pictures and their labels, beside the pictures."""

import logging
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from data.columns import ColumnError, GivenColumnError, Names, listed
from data.pictures.containers import Entry
from data.pictures.files import SUFFIXES, File, MemoryFile
from data.sources import is_part_name
from data.splits import DataError, Example, Splits, part_of
from data.tables import LOST_LIMIT, TableFormat, example_rows, row_parts
from data.text_files import content_name

LOG = logging.getLogger("tasks")
HEADS = tuple(head.decode("utf-8", "surrogateescape") for head in (b"\x89PNG", b"\xff\xd8\xff"))
Read = Callable[[Entry], list[Example]]


def table_parts(tables: Sequence[Entry], read: Read, name: str) -> Splits:
    """Return the parts of tables: by their names or those of their folders, or by a column of splits.

    * A single table is for training, unless it is called `test`.
    * Tables without a part are not used beside others, with a notice; nor is a test table without labels.

    Args:
        tables: Tables of one kind, at least one.
        read: Returns the examples in a table.
        name: What the data is called.

    Raises:
        DataError: There are several tables, and their names tell no parts.
        ColumnError: A column is missing.
    """
    parts = [(table_part(table), table) for table in tables]
    used = [(part, table) for part, table in parts if part]
    if not used and len(parts) > 1:
        said = listed([table.name for table in tables])
        raise DataError(f"{name!r} holds {len(parts)} tables, and none is called train or test: {said}; name one.")
    if used and len(used) < len(parts):
        other = listed([table.name for part, table in parts if not part])
        LOG.warning("%s: not used beside the named parts: %s.", name, other)
    if len(parts) == 1:
        rows = read(parts[0][1])
        if any("split" in row for row in rows):
            return row_parts(rows, parts[0][1].name)
        return Splits(**{part: rows if part == (parts[0][0] or "train") else [] for part in Splits._fields})
    return named_parts(used, read)


def named_parts(tables: Sequence[tuple[str | None, Entry]], read: Read) -> Splits:
    """Return the rows of tables, as the parts that their names tell."""
    found: dict[str, list[Example]] = {part: [] for part in Splits._fields}
    for part, table in sorted(tables, key=lambda pair: pair[0] != "train"):
        try:
            found[str(part)] += [{key: row[key] for key in row if key != "split"} for row in read(table)]
        except (ColumnError, GivenColumnError) as error:
            if part == "train" or not found["train"]:
                raise
            LOG.warning("%s is not used: %s", table.name, str(error).replace(repr(str(table.text)), table.name))
    return Splits(**found)


def table_part(table: Entry) -> str | None:
    """Return the part that the name of a table tells, or else the names of its folders."""
    folders = [part_of(folder) for folder in table.folders if is_part_name(folder)]
    return part_of(content_name(table.text)) or (folders[-1] if folders else None)


def named_pictures(table: Entry, entries: Sequence[Entry], names: Names, form: TableFormat) -> list[Example]:
    """Return the rows of a table with their pictures as files.

    Args:
        table: A table with the fields `image` and `label`.
        entries: All files of the data.
        names, form: As for `data.tables.example_rows`.

    Raises:
        ColumnError: It has no such column.
        DataError: Over 1 % of the pictures are missing, or a name has several.
    """
    rows = example_rows(table.text, names, form)
    nameless = sum(not row["image"].strip() for row in rows)
    if nameless:
        LOG.warning("%s: %d rows name no picture and are left out.", table.name, nameless)
    find = PictureFinder(entries, table)
    found = [
        (row, embedded_picture(row["image"], f"{table.name}, row {number}") or find(row["image"]))
        for number, row in enumerate(rows, start=1)
        if row["image"].strip()
    ]
    lost = [row["image"] for row, file in found if file is None]
    if lost:
        said = f"{len(lost):,} of {len(rows):,} pictures are missing, the first is {lost[0]!r}"
        if len(lost) > LOST_LIMIT * len(rows):
            raise DataError(f"{str(table.file)!r}: {said}; put the pictures beside the table.")
        LOG.warning("%s: %s; they are left out.", table.name, said)
    return single_rows([row | {"image": file} for row, file in found if file is not None], table.name)


def single_rows(rows: Sequence[Example], name: str) -> list[Example]:
    """Return rows without those of a picture that a row before has named, with a notice."""
    first: dict[File, Example] = {}
    for row in rows:
        first.setdefault(row["image"], row)
    if again := [row for row in rows if first[row["image"]] is not row]:
        other = sum(row["label"] != first[row["image"]]["label"] for row in again)
        LOG.warning(
            "%s: %d rows name a picture again and are left out, %d of them with another label; the first is %r.",
            name, len(again), other, str(again[0]["image"]),
        )  # fmt: skip
    return list(first.values())


def embedded_picture(value: str, name: str) -> MemoryFile | None:
    """Return the picture that a value of a Parquet file is, PNG or JPEG, or `None` if it is the name of one.

    Args:
        value: The value as text, with surrogates for bytes that are not UTF-8.
        name: What the picture is called.
    """
    if not value.startswith(HEADS):
        return None
    return MemoryFile(name, value.encode("utf-8", "surrogateescape"))


class PictureFinder:
    """Find pictures by the names in a table: whole paths first, and bare names where only one picture has them.

    Of several pictures with a name, those below the folder of the table count first, and those of its part.
    """

    def __init__(self, entries: Sequence[Entry], table: Entry) -> None:
        self.base, self.part = table.inside.parent, table_part(table)
        self.whole: dict[str, File] = {}
        self.tails: dict[str, list[Entry]] = {}
        for entry in entries:
            if entry.is_picture:
                parts = entry.parts
                self.whole[plain_place(str(entry.inside))] = entry.file
                for start in range(len(parts)):
                    for key in tail_keys("/".join(parts[start:])):
                        self.tails.setdefault(key, []).append(entry)

    def __call__(self, name: str) -> File | None:
        """Return the picture of a name, `None` if there is none.

        Raises:
            DataError: Several pictures have the name.
        """
        name = name.strip().replace("\\", "/").removeprefix("./")
        for place in (plain_place(str(self.base / name)), plain_place(name)):
            if place in self.whole:
                return self.whole[place]
        parts = [part for part in PurePosixPath(name).parts if part not in ("/", "..") and not part.endswith(":")]
        for start in range(len(parts)):
            found = self.nearest(self.tails.get(plain_place("/".join(parts[start:])), []))
            if len(found) > 1:
                raise DataError(
                    f"{name!r} may be {str(found[0].file)!r} or {str(found[1].file)!r}; give paths relative to the "
                    f"table."
                )
            if found:
                return found[0].file
        return None

    def nearest(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Return those entries that are below the folder of the table and of its part, as far as there are any."""
        below = [entry for entry in entries if entry.inside.is_relative_to(self.base)] or entries
        return [entry for entry in below if self.part and self.part in map(part_of, entry.folders)] or below


def plain_place(place: str) -> str:
    """Return a place inside the data by which equal places are known."""
    return str(PurePosixPath(place)).casefold()


def tail_keys(place: str) -> list[str]:
    """Return the keys of the end of a path: as it is, and without the ending of a picture.

    Example:
        >>> tail_keys("a/B.png"), tail_keys("a/B")
        (['a/b.png', 'a/b'], ['a/b'])
    """
    place = plain_place(place)
    suffix = PurePosixPath(place).suffix
    return [place, place.removesuffix(suffix)] if suffix in SUFFIXES else [place]

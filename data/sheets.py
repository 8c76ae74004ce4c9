"""Rows of Excel files."""

import logging
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from data.packages import needed_for
from data.splits import DataError
from data.text_files import File, open_bytes
from data.values import value_text
from data.zips import DAMAGED, UNPACKING, check_directory

LOG = logging.getLogger("tasks")
ROWS = 1_048_576  # of a sheet, as Excel has them
HEAD = 4096  # bytes of a part in which its type is declared
DAMAGED_SHEET = (*DAMAGED, *UNPACKING, LookupError, TypeError, AttributeError, SyntaxError, ArithmeticError)


def sheet_rows(path: File) -> Iterator[list[str]]:
    """Yield the rows of the first sheet of an Excel file that are not empty; a notice names other sheets.

    Raises:
        MissingPackageError: openpyxl, which reads such files, is not installed.
        DataError: It is not a whole Excel file, or declares entities.
    """
    with needed_for(f"Reading {str(path)!r}", ", or save the sheet as CSV"):
        from openpyxl import load_workbook
    try:
        with open_bytes(path) as file:
            content = BytesIO(file.read())
        check_parts(content, str(path))
        book = load_workbook(content, read_only=True, data_only=True)
        yield from book_rows(book, path)
        book.close()
    except DataError:
        raise
    except DAMAGED_SHEET as error:
        raise DataError(f"{str(path)!r} is not a whole Excel file: {str(error).rstrip('.')}.") from error


def book_rows(book: Any, path: File) -> Iterator[list[str]]:
    """Yield the rows of the first sheet of an open book."""
    first, *others = book.worksheets
    if others:
        said = ", ".join(repr(sheet.title) for sheet in others)
        LOG.warning("%s: only its first sheet %r is read; not used: %s.", path.name, first.title, said)
    for row in first.iter_rows(values_only=True, max_row=ROWS):
        if any(value is not None for value in row):
            yield list(map(value_text, row))


def check_parts(content: BytesIO, name: str) -> None:
    """Raise `DataError` if an Excel file is a bomb, by its directory and by the heads of its parts."""
    with ZipFile(content) as archive:
        check_directory(archive, name, len(content.getvalue()))
        for part in archive.namelist():
            with archive.open(part) as file:
                if part.endswith((".xml", ".rels")) and b"<!DOCTYPE" in file.read(HEAD):
                    raise DataError(f"{name!r} declares entities in {part!r}, which are not read; save it as CSV.")

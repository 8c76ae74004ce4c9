"""Rows of Excel files."""

import logging
from collections.abc import Iterator
from zipfile import BadZipFile

from data.splits import DataError, UnavailableError
from data.text_files import File, open_bytes
from data.values import value_text

LOG = logging.getLogger("tasks")


def sheet_rows(path: File) -> Iterator[list[str]]:
    """Yield the rows of the first sheet of an Excel file that are not empty; a notice names other sheets.

    Raises:
        UnavailableError: openpyxl, which reads such files, is not installed.
        DataError: It is not a whole Excel file.
    """
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise UnavailableError(
            f"Reading {str(path)!r} takes openpyxl; install it with: pip install 'fourlayers[xlsx]', or save the "
            f"sheet as CSV."
        ) from error
    try:
        with open_bytes(path) as file:
            book = load_workbook(file, read_only=True, data_only=True)
            first, *others = book.worksheets
            if others:
                said = ", ".join(repr(sheet.title) for sheet in others)
                LOG.warning("%s: only its first sheet %r is read; not used: %s.", path.name, first.title, said)
            for row in first.iter_rows(values_only=True):
                if any(value is not None for value in row):
                    yield list(map(value_text, row))
            book.close()
    except (KeyError, ValueError, TypeError, BadZipFile) as error:
        raise DataError(f"{str(path)!r} is not a whole Excel file: {error}.") from error

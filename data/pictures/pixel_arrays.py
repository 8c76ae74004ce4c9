"""Pictures and labels in arrays, as `mnist.npz` has them: shapes, levels, parts."""

import logging
import os
import re
from collections.abc import Mapping, Sequence
from math import isqrt
from pathlib import PurePosixPath
from typing import IO
from zipfile import ZipFile, is_zipfile

import numpy as np

from data.pictures.containers import Entry
from data.splits import DataError, Example, Splits, part_of
from data.zips import DAMAGED, UNPACKING, check_directory

LOG = logging.getLogger("tasks")
IMAGE_WORDS = {"x", "image", "images", "img", "imgs", "data", "pictures", "features"}
LABEL_WORDS = {"y", "label", "labels", "target", "targets", "classes"}
ENDINGS = (".npz", ".npy")
DIM = 64  # levels below which all pictures are stretched
SAMPLE = 1000  # pictures from which the ground is told


def array_parts(entries: Sequence[Entry], name: str) -> Splits | None:
    """Return the parts of `.npz` and `.npy` files by the names of their arrays, or `None` if there are none.

    The names are such as `x_train` and `y_train`, `test_images` and `test_labels`, or `val_images`.

    Args:
        entries: Files of the data.
        name: What the data is called.

    Raises:
        DataError: The arrays have other names, or do not belong together.
    """
    files = [entry for entry in entries if entry.inside.suffix.lower() in ENDINGS]
    if not files:
        return None
    arrays: dict[str, np.ndarray] = {}
    for entry in files:
        arrays |= file_arrays(entry)
    found: dict[str, list[Example]] = {part: [] for part in Splits._fields}
    pairs = array_pairs(arrays)
    if not pairs or any(len(pair) < 2 for pair in pairs.values()):
        raise DataError(
            f"{name!r} holds the arrays {', '.join(arrays) or 'none'}; call them x_train, y_train, x_test and y_test."
        )
    for part, (images, labels) in pairs.items():
        found[part] = array_examples(arrays[images], array_labels(arrays[labels], labels), f"{name}, {images}")
    return Splits(**found)


def file_arrays(entry: Entry) -> dict[str, np.ndarray]:
    """Return the arrays in a file by name; those without one are called as the file."""
    try:
        with entry.file.open("rb") as stream:
            check_arrays(stream, str(entry.file))
            found = np.load(stream, allow_pickle=False)
            if isinstance(found, np.ndarray):
                return {entry.inside.stem: found}
            return {entry.inside.stem if key.startswith("arr_") else key: found[key] for key in found.files}
    except DataError:
        raise
    except (*UNPACKING, *DAMAGED, OSError, LookupError, SyntaxError, TypeError, MemoryError) as error:
        said = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        raise DataError(f"{str(entry.file)!r} cannot be read as arrays: {said}.") from error


def check_arrays(stream: IO[bytes], name: str) -> None:
    """Raise `DataError` if a file of arrays is a zip that is not one to read; the file is at its start then."""
    if is_zipfile(stream):
        stream.seek(0, os.SEEK_END)
        size = stream.tell()
        with ZipFile(stream) as archive:
            check_directory(archive, name, size)
    stream.seek(0)


def array_pairs(arrays: Mapping[str, np.ndarray]) -> dict[str, list[str]]:
    """Return the names of the pictures and of the labels of each part; unknown names are named in a notice."""
    found: dict[str, list[str]] = {}
    for words in (IMAGE_WORDS, LABEL_WORDS):
        for name in arrays:
            if words & set(re.findall("[a-z]+", name.lower())):
                found.setdefault(part_of(name) or "train", []).append(name)
    used = {name for pair in found.values() for name in pair}
    if other := [name for name in arrays if name not in used]:
        LOG.warning("Arrays that are not used: %s.", ", ".join(other))
    if doubled := next((pair for pair in found.values() if len(pair) > 2), None):
        raise DataError(f"Several arrays are for one part: {', '.join(doubled)}; name one file of them.")
    return found


def array_labels(labels: np.ndarray, name: str) -> list[str]:
    """Return labels as texts: of numbers or strings `(count,)` or `(count, 1)`, or of rows with a single one.

    Raises:
        DataError: They are something else.
    """
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and np.isin(labels, (0, 1)).all() and (labels.sum(1) == 1).all():
        LOG.warning("%s: the place of the one in each row is read as the label.", name)
        labels = labels.argmax(1)
    if labels.ndim != 1:
        raise DataError(f"{name!r} has shape {labels.shape}; labels have one axis.")
    if labels.dtype.kind == "f" and (labels == labels.round()).all():
        labels = labels.astype("int64")
    return [label.decode() if isinstance(label, bytes) else str(label) for label in labels.tolist()]


def array_examples(images: np.ndarray, labels: Sequence[str], name: str, transposed: bool = False) -> list[Example]:
    """Return examples of pictures in an array and their labels.

    Args:
        images, name: As for `level_images`.
        labels: A label for each.
        transposed: If true, rows and columns are exchanged, as EMNIST is stored.

    Raises:
        DataError: There are more labels than pictures, or fewer.
    """
    if len(images) != len(labels):
        raise DataError(f"{name}: there are {len(images):,} pictures and {len(labels):,} labels.")
    if not len(images):
        return []
    levels = level_images(images, name)
    if transposed:
        levels = np.ascontiguousarray(levels.swapaxes(1, 2))
    return [{"image": image, "label": label} for image, label in zip(levels, labels, strict=True)]


def level_images(images: np.ndarray, name: str) -> np.ndarray:
    """Return pictures as uint8 `(count, height, width)`, light on dark, or as colours `(count, height, width, 3)`.

    Args:
        images: `(count, height, width)`, also with an axis of channels, or a square of pixels in a row `(count, area)`.
            Levels are whole, from 0 to 255, or floats from 0 to 1.
        name: What they are called, for messages.

    Raises:
        DataError: They have another shape, or other levels.
    """
    levels = whole_images(shaped_images(images, name), name)
    if levels.ndim == 4:
        return levels
    sample = levels[:: max(len(levels) // SAMPLE, 1)]
    border = np.concatenate([sample[:, 0], sample[:, -1], sample[:, :, 0], sample[:, :, -1]], axis=1)
    if np.median(border) <= np.iinfo("uint8").max // 2:
        return levels
    LOG.warning("%s: the pictures are dark on light; they are read inverted, as light on dark.", name)
    return 255 - levels


def shaped_images(images: np.ndarray, name: str) -> np.ndarray:
    """Return pictures as `(count, height, width)` or `(count, height, width, 3)`."""
    shape = images.shape
    if images.ndim == 4 and 1 in (shape[1], shape[3]):
        images = images[..., 0] if shape[3] == 1 else images[:, 0]
    if images.ndim == 2 and isqrt(shape[1]) ** 2 == shape[1]:
        images = images.reshape(-1, isqrt(shape[1]), isqrt(shape[1]))
    colours = images.ndim == 4 and images.shape[3] == 3
    if not (images.ndim == 3 or colours) or min(images.shape[1:3]) < 4:
        size = "x".join(map(str, shape[1:]))
        raise DataError(f"{name}: each picture has the size {size or 1}; give squares such as 28x28, or 784 numbers.")
    return images


def whole_images(images: np.ndarray, name: str) -> np.ndarray:
    """Return levels as uint8; those of less than the whole range are stretched, with a notice."""
    low, high = float(images.min()), float(images.max())
    if not (low >= 0 and high <= 255):
        raise DataError(f"{name}: the levels of the pictures span {low:g} to {high:g}; give 0 to 255, or 0 to 1.")
    if 0 < high < DIM:
        LOG.warning("%s: the levels of the pictures span 0 to %g; they are read as 0 to 255.", name, high)
        images = images * (255 / high)
    return images if images.dtype == np.uint8 else np.rint(images).astype("uint8")


def is_transposed(place: PurePosixPath) -> bool:
    """Return whether a file holds pictures with rows and columns exchanged, which are those of EMNIST.

    Example:
        >>> is_transposed(PurePosixPath("emnist-letters-train.csv"))
        True
    """
    return place.name.lower().startswith("emnist")

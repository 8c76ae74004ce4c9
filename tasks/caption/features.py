"""What a frozen encoder sees of pictures, worked out once and kept on disk. NumPy only."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from data.pictures.files import File, picture_stamp
from data.pictures.photo import OutputError, square_pixels
from data.splits import DataError
from tasks.engine.runs import atomic_file

BATCH = 50  # pictures seen at a time
EncodeBatch = Callable[[np.ndarray], np.ndarray]  # uint8 (batch, size, size, 3) to (batch, cells, channels)
Picture = File | np.ndarray


def cache_folder(folder: Path | None) -> Path:
    """Return the folder to keep features in."""
    return folder or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fourlayers"


def picture_features(
    pictures: Sequence[Picture], look: EncodeBatch, size: int, about: Mapping[str, Any], folder: Path, show: bool
) -> list[np.ndarray | None]:
    """Return what is seen of each picture, float16 `(cells, channels)`, or `None` where it cannot be read.

    The features stay on disk and are read from there. Their file is named after all that they depend on, and appears
    once it is whole; where it is there, nothing is worked out again.

    Args:
        pictures: At least one.
        look: Sees a batch.
        size: Side that pictures are pressed to, in pixels.
        about: What else the features depend on, as JSON types.
        folder: Where they are kept.
        show: Whether to draw a progress bar on standard error.

    Raises:
        OutputError: The features cannot be written; nothing is left of them.
    """
    key = sha256(
        json.dumps([size, dict(about), [picture_stamp(picture) for picture in pictures]]).encode()
    ).hexdigest()[:24]
    path = folder / f"{key}.npy"
    if not path.is_file():
        write_features(path, pictures, look, size, show)
    seen = np.load(path, mmap_mode="r")  # (pictures, cells, channels)
    return [None if np.isnan(row[0, 0]) else row for row in seen]


def write_features(path: Path, pictures: Sequence[Picture], look: EncodeBatch, size: int, show: bool) -> None:
    """Write the features of pictures, those of an unreadable one as NaN."""
    from tqdm import tqdm

    bar = tqdm(total=len(pictures), disable=not show, unit="picture", desc="seeing pictures", dynamic_ncols=True)
    needed = 0
    try:
        with atomic_file(path) as part, part.open("wb") as file, bar:
            for seen in feature_batches(pictures, look, size):
                if not needed:
                    needed = seen[:1].nbytes * len(pictures)
                    write_header(file, (len(pictures), *seen.shape[1:]))
                file.write(seen.tobytes())
                bar.update(len(seen))
    except OSError as error:
        raise OutputError(
            f"What the encoder sees cannot be kept in {str(path.parent)!r}: {error.strerror or error}; give --cache a "
            f"folder with room for {max(needed, 1) / 1e6:,.0f} MB."
        ) from error


def write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    """Write the head of an `.npy` file of float16."""
    np.lib.format.write_array_header_1_0(file, {"descr": "<f2", "fortran_order": False, "shape": shape})


def feature_batches(pictures: Sequence[Picture], look: EncodeBatch, size: int) -> Iterator[np.ndarray]:
    """Yield what is seen of pictures batch by batch, float16 `(batch, cells, channels)`."""
    with ThreadPoolExecutor(2) as pool:
        for first in range(0, len(pictures), BATCH):
            batch = list(pool.map(lambda picture: readable_square(picture, size), pictures[first : first + BATCH]))
            blank = np.zeros((size, size, 3), "uint8")
            seen = look(np.stack([blank if one is None else one for one in batch])).astype("<f2")
            seen[[one is None for one in batch]] = np.nan
            yield seen


def readable_square(picture: Picture, size: int) -> np.ndarray | None:
    """Return a picture pressed into a square, or `None` where it is damaged or not there."""
    try:
        return square_pixels(picture, size)
    except (DataError, FileNotFoundError):
        return None

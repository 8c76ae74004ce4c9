"""Features of pictures by a frozen encoder, computed once and cached on disk. NumPy only."""

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np

from data.pictures.decoding import MEGAPIXELS
from data.pictures.files import File, OutputError, picture_stamp
from data.pictures.photo import square_pixels
from data.splits import DataError
from tasks.caption.growing_file import GrowingFile, growing_file
from tasks.engine.config import Settings
from tasks.engine.files import WriteError
from tasks.engine.signals import ENDING

LOG = logging.getLogger("tasks")
BATCH = 50  # pictures encoded at a time
BatchEncoder = Callable[[np.ndarray], np.ndarray]  # uint8 (batch, size, size, 3) to (batch, cells, channels)
Source = File | np.ndarray


def cache_folder(folder: Path | None) -> Path:
    """Return the folder of cached features."""
    return folder or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fourlayers"


def picture_features(
    pictures: Sequence[Source],
    encode: BatchEncoder,
    size: int,
    about: Settings,
    folder: Path,
    show: bool,
    megapixels: float = MEGAPIXELS,
) -> list[np.ndarray | None]:
    """Return the features of each picture, float16 `(cells, channels)`, or `None` for an unreadable one.

    * The features stay on disk, and are mapped into memory from there.
    * The name of their file is a hash of everything that they depend on.
    * The file appears only when it is complete; if it exists, nothing is computed.
    * What a killed pass had on disk is used.

    Args:
        pictures: At least one picture.
        encode: Encodes a batch.
        size: Side of the square that pictures are resized to, in pixels.
        about: Everything else that the features depend on, as JSON types.
        folder: Folder of cached features.
        show: If true, draw a progress bar on standard error.
        megapixels: Most megapixels of a picture; a larger one is unreadable.

    Raises:
        OutputError: The features cannot be written; those on disk stay for another start.
    """
    key = sha256(
        json.dumps([size, dict(about), [picture_stamp(picture) for picture in pictures]]).encode()
    ).hexdigest()[:24]
    path = folder / f"{key}.npy"
    if not path.is_file():
        write_features(path, pictures, encode, size, show, megapixels)
    features = np.load(path, mmap_mode="r")  # (pictures, cells, channels)
    return [None if np.isnan(row[0, 0]) else row for row in features]


def write_features(
    path: Path, pictures: Sequence[Source], encode: BatchEncoder, size: int, show: bool, megapixels: float
) -> None:
    """Write the features of pictures; those of an unreadable picture are NaN.

    A pass that was killed goes on where it was; one that is asked to end keeps what it has.
    """
    from tqdm import tqdm

    needed, part = 0, None
    try:
        with growing_file(path) as part, ENDING.waiting():
            done = part.done
            bar = tqdm(
                total=len(pictures), initial=done, disable=not show, unit="picture", desc="encoding pictures",
                dynamic_ncols=True,
            )  # fmt: skip
            if done:
                LOG.info("The features of %d of %d pictures are there from an earlier start.", done, len(pictures))
            with bar:
                for features in feature_batches(pictures[done:], encode, size, megapixels):
                    needed = needed or features[:1].nbytes * len(pictures)
                    part.add(features, len(pictures))
                    bar.update(len(features))
                    if ENDING.asked:
                        part.save()
                        part.keep()
                        ENDING.text += kept_sentence(part, pictures)
                        ENDING.leave(ENDING.asked)
            part.finish()
    except OSError as error:
        reason = error.reason if isinstance(error, WriteError) else error.strerror or error
        raise OutputError(
            f"The features of pictures cannot be written to {str(path.parent)!r}: {reason}. "
            f"Give --cache a folder with {max(needed, 1) / 1e6:,.0f} MB of free space.{kept_sentence(part, pictures)}"
        ) from error


def kept_sentence(part: GrowingFile | None, pictures: Sequence[Source]) -> str:
    """Return a sentence, after a space, on the features that another start finds; nothing if there are none."""
    return f" The features of {part.done:,} of {len(pictures):,} pictures are kept." if part and part.done else ""


def feature_batches(
    pictures: Sequence[Source], encode: BatchEncoder, size: int, megapixels: float
) -> Iterator[np.ndarray]:
    """Yield the features of pictures batch by batch, float16 `(batch, cells, channels)`."""
    read = partial(readable_square, size=size, megapixels=megapixels)
    with ThreadPoolExecutor(2) as pool:
        for first in range(0, len(pictures), BATCH):
            batch = list(pool.map(read, pictures[first : first + BATCH]))
            blank = np.zeros((size, size, 3), "uint8")
            features = encode(np.stack([blank if one is None else one for one in batch])).astype("<f2")
            features[[one is None for one in batch]] = np.nan
            yield features


def readable_square(picture: Source, size: int, megapixels: float = MEGAPIXELS) -> np.ndarray | None:
    """Return a picture resized to a square, or `None` if it is damaged or missing."""
    try:
        return square_pixels(picture, size, megapixels)
    except (DataError, FileNotFoundError):
        return None

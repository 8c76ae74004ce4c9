"""Which pictures are for training, validation and testing; they are read elsewhere."""

import logging
from collections.abc import Sequence
from functools import partial
from itertools import compress
from typing import NamedTuple

import numpy as np

from data import catalogue, sources
from data.builtin import sets
from data.holdout import TEST_SEED, TEST_SHARE, holdout_split
from data.pictures.files import File, some_names
from data.pictures.photo_pairs import PhotoPair, own_photos, picture_size
from data.splits import DataError
from tasks.upscale.config import Config

LOG = logging.getLogger("tasks")
Source = File | np.ndarray | PhotoPair


class Pictures(NamedTuple):
    """Pictures for training, from other places and from the last one, for testing, and for validation, if any."""

    others: Sequence[Source]
    last: Sequence[Source]
    test: Sequence[Source]
    valid: Sequence[Source] = ()


def picture_parts(config: Config) -> tuple[list[Source], list[Source], list[Source]]:
    """Return the pictures for training, validation and testing; only the heads of files are read."""
    others, last, test, valid = sources.load(
        config.data,
        builtin=partial(builtin_pictures, config),
        files=partial(own_pictures, config),
        named=partial(catalogue_pictures, config),
    )
    if valid:
        return [*others, *last], list(valid), list(test)
    share = config.valid * (len(others) + len(last)) / len(last)
    train, held = holdout_split(last, min(share, 0.9), config.seed)
    return [*others, *train], held, list(test)


def builtin_pictures(config: Config) -> Pictures:
    """Return the embedded photographs."""
    train, test = sets.photos()
    return Pictures([], large_enough(config, train)[0], test)


def own_pictures(config: Config, places: str) -> Pictures:
    """Return the pictures in the user's own folders and zips.

    Without a test part the validation part is one, as in DIV2K; without either, a part of the last place is drawn.
    """
    found = own_photos(places, config.scale)
    given = ([photo for part in parts for photo in part.train] for parts in (found[:-1], found[-1:]))
    others, last = large_enough(config, *given)
    valid, test = ([photo for part in found for photo in part[number]] for number in (1, 2))
    if not last and others:
        others, last = [], others
    if not last:
        raise DataError(f"{places!r} has no training pictures; name a folder of them, or give it to --test.")
    if test or config.test is not None:
        return Pictures(others, last, [] if config.test else test, large_enough(config, valid)[0])
    return Pictures(others, last, valid) if valid else Pictures(others, *holdout_split(last, TEST_SHARE, TEST_SEED))


def large_enough(config: Config, *groups: Sequence[Source]) -> list[list[Source]]:
    """Return the pictures of each group that a patch fits into, with a notice of the others; only heads are read.

    Raises:
        DataError: There are pictures, and none is large enough.
    """
    side = config.patch * config.scale
    fitting = [[fits(photo, side, config.scale) for photo in group] for group in groups]
    found = [list(compress(group, each)) for group, each in zip(groups, fitting, strict=True)]
    total, kept = sum(map(len, groups)), sum(map(len, found))
    if total and not kept:
        raise DataError(
            f"None of the {total} pictures is as large as a patch of {side}x{side} pixels. Give larger ones, or a "
            f"--patch below {config.patch}."
        )
    if small := [
        picture_name(photo, number)
        for group, each in zip(groups, fitting, strict=True)
        for number, (photo, is_large) in enumerate(zip(group, each, strict=True))
        if not is_large
    ]:
        said = some_names(small)
        LOG.warning("Left out, smaller than a patch of %dx%d pixels: %d, %s.", side, side, len(small), said)
    return found


def fits(photo: Source, side: int, scale: int) -> bool:
    """Return whether both sides of a picture are long enough; those of a damaged one may be, which shows later."""
    truth = photo.truth if isinstance(photo, PhotoPair) else photo
    try:
        lengths = truth.shape[:2] if isinstance(truth, np.ndarray) else picture_size(truth)
    except (DataError, OSError):
        return True
    return all(length - length % scale >= side for length in lengths)


def picture_name(source: Source, number: int) -> str:
    """Return the name of a picture, the `number`th of its split."""
    if isinstance(source, PhotoPair):
        return str(source.truth)
    return f"picture {number}" if isinstance(source, np.ndarray) else str(source)


def catalogue_pictures(config: Config, name: str) -> Pictures:
    """Return the pictures of a catalogue data set."""
    parts = catalogue.read(name, ("train", "validation"), {"image": ("hr",)}, config.data_dir)
    train, test = ([example["image"] for example in parts[part]] for part in ("train", "validation"))
    return Pictures([], large_enough(config, train)[0], test)


def all_pictures(config: Config, places: str) -> list[Source]:
    """Return the pictures in folders and zips to test on: their test part, or that for validation, or else all."""
    found = own_photos(places, config.scale)
    parts = [[photo for part in found for photo in part[number]] for number in (2, 1, 0)]
    return list(next(filter(None, parts)))

"""Super-resolution, step by step: picture, luma, pieces, network, picture."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial
from typing import NamedTuple, Self

import numpy as np
from typing_extensions import override

from data.pictures.imresize import (
    degraded_picture,
    imresize,
    luma,
    modcrop,
    patch_corners,
    turned_picture,
    whole_levels,
)
from data.pictures.jpeg import compressed_part, compressed_picture
from data.pictures.photo import Photo, Picture, photo_of, read_photo, shallow_photo
from data.pictures.photo_pairs import PhotoPair
from data.splits import DataError, Example, Examples, LazyExamples, Splits
from tasks.engine import task
from tasks.engine.config import JsonObject
from tasks.engine.fields import checked_fields
from tasks.engine.task import IMAGE, Answer, Pipeline, Task
from tasks.toolbox import metrics
from tasks.upscale.choice import REMARKS, chosen_pipeline
from tasks.upscale.config import LIMITS, SOURCES, Config
from tasks.upscale.enlarge import TAPS, enlarged_photo
from tasks.upscale.files import originals, write
from tasks.upscale.photos import Source, all_pictures, picture_name, picture_parts
from tasks.upscale.score import score

LOG = logging.getLogger("tasks")
VALIDATION_PATCHES = 16  # patches of each validation picture


def load(config: Config) -> Splits:
    """Return the splits: examples with an `image`, the small picture, its `truth`, both uint8, and a `name`.

    * For training and validation they are luma, `(height, width)`; each training picture has several sizes.
    * For testing they are `(height, width, channels)`.
    * Pictures are read when they are first requested.

    Raises:
        FileNotFoundError, DataError, UnavailableError: The data is missing, invalid or unavailable.
    """
    parts = cache(partial(picture_parts, config))
    test = None if config.test is None else all_pictures(config, config.test)
    if config.test is None:
        parts()  # missing data fails at once
    sizes = [1.0, *(part / 100 for part in config.shrink)]
    return Splits(
        LazyExamples(lambda: training_examples(parts()[0], config, sizes)),
        LazyExamples(lambda: training_examples(parts()[1], config, [1.0])),
        LazyExamples(lambda: test_examples(parts()[2] if test is None else test, config)),
    )


def training_examples(sources: Sequence[Source], config: Config, sizes: Sequence[float]) -> Iterator[Example]:
    """Yield the luma of pictures at several sizes, with its bicubic reduction; pairs come as they are.

    A patch fits into each picture; sizes that are too small for one are left out.
    """
    planes = [whole_levels(luma(source_pixels(source, config.megapixels))) for source in sources]
    side = config.patch * config.scale
    for size in sizes:
        for number, (source, plane) in enumerate(zip(sources, planes, strict=True)):
            own = {"given": True} if isinstance(source, PhotoPair) else {}
            truth = modcrop(plane if size == 1 else whole_levels(imresize(plane, size)), config.scale)
            if min(truth.shape) >= side and (size == 1 or not own):
                name = f"{picture_name(source, number)} at {size:.0%}"
                yield {"name": name, "image": small_luma(source, truth, config), "truth": truth, **own}


def test_examples(sources: Sequence[Source], config: Config) -> Iterator[Example]:
    """Yield pictures with their bicubic reductions, also compressed as JPEG, or with the user's own small pictures.

    Raises:
        DataError: A picture is too small to be scored.
    """
    least = metrics.WINDOW + 2 * config.scale
    for number, source in enumerate(sources):
        truth, name = modcrop(source_pixels(source, config.megapixels), config.scale), picture_name(source, number)
        if min(truth.shape[:2]) < least:
            raise DataError(
                f"{name!r} is too small to be scored: {truth.shape[1]}x{truth.shape[0]} pixels; at least "
                f"{least}x{least} are needed."
            )
        if isinstance(source, PhotoPair):
            yield {"name": name, **given_pair(source, truth, config), "given": True}
            continue
        small = degraded_picture(truth, config.scale)
        if not config.qualities():
            yield {"name": name, "image": small, "truth": truth}
        for quality in config.qualities():
            image = compressed_picture(small, quality)
            yield {"name": f"{name} at quality {quality}", "image": image, "truth": truth, "quality": quality}


def small_luma(source: Source, truth: np.ndarray, config: Config) -> np.ndarray:
    """Return the luma of the small picture: the user's own, or the bicubic reduction of the truth."""
    if not isinstance(source, PhotoPair):
        return degraded_picture(truth, config.scale)
    return whole_levels(luma(given_pair(source, truth[:, :, None], config)["image"]))


def given_pair(pair: PhotoPair, truth: np.ndarray, config: Config) -> dict[str, np.ndarray]:
    """Return the user's own small picture as `image`, and the `truth`, both with the same number of channels.

    Raises:
        DataError: The sides of the truth are not `scale` times as long.
    """
    image = source_pixels(pair.small, config.megapixels)
    height, width = (side * config.scale for side in image.shape[:2])
    if truth.shape[:2] != (height, width):
        raise DataError(
            f"{str(pair.small)!r} and {str(pair.truth)!r} do not fit: x{config.scale} wants {width}x{height}."
        )
    channels = max(image.shape[2], truth.shape[2])
    return {
        "image": image if image.shape[2] == channels else np.repeat(image, channels, 2),
        "truth": truth if truth.shape[2] == channels else np.repeat(truth, channels, 2),
    }


def source_pixels(source: Source, megapixels: float) -> np.ndarray:
    """Return the pixels of a picture, or of the truth of a pair, uint8 `(height, width, channels)`, without alpha."""
    if isinstance(source, PhotoPair):
        source = source.truth
    return source if isinstance(source, np.ndarray) else shallow_photo(read_photo(source, megapixels)).pixels


class Read(NamedTuple):
    """A picture to enlarge; it is flat if it came as an array `(height, width)`."""

    photo: Photo
    flat: bool = False


class Codec(task.Codec):
    """Turn pictures into arrays; it learns nothing, and keeps the scale of its network."""

    def __init__(self, config: Config) -> None:
        self.config = config

    @classmethod
    def learn(cls, config: Config, train: Examples) -> Self:
        return cls(config)

    @classmethod
    def restore(cls, config: Config, state: JsonObject) -> Self:
        if checked_fields(state, {"scale": int})["scale"] != config.scale:
            raise ValueError(f"its scale is {state['scale']}, and that of the settings is {config.scale}")
        return cls(config)

    def state(self) -> JsonObject:
        return {"scale": self.config.scale}

    def read(self, raw: Picture) -> Read:
        """Return a picture, as `photo_of` takes it, as a photo with all its bits."""
        photo = photo_of(raw, self.config.megapixels, deep=True)
        return Read(photo, isinstance(raw, np.ndarray) and raw.ndim == 2)

    def inputs(self, read: Sequence[np.ndarray]) -> np.ndarray:
        """Return planes of luma in [0, 255], all of one size, as float32 `(batch, height, width, 1)` in [0, 1]."""
        return np.stack(read)[..., None].astype("float32") / 255

    @override
    def turns(self, example: Example) -> int:
        """Return the number of patches per epoch from a picture: as many as cover it once."""
        return max(1, round(example["image"].size / self.config.patch**2))

    def encode(
        self, examples: list[Example], random: np.random.Generator | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return patches `(batch, patch, patch, 1)` in [0, 1], and the residuals of their bicubic interpolation.

        With `random` there is one patch of each picture, with random place and orientation. Otherwise there are
        several, spread evenly.
        """
        side, rows = self.config.patch, []
        for example in examples:
            height, width = example["image"].shape
            if random is None:
                places = patch_corners((height, width), side, VALIDATION_PATCHES)
                rows += [(example, place, 0, self.quality(number)) for number, place in enumerate(places)]
            else:
                place = int(random.integers(height - side + 1)), int(random.integers(width - side + 1))
                rows.append((example, place, int(random.integers(8)), self.random_quality(random)))
        pairs = [
            [turned_picture(part, way) for part in self.patch(example, place, quality)]
            for example, place, way, quality in rows
        ]
        small, residuals = zip(*pairs, strict=True)
        return self.inputs(small), np.stack(residuals)[..., None] / np.float32(255)

    def quality(self, number: int) -> int | None:
        """Return the JPEG quality of a patch of a validation picture, by its number; `None` if it is exact."""
        qualities = self.config.qualities() if self.config.source == "jpeg" else ()
        return qualities[number % len(qualities)] if qualities else None

    def random_quality(self, random: np.random.Generator) -> int | None:
        """Return a random JPEG quality, from the lowest to the highest; `None` if pictures are exact."""
        if self.config.source == "lossless":
            return None
        return int(random.integers(min(self.config.qualities()), max(self.config.qualities()) + 1))

    def patch(
        self, example: Example, place: tuple[int, int], quality: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return a patch of a small picture, and its residual: the truth minus the bicubic interpolation.

        Args:
            example: A small picture, and its truth.
            place: Row and column of the patch in the small picture.
            quality: JPEG quality at which the small picture is compressed, unless it is the user's own.
        """
        image, truth, (row, column) = example["image"], example["truth"], place
        side, scale = self.config.patch, self.config.scale
        top, left = max(row - TAPS, 0), max(column - TAPS, 0)
        around = image[top : row + side + TAPS, left : column + side + TAPS]
        if quality is not None and "given" not in example:
            around = compressed_part(image, (top, left), around.shape, quality)
        inner = np.s_[row - top : row - top + side, column - left : column - left + side]
        own = np.s_[
            (row - top) * scale : (row - top + side) * scale, (column - left) * scale : (column - left + side) * scale
        ]
        wanted = truth[row * scale : (row + side) * scale, column * scale : (column + side) * scale]
        return around[inner], wanted - imresize(around.astype("float32"), scale)[own]


def predict(pipeline: Pipeline[Config], inputs: Iterable[Read]) -> list[Answer]:
    """Return the enlarged `image` of each picture, with its `width` and `height`.

    The image is an array with the axes of the picture: `(height, width)`, or with 1, 3 or 4 channels.
    """
    return [picture_answer(pipeline, one) for one in inputs]


def picture_answer(pipeline: Pipeline[Config], read: Read) -> Answer:
    """Return the answer for a picture."""
    chosen, marks = chosen_pipeline(pipeline, read.photo)
    image = pixels_with_alpha(enlarged_photo(chosen, read.photo))
    image = image[:, :, 0] if read.flat else image
    return {"image": image, "width": image.shape[1], "height": image.shape[0], **marks}


def pixels_with_alpha(photo: Photo) -> np.ndarray:
    """Return the pixels of a photo, with its alpha, if any, as a fourth channel."""
    if photo.alpha is None:
        return photo.pixels
    colours = np.broadcast_to(photo.pixels, (*photo.pixels.shape[:2], 3))  # (height, width, 3)
    return np.concatenate([colours, photo.alpha[:, :, None]], axis=2)


TASK = Task(
    name="upscale",
    accepts=IMAGE,
    sources=SOURCES,
    limits=LIMITS,
    remarks=REMARKS,
    config=Config,
    columns=lambda config: {"image": ("image",)},
    load=load,
    codec=Codec,
    predict=predict,
    score=score,
    terms=lambda pipeline: {"scale": pipeline.config.scale},
    write=write,
    originals=originals,
)

"""Digits, step by step: picture, frame, network, label."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from typing_extensions import override

from data import catalogue, sources
from data.builtin import sets
from data.holdout import completed_splits, holdout_split, scored_examples
from data.labels import check_labels, cleaned_labels, relabelled_splits
from data.pictures.copies import say_copies
from data.pictures.decoding import MEGAPIXELS
from data.pictures.digits import (
    ENOUGH,
    Reading,
    fitted_reading,
    framed_character,
    framed_reading,
    is_framed,
    light_on_dark,
)
from data.pictures.distortion import distorted_images
from data.pictures.files import File
from data.pictures.labelled_pictures import NAMES, labelled_pictures
from data.pictures.photo import Picture, photo_of
from data.splits import DataError, Example, Examples, Splits, chunks
from data.tables import LOST_LIMIT, TableFormat
from tasks.engine import task
from tasks.engine.config import JsonObject
from tasks.engine.fields import checked_classes, checked_fields
from tasks.engine.network import only_output
from tasks.engine.task import IMAGE, Answer, Pipeline, Raw, Report, Task
from tasks.mnist.config import LIMITS, SOURCES, Config
from tasks.mnist.maps import layer_answers, layers_picture
from tasks.toolbox import figures, metrics
from tasks.toolbox.labels import (
    aligned_examples,
    check_classes,
    class_answers,
    kept_classes,
    mistakes,
    warn_of_unanswered_classes,
)
from tasks.toolbox.measures import class_measures

if TYPE_CHECKING:
    from PIL.Image import Image

LOG = logging.getLogger("tasks")
SIZE = 28  # pixels
BLANK = "The picture is blank: nothing in it stands out from its ground as ink does."
REMARKS = {  # on marks of answers
    "characters": "{count:,} of {total:,} pictures show several characters; the largest of each is read.",
    "reason": "{count:,} of {total:,} pictures are blank, and have no label.",
}
MISTAKES = 25  # mistakes shown
COLUMNS = {"image": ("image",), "label": ("label",)}


def load(config: Config) -> Splits:
    """Return the splits: examples with an `image`, uint8 (28, 28), light ink on black, and a `label`, the class.

    Raises:
        FileNotFoundError, DataError, OptionError, UnavailableError: The data is missing, invalid or unavailable.
    """
    splits = sources.splits(
        config.data,
        config.test,
        builtin=partial(builtin_splits, config),
        files=partial(own_splits, config),
        named=partial(catalogue_splits, config),
        examples=partial(all_examples, config),
        part=partial(named_part, config),
    )
    return relabelled_splits(splits, config.label_names())


def builtin_splits(config: Config) -> Splits:
    """Return the splits of the embedded digits."""
    train, test = sets.digits()
    return splits_with_images(Splits(*holdout_split(train, config.valid, config.seed), test), framed_character)


def own_splits(config: Config, path: str) -> Splits:
    """Return the splits of the user's own pictures."""
    name = Path(path).resolve().name
    splits = completed_splits(own_parts(config, Path(path)), config.valid, config.seed, name)
    say_copies(splits)
    check_labels(splits)
    return own_images(config, splits, name)


def all_examples(config: Config, path: Path) -> Examples:
    """Return all of the user's own pictures at a path to test on, or the test part if they have parts."""
    name = path.resolve().name
    return own_images(config, Splits([], [], scored_examples(own_parts(config, path), name)), name).test


def own_parts(config: Config, path: Path) -> Splits:
    """Return the parts of the user's own pictures, not yet read."""
    parts = labelled_pictures(path, NAMES, TableFormat(config.column_names(), config.encoding))
    return cleaned_labels(parts, path.resolve().name)


def own_images(config: Config, splits: Splits, name: str) -> Splits:
    """Return splits with pictures as the network reads them; damaged ones are left out, with a notice.

    Raises:
        DataError: More than one in a hundred are damaged.
    """
    lost, total = list[str](), sum(map(len, splits))
    found = Splits(*(readable_images(config, split, lost) for split in splits))
    if not lost:
        return found
    said = f"{name}: {len(lost):,} of {total:,} pictures cannot be read"
    if len(lost) > LOST_LIMIT * total:
        raise DataError(f"{said}; the first: {lost[0]}.")
    LOG.warning("%s and are left out; the first: %s.", said, lost[0])
    return found


def readable_images(config: Config, examples: Examples, lost: list[str]) -> list[Example]:
    """Return examples with their pictures read; what is wrong with the others is added to `lost`."""
    found = []
    for example in examples:
        try:
            found.append(example | {"image": own_image(config, example["image"])})
        except (DataError, OSError) as error:
            lost.append(str(error).rstrip("."))
    return found


def own_image(config: Config, image: File | np.ndarray) -> np.ndarray:
    """Return a picture of the user's own as the network reads it; arrays of its size are taken unchanged."""
    if isinstance(image, np.ndarray) and image.shape == (SIZE, SIZE):
        return image
    photo = photo_of(image, config.megapixels, least=ENOUGH)
    return (framed_reading if config.frame else fitted_reading)(photo).image


def catalogue_splits(config: Config, name: str) -> Splits:
    """Return the splits of a catalogue data set."""
    parts = catalogue.read(name, ("train", "test"), COLUMNS, config.data_dir)
    splits = Splits(*holdout_split(parts["train"], config.valid, config.seed), parts["test"])
    return splits_with_images(splits, partial(catalogue_image, name))


def named_part(config: Config, part: str) -> Examples | None:
    """Return another split of the data by name, or `None` if there is none."""
    found = sources.catalogue_part(config.data, part, COLUMNS, config.data_dir)
    return None if found is None else examples_with_images(found, partial(catalogue_image, config.data))


def splits_with_images(splits: Splits, change: Callable[[Raw], np.ndarray]) -> Splits:
    """Return splits with a function applied to each image."""
    return Splits(*(examples_with_images(split, change) for split in splits))


def examples_with_images(examples: Examples, change: Callable[[Raw], np.ndarray]) -> list[Example]:
    """Return examples with a function applied to each image."""
    return [example | {"image": change(example["image"])} for example in examples]


def catalogue_image(name: str, image: np.ndarray) -> np.ndarray:
    """Return a catalogue image (28, 28, 1) without its channel; EMNIST is stored mirrored."""
    if image.shape != (SIZE, SIZE, 1):
        raise DataError(f"Data set {name!r} has images of shape {image.shape}; this task reads ({SIZE}, {SIZE}, 1).")
    return image[:, :, 0].T if name.startswith("emnist") else image[:, :, 0]


class Codec(task.Codec):
    """Turn pictures into arrays; it learns the classes, and whether pictures are framed as in MNIST."""

    def __init__(
        self, classes: list[str], framed: bool, augmentation: dict[str, float], megapixels: float = MEGAPIXELS
    ) -> None:
        self.classes, self.framed, self.augmentation, self.megapixels = classes, framed, augmentation, megapixels
        self.numbers = {name: number for number, name in enumerate(classes)}

    @classmethod
    def learn(cls, config: Config, train: Examples) -> Self:
        classes = sorted({example["label"] for example in train})
        images = np.stack([example["image"] for example in train[:500]])
        return cls(classes, bool(is_framed(images).mean() > 0.5), config.augmentation(), config.megapixels)

    @override
    @classmethod
    def adapt(cls, config: Config, earlier: Self, train: Examples) -> Self:
        """Return a codec that reads pictures as an earlier one, and has its classes if they hold all labels."""
        classes = kept_classes([example["label"] for example in train], earlier.classes)
        return cls(classes, earlier.framed, config.augmentation(), config.megapixels)

    @classmethod
    def restore(cls, config: Config, state: JsonObject) -> Self:
        state = checked_fields(state, {"classes": list[str], "framed": bool})
        return cls(checked_classes(state["classes"]), state["framed"], config.augmentation(), config.megapixels)

    def state(self) -> JsonObject:
        return {"classes": self.classes, "framed": self.framed}

    def read(self, raw: Picture) -> Reading:
        """Return what a picture shows, a file or a uint8 array.

        If the training pictures were not framed, arrays of 28x28 are only inverted, where they are dark on light.
        """
        photo = photo_of(raw, self.megapixels, least=ENOUGH)
        if self.framed:
            return framed_reading(photo)
        if isinstance(raw, np.ndarray) and photo.pixels.shape == (SIZE, SIZE, 1):
            return Reading(light_on_dark(photo.pixels[:, :, 0]))
        return fitted_reading(photo)

    def inputs(self, read: Sequence[Reading]) -> np.ndarray:
        """Return the pictures that were read as float32 `(batch, 28, 28, 1)` in [0, 1]."""
        return np.stack([reading.image for reading in read])[..., None].astype("float32") / 255

    def encode(
        self, examples: list[Example], random: np.random.Generator | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return pictures `(batch, 28, 28, 1)` in [0, 1] and class numbers `(batch,)`; with `random`, distorted.

        Raises:
            DataError: A class was not among the training examples.
        """
        images = np.stack([example["image"] for example in examples])[..., None]
        check_classes(examples, self.classes)
        labels = np.array([self.numbers[example["label"]] for example in examples], "int32")
        if random is not None and any(self.augmentation.values()):
            images = distorted_images(images, random, **self.augmentation)
        return images.astype("float32") / 255, labels


def predict(pipeline: Pipeline[Config], inputs: Iterable[Reading]) -> list[Answer]:
    """Return for each picture its `label`, its `probability`, and the `probabilities` of all classes.

    * A blank picture has neither label nor probability, but a `reason`.
    * A picture of several characters has their number as `characters`, and the label is of the largest.
    * With `layers_file` there are also `read` and `layers`: what the network reads, and what each layer makes of it.
    """
    answers, classes = [], pipeline.codec.classes
    for batch in chunks(inputs, pipeline.config.batch_size):
        images = pipeline.codec.inputs(batch)
        outputs = pipeline.network("classify", images)
        found = class_answers(classes, only_output(outputs, (len(batch), len(classes)), pipeline.run))
        made = [reading_answer(*pair) for pair in zip(batch, found, strict=True)]
        if pipeline.config.layers_file:
            made = [answer | more for answer, more in zip(made, layer_answers(pipeline, images), strict=True)]
        answers += made
    return answers


def draw(pipeline: Pipeline[Config], reading: Reading, answer: Answer) -> Iterator[tuple[str, Path, Image]]:
    """Yield what each convolution makes of a picture, if `layers_file` asks for it."""
    if pipeline.config.layers_file:
        yield "layers_file", pipeline.config.layers_file, layers_picture(answer)


def reading_answer(reading: Reading, answer: Answer) -> Answer:
    """Return the answer for a picture, from the answer for the character that was read from it."""
    if reading.characters == 0:
        return {"label": None, "probability": None, "reason": BLANK}
    return answer | {"characters": reading.characters} if reading.characters > 1 else answer


def score(pipeline: Pipeline[Config], examples: Examples) -> Report:
    """Return accuracy and its interval, precision, recall and F1 of each class, and the confusion matrix."""
    examples = aligned_examples(examples, pipeline.codec.classes)
    answers = predict(pipeline, (Reading(example["image"]) for example in examples))
    truth = [example["label"] for example in examples]
    warn_of_unanswered_classes(answers, truth)
    found = metrics.classification_metrics(truth, [answer["label"] for answer in answers], pipeline.codec.classes)
    worst, shown = mistakes(answers, truth, MISTAKES)
    captions = [f"{truth[i]} read as {answers[i]['label']}" for i in worst]

    def entry(place: int) -> JsonObject:
        return {"input": f"example {place}", "answer": answers[place], "reference": truth[place]}

    return Report(
        metrics=found,
        answers=list(map(entry, shown)),
        figures={
            "confusion": lambda: figures.confusion_matrix(found["confusion"], list(found["classes"])),
            "mistakes": lambda: figures.picture_gallery([examples[i]["image"] for i in worst], captions),
        },
        measures=lambda: class_measures(answers, truth),
        entry=entry,
    )


TASK = Task(
    name="mnist",
    accepts=IMAGE,
    sources=SOURCES,
    limits=LIMITS,
    remarks=REMARKS,
    config=Config,
    columns=lambda config: NAMES,
    load=load,
    codec=Codec,
    predict=predict,
    score=score,
    terms=lambda pipeline: {"classes": sorted(pipeline.codec.classes)},
    draw=draw,
)

"""Digits, step by step: picture, frame, network, label."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from data import builtin, catalogue
from data.files import folder_of_classes
from data.image import SUFFIXES, fitted, framed, grey_array, is_framed, read_grey, warp
from data.splits import DataError, Example, Examples, Splits, hold_out
from tasks.engine import figures, metrics
from tasks.engine.task import Pipeline, Report, Task
from tasks.mnist.config import LIMITS, SOURCES, Config

SIZE = 28  # pixels
WORST = 25  # mistakes shown


def load(config: Config) -> Splits:
    """Return examples with an `image`, uint8 (28, 28) with light ink on black, and a `label`, the class name.

    Raises:
        FileNotFoundError, DataError, UnavailableError: The data is missing, unfit, or not to be had.
    """
    if config.data == "builtin":
        train, test = builtin.digits()
        splits = Splits(*hold_out(train, config.valid, config.seed), test)
        return changed(splits, framed)
    if Path(config.data).exists() or not catalogue.is_name(config.data):
        splits = folder_of_classes(Path(config.data), SUFFIXES, "image", config.valid, config.seed)
        frame = framed if config.frame else fitted
        return changed(splits, lambda path: frame(read_grey(path)))
    parts = catalogue.read(config.data, ("train", "test"), {"image": "image", "label": "label"}, config.data_dir)
    splits = Splits(*hold_out(parts["train"], config.valid, config.seed), parts["test"])
    upright = np.transpose if config.data.startswith("emnist") else np.asarray  # EMNIST is stored mirrored
    return changed(splits, lambda image: upright(flat(image, config.data)))


def changed(splits: Splits, change: Any) -> Splits:
    """Return splits whose images went through a function."""
    return Splits(*([example | {"image": change(example["image"])} for example in split] for split in splits))


def flat(image: np.ndarray, name: str) -> np.ndarray:
    """Return a catalogue image (28, 28, 1) without its channel."""
    if image.shape != (SIZE, SIZE, 1):
        raise DataError(f"Data set {name!r} has images of shape {image.shape}; this task reads ({SIZE}, {SIZE}, 1).")
    return image[:, :, 0]


class Codec:
    """Pictures to arrays; it learns the classes, and whether the pictures are framed as MNIST's are."""

    def __init__(self, classes: list[str], framed: bool, augmentation: dict[str, float]) -> None:
        self.classes, self.framed, self.augmentation = classes, framed, augmentation
        self.numbers = {name: number for number, name in enumerate(classes)}

    @classmethod
    def learn(cls, config: Config, train: Examples) -> Self:
        classes = sorted({example["label"] for example in train})
        images = np.stack([example["image"] for example in train[:500]])
        return cls(classes, bool(is_framed(images).mean() > 0.5), config.augmentation())

    @classmethod
    def restore(cls, config: Config, state: dict[str, Any]) -> Self:
        return cls(state["classes"], state["framed"], config.augmentation())

    def state(self) -> dict[str, Any]:
        return {"classes": self.classes, "framed": self.framed}

    def inputs(self, raw: Sequence[Path | str | np.ndarray]) -> np.ndarray:
        """Return picture files, or uint8 arrays of any size, as float32 `(batch, 28, 28, 1)` in [0, 1].

        Arrays of 28x28 are taken as they are: light ink on black, framed.
        """
        return np.stack([self.frame(picture) for picture in raw])[..., None].astype("float32") / 255

    def frame(self, picture: Path | str | np.ndarray) -> np.ndarray:
        """Return one picture as uint8 `(28, 28)`."""
        levels = grey_array(picture) if isinstance(picture, np.ndarray) else read_grey(picture)
        if isinstance(picture, np.ndarray) and levels.shape == (SIZE, SIZE):
            return levels
        return framed(levels) if self.framed else fitted(levels)

    def encode(
        self, examples: list[Example], random: np.random.Generator | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return pictures `(batch, 28, 28, 1)` in [0, 1] and class numbers `(batch,)`; with `random`, distorted.

        Raises:
            DataError: A class was not among the training examples.
        """
        images = np.stack([example["image"] for example in examples])[..., None]
        unknown = next((example["label"] for example in examples if example["label"] not in self.numbers), None)
        if unknown is not None:
            raise DataError(f"Class {unknown!r} is not among the training examples: {', '.join(self.classes)}.")
        labels = np.array([self.numbers[example["label"]] for example in examples], "int32")
        if random is not None and any(self.augmentation.values()):
            images = warp(images, random, **self.augmentation)
        return images.astype("float32") / 255, labels


def predict(pipeline: Pipeline[Config], inputs: Sequence[Path | str | np.ndarray]) -> list[dict[str, Any]]:
    """Return for each picture its `label`, its `probability`, and the `probabilities` of all classes."""
    classes = pipeline.codec.classes
    answers = []
    for start in range(0, len(inputs), pipeline.config.batch_size):
        pictures = pipeline.codec.inputs(inputs[start : start + pipeline.config.batch_size])
        (probabilities,) = pipeline.network("classify", pictures)  # (batch, classes)
        for row in probabilities:
            named = {name: round(float(value), 6) for name, value in zip(classes, row, strict=True)}
            answers.append(
                {"label": classes[row.argmax()], "probability": round(float(row.max()), 6), "probabilities": named}
            )
    return answers


def score(pipeline: Pipeline[Config], examples: Examples) -> Report:
    """Return accuracy and its interval, precision, recall and F1 of each class, and the confusion matrix."""
    classes = pipeline.codec.classes
    answers = pipeline.predict([example["image"] for example in examples])
    truth = [example["label"] for example in examples]
    scores = metrics.classification(truth, [answer["label"] for answer in answers], sorted({*classes, *truth}))
    wrong = [i for i, answer in enumerate(answers) if answer["label"] != truth[i]]
    worst = sorted(wrong, key=lambda i: -answers[i]["probability"])[:WORST]
    shown = [*worst, *(i for i in range(min(WORST, len(answers))) if i not in worst)]
    captions = [f"{truth[i]} read as {answers[i]['label']}" for i in worst]
    return Report(
        metrics=scores,
        answers=[{"input": f"example {i}", "answer": answers[i], "reference": truth[i]} for i in shown],
        figures={
            "confusion": lambda: figures.confusion(scores["confusion"], list(scores["classes"])),
            "mistakes": lambda: figures.gallery([examples[i]["image"] for i in worst], captions),
        },
    )


TASK = Task(
    name="mnist",
    accepts="image",
    returns="label",
    sources=SOURCES,
    limits=LIMITS,
    config=Config,
    load=load,
    codec=Codec,
    predict=predict,
    score=score,
)

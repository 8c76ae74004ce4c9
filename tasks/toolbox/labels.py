"""Classes: the answers of a classifier, its mistakes, and labels of other data for the same classes."""

import logging
from collections.abc import Sequence

import numpy as np

from data.splits import DataError, Example, Examples
from tasks.engine.config import JsonObject

LOG = logging.getLogger("tasks")
LEAST = 3  # letters that the beginning of a class name must have


def class_answers(classes: Sequence[str], probabilities: np.ndarray) -> list[JsonObject]:
    """Return for each example its `label`, its `probability`, and the `probabilities` of all classes.

    Args:
        probabilities: `(examples, classes)`.

    Example:
        >>> class_answers(["neg", "pos"], np.array([[0.25, 0.75]]))
        [{'label': 'pos', 'probability': 0.75, 'probabilities': {'neg': 0.25, 'pos': 0.75}}]
    """
    return [
        {
            "label": classes[row.argmax()],
            "probability": round(float(row.max()), 6),
            "probabilities": {name: round(float(value), 6) for name, value in zip(classes, row, strict=True)},
        }
        for row in probabilities
    ]


def mistakes(answers: Sequence[JsonObject], truth: Sequence[str], most: int) -> tuple[list[int], list[int]]:
    """Return the places of wrong answers, the most probable first; and these followed by the first other answers.

    Args:
        most: Most places of wrong answers, and of first answers to add.

    Example:
        >>> answers = [{"label": "a", "probability": p} for p in (0.6, 0.9, 0.7)]
        >>> mistakes(answers, ["b", "b", "a"], most=5)
        ([1, 0], [1, 0, 2])
    """
    wrong = [place for place, answer in enumerate(answers) if answer["label"] != truth[place]]
    worst = sorted(wrong, key=lambda place: -answers[place]["probability"])[:most]
    return worst, [*worst, *(place for place in range(min(most, len(answers))) if place not in worst)]


def check_classes(examples: Examples, classes: Sequence[str]) -> None:
    """Raise `DataError` unless the label of each example is one of the classes.

    Example:
        >>> check_classes([{"label": "cat"}], ["dog", "horse"])
        Traceback (most recent call last):
        data.splits.DataError: Class 'cat' is not among the training examples: dog, horse.
    """
    unknown = next((example["label"] for example in examples if example["label"] not in classes), None)
    if unknown is not None:
        raise DataError(f"Class {unknown!r} is not among the training examples: {', '.join(classes)}.")


def aligned_examples(examples: Examples, classes: Sequence[str]) -> list[Example]:
    """Return examples with their labels replaced by the class names of a run.

    Labels that the run does not have are matched with its classes by their beginning, with a notice: `positive` is
    `pos`.

    Raises:
        DataError: A label matches no class, or two labels match the same one.

    Example:
        >>> aligned_examples([{"label": "Positive"}, {"label": "Negative"}], ["neg", "pos"])
        [{'label': 'pos'}, {'label': 'neg'}]
    """
    labels = sorted({example["label"] for example in examples})
    if set(labels) <= set(classes):
        return list(examples)
    names = {label: matching_class(label, classes) for label in labels}
    if None in names.values() or len(set(names.values())) < len(labels):
        raise DataError(
            f"The labels of the data are {', '.join(map(repr, labels))}; the classes of the run are "
            f"{', '.join(map(repr, classes))}. Give data with the classes of the run."
        )
    LOG.warning("Labels read as classes of the run: %s.", ", ".join(f"{one} as {own}" for one, own in names.items()))
    return [example | {"label": names[example["label"]]} for example in examples]


def matching_class(label: str, classes: Sequence[str]) -> str | None:
    """Return the class that a label names, in any case of letters, or the only one that shares its beginning.

    Example:
        >>> matching_class("positive", ["neg", "pos"])
        'pos'
    """
    own = label.strip().lower()
    exact = [name for name in classes if name.strip().lower() == own]
    short = [(name, *sorted((own, name.lower()), key=len)) for name in classes]
    near = [name for name, start, whole in short if len(start) >= LEAST and start.isalpha() and whole.startswith(start)]
    return next(iter(exact or (near if len(near) == 1 else [])), None)

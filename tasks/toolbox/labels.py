"""Classes: the answers of a classifier, its mistakes, and labels of other data for the same classes."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from data.labels import plain_label
from data.splits import DataError, Example, Examples
from tasks.engine.config import JsonObject

LOG = logging.getLogger("tasks")
LEAST = 3  # letters that the beginning of a class name must have
MOST = 10  # names in a sentence


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


def kept_classes(labels: Sequence[str], earlier: Sequence[str]) -> list[str]:
    """Return the classes of an earlier run if all labels are among them; otherwise those of the labels, with a notice.

    Example:
        >>> kept_classes(["positive"], ["negative", "positive"]), kept_classes(["joy", "anger"], ["negative"])
        (['negative', 'positive'], ['anger', 'joy'])
    """
    found = sorted(set(labels))
    if set(found) <= set(earlier):
        return list(earlier)
    LOG.info("The classes %s are new; those of the run to start from were %s.", ", ".join(found), ", ".join(earlier))
    return found


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


def balanced_weights(labels: Sequence[str], classes: Sequence[str]) -> list[float]:
    """Return a weight for each class with which all classes weigh the same, and the mean example weighs 1.

    Example:
        >>> balanced_weights(["a", "a", "a", "b"], ["a", "b"])
        [0.6666666666666666, 2.0]
    """
    counts = Counter(labels)
    return [len(labels) / (len(classes) * counts[name]) for name in classes]


def warn_of_unanswered_classes(answers: Sequence[JsonObject], truth: Sequence[str], remedy: str = "") -> None:
    """Warn of classes that examples have and that no answer names.

    Args:
        remedy: Another way out than more examples, as in `or with --class-weights balanced`.

    Example:
        >>> warn_of_unanswered_classes([{"label": "a"}, {"label": "b"}], ["a", "b"])
    """
    missing = sorted({*truth} - {answer["label"] for answer in answers})
    if missing:
        LOG.warning(
            "%s never answered, though examples have %s; train with more examples of %s, as many as of the others%s.",
            *(f"Class {missing[0]!r} is", "it", "it")
            if len(missing) == 1
            else (f"Classes {quoted(missing)} are", "them", "them"),
            f", {remedy}" if remedy else "",
        )


def aligned_examples(examples: Examples, classes: Sequence[str], owner: str = "the run") -> list[Example]:
    """Return examples with their labels replaced by the class names of a run, or of another owner.

    * Labels are matched in any case of letters, and without spaces around them.
    * The rest is matched by its beginning, with a notice: `positive` is `pos`.

    Raises:
        DataError: A label matches no class, or two labels begin like the same one.

    Example:
        >>> aligned_examples([{"label": "Positive"}, {"label": "Negative"}], ["neg", "pos"])
        [{'label': 'pos'}, {'label': 'neg'}]
    """
    labels = sorted({example["label"] for example in examples})
    if set(labels) <= set(classes):
        return list(examples)
    found = {label: equal_class(label, classes) for label in labels}
    near = {label: near_class(label, classes) for label in labels if found[label] is None}
    if None in near.values() or len({*near.values()}) < len(near) or {*near.values()} & {*found.values()}:
        raise DataError(alien_labels(labels, found | near, classes, owner))
    own = {label: name or near[label] for label, name in found.items()}
    if near:
        read = ", ".join(f"{one!r} as {own[one]!r}" for one in near)
        LOG.warning("Labels read as classes of %s: %s.", owner, read)
    return [example | {"label": own[example["label"]]} for example in examples]


def alien_labels(
    labels: Sequence[str], own: Mapping[str, str | None], classes: Sequence[str], owner: str = "the run"
) -> str:
    """Return the refusal of labels that are not classes of a run, or of another owner.

    Args:
        own: Class of each label, where it has one.

    Example:
        >>> print(alien_labels(["0", "1"], {"0": None, "1": None}, ["neg", "pos"]))
        The labels of the data are '0', '1'; the classes of the run are 'neg', 'pos'. Map them with --labels, for
        example --labels 0=neg,1=pos.
    """
    alien = [label for label in labels if not own[label]]
    free = [name for name in classes if name not in own.values()]
    known = [(label, name) for label, name in own.items() if name and label != name]
    pairs = [*known, *zip(alien, free if len(free) == len(alien) else ["CLASS"] * MOST, strict=False)]
    both = f"The labels of the data are {quoted(labels)}; the classes of {owner} are {quoted(classes)}."
    leave = "" if free else f" Leave out the examples of {quoted(alien)}, or"
    way = f"{leave} {'map' if leave else 'Map'} them with --labels, for example --labels "
    return both + way + ",".join(f"{label}={name}" for label, name in pairs) + "."


def quoted(names: Sequence[str]) -> str:
    """Return names in quotes, with commas between them, and the number of those left out.

    Example:
        >>> quoted(["a", "b"])
        "'a', 'b'"
    """
    more = len(names) - MOST
    return ", ".join(map(repr, names[:MOST])) + (f" and {more} more" if more > 0 else "")


def equal_class(label: str, classes: Sequence[str]) -> str | None:
    """Return the class that a label is, or the only one that it is in another writing.

    Example:
        >>> equal_class("Pos ", ["neg", "pos"])
        'pos'
    """
    same = [name for name in classes if plain_label(name) == plain_label(label)]
    return label if label in classes else same[0] if len(same) == 1 else None


def near_class(label: str, classes: Sequence[str]) -> str | None:
    """Return the only class that shares its beginning with a label.

    Example:
        >>> near_class("positive", ["neg", "pos"])
        'pos'
    """
    own = plain_label(label)
    short = [(name, *sorted((own, plain_label(name)), key=len)) for name in classes]
    near = [name for name, start, whole in short if len(start) >= LEAST and start.isalpha() and whole.startswith(start)]
    return near[0] if len(near) == 1 else None

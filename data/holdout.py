"""Parts of examples drawn by seed: for testing, for validation, and where a limit is set."""

import logging
import random
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from data.splits import DataError, Examples, LazyExamples, Splits

LOG = logging.getLogger("tasks")
TEST_SHARE = 0.2
TEST_SEED = 0  # of the test part, whatever the seed of the rest
T = TypeVar("T")


def holdout_split(examples: Sequence[T], share: float, seed: int) -> tuple[list[T], list[T]]:
    """Return the remaining examples and the held-out examples, chosen by seed.

    Examples with a `label` are stratified: each class is held out in proportion, and keeps at least one example.

    Args:
        examples: At least two examples.
        share: Fraction to hold out, in (0, 1). Each of the two parts gets at least one example.
        seed: The same seed and examples give the same parts, both in a shuffled order.

    Raises:
        DataError: There are fewer than two examples, or no class has two.
    """
    if len(examples) < 2:
        raise DataError(f"{len(examples)} training examples are too few to keep some for validation; give at least 2.")
    order = list(range(len(examples)))
    random.Random(seed).shuffle(order)
    labels = [label_of(example) for example in examples]
    counts = {label: (count, count - 1) for label, count in Counter(labels).items()}
    quotas = class_quotas(counts, max(round(share * len(examples)), 1))
    if not any(quotas.values()):
        raise DataError("Each class has one example only, so none can be kept for validation; give more.")
    held = chosen_rows([labels[row] for row in order], quotas)
    return [examples[row] for place, row in enumerate(order) if place not in held], [
        examples[row] for place, row in enumerate(order) if place in held
    ]


def label_of(example: object) -> object:
    """Return the class of an example, or `None` if it has none."""
    return example.get("label") if isinstance(example, dict) else None


def class_quotas(counts: dict[object, tuple[int, int]], total: int) -> dict[object, int]:
    """Return how many examples to take of each class, in proportion and by largest remainders.

    Args:
        counts: Class -> number of its examples, and the most that may be taken.
        total: Number of examples to take; fewer if the classes do not allow it.

    Example:
        >>> class_quotas({"a": (6, 6), "b": (3, 3), "c": (1, 1)}, 4)
        {'a': 2, 'b': 1, 'c': 1}
    """
    examples = sum(count for count, _ in counts.values())
    exact = {label: total * count / examples for label, (count, _) in counts.items()}
    quotas = {label: min(int(exact[label]), most) for label, (_, most) in counts.items()}
    for label in sorted(counts, key=lambda label: quotas[label] - exact[label]):
        if sum(quotas.values()) < total and quotas[label] < counts[label][1]:
            quotas[label] += 1
    return quotas


def chosen_rows(labels: Sequence[object], quotas: dict[object, int]) -> set[int]:
    """Return the places of the first examples of each class, as many as its quota."""
    left, chosen = dict(quotas), set()
    for place, label in enumerate(labels):
        if left[label]:
            left[label] -= 1
            chosen.add(place)
    return chosen


def limited_examples(examples: Examples, limit: int | None, seed: int) -> Examples:
    """Return at most `limit` examples, drawn by seed and stratified by class, in their order; `None` keeps all."""
    if limit is None or len(examples) <= limit:
        return examples
    order = list(range(len(examples)))
    random.Random(seed).shuffle(order)
    labels = [label_of(examples[row]) for row in order]
    quotas = class_quotas({label: (count, count) for label, count in Counter(labels).items()}, limit)
    return [examples[row] for row in sorted(order[place] for place in chosen_rows(labels, quotas))]


def limited_splits(splits: Splits, limit: int | None, seed: int) -> Splits:
    """Return splits with at most `limit` examples each, as `limited_examples` draws them."""
    return Splits(*(limited_examples(split, limit, seed) for split in splits))


def completed_splits(parts: Splits, valid: float, seed: int, name: str) -> Splits:
    """Return splits in which missing test and validation parts are drawn from the training part, with a notice.

    Data with a test part and no training part stays as it is: it can be scored.

    Args:
        parts: The parts that the data has itself; the others are empty.
        valid: Fraction of the training part that is kept for validation, in (0, 1).
        seed: Chooses the validation part; the test part is the same whatever the seed.
        name: What the data is called.
    """
    train, held, test = parts
    if not train:
        return parts
    if not test:
        train, test = holdout_split(train, TEST_SHARE, TEST_SEED)
        say_drawn(name, "test", "testing", test, train, TEST_SEED)
    if not held:
        train, held = holdout_split(train, valid, seed)
        say_drawn(name, "validation", "validation", held, train, seed)
    return Splits(train, held, test)


def say_drawn(name: str, part: str, use: str, held: Examples, rest: Examples, seed: int) -> None:
    """Give notice of a part that is drawn from the training part."""
    LOG.info(
        "%s names no %s part; %d of %d examples are kept for %s (seed %d).",
        name, part, len(held), len(held) + len(rest), use, seed,
    )  # fmt: skip


def scored_examples(parts: Splits, name: str) -> Examples:
    """Return the test part of data to score, with a notice if there are others; or all examples if it has none."""
    if parts.test and (parts.train or parts.valid):
        LOG.warning("%s: its test part is scored, %d of %d examples.", name, len(parts.test), sum(map(len, parts)))
    return parts.test or [*parts.train, *parts.valid]


def repeated_inputs(splits: Splits, field: str) -> dict[str, int]:
    """Return how many test and validation examples have a text that is also in the training part.

    Args:
        field: Field of the text; letter case and blanks do not count.

    Example:
        >>> repeated_inputs(Splits([{"text": "A film."}], [], [{"text": "a  film."}, {"text": "b"}]), "text")
        {'test': 1}
    """
    if any(isinstance(split, LazyExamples) for split in splits):
        return {}
    known = {plain_key(example[field]) for example in splits.train}
    counts = {
        name: sum(plain_key(example[field]) in known for example in split)
        for name, split in (("valid", splits.valid), ("test", splits.test))
    }
    return {name: count for name, count in counts.items() if count}


def plain_key(text: str) -> str:
    """Return a text by which equal texts are known."""
    return " ".join(text.lower().split())

"""Raw examples, their splits, and errors about data."""

import hashlib
import random
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple, TypeVar, overload

Example = dict[str, Any]
Examples = Sequence[Example]
T = TypeVar("T")


class DataError(ValueError):
    """The data exists but cannot be used."""

    exit_code = 65


class PartError(ValueError):
    """The named part of the data does not exist."""

    exit_code = 2


class UnavailableError(RuntimeError):
    """The data set is not on this machine and cannot be fetched."""

    exit_code = 69


class LazyExamples(Sequence[Example]):
    """Examples that are created when one of them, or their number, is first requested."""

    def __init__(self, make: Callable[[], Iterable[Example]]) -> None:
        self.make = make

    @cached_property
    def examples(self) -> list[Example]:
        """All examples, created on first use."""
        return list(self.make())

    def __len__(self) -> int:
        return len(self.examples)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Examples: ...
    def __getitem__(self, index: int | slice) -> Example | Examples:
        return self.examples[index]


class Splits(NamedTuple):
    """Raw examples for training, validation and testing."""

    train: Examples
    valid: Examples
    test: Examples

    def with_limit(self, limit: int | None) -> "Splits":
        """Return at most the first `limit` examples of each split; `None` keeps all."""
        return self if limit is None else Splits(*(split[:limit] for split in self))


def holdout_split(examples: Sequence[T], share: float, seed: int) -> tuple[list[T], list[T]]:
    """Return the remaining examples and the held-out examples, chosen by seed.

    Args:
        examples: At least two examples.
        share: Fraction to hold out, in (0, 1). Each of the two parts gets at least one example.
        seed: The same seed and examples give the same parts, both in a shuffled order.

    Raises:
        DataError: There are fewer than two examples.
    """
    if len(examples) < 2:
        raise DataError(f"{len(examples)} training examples are too few to keep some for validation; give at least 2.")
    order = list(range(len(examples)))
    random.Random(seed).shuffle(order)
    count = min(max(round(share * len(examples)), 1), len(examples) - 1)
    return [examples[row] for row in order[count:]], [examples[row] for row in order[:count]]


def check_labels(splits: Splits) -> None:
    """Raise `DataError` unless the training examples have two classes, and all classes of the other splits."""
    known = sorted({example["label"] for example in splits.train})
    if len(known) < 2:
        raise DataError(f"The training examples have one class only, {known[0]!r}; give at least two.")
    for name, split in (("validation", splits.valid), ("test", splits.test)):
        for example in split:
            if example["label"] not in known:
                raise DataError(
                    f"Class {example['label']!r} is among the {name} examples and not among the training examples: "
                    f"{', '.join(known)}."
                )


def fingerprint(splits: Splits) -> dict[str, int | str]:
    """Return the number of examples in each split, and a SHA-256 of all values; files count by name."""
    total = hashlib.sha256()
    for split in splits:
        for example in split:
            for name, value in sorted(example.items()):
                total.update(name.encode() + b"=")
                total.update(
                    value.tobytes() if hasattr(value, "tobytes") else str(getattr(value, "name", value)).encode()
                )
    return {name: len(split) for name, split in splits._asdict().items()} | {"sha256": total.hexdigest()}

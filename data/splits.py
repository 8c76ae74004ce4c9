"""Raw examples, their splits, and errors about data."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple, TypeVar, overload

Example = dict[str, Any]
Examples = Sequence[Example]
T = TypeVar("T")


class DataError(ValueError):
    """The data exists but cannot be used."""

    exit_code = 65


class OptionError(ValueError):
    """The data has no such part, column or encoding as an option names."""

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


PARTS = {  # word in the name of a file, a folder or a value -> name of the split
    "train": "train",
    "training": "train",
    "trn": "train",
    "val": "valid",
    "valid": "valid",
    "validation": "valid",
    "dev": "valid",
    "devel": "valid",
    "development": "valid",
    "newsdev": "valid",
    "test": "test",
    "testing": "test",
    "tst": "test",
    "newstest": "test",
    "devtest": "test",
}


def part_of(name: str) -> str | None:
    """Return the split that a name tells, `train`, `valid` or `test`; `None` if it tells none, or two.

    Example:
        >>> part_of("Validation"), part_of("dev.tok.clean"), part_of("tst2013"), part_of("contest")
        ('valid', 'valid', 'test', None)
    """
    words = re.findall("[a-z]+", name.lower())
    found = {PARTS[part] for word in words if (part := re.sub("(?:set|data)$", "", word)) in PARTS}
    return found.pop() if len(found) == 1 else None


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of at most `size` items, in order.

    Example:
        >>> list(chunks("abcde", 2))
        [['a', 'b'], ['c', 'd'], ['e']]
    """
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


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

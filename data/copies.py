"""Examples that repeat each other, exactly or nearly, within parts and across them."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

from data.splits import Splits

Place = tuple[str, int]  # part, and number in it


class Copies(NamedTuple):
    """Groups of examples that are copies of each other.

    Attributes:
        within: Part -> number of examples that repeat an earlier one of their part.
        across: Two parts -> number of different contents that are in both.
        tested: Number of different contents of the test part that are also in another part.
        groups: Places of each group of copies; those that are in several parts first.
    """

    within: dict[str, int]
    across: dict[tuple[str, str], int]
    tested: int
    groups: list[list[Place]]


def exact_copies(keys: Sequence[Hashable], places: Sequence[Place]) -> Copies:
    """Return the copies among examples, given a key of the content of each.

    Example:
        >>> found = exact_copies(["a", "b", "a", "a"], [("train", 0), ("train", 1), ("train", 2), ("test", 0)])
        >>> found.within, found.across, found.tested
        ({'train': 1}, {('train', 'test'): 1}, 1)
    """
    groups = defaultdict[Hashable, list[Place]](list)
    for key, place in zip(keys, places, strict=True):
        groups[key].append(place)
    return counted_copies(group for group in groups.values() if len(group) > 1)


def near_copies(pairs: Iterable[tuple[int, int]], places: Sequence[Place]) -> Copies:
    """Return the copies among examples, given pairs of them; pairs of pairs are of one group."""
    parent = list(range(len(places)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for one, other in pairs:
        first, second = sorted((root(one), root(other)))
        parent[second] = first
    joined = [place for place in range(len(places)) if root(place) != place]
    members = sorted({*joined, *map(root, joined)})
    groups = defaultdict[int, list[Place]](list)
    for place in members:
        groups[root(place)].append(places[place])
    return counted_copies(groups.values())


def counted_copies(groups: Iterable[list[Place]]) -> Copies:
    """Return what is counted of groups of copies."""
    within, across, tested, found = Counter[str](), Counter[tuple[str, str]](), 0, list[list[Place]]()
    for group in groups:
        counts = Counter(part for part, _ in group)
        parts = [part for part in Splits._fields if part in counts]
        within.update({part: counts[part] - 1 for part in parts if counts[part] > 1})
        across.update(combinations(parts, 2))
        tested += "test" in counts and len(parts) > 1
        found.append(group)
    found.sort(key=lambda group: -len({part for part, _ in group}))
    return Copies(dict(within), dict(across), tested, found)

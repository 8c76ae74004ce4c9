"""Several sets of texts read as one: trained on together, and each tested on its own part."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TypeVar

from data.holdout import plain_key
from data.sources import data_name, joined_places
from data.splits import Example, LazyExamples, OptionError, Splits
from tasks.engine.config import JsonObject, TaskConfig

LOG = logging.getLogger("tasks")
C = TypeVar("C", bound=TaskConfig)
Read = Callable[[C], Splits]
ENDS = ("_low", "_high", "_signature")  # of the names of metrics


def joined_splits(config: C, read: Read[C]) -> Splits:
    """Return the splits of sets that `data` joins with commas.

    * Training examples are those of all sets; a set that is named twice is shown twice.
    * Validation and test examples are those of all sets, once. Each tells the name of its `set`, so that scores are
      also given by set.
    * A training example whose text is in the validation or test part of another set is left out, with a notice.
    * `test` may be paths, joined with commas, the name of one of the sets, or a part that some of them have. This part
      is then in no training or validation part.

    Args:
        config: Its `data` names at least two sets.
        read: Returns the splits of one set, whose examples have a `text`; the first set is read first.

    Example:
        >>> read = lambda config: Splits([{"text": config.data}], [], [{"text": f"not {config.data}"}])
        >>> joined_splits(TaskConfig(data="a,b"), read).test
        [{'text': 'not a', 'set': 'a'}, {'text': 'not b', 'set': 'b'}]

    Raises:
        OptionError: `test` is none of these.
        FileNotFoundError, DataError, UnavailableError: A set is missing, invalid or unavailable.
    """
    places, test = joined_places(config.data), config.test
    sets = {place: replace(config, data=place, test=None) for place in places}
    names = place_names(places)

    @cache
    def whole(name: str | None) -> Splits:
        own, tested = named_sets(sets, names, name, read)
        return Splits(
            clean_training([(place, own[place]) for place in places]),
            [row for place in own for row in of_set(own[place].valid, names[place])],
            [row for place in tested for row in of_set(own[place].test, names[place])],
        )

    elsewhere = joined_places(test) if test else []
    if not elsewhere or not all(Path(place).exists() for place in elsewhere):
        return whole(test)
    found = {name: read(replace(sets[places[0]], test=place)).test for place, name in place_names(elsewhere).items()}
    tested = [row for name, own in found.items() for row in (of_set(own, name) if len(found) > 1 else own)]
    return Splits(LazyExamples(lambda: whole(None).train), LazyExamples(lambda: whole(None).valid), tested)


def place_names(places: Sequence[str]) -> dict[str, str]:
    """Return the name of each of several sets, which is its `data_name`; paths of one name have their parents' too.

    Example:
        >>> place_names(["/a/news", "/b/news", "/b/talks", "builtin"])
        {'/a/news': 'a/news', '/b/news': 'b/news', '/b/talks': 'talks', 'builtin': 'builtin'}
    """
    found, paths = {place: data_name(place) for place in places}, {place: Path(place).resolve() for place in places}
    for length in range(2, 1 + max(len(path.parts) for path in paths.values())):
        counts = Counter(found.values())
        for place, name in found.items():
            if counts[name] > 1 and name == "/".join(paths[place].parts[1 - length :]):
                found[place] = "/".join(paths[place].parts[-length:])
    return found


def of_set(examples: Sequence[Example], name: str) -> list[Example]:
    """Return examples that tell the name of their `set`.

    Example:
        >>> of_set([{"text": "Great."}], "films")
        [{'text': 'Great.', 'set': 'films'}]
    """
    return [example | {"set": name} for example in examples]


def clean_training(own: Sequence[tuple[str, Splits]]) -> list[Example]:
    """Return the training examples of all sets whose text no other set holds for validation or testing.

    Example:
        >>> one, other = Splits([{"text": "A"}, {"text": "B"}], [], []), Splits([{"text": "C"}], [], [{"text": "b"}])
        >>> clean_training([("one", one), ("other", other)])
        [{'text': 'A'}, {'text': 'C'}]
    """
    held = {place: {plain_key(row["text"]) for row in (*splits.valid, *splits.test)} for place, splits in own}
    kept = list[Example]()
    for place, splits in own:
        others = set[str]().union(*(texts for other, texts in held.items() if other != place))
        kept += [row for row in splits.train if plain_key(row["text"]) not in others]
    total = sum(len(splits.train) for _, splits in own)
    if left := total - len(kept):
        LOG.warning(
            "%d of %d training examples have a text that another set holds to validate or test, and are left out.",
            left, total,
        )  # fmt: skip
    return kept


def named_sets(
    sets: dict[str, C], names: dict[str, str], test: str | None, read: Read[C]
) -> tuple[dict[str, Splits], list[str]]:
    """Return the splits of each set, and the sets that are tested on: one by its name, those with a part, or all.

    A set that has the part is read with it as its test part, so that no other part of it holds the same examples.

    Raises:
        OptionError: No set has the name, or a part with it.

    Example:
        >>> sets = {"/a": TaskConfig(data="/a"), "/b": TaskConfig(data="/b")}
        >>> named_sets(sets, {"/a": "a", "/b": "b"}, "b", lambda config: Splits([], [], []))[1]
        ['/b']
    """
    named = [place for place in sets if test == names[place]]
    if test is None or named:
        return {place: read(one) for place, one in sets.items()}, named or [*sets]
    own, tested, refused = dict[str, Splits](), list[str](), list[str]()
    for place, one in sets.items():
        try:
            own[place] = read(replace(one, test=test))
            tested.append(place)
        except OptionError as error:
            refused.append(str(error))
            own[place] = read(one)
    if not tested:
        known = ", ".join(names.values())
        raise OptionError(f"No set is named {test!r}, and none has such a part; the sets are: {known}. {refused[0]}")
    return own, tested


def set_metrics(
    sets: Sequence[str | None], score: Callable[[list[int]], JsonObject], taken: Collection[str] = ()
) -> JsonObject:
    """Return the number of examples and the metrics of each set, with its name behind theirs; nothing for one set.

    Args:
        sets: The name of the set of each example, if it has one.
        score: Returns the metrics of the examples at some places.
        taken: Names of other metrics. A set whose metrics would have one of these, or one of another set's, gets
            `_set` behind its name, with a notice.

    Example:
        >>> set_metrics(["films", "films", "books"], lambda rows: {"accuracy": float(rows[0])})
        {'examples_films': 2, 'accuracy_films': 0.0, 'examples_books': 1, 'accuracy_books': 2.0}
    """
    found: JsonObject = {}
    for name in dict.fromkeys(name for name in sets if name is not None) if len({*sets}) > 1 else ():
        rows = [row for row, own in enumerate(sets) if own == name]
        own = {"examples": len(rows), **score(rows)}
        free = str(name)
        while not (named := named_keys(own, free)).keys().isdisjoint({*taken, *found}):
            free += "_set"
        if free != name:
            LOG.warning("The scores of the set %r are called %r, since others have its name.", name, free)
        found |= named
    return found


def named_keys(found: JsonObject, name: str) -> JsonObject:
    """Return metrics with a name behind theirs, before the end that tells a part of one.

    Example:
        >>> named_keys({"bleu": 30.0, "bleu_low": 28.0}, "talks")
        {'bleu_talks': 30.0, 'bleu_talks_low': 28.0}
    """
    parted = [next(((key.removesuffix(end), end) for end in ENDS if key.endswith(end)), (key, "")) for key in found]
    return {f"{stem}_{name}{end}": value for (stem, end), value in zip(parted, found.values(), strict=True)}

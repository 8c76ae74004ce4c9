"""What is to know of data before training: parts, copies, odd items, and labels that are probably wrong."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from data import copies, label_errors
from data.holdout import limited_splits
from data.sources import data_name
from data.splits import DataError, Splits
from data.texts.odd_texts import odd_texts
from tasks.engine.checked_inputs import Item, PictureInputs, TextInputs
from tasks.engine.config import JsonObject, TaskConfig
from tasks.engine.facts import notices
from tasks.engine.second_opinion import shipped_scores
from tasks.engine.task import IMAGE, Task

SHOWN = 20  # items of a list
QUANTILES = {"smallest": 0.0, "median": 0.5, "95 % below": 0.95, "largest": 1.0}


def check(task: Task[Any], config: TaskConfig) -> JsonObject:
    """Return what is found in the data that a config names, as JSON types.

    Raises:
        FileNotFoundError, DataError, UnavailableError: The data is missing, invalid or unavailable, as for a training.
    """
    with notices() as said:
        splits = limited_splits(task.load(config), config.limit, config.seed)
        items = [
            Item(part, number, example)
            for part, split in splits._asdict().items()
            for number, example in enumerate(split)
        ]
    if not items:
        raise DataError("The data has no examples.")
    field = task.accepts.field
    seen = PictureInputs(items, field) if task.accepts is IMAGE else TextInputs(items, field)
    found = {
        "task": task.name,
        "data": data_name(config.data),
        "parts": {part: part_facts(part, items, seen) for part in Splits._fields},
        "copies": {"exact": copies_found(seen.exact(), seen), "near": copies_found(seen.near(), seen)},
        "contradictions": contradictions(seen, items),
        "odd": {
            name: {"count": len(each), "first": [seen.shown(place) for place in each[:SHOWN]]}
            for name, each in (seen.odd() | other_texts(items, field)).items()
        },
        "labels": labels_found(task, config, seen, items),
        "notices": said,
    }
    return found | {"findings": list(findings(found))}


def part_facts(part: str, items: Sequence[Item], seen: TextInputs | PictureInputs) -> JsonObject:
    """Return the number of examples of a part, their classes, and how long or large they are."""
    rows = [place for place, item in enumerate(items) if item.part == part]
    labels = Counter(str(items[place].example["label"]) for place in rows if "label" in items[place].example)
    facts: JsonObject = {"examples": len(rows)} | ({"classes": dict(sorted(labels.items()))} if labels else {})
    if rows:
        values = np.quantile(seen.sizes[rows], list(QUANTILES.values())).round().astype(int).tolist()
        facts[seen.measured] = dict(zip(QUANTILES, values, strict=True))
    return facts


def copies_found(found: copies.Copies, seen: TextInputs | PictureInputs) -> JsonObject:
    """Return what is said of copies, as JSON types."""
    index = {place: number for number, place in enumerate(seen.places)}
    return {
        "within": found.within,
        "across": [{"parts": list(parts), "contents": count} for parts, count in found.across.items()],
        "tested": found.tested,
        "first": [[seen.shown(index[place]) for place in group[:SHOWN]] for group in found.groups[:SHOWN]],
    }


def contradictions(seen: TextInputs | PictureInputs, items: Sequence[Item]) -> JsonObject:
    """Return the contents that have several labels."""
    labels: dict[Any, set[str]] = {}
    for key, item in zip(seen.keys, items, strict=True):
        if "label" in item.example:
            labels.setdefault(key, set()).add(str(item.example["label"]))
    several = {key: sorted(each) for key, each in labels.items() if len(each) > 1}
    first = {key: place for place, key in reversed(list(enumerate(seen.keys))) if key in several}
    shown = [seen.shown(first[key]) | {"labels": several[key]} for key in list(several)[:SHOWN]]
    return {"count": len(several), "first": shown}


def other_texts(items: Sequence[Item], field: str) -> dict[str, list[int]]:
    """Return the places of odd texts in the other fields, such as translations and captions, by field and kind."""
    names = [name for name, value in items[0].example.items() if name not in (field, "label", "name", "quality")]
    found: dict[str, list[int]] = {}
    for name in names:
        rows = [(place, text) for place, item in enumerate(items) for text in texts_of(item.example.get(name))]
        for kind, each in odd_texts([text for _, text in rows]).items():
            found[f"{name}: {kind}"] = sorted({rows[row][0] for row in each})
    return found


def texts_of(value: Any) -> Iterator[str]:
    """Yield the texts that a field holds: itself, or those of a list."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            yield one


def labels_found(
    task: Task[Any], config: TaskConfig, seen: TextInputs | PictureInputs, items: Sequence[Item]
) -> JsonObject | None:
    """Return the labels of the training and validation parts that are probably wrong; `None` without classes."""
    rows = [place for place, item in enumerate(items) if item.part != "test" and "label" in item.example]
    counts = Counter(str(items[place].example["label"]) for place in rows)
    rows = [place for place in rows if counts[str(items[place].example["label"])] >= label_errors.LEAST]
    labels = [str(items[place].example["label"]) for place in rows]
    if len(set(labels)) < 2:
        return None
    inputs = seen.inputs[rows] if isinstance(seen.inputs, np.ndarray) else [seen.inputs[place] for place in rows]
    examples = [items[place].example for place in rows]
    other = shipped_scores(task, examples, sorted(set(labels)), data_name(config.data))
    doubts = label_errors.label_doubts(inputs, labels, other)
    suspects = [
        seen.shown(rows[place])
        | {"suggestion": doubts.suggestions[place], "chance": round(float(doubts.chances[place]), 3)}
        for place in label_errors.suspects(doubts)
    ]
    share, low, high = (round(value, 4) for value in doubts.share)
    about = {"checked": len(rows), "share": share, "low": low, "high": high, "agreement": round(doubts.accuracy, 4)}
    return about | {"suspects": suspects}


def findings(found: JsonObject) -> Iterator[str]:
    """Yield what a person should look at, a sentence each."""
    for kind, said in (("exact", "stand"), ("near", "stand nearly equal")):
        rows = found["copies"][kind]
        if rows["tested"]:
            yield f"{rows['tested']:,} inputs of the test part {said} in another part too, which flatters scores."
        if repeated := sum(rows["within"].values()):
            yield f"{repeated:,} examples repeat another one of their part{'' if kind == 'exact' else ' nearly'}."
    if count := found["contradictions"]["count"]:
        yield f"{count:,} inputs have different labels in different examples."
    for name, row in found["odd"].items():
        yield f"{name.capitalize()}: {row['count']:,} examples."
    labels = found["labels"]
    if labels and labels["suspects"]:
        yield (
            f"{len(labels['suspects']):,} of {labels['checked']:,} labels are probably wrong; estimated share of wrong "
            f"ones {labels['share']:.1%} ({labels['low']:.1%} to {labels['high']:.1%})."
        )
    parts = found["parts"]
    trained = parts["train"].get("classes", {})
    for part in ("valid", "test"):
        if missing := sorted(parts[part].get("classes", {}).keys() - trained.keys()):
            yield f"Classes of the {part} part without training examples: {', '.join(missing)}."
    if trained and max(trained.values()) >= 5 * min(trained.values()):
        yield "The largest class has at least five times the examples of the smallest."

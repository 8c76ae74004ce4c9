"""How many planted wrong labels `check` finds: in draws of a catalogue data set, as a table or folder of a user's own.

Of each draw 2 % of the labels are changed to another class at random. The table shows the share of them that is
reported, the share of the reported that are planted, the largest share that another limit finds at a precision of 70 %,
and the estimated share of wrong labels.

    python -m benchmarks.labels TASK [--data-dir /data/tfds] [--part test] [--count 2000] [--draws 5] [--quick]
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import tasks
from data.label_errors import Doubts, label_doubts, suspects
from data.pictures.near_pictures import thumbnail
from data.splits import Example
from tasks.engine.second_opinion import shipped_scores


def planted(examples: Sequence[Example], share: float, seed: int) -> tuple[list[Example], np.ndarray]:
    """Return examples of which a share has another label, and which."""
    random = np.random.default_rng(seed)
    classes = sorted({str(row["label"]) for row in examples})
    changed = np.zeros(len(examples), bool)
    changed[random.choice(len(examples), round(share * len(examples)), replace=False)] = True
    steps = random.integers(1, len(classes), len(examples))
    numbers = [classes.index(str(row["label"])) for row in examples]
    labels = [
        classes[(number + step * flip) % len(classes)]
        for number, step, flip in zip(numbers, steps, changed, strict=True)
    ]
    return [row | {"label": label} for row, label in zip(examples, labels, strict=True)], changed


def found_row(seed: int, doubts: Doubts, changed: np.ndarray, seconds: float) -> str:
    """Return a row of the table."""
    reported = list(suspects(doubts))
    hits = np.cumsum(changed[np.argsort(-doubts.chances, kind="stable")])
    exact = hits / np.arange(1, len(hits) + 1) >= 0.7
    best = hits[exact].max() / changed.sum() if exact.any() else 0.0
    found, right = changed[reported].sum() / changed.sum(), changed[reported].mean() if reported else 0.0
    low, high = doubts.share[1:]
    said = f"{doubts.share[0]:.1%} ({low:.1%} to {high:.1%})"
    return f"{seed:>4} {doubts.accuracy:>10.1%} {found:>7.1%} {right:>7.1%} {best:>12.1%}  {said:<24} {seconds:6.1f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["mnist", "sentiment"])
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--part", default="test", choices=["train", "test"])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--share", type=float, default=0.02)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="do not ask the run that ships")
    given = parser.parse_args()
    task, data = tasks.get(given.task), {"mnist": "mnist", "sentiment": "imdb_reviews"}[given.task]
    config = tasks.configure(given.task, data=data, **({"data_dir": str(given.data_dir)} if given.data_dir else {}))
    examples = task.load(config)._asdict()[given.part]
    print("draw  agreement   found   right  found at 70  estimated share          seconds")
    for seed in range(given.draws):
        drawn = np.random.default_rng(seed).permutation(len(examples))[: given.count]
        rows, changed = planted([examples[int(place)] for place in drawn], given.share, seed)
        labels, start = [str(row["label"]) for row in rows], time.perf_counter()
        field = task.accepts.field
        inputs = (
            [str(row[field]) for row in rows]
            if given.task == "sentiment"
            else np.stack([thumbnail(row[field])[0] for row in rows])
        )
        other = None if given.quick else shipped_scores(task, rows, sorted(set(labels)), "a table of one's own")
        doubts = label_doubts(inputs, labels, other)
        print(found_row(seed, doubts, changed, time.perf_counter() - start), flush=True)


if __name__ == "__main__":
    main()

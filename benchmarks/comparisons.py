"""How often `compare` tells equal systems apart: false alarms at the 5 % level, by resampling real outcomes.

Two systems answer the same examples. In each trial examples are drawn anew, and in each of them the two outcomes are
swapped at random, so that both sides are equally good. The table shows the share of trials with p below 5 %, with its
95 % interval.

    python -m benchmarks.comparisons TASK RUN RUN [--other '{"beam": 1}'] [--data DATA] [--data-dir /data/tfds]
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import tasks
from tasks.engine.config import Settings
from tasks.engine.evaluate import examples_of
from tasks.engine.measure import Measure
from tasks.engine.significance import bootstrap_difference, difference
from tasks.toolbox.metrics import share_interval


def equal_sides(one: Measure, other: Measure, size: int, random: np.random.Generator) -> tuple[Measure, Measure]:
    """Return the outcomes of drawn examples, swapped at random between two measures."""
    drawn = random.integers(len(one.counts), size=size)
    swapped = random.random((size, 1)) < 0.5
    first, second = one.counts[drawn], other.counts[drawn]
    return (
        replace(one, counts=np.where(swapped, second, first)),
        replace(other, counts=np.where(swapped, first, second)),
    )


def alarms(one: Measure, other: Measure, size: int, trials: int) -> Iterator[tuple[str, int]]:
    """Yield each test that fits the measures, and the number of its false alarms."""
    tests = [difference, bootstrap_difference] if one.is_share else [difference]
    for test in tests:
        random = np.random.default_rng(1)
        found = [
            test([first], [second], seed)
            for seed in range(trials)
            for first, second in [equal_sides(one, other, size, random)]
        ]
        yield found[0].test, sum(each.p < 0.05 for each in found)


def measures(task: str, run: str, split: str, settings: Settings) -> list[Measure]:
    """Return the measures of a run on a split."""
    pipeline, examples = examples_of(tasks.load(task, run, **settings), split, 0)
    return list(pipeline.score(examples).measures())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=tasks.names())
    parser.add_argument("runs", nargs=2)
    parser.add_argument("--other", type=json.loads, default={}, help="settings of the second run, as JSON")
    parser.add_argument("--split", default="test")
    parser.add_argument("--data")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--size", type=int, help="examples drawn in a trial; as many as there are if not given")
    parser.add_argument("--trials", type=int, default=1000)
    given = parser.parse_args()
    settings: dict[str, Any] = {
        name: value for name in ("data", "data_dir") if (value := getattr(given, name)) is not None
    }
    settings = {name: str(value) for name, value in settings.items()}
    sides = [
        measures(given.task, run, given.split, settings | more)
        for run, more in zip(given.runs, ({}, given.other), strict=True)
    ]
    print(f"{'metric':<22} {'A':>8} {'B':>8} {'examples':>9}  {'false alarms':<24} {'seconds':>8}  test")
    for one, other in zip(*sides, strict=True):
        size, start = given.size or len(one.counts), time.perf_counter()
        for test, count in alarms(one, other, size, given.trials):
            low, high = share_interval(count, given.trials)
            said = f"{count / given.trials:.1%} ({low:.1%} to {high:.1%})"
            spent = time.perf_counter() - start
            print(
                f"{one.name:<22} {one.total:8.4f} {other.total:8.4f} {size:>9}  {said:<24} {spent:8.0f}  {test}",
                flush=True,
            )


if __name__ == "__main__":
    main()

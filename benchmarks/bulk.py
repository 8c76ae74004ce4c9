"""Rate and memory of `predict --workers` on reviews: one process on one core, one on all cores, and several.

All write the same answers, by their SHA-256. Reviews are repeated until there are enough. Memory is the largest sum of
resident pages of the processes of a command; shared pages count in each.

    python -m benchmarks.bulk --data-dir DIR [--reviews 200000] [--workers 2] [--rounds 1] [--folder bulk] [--ray]

`--ray` adds a local cluster of Ray, which listens on this machine.
"""

import argparse
import csv
import hashlib
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import tasks

ROOT = Path(__file__).parent.parent
HEAD = ["way", "seconds", "core seconds", "reviews a second", "against one core"]
HEAD += ["MB, all", "MB, parent", "MB, largest worker", "same answers"]
PAUSE = 0.05  # seconds between two looks at the memory


class Measured(NamedTuple):
    """Seconds of a command, and of its cores; its most memory in MB: all, parent, largest worker; its answers."""

    seconds: float
    cores: float
    total: float
    parent: float
    worker: float
    answers: str


def write_reviews(path: Path, count: int, data: str, data_dir: Path | None) -> None:
    """Write a table of reviews."""
    config = tasks.configure("sentiment", data=data, data_dir=data_dir)
    texts = [example["text"] for part in tasks.get("sentiment").load(config) for example in part]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        writer.writerows(enumerate(islice(cycle(texts), count)))


def descendants(process: int) -> list[int]:
    """Return the processes below a process."""
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [one for child in map(int, text.split()) for one in (child, *descendants(child))]


def resident(process: int) -> float:
    """Return the resident memory of a process in MB; 0 if it has ended."""
    try:
        found = re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{process}/status").read_text(encoding="ascii"))
    except OSError:
        return 0.0
    return int(found[0]) / 1000 if found else 0.0


def measured(file: Path, words: Sequence[str], cores: set[int]) -> Measured:
    """Return what it takes to answer a file on some cores."""
    out = file.with_name("answers.jsonl")
    out.unlink(missing_ok=True)
    command = [sys.executable, "cli.py", "predict", "sentiment", "--run", "hybrid", "--quiet", "--file", str(file)]
    start, total, parent, worker = time.perf_counter(), 0.0, 0.0, 0.0
    pinned = ["taskset", "--cpu-list", ",".join(map(str, sorted(cores)))]
    before = used()
    process = subprocess.Popen([*pinned, *command, "--out", str(out), *words], cwd=ROOT)
    while process.poll() is None:
        below = [resident(one) for one in descendants(process.pid)]
        own = resident(process.pid)
        total, parent, worker = max(total, own + sum(below)), max(parent, own), max(worker, *below, 0.0)
        time.sleep(PAUSE)
    assert process.returncode in (0, 65), f"{words} ends with {process.returncode}"
    seconds = time.perf_counter() - start
    with out.open("rb") as answers:
        return Measured(
            seconds, used() - before, total, parent, worker, hashlib.file_digest(answers, "sha256").hexdigest()
        )


def used() -> float:
    """Return the seconds of cores that commands which have ended took."""
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="imdb_reviews")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--reviews", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("bulk"))
    parser.add_argument("--ray", action="store_true")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    file = (given.folder / f"reviews-{given.reviews}.csv").absolute()
    if not file.exists():
        write_reviews(file, given.reviews, given.data, given.data_dir)
    every = os.sched_getaffinity(0)
    several = ["--workers", str(given.workers)]
    ways: dict[str, tuple[list[str], set[int]]] = {
        "one process, one core": ([], {min(every)}),
        f"one process, {len(every)} cores": ([], every),
        f"--workers {given.workers}": (several, every),
    }
    if given.ray:
        ways[f"--workers {given.workers} --address local"] = ([*several, "--address", "local"], every)
    found: dict[str, list[Measured]] = {way: [] for way in ways}
    for _ in range(given.rounds):
        for way, (words, cores) in ways.items():
            found[way].append(measured(file, words, cores))
            print(f"{way}: {found[way][-1].seconds:.1f} s", file=sys.stderr, flush=True)
    print(f"{given.reviews:,} reviews, {file.stat().st_size / 1e6:,.0f} MB; medians of {given.rounds}\n")
    for row in table(found, given.reviews):
        print(f"| {' | '.join(row)} |")


def table(found: dict[str, list[Measured]], reviews: int) -> Iterator[Sequence[str]]:
    """Yield the rows of a table."""
    yield HEAD
    yield ["---"] * len(HEAD)
    first = next(iter(found.values()))
    alone = statistics.median(one.seconds for one in first)
    for way, rounds in found.items():
        seconds, cores = (
            statistics.median(column) for column in zip(*((one.seconds, one.cores) for one in rounds), strict=True)
        )
        columns = zip(*((one.total, one.parent, one.worker) for one in rounds), strict=True)
        memory = [f"{max(column):,.0f}" for column in columns]
        same = "yes" if {one.answers for one in rounds} == {first[0].answers} else "NO"
        rate = f"{reviews / seconds:,.0f}"
        yield [way, f"{seconds:,.1f}", f"{cores:,.1f}", rate, f"{alone / seconds:.2f}", *memory, same]


if __name__ == "__main__":
    main()

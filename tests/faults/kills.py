"""Kill trainings at any of their file events, and compare what comes of them with a training that was left alone.

    python -m tests.faults.kills MINUTES [SEED]

kills cold processes of all five tasks for so many minutes, and prints a table. A process counts what it does to files
in its run directory, and kills itself with SIGKILL before the event of a number that it is given.
"""

import csv
import hashlib
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import h5py

ROOT = Path(__file__).parents[2]
EVENTS = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "shutil.copyfile")
SETTINGS = {  # small networks, whose trainings still have averages, best epochs and checkpoints within epochs
    "mnist": ["--filters", "4", "--units", "8", "--batch-size", "16", "--limit", "64"],
    "sentiment": ["--units", "8", "--embedding", "8", "--batch-size", "16", "--limit", "64"],
    "translate": ["--units", "16", "--embedding", "16", "--batch-size", "16", "--limit", "64", "--vocabulary", "512"],
    "caption": ["--units", "16", "--embedding", "16", "--batch-size", "8", "--limit", "32"],
    "upscale": ["--limit", "2", "--batch-size", "16"],
}
SHARED = ["--data", "builtin", "--epochs", "3", "--average", "2", "--checkpoint-every", "2 steps"]


@dataclass(frozen=True)
class Outcome:
    """What a training left that can be compared: check sum of the weights, history and metrics."""

    weights: str
    history: list[dict[str, str]]
    metrics: dict[str, object]

    @classmethod
    def of(cls, run: Path) -> "Outcome":
        digest = hashlib.sha256()

        def add(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                digest.update(name.encode() + item[()].tobytes())

        with ZipFile(run / "model.keras") as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
            file.visititems(add)
        with (run / "history.csv").open(newline="") as table:
            history = [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(table)]
        metrics = json.loads((run / "metrics.json").read_text())["metrics"]
        return cls(digest.hexdigest(), history, {k: v for k, v in metrics.items() if "second" not in k})


def count_events(run: Path, last: int) -> None:
    """Count what this process does to files in a run directory, and kill it before event number `last`."""
    inside, seen = str(run.absolute()), [0]

    def hook(event: str, details: tuple[object, ...]) -> None:
        if event not in EVENTS or not str(details[0]).startswith(inside):
            return
        if event == "open" and not (
            isinstance(details[2], int) and details[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        ):
            return
        seen[0] += 1
        if seen[0] == last:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def command(task: str, run: Path, event: int = 0) -> list[str]:
    """Return the command that begins a training, or goes on with it if it has begun."""
    words = (
        ["train", task, "--resume"] if (run / "config.json").is_file() else ["train", task, *SHARED, *SETTINGS[task]]
    )
    return [sys.executable, "-m", "tests.faults.kills", "--event", str(event), *words, "--run", str(run), "--quiet"]


def start(task: str, run: Path, event: int = 0) -> subprocess.CompletedProcess[str]:
    """Train in a process of its own, which kills itself before an event, if any; return how it ended."""
    return subprocess.run(command(task, run, event), cwd=ROOT, capture_output=True, text=True, check=False)


def killed_training(task: str, run: Path, events: Iterator[int], kills: int) -> tuple[int, str]:
    """Train with so many kills at most, and return how many there were, and what went wrong, if anything."""
    for done in range(kills + 1):
        ended = start(task, run, next(events) if done < kills else 0)
        if ended.returncode == 0:
            return done, ""
        if ended.returncode != -signal.SIGKILL:
            return done, ended.stderr
    return kills, "the last start was killed too"


def main(minutes: float, seed: int) -> int:
    """Kill trainings of all tasks for some minutes, print what came of each, and return how many were not equal."""
    random_numbers = random.Random(seed)
    bad = kills = cases = 0
    end = time.monotonic() + 60 * minutes
    with TemporaryDirectory() as folder:
        whole: dict[str, Outcome] = {}
        while time.monotonic() < end:
            for task in SETTINGS:
                if task not in whole:
                    ended = start(task, Path(folder, task))
                    assert ended.returncode == 0, ended.stderr
                    whole[task] = Outcome.of(Path(folder, task))
                run = Path(folder, f"{task}-{cases}")
                events = iter(lambda: random_numbers.randint(1, 260), None)
                count, wrong = killed_training(task, run, events, 3)
                equal = not wrong and Outcome.of(run) == whole[task]
                cases, kills, bad = cases + 1, kills + count, bad + (not equal)
                print(f"{task:<10} killed {count} times: {'equal' if equal else f'NOT EQUAL {wrong}'}", flush=True)
                if time.monotonic() > end:
                    break
    print(f"{cases} trainings, {kills} kills, {cases - bad} of {cases} equal to the uninterrupted one.")
    return bad


if __name__ == "__main__":
    if sys.argv[1] == "--event":
        number, words = int(sys.argv[2]), sys.argv[3:]
        count_events(Path(words[words.index("--run") + 1]), number)
        sys.argv = ["cli.py", *words]
        import cli

        cli.main()
    elif re.fullmatch(r"[\d.]+", sys.argv[1]):
        sys.exit(main(float(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else 0) > 0)

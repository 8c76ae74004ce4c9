"""Speed of the server: start, requests a second with and without batching, overload, and a soak.

The clients share the machine with the server.

    python -m benchmarks.serve [start] [rates] [translate] [overload] [soak] [--seconds 10] [--minutes 10]
"""

import argparse
import asyncio
import json
import random
import re
import signal
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

import tasks
from benchmarks.load import Connection, Reply, ask, closed_load, open_load, request, summary
from data.pictures.png import png_text

ROOT = Path(__file__).parent.parent
REVIEWS = [
    "A lovely film, and I enjoyed every minute of it.",
    "The plot makes no sense, and the actors know it.",
    "I had hoped for more after the first half hour, but it was not bad at all.",
    "Two hours that I will never get back. Dull, loud and far too long.",
]
SENTENCES = [
    "A dog runs across the beach.",
    "Two men are standing in front of a building.",
    "A woman in a red dress is riding a bicycle down the street.",
    "Children play with a ball in the park.",
]
CLIENTS = 32
ALONE = ("--batch", "1", "--window", "0")  # one input at a time
TIMES = 3  # load over capacity
BAD, LEAVING = 0.05, 0.05  # shares of a soak


class Running(NamedTuple):
    """A server that answers."""

    port: int
    process: subprocess.Popen[str]
    seconds: float

    @property
    def megabytes(self) -> float:
        """Resident memory."""
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(re.findall(r"VmRSS:\s+(\d+)", text)[0]) / 1000


@contextmanager
def running(*words: str) -> Iterator[Running]:
    """Start a server, for a `with` statement; it is ready, and ended afterwards."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "cli.py", "serve", "--port", "0", "--quiet", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        port = int(process.stdout.readline().rpartition(":")[2])
        while asyncio.run(ask(port, request("GET", "/ready"))).status != 200:
            time.sleep(0.005)
        yield Running(port, process, time.perf_counter() - start)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def texts(task: str, inputs: Sequence[str], **settings: object) -> list[bytes]:
    """Return a request for each text."""
    return [request("POST", f"/v1/{task}", json.dumps({"input": text, **settings}).encode()) for text in inputs]


def digits() -> list[bytes]:
    """Return requests for a digit, cut out to 28x28 pixels, and turned by quarters."""
    pixels = tasks.load("mnist", "small").codec.read(ROOT / "tasks/mnist/example.png").image
    files = [b64decode(png_text(np.rot90(pixels, turns))) for turns in range(4)]
    return [request("POST", "/v1/mnist", file, "image/png") for file in files]


def bad_requests() -> list[bytes]:
    """Return requests that are refused."""
    return [
        request("POST", "/v1/sentiment", b'{"input": '),
        request("POST", "/v1/sentiment", b'{"inputs": []}'),
        request("POST", "/v1/mnist", b"no picture", "image/png"),
        request("POST", "/v1/translate", b'{"input": "A dog.", "beam": 1000}'),
        request("GET", "/v1/nothing"),
    ]


def busy(requests: Sequence[bytes], clients: int, seconds: float, *words: str) -> list[Reply]:
    """Return the replies of a server of its own, warm, to clients that each ask again as soon as they are answered."""
    with running(*words) as server:
        asyncio.run(closed_load(server.port, requests, clients, seconds / 5))
        return asyncio.run(closed_load(server.port, requests, clients, seconds))


def start_times(args: argparse.Namespace) -> None:
    """Print the time from the command to being ready."""
    for _ in range(3):
        with running() as server:
            print(f"start to ready, all tasks: {server.seconds:.2f} s, {server.megabytes:.0f} MB")


def rates(args: argparse.Namespace) -> None:
    """Print the rates of sentiment and mnist, batched and one at a time."""
    long = [" ".join(random.choices(REVIEWS, k=15)) for _ in range(20)]  # about 200 words, as a review of IMDB
    kinds = (("sentiment", "", REVIEWS), ("sentiment", " of 200 words", long), ("mnist", "", None))
    for task, about, inputs in kinds:
        requests = digits() if inputs is None else texts(task, inputs)
        for name, words in (("batched", ()), ("one at a time", ALONE)):
            found = busy(requests, CLIENTS, args.seconds, task, *words)
            print(f"{task}{about}, {CLIENTS} clients, {name:13}: {summary(found, args.seconds)}")


def translations(args: argparse.Namespace) -> None:
    """Print the rate of translations with 16 clients."""
    found = busy(texts("translate", SENTENCES, beam=5), 16, args.seconds, "translate")
    print(f"translate, beam 5, 16 clients: {summary(found, args.seconds)}")


def overload(args: argparse.Namespace) -> None:
    """Print times at half the capacity of translate, and at three times of it.

    The capacity is that of a server whose queue has a place for every client: one that refuses has less left to answer.
    """
    requests = texts("translate", SENTENCES, beam=5)

    async def next_one(connection: Connection) -> Reply:
        return await connection.ask(random.choice(requests))

    found = busy(requests, 16, args.seconds, "translate")
    capacity = sum(one.status == 200 for one in found) / args.seconds
    with running("translate", "--queue", str(args.queue)) as server:
        print(f"translate, capacity {capacity:.1f} a second, at most {args.queue} wait")
        for load in (0.5, TIMES):
            found = asyncio.run(open_load(server.port, load * capacity, args.seconds, next_one))
            print(f"{load:g} times the capacity: {summary(found, args.seconds)}")


def soak(args: argparse.Namespace) -> None:
    """Print what becomes of all tasks under mixed load with bad requests and clients that leave."""
    chance = random.Random(1)
    good = [*texts("sentiment", REVIEWS), *digits(), *texts("translate", SENTENCES)]

    async def next_one(connection: Connection) -> Reply:
        content = chance.choice(bad_requests() if chance.random() < BAD else good)
        return await connection.ask(content, chance.random() / 10 if chance.random() < LEAVING else None)

    with running() as server:
        capacity = len(asyncio.run(closed_load(server.port, good, CLIENTS, args.seconds))) / args.seconds
        found, sizes = list[Reply](), list[float]()
        for _ in range(max(2, round(2 * args.minutes))):
            seconds = 30.0 if args.minutes >= 1 else 30 * args.minutes
            found += asyncio.run(open_load(server.port, capacity / 2, seconds, next_one))
            sizes.append(server.megabytes)
            print(
                f"{capacity / 2:.1f} a second: {summary(found, seconds * len(sizes))}, {sizes[-1]:.1f} MB", flush=True
            )
    failed = sum(one.status >= 500 or one.status < 0 for one in found)
    print(
        f"failed or unanswered: {failed}; memory {sizes[0]:.1f} to {sizes[-1]:.1f} MB ({sizes[-1] / sizes[0] - 1:+.1%})"
    )


PARTS = {"start": start_times, "rates": rates, "translate": translations, "overload": overload, "soak": soak}


def main() -> None:
    """Measure what is asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all if none is given")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each measurement")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the soak")
    parser.add_argument("--queue", type=int, default=16, help="inputs that wait, in the overload")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # which ends the server too
    for part in args.parts or PARTS:
        PARTS[part](args)


if __name__ == "__main__":
    main()

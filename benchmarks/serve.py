"""Speed of the server: start, requests a second with and without batching, overload, and a soak.

Clients are coroutines of one process, each with a connection that it keeps; they share the machine with the server.

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
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

import tasks
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


class Reply(NamedTuple):
    """Status of a response, 0 if the client left before it came, and its seconds."""

    status: int
    seconds: float


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


def request(method: str, path: str, content: bytes = b"", kind: str = "application/json") -> bytes:
    """Return a request as it is sent."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


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


class Connection:
    """A connection that is kept from one request to the next."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, content: bytes, leave: float | None = None) -> Reply:
        """Send a request and return what comes back; with `leave`, go away after so many seconds."""
        start = time.perf_counter()
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.streams
        writer.write(content)
        if leave is not None:
            await asyncio.sleep(leave)
            self.close()
            return Reply(0, time.perf_counter() - start)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(re.findall(rb"content-length: (\d+)", head)[0]))
        if b"connection: close" in head:
            self.close()
        return Reply(int(head.split(b" ", 2)[1]), time.perf_counter() - start)

    def close(self) -> None:
        """Go away."""
        if self.streams:
            self.streams[1].close()
        self.streams = None


async def ask(port: int, content: bytes) -> Reply:
    """Send one request."""
    connection = Connection(port)
    try:
        return await connection.ask(content)
    finally:
        connection.close()


async def closed_load(port: int, requests: Sequence[bytes], clients: int, seconds: float) -> list[Reply]:
    """Return the replies to clients that each send a request as soon as they have the reply to the one before."""
    end, found = time.perf_counter() + seconds, list[Reply]()

    async def client(number: int) -> None:
        connection = Connection(port)
        while time.perf_counter() < end:
            found.append(await connection.ask(requests[number % len(requests)]))
            number += 1
        connection.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return found


async def open_load(
    port: int, rate: float, seconds: float, ask_next: Callable[[Connection], Awaitable[Reply]]
) -> list[Reply]:
    """Return the replies to requests that come at a rate, whether or not earlier ones are answered."""
    free, found, going = list[Connection](), list[Reply](), set[asyncio.Task[None]]()

    async def one() -> None:
        connection = free.pop() if free else Connection(port)
        try:
            found.append(await ask_next(connection))
        except (OSError, asyncio.IncompleteReadError):
            connection.close()
            found.append(Reply(-1, 0.0))
        free.append(connection)

    start = time.perf_counter()
    for number in range(round(rate * seconds)):
        await asyncio.sleep(start + number / rate - time.perf_counter())
        task = asyncio.create_task(one())
        going.add(task)
        task.add_done_callback(going.discard)
    if going:
        _, unanswered = await asyncio.wait(going, timeout=60)
        found += [Reply(-1, 0.0)] * len(unanswered)
    for connection in free:
        connection.close()
    return found


def summary(found: Sequence[Reply], seconds: float) -> str:
    """Return rate, times and statuses of some replies."""
    times = np.array([one.seconds for one in found if one.status == 200] or [0.0])
    p50, p99 = 1000 * np.quantile(times, [0.5, 0.99])
    statuses = dict(sorted(Counter(one.status for one in found).items()))
    answered = statuses.get(200, 0) / seconds
    return f"{answered:8.1f} a second, p50 {p50:7.1f} ms, p99 {p99:7.1f} ms, statuses {statuses}"


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
            with running(task, *words) as server:
                asyncio.run(closed_load(server.port, requests, CLIENTS, args.seconds / 5))
                found = asyncio.run(closed_load(server.port, requests, CLIENTS, args.seconds))
            print(f"{task}{about}, {CLIENTS} clients, {name:13}: {summary(found, args.seconds)}")


def translations(args: argparse.Namespace) -> None:
    """Print the rate of translations with 16 clients."""
    with running("translate") as server:
        requests = texts("translate", SENTENCES, beam=5)
        asyncio.run(closed_load(server.port, requests, 16, args.seconds / 5))
        found = asyncio.run(closed_load(server.port, requests, 16, args.seconds))
    print(f"translate, beam 5, 16 clients: {summary(found, args.seconds)}")


def overload(args: argparse.Namespace) -> None:
    """Print times at half the capacity of translate, and at three times of it."""
    requests = texts("translate", SENTENCES, beam=5)

    async def next_one(connection: Connection) -> Reply:
        return await connection.ask(random.choice(requests))

    with running("translate", "--queue", str(args.queue)) as server:
        found = asyncio.run(closed_load(server.port, requests, 16, args.seconds))
        capacity = len([one for one in found if one.status == 200]) / args.seconds
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

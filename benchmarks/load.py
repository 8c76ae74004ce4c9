"""Clients of a server under load: coroutines of one process, each with a connection that it keeps."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import numpy as np


class Reply(NamedTuple):
    """Status of a response, 0 if the client left before it came, and its seconds."""

    status: int
    seconds: float


def request(method: str, path: str, content: bytes = b"", kind: str = "application/json") -> bytes:
    """Return a request as it is sent."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


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

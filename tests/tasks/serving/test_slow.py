"""Clients that read slowly, or not at all."""

import asyncio
import threading
import time

import pytest
import uvicorn

from tasks.serving.slow import timed_protocol

SIZE = 40_000_000  # bytes; what the system keeps for a client is less
ASK = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def large(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(SIZE).encode())]})
    await send({"type": "http.response.body", "body": bytes(SIZE)})


@pytest.fixture
def server():
    """Return a server with a large answer, that waits 0.3 s."""
    made = uvicorn.Server(
        uvicorn.Config(large, port=0, http=timed_protocol(0.3), lifespan="off", log_level="error", ws="none")
    )
    thread = threading.Thread(target=made.run)
    thread.start()
    while not made.started:
        time.sleep(0.01)
    yield made
    made.should_exit = made.force_exit = True
    thread.join(10)
    assert not thread.is_alive()


def port_of(server):
    return server.servers[0].sockets[0].getsockname()[1]


async def read(port, part, pause, seconds):
    """Return how many bytes come to a client that reads parts, with a pause before each, for some seconds at most."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    writer.write(ASK)
    count, end = 0, time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            await asyncio.sleep(pause)
            if not (content := await reader.read(part)):
                break
            count += len(content)
    except ConnectionError:
        pass
    writer.close()
    return count


def test_a_client_that_reads_nothing_is_given_up(server):
    async def ask():
        _, writer = await asyncio.open_connection("127.0.0.1", port_of(server), limit=1024)
        writer.write(ASK)
        await asyncio.sleep(0.1)
        assert len(server.server_state.connections) == 1
        async with asyncio.timeout(5):
            while server.server_state.connections:
                await asyncio.sleep(0.05)
        writer.close()

    asyncio.run(ask())


@pytest.mark.slow
def test_a_client_that_reads_slowly_gets_all(server):
    assert asyncio.run(read(port_of(server), 1_000_000, 0.02, 20)) > SIZE

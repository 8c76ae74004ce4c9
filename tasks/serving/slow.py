"""Connections of clients that do not say what they want, or do not take what they asked for."""

from __future__ import annotations

import asyncio
import math
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol


def timed_protocol(seconds: float) -> type[asyncio.Protocol]:
    """Return the protocol of a server that closes connections on which nothing happens for some seconds.

    Those are connections whose next request has no whole head, and those whose client reads nothing of a response.
    """

    class TimedProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
        timer: asyncio.TimerHandle | None = None
        unsent = math.inf  # bytes that the client had not read at the last look
        cycle: Any

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            self.wait_for_head()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.look()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self.look()

        def connection_lost(self, exc: Exception | None) -> None:
            self.stop_waiting()
            super().connection_lost(exc)

        def look(self) -> None:
            """Wait for the next head if there is no request."""
            if self.cycle is None or self.cycle.response_complete:
                self.wait_for_head()
            else:
                self.stop_waiting()

        def wait_for_head(self) -> None:
            """Begin to wait, unless that is so already."""
            if self.timer is None:
                self.timer = asyncio.get_running_loop().call_later(seconds, self.give_up)

        def stop_waiting(self) -> None:
            """Wait no longer."""
            if self.timer is not None:
                self.timer.cancel()
            self.timer = None

        def give_up(self) -> None:
            """Close the connection, unless it has a request by now, or its client reads a response."""
            self.timer = None
            if self.cycle is not None and not self.cycle.response_complete:
                return
            before, self.unsent = self.unsent, self.transport.get_write_buffer_size()
            if 0 < self.unsent < before:
                self.wait_for_head()
            else:
                self.transport.abort()

    return TimedProtocol

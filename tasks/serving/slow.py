"""Connections of clients that do not say what they want."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol


def timed_protocol(seconds: float) -> type[asyncio.Protocol]:
    """Return the protocol of a server that closes a connection whose next request has no whole head after a time."""

    class TimedProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
        timer: asyncio.TimerHandle | None = None
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
            """Close the connection, unless it has a request by now."""
            self.timer = None
            if self.cycle is None or self.cycle.response_complete:
                self.transport.close()

    return TimedProtocol

"""What every request passes: who may ask, how much is taken at once, what the log and the headers say."""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.responses import JSONResponse

from tasks.engine.config import JsonObject
from tasks.serving.app import FAILED, LEFT, State
from tasks.serving.errors import RefusedError
from tasks.serving.log import write_line

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
OPEN = ("/health", "/ready")  # what anyone may ask beside the page
PRIVATE = ("/v1/", "/metrics", "/openapi.json")  # what takes a token, if there is one
MOST = 512  # requests at once
HELD = 256_000_000  # bytes of requests at once
HEADERS = [
    (b"content-security-policy", b"default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class Gate:
    """An application around another.

    Args:
        names: Host names that a client may use; others are refused, so that no other page reaches a server on the
            loopback interface by a name of its own. `None` takes all.
        token: What the header `Authorization: Bearer` must have, if anything.
        logs: Whether to write a line of JSON about each request to standard error.
    """

    def __init__(self, app: App, state: State, names: tuple[str, ...] | None, token: str | None, logs: bool) -> None:
        self.app, self.state, self.names, self.token, self.logs = app, state, names, token, logs
        self.count = self.held = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Passing(scope, receive, send, self)
        self.count += 1
        try:
            self.check(scope)
            await self.app(scope, request.receive, request.send)
        except RefusedError as error:
            await request.refuse(error)
        except Exception as error:  # whatever it is, the client gets a sentence, and the log its kind
            request.kind = type(error).__name__
            await request.refuse(FAILED)
        finally:
            self.count -= 1
            self.held -= request.size
            self.note(request)

    def check(self, scope: Message) -> None:
        """Raise `RefusedError` unless a request may pass."""
        headers = {name.lower(): value for name, value in scope["headers"]}
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if self.names and host.rsplit(":", 1)[0] not in self.names and host not in self.names:
            raise RefusedError(421, "host", "This server answers under its own name only.")
        if self.token and scope["path"].startswith(PRIVATE) and scope["method"] != "OPTIONS":
            given = headers.get(b"authorization", b"").decode("latin-1")
            if not hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode()):
                raise RefusedError(
                    401,
                    "token",
                    "The header `Authorization: Bearer` has no valid token.",
                    {"WWW-Authenticate": "Bearer"},
                )
        if self.count > MOST and scope["path"] not in OPEN:
            raise RefusedError(429, "busy", "Too many requests at once; try again in 1 s.", {"Retry-After": "1"})

    def note(self, request: Passing) -> None:
        """Count a request, and write its line of the log; it has nothing of what was asked."""
        seconds = time.monotonic() - request.start
        path = request.scope["path"]
        task = path.removeprefix("/v1/") if path.startswith("/v1/") else ""
        task = task if task in self.state.served else ""
        if task:
            self.state.metrics.request(task, request.status, seconds)
        if self.logs:
            line: JsonObject = {"method": request.scope["method"]}
            line |= {"task": task} if task else {"path": path[:100]}
            line |= {"status": request.status, "ms": round(1000 * seconds, 2)}
            state = request.scope.get("state", {})
            line |= {"batch": state["batch"]} if state.get("batch") else {}
            line |= {"error": request.kind} if request.kind else {}
            write_line(line)


class Passing:
    """A request on its way through.

    Attributes:
        size: Bytes of its body so far.
        status: Status of the response; 499 if there is none.
        kind: Kind of an unforeseen error.
    """

    def __init__(self, scope: Message, receive: Receive, send: Send, gate: Gate) -> None:
        self.scope, self.inner_receive, self.inner_send, self.gate = scope, receive, send, gate
        self.start, self.size, self.status, self.kind = time.monotonic(), 0, LEFT, ""

    async def receive(self) -> Message:
        """Return the next message of the client; a body counts against what the server holds."""
        message = await self.inner_receive()
        size = len(message.get("body", b""))
        self.size += size
        self.gate.held += size
        if self.gate.held > HELD and self.size > 0:
            raise RefusedError(429, "busy", "Too much is sent at once; try again in 1 s.", {"Retry-After": "1"})
        return message

    async def send(self, message: Message) -> None:
        """Send a message to the client, with the headers of all."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.status == LEFT:
                return
            message["headers"] = [*message.get("headers", []), *HEADERS]
        if self.status != LEFT:
            await self.inner_send(message)

    async def refuse(self, error: RefusedError) -> None:
        """Send an error, unless a response has begun."""
        if self.status == LEFT:
            await JSONResponse(error.state(), error.status, error.headers)(self.scope, self.inner_receive, self.send)

"""From the command `serve` to a server that ends cleanly."""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import uvicorn
from starlette.middleware.cors import CORSMiddleware

import tasks
from tasks.engine.config import SettingError
from tasks.engine.signals import ENDING
from tasks.serving.app import State, build
from tasks.serving.gate import LOOPBACK, App, Gate
from tasks.serving.log import log_as_json
from tasks.serving.metrics import Metrics
from tasks.serving.service import Limits, Served
from tasks.serving.slow import timed_protocol

LOG = logging.getLogger("serving")
BACKLOG = 1024  # connections that wait to be taken
EVERY = 2.0  # seconds between two looks for new runs


class Address(NamedTuple):
    """Where a server listens, and who may ask.

    Attributes:
        port: 0 is a free one.
        token: What clients must send; `None` takes all, on a loopback address alone.
        origins: Pages of other servers that may ask, such as `https://example.org`.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    origins: tuple[str, ...] = ()


class Server(uvicorn.Server):
    """A server that refuses what waits as soon as it is asked to end, and answers what it has begun."""

    def __init__(self, config: uvicorn.Config, state: State) -> None:
        super().__init__(config)
        self.state = state

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit, self.should_exit = self.should_exit, True  # a second signal ends it at once

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.state.close()  # here, and not in the midst of whatever a signal interrupts
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is threading.main_thread():
            ENDING.hand_over(self.handle_exit)
        yield


def is_loopback(host: str) -> bool:
    """Return whether an address is reached from this machine alone.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0")
        (True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def serve(
    names: Sequence[str],
    run_of: Mapping[str, Path],
    address: Address,
    limits: Limits,
    *,
    watch: bool = False,
    logs: bool = True,
    say: Callable[[str], None] = print,
) -> None:
    """Answer over HTTP until a signal ends it: what is being answered is, what waits is told.

    Args:
        names: Tasks; none is all of them.
        run_of: Run directories, bundles, or names of runs that ship, by task; others answer with the run that
            ended last.
        watch: If true, a run that ends later below `runs/` takes over, unless `run_of` names the task.
        logs: If true, the log on standard error has a line about each request; it always has warnings and errors.
        say: Gets the line that names the address.

    Raises:
        SettingError: A task or a run is not known, or the token is missing or cannot be sent.
        FileNotFoundError, RunError: There is no such run, or it is damaged.
        OSError: The address cannot be used.
    """
    chosen = list(dict.fromkeys(names or tasks.names()))
    for name in (*chosen, *run_of):
        tasks.check(name)
    if unserved := next((name for name in run_of if name not in chosen), None):
        raise SettingError(f"`--run` names {unserved!r}, which is not among the tasks to serve.")
    if not address.token and not is_loopback(address.host):
        raise SettingError(f"{address.host!r} is open to other machines; `--token` keeps strangers out.")
    check_token(address.token or "")
    listener = bound_socket(address)
    with listener:
        metrics = Metrics()
        served = {name: Served(name, run_of.get(name), limits, metrics) for name in chosen}
        state = State(served, limits, metrics)
        logging.getLogger("tasks").setLevel(logging.ERROR)  # notices are about inputs, which no log should have
        log_as_json()
        host, port = listener.getsockname()[:2]
        own = (*LOOPBACK, address.host.lower()) if is_loopback(address.host) else None
        gate = Gate(build(state, bool(address.token)), state, own, address.token, logs)
        config = uvicorn.Config(
            with_origins(gate, address.origins), log_config=None, log_level="warning", access_log=False,
            server_header=False,
            lifespan="off", ws="none", proxy_headers=False,
            timeout_graceful_shutdown=int(limits.seconds) + 1, timeout_keep_alive=30,
            http=timed_protocol(limits.seconds),
        )  # fmt: skip
        server = Server(config, state)
        threading.Thread(target=warm, args=(state,), daemon=True).start()
        if watch:
            watched = [one for name, one in served.items() if name not in run_of]
            threading.Thread(target=watch_runs, args=(watched, state), daemon=True).start()
        said = f"[{host}]" if ":" in host else host
        say(f"Serving {', '.join(chosen)} at http://{said}:{port}")
        server.run([listener])


def check_token(token: str) -> None:
    """Raise `SettingError` unless a header can carry a token as it is; the error does not show it."""
    if not (token.isascii() and token.isprintable() and token == token.strip()):
        raise SettingError("`--token` must be printable ASCII characters, without a space at either end.")


def with_origins(app: App, origins: Sequence[str]) -> App:
    """Return an application that pages of other servers may ask, if some are named."""
    if not origins:
        return app
    return CORSMiddleware(
        app, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=["Authorization", "Content-Type"]
    )


def bound_socket(address: Address) -> socket.socket:
    """Return a socket at an address.

    Raises:
        OSError: The address is in use, or is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
        listener.listen(BACKLOG)  # who comes before the server has begun waits
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise OSError(
            error.errno or 0, f"{reason}; `--port` takes another, and 0 a free one", f"{address.host}:{address.port}"
        ) from error
    return listener


def warm(state: State) -> None:
    """Let every run answer once, and say that the server is ready."""
    for served in state.served.values():
        try:
            served.warm(served.pipeline)
        except Exception as error:
            LOG.error("%s does not answer: %s", served.name, error)
            return
    state.ready = True


def watch_runs(watched: Sequence[Served], state: State) -> None:
    """Let newly finished runs take over, until the server ends."""
    failed = set[str]()
    while not state.closing:
        time.sleep(EVERY)
        for served in watched:
            try:
                if pipeline := served.newest():
                    served.take(pipeline)
                    LOG.warning("%s answers from %s now.", served.name, os.path.basename(pipeline.run))
            except Exception as error:  # a run that is being written, or is damaged: the one before goes on
                said = f"{served.name}: a new run cannot be served: {error}"
                if said not in failed:
                    LOG.error("%s", said)
                failed.add(said)

"""Machines that work together: a cluster of Ray, on this machine or another."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data.packages import check_packages
from data.splits import UnavailableError
from tasks.engine.signals import ENDING

LOCAL = "local"
LONGEST = 30  # characters of a folder below which Ray may have its sockets
QUIET = {  # for the processes of a local cluster, unless the user has set them
    "RAY_USAGE_STATS_ENABLED": "0",  # it would send figures to its makers
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


class LostWorkerError(RuntimeError):
    """A process that works for this one is gone, for good."""

    exit_code = 71


@contextmanager
def connected(use: str, address: str, processes: int, *rubbish: Path) -> Iterator[None]:
    """Connect to a cluster, or start one that ends with this process, for a `with` statement.

    What its processes print stays in the logs of Ray.

    Args:
        use: What needs it, as a sentence begins.
        address: `"local"` starts one on this machine; `"auto"` finds the one that this machine belongs to; or
            `HOST:PORT` of its head.
        processes: Processes that will work at the same time; a local cluster takes them, however few cores there are.
        rubbish: Folders to remove at the end.

    Raises:
        MissingPackageError: Ray is not installed.
        UnavailableError: There is no cluster at the address.
    """
    check_packages(use, "ray")
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    logging.getLogger("ray").setLevel(logging.ERROR)
    own: dict[str, Any] = {}
    if address == LOCAL:
        usual = tempfile.gettempdir()
        folder = Path(tempfile.mkdtemp(prefix="ray-", dir=usual if len(usual) <= LONGEST else "/tmp"))
        own = {"num_cpus": max(processes, os.cpu_count() or 1), "include_dashboard": False, "_temp_dir": str(folder)}
        rubbish = (*rubbish, folder)

    def end() -> None:
        ray.shutdown()
        for one in rubbish:
            shutil.rmtree(one, ignore_errors=True)

    try:
        check_answers(address)
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False, **own)
    except (ConnectionError, OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise UnavailableError(
            f"{use} finds no cluster of Ray at {address!r} ({reason}); start one with `ray start --head`, set "
            "RAY_AUTH_MODE=token if it asks for a token, or leave out --address to work on this machine."
        ) from error
    ENDING.last = end
    try:
        yield
    finally:
        ENDING.hold()  # Ray takes signals too, and raises errors after them
        ENDING.last = lambda: None
        end()


def check_answers(address: str) -> None:
    """Raise `OSError` if nothing listens at `HOST:PORT`, which Ray would wait for during minutes."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()

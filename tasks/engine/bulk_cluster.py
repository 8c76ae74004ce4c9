"""Answers to very many inputs by Ray Data, on a cluster.

One task reads the inputs on the machine of the command, as fast as they are answered; actors, each with the networks of
the run, answer chunks of them; the chunks come back in order. Blocks of Ray Data have one chunk each.
"""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path
from socket import gethostname
from typing import Any

import numpy as np

from tasks.engine.bulk_inputs import Request
from tasks.engine.cluster import LostWorkerError, connected
from tasks.engine.config import Json
from tasks.engine.facts import notices
from tasks.engine.items import Item
from tasks.engine.parts import Done, chunks_after
from tasks.engine.terminal import EXITS
from tasks.engine.workers import Answered, Answerer, Failure, Order, Piece

CHUNK = "chunk"  # the column of the blocks
QUIET = {  # beside those of `connected`
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # it calls an error that actors may not begin anew
    "RAY_DISABLE_FAILURE_SIGNAL_HANDLER": "1",  # it prints where a command was that a signal ends
}


def batch_of(content: Json) -> dict[str, list[str]]:
    """Return a batch of one row; a block of Ray Data holds texts better than objects."""
    return {CHUNK: [json.dumps(content)]}


def content_of(batch: Any) -> Json:
    """Return what a batch holds."""
    return json.loads(batch[CHUNK][0])


def packed(piece: Piece) -> Json:
    """Return a piece as JSON types."""
    items = [
        (item.value, item.error, dict(item.about), str(item.inside), None if item.content is None else array_of(item))
        for item in piece.items
    ]
    return {"items": items, "notices": list(piece.notices), "failure": piece.failure}


def array_of(item: Item) -> Json:
    """Return the array that an item holds as JSON types."""
    array = np.ascontiguousarray(item.content)
    return [array.dtype.str, array.shape, array.tobytes().hex()]


def unpacked(found: Json) -> Piece:
    """Return the piece that `packed` returned as JSON types."""
    items = [
        Item(value, error, about, Path(inside), None if array is None else array_from(*array))
        for value, error, about, inside, array in found["items"]
    ]
    return Piece(items, found["notices"], failure_of(found))


def array_from(kind: str, shape: list[int], content: str) -> np.ndarray:
    """Return the array that `array_of` returned as JSON types."""
    return np.frombuffer(bytes.fromhex(content), kind).reshape(shape)


def failure_of(found: Json) -> Failure | None:
    """Return the error in JSON types, if there is one."""
    return Failure(*found["failure"]) if found["failure"] else None


class Actor:
    """An `Answerer` as Ray Data calls it."""

    def __init__(self, order: Order) -> None:
        self.answerer = Answerer(order)
        self.lacks = enter(order)

    def __call__(self, batch: Any) -> dict[str, list[str]]:
        """Return what becomes of the chunk in a batch."""
        piece = unpacked(content_of(batch))
        return batch_of(self.answerer(piece._replace(failure=piece.failure or self.lacks))._asdict())


def enter(order: Order) -> Failure | None:
    """Enter the folder that relative paths begin at; where it is missing, return why a process cannot answer."""
    if order.here.is_dir():
        os.chdir(order.here)
        return None
    text = f"{gethostname()} has no folder {str(order.here)!r}; begin in a folder that all machines share."
    return Failure("FileNotFoundError", text, EXITS[FileNotFoundError])


def read_pieces(order: Order, request: Request, done: Done) -> Iterator[Piece]:
    """Yield the chunks after those that are done; an error ends them, and is a piece of its own."""
    enter(order)
    with notices() as said:
        try:
            for chunk in chunks_after(request.chunks(order.pipeline(), order.out), done):
                yield Piece(chunk, said[:])
                said.clear()
        except Exception as error:
            yield Piece([], said[:], Failure.of(error))


def answers_of_cluster(
    order: Order, request: Request, done: Done, workers: int, address: str
) -> Generator[Answered, None, None]:
    """Yield what becomes of the chunks after those that are done, in order, answered by some actors of a cluster.

    Args:
        address: As for `connected`.

    Raises:
        MissingPackageError: Ray is not installed.
        UnavailableError: There is no cluster at the address.
        LostWorkerError: The cluster could not end the work.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    with connected("`predict --address`", address, workers):
        import ray
        import ray.data

        logging.getLogger("ray.data").setLevel(logging.ERROR)  # it tells how it goes about its work
        try:
            for batch in answered_batches(order, request, done, workers):
                found = content_of(batch)
                yield Answered(**found | {"failure": failure_of(found)})
        except ray.exceptions.RayError as error:
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
            raise LostWorkerError(f"The cluster of Ray has given up ({reason})") from error


def answered_batches(order: Order, request: Request, done: Done, workers: int) -> Iterator[Any]:
    """Yield a batch of Ray Data for each chunk, in order."""
    import ray
    from ray.data.block import BlockAccessor, BlockMetadata

    def read() -> Iterator[Any]:
        for piece in read_pieces(order, request, done):
            yield BlockAccessor.batch_to_block(batch_of(packed(piece)))

    class Inputs(ray.data.Datasource):
        """The inputs, read by one task on the machine of the command."""

        supports_distributed_reads = False

        def estimate_inmemory_data_size(self) -> None:
            """Return that the size is not known."""

        def get_read_tasks(self, *_: Any, **__: Any) -> list[Any]:
            """Return the task."""
            return [ray.data.ReadTask(read, BlockMetadata(None, None, None, None))]

    context = ray.data.DataContext.get_current()
    context.target_max_block_size = 1  # byte: a block ends after each row
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    inputs = ray.data.read_datasource(Inputs(), override_num_blocks=1, num_cpus=0)
    actors = ray.data.ActorPoolStrategy(size=workers)
    found = inputs.map_batches(Actor, batch_size=1, compute=actors, num_cpus=1, fn_constructor_args=[order])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The minimum number of concurrent actors", UserWarning)  # of few inputs
        yield from found.iter_batches(batch_size=1, batch_format="numpy")

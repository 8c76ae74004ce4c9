"""Processes that answer chunks of inputs: each has the ONNX networks of a run, and one thread."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from socket import gethostname
from threading import Thread
from typing import Any, NamedTuple

import numpy as np

from tasks.engine import runs
from tasks.engine.cluster import LostWorkerError
from tasks.engine.config import JsonObject, answering_settings
from tasks.engine.facts import notices
from tasks.engine.items import Item
from tasks.engine.load import checksums, open_network, restored_pipeline
from tasks.engine.members import RunError
from tasks.engine.outcome import Tally
from tasks.engine.predict import outcomes
from tasks.engine.task import Pipeline, Task
from tasks.engine.terminal import WorkError, exit_code, sentence

LOG = logging.getLogger("tasks")
AHEAD = 4  # chunks of a process that are read and not yet printed
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # what libraries below NumPy obey

TRACKER = "ignore::UserWarning:multiprocessing.resource_tracker"  # it says what it cleans up after a command that ended


class Failure(NamedTuple):
    """An error as it is sent to another process: its class, its text, and its exit code."""

    kind: str
    text: str
    code: int

    @classmethod
    def of(cls, error: Exception) -> Failure:
        """Return what is sent of an error."""
        code = exit_code(error)
        return cls(type(error).__name__, str(error) if code == 1 else sentence(error), code)

    def error(self) -> WorkError:
        """Return the error to raise in place of it."""
        return WorkError(self.text if self.code != 1 else f"{self.kind}: {self.text}", self.code)


class Piece(NamedTuple):
    """A chunk of items on its way to a process, with notices of the reading, or the error that ended it."""

    items: Sequence[Item]
    notices: Sequence[str] = ()
    failure: Failure | None = None


class Answered(NamedTuple):
    """What a process made of a chunk.

    Attributes:
        lines: Outcomes, ready to print.
        tally: State of a `Tally` of them.
        notices: What was said on the way.
        digest: SHA-256 of the items.
        failure: The error that ends the command, if any.
    """

    lines: Sequence[str]
    tally: JsonObject
    notices: Sequence[str]
    digest: str
    failure: Failure | None = None


class Order(NamedTuple):
    """What a process needs to answer as this one does: JSON types and paths.

    Attributes:
        task: Name of the task.
        run: Run directory.
        ships: If true, the run ships with the package, which other machines may have elsewhere.
        sums: Check sums that the run keeps of its files.
        settings: Settings that say how inputs are answered.
        wanted: Settings that selected the run, as in `Pipeline`.
        out: Where answers are files, the file or folder to write.
        plain: If true, lines are bare answers.
        here: Current directory, which relative paths begin at.
    """

    task: str
    run: Path
    ships: bool
    sums: JsonObject
    settings: JsonObject
    wanted: JsonObject | None
    out: Path | None
    plain: bool
    here: Path

    @classmethod
    def of(cls, pipeline: Pipeline[Any], out: Path | None, plain: bool) -> Order:
        """Return the order to answer as a pipeline does."""
        task, run = pipeline.task.name, pipeline.run
        ships, settings = run in runs.pretrained_runs(task), answering_settings(pipeline.config)
        return cls(task, run, ships, checksums(run), settings, pipeline.wanted, out, plain, Path.cwd())

    def pipeline(self) -> Pipeline[Any]:
        """Return the pipeline, with a network that uses one core.

        Raises:
            RunError: The run is another one here.
        """
        own = {run.name: run for run in runs.pretrained_runs(self.task)} if self.ships else {}
        run = own.get(self.run.name, self.run)
        task: Task[Any] = import_module(f"..{self.task}.pipeline", __package__).TASK
        found = open_network(restored_pipeline(task, run, self.settings), cores=1)
        if checksums(run) != self.sums:
            raise RunError(f"{str(run)!r} on {gethostname()} is not the run of this command; copy it there anew.")
        return replace(found, wanted=self.wanted)


class Answerer:
    """A pipeline in a process of its own; it is loaded when the first chunk comes."""

    def __init__(self, order: Order) -> None:
        self.order = order
        LOG.addHandler(logging.NullHandler())  # notices are sent back
        LOG.propagate = False

    @cached_property
    def pipeline(self) -> Pipeline[Any]:
        """The pipeline."""
        return self.order.pipeline()

    def __call__(self, piece: Piece) -> Answered:
        """Return what becomes of a chunk; an error that ends the command is a part of it."""
        with notices() as said:
            try:
                if piece.failure:
                    return Answered([], {}, piece.notices, "", piece.failure)
                tally, lines = Tally(self.pipeline.task), list[str]()
                for outcome in outcomes(self.pipeline, piece.items, self.order.out, False):
                    tally.add(outcome)
                    lines.append(outcome.line(self.order.plain))
                return Answered(lines, tally.state(), [*piece.notices, *said], digest(piece.items))
            except Exception as error:
                return Answered([], {}, [*piece.notices, *said], "", Failure.of(error))


def digest(items: Iterable[Item]) -> str:
    """Return a SHA-256 of items: what is shown of them, what is beside them, and content that is not a file."""
    total = sha256()
    for item in items:
        total.update(repr((item.value, item.error, *item.about.items())).encode("utf-8", "surrogatepass"))
        if item.content is not None:
            total.update(np.ascontiguousarray(item.content).tobytes())
    return total.hexdigest()


OWN: list[Answerer] = []  # in a process that answers: the one that does


def begin(order: Order) -> None:
    """Begin a process that answers; it ends as soon as its parent does, however that ends."""
    Thread(target=end_with_parent, daemon=True).start()
    OWN.append(Answerer(order))


def end_with_parent() -> None:
    """Wait for the end of the parent, and end this process."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def answered(piece: Piece) -> Answered:
    """Return what becomes of a chunk in this process."""
    return OWN[0](piece)


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C in the terminal does not reach, for a `with` statement; the parent ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def answers_of_processes(
    order: Order, chunks: Iterable[Sequence[Item]], workers: int
) -> Generator[Answered, None, None]:
    """Yield what becomes of chunks, in order, answered by some processes of this machine.

    At most `AHEAD` chunks of each process are read and not yet yielded.

    Raises:
        LostWorkerError: A process has ended.
    """
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    for name in THREADS:
        os.environ.setdefault(name, "1")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [os.environ.get("PYTHONWARNINGS"), TRACKER]))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=begin, initargs=(order,)) as pool:
        waiting = deque[Future[Answered]]()
        try:
            for chunk in chunks:
                with without_interrupts():
                    waiting.append(pool.submit(answered, Piece(chunk)))
                if len(waiting) == AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise LostWorkerError("A process that answered has ended, perhaps for want of memory") from error
        finally:
            for future in waiting:
                future.cancel()

"""Requests that wait for an answer, taken together where they can be."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any


class FullError(Exception):
    """Too many inputs wait.

    Attributes:
        seconds: Whole seconds after which there will probably be room.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__("Too many inputs wait.")
        self.seconds = seconds


class ClosedError(Exception):
    """The server is ending."""


class LateError(Exception):
    """Nobody waits for an answer any more: its time is over, or its client has left."""


@dataclass(eq=False)
class Job:
    """Inputs of one request, and where their answers go.

    Attributes:
        key: Jobs with equal keys may be answered together.
        deadline: Time of `time.monotonic` at which nobody waits for the answers any more.
        answers: Gets a list with one answer or error for each input, or an error.
        batch: Number of inputs that were answered together.
        is_left: Whether nobody waits for the answers any more.
    """

    inputs: Sequence[Any]
    key: Hashable
    deadline: float
    answers: Future[list[Any]] = field(default_factory=Future)
    begun: float = field(default_factory=time.monotonic)
    batch: int = 0
    is_left: bool = False

    def leave(self) -> None:
        """Tell that nobody waits for the answers any more."""
        self.is_left = True
        self.answers.cancel()

    def is_wanted(self) -> bool:
        """Return whether somebody waits for the answers."""
        return not self.is_left and self.deadline >= time.monotonic()


class Queue:
    """A thread that answers jobs in turn, those of equal keys together.

    A job that is cancelled or late when its turn comes is not computed.

    Args:
        answer: Gets the key and the inputs of some jobs; returns one answer or error for each input. It may call
            `check_wanted` on its way, and passes on the error that this raises.
        most: Largest number of inputs that wait.
        batch: Largest number of inputs that are answered together; a job of more is answered in parts, as long as
            somebody waits for it.
        window: Seconds that a first job waits for others.
        note: Gets the number of inputs of each batch.
    """

    def __init__(
        self,
        answer: Callable[[Hashable, list[Any]], list[Any]],
        most: int,
        batch: int,
        window: float,
        note: Callable[[int], None] = lambda size: None,
    ) -> None:
        self.answer, self.most, self.batch, self.window, self.note = answer, most, batch, window, note
        self.waiting: deque[Job] = deque()
        self.current: list[Job] = []  # what is being answered
        self.changed = threading.Condition()
        self.closed = False
        self.pace = 0.01  # seconds an input, lately
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def __len__(self) -> int:
        """Return the number of inputs that wait."""
        return sum(len(job.inputs) for job in tuple(self.waiting))

    def put(self, job: Job) -> None:
        """Let a job wait for its turn.

        Raises:
            FullError: Too many inputs wait. A job for an empty queue is taken whatever its size.
            ClosedError: The queue is closed.
        """
        with self.changed:
            if self.closed:
                raise ClosedError
            count = len(self)
            if count and count + len(job.inputs) > self.most:
                raise FullError(max(1, math.ceil(count * self.pace)))
            self.waiting.append(job)
            self.changed.notify()

    def leave(self, job: Job) -> None:
        """Tell that nobody waits for the answers of a job any more; it waits and counts no longer."""
        job.leave()
        with self.changed:
            if job in self.waiting:
                self.waiting.remove(job)

    def check_wanted(self) -> None:
        """Raise `LateError` if nobody waits any more for what is being answered."""
        if self.current and not any(job.is_wanted() for job in self.current):
            raise LateError

    def close(self) -> None:
        """Refuse what waits and what comes; what is being answered will be."""
        with self.changed:
            self.closed = True
            refused, self.waiting = self.waiting, deque()
            self.changed.notify()
        for job in refused:
            if job.answers.set_running_or_notify_cancel():
                job.answers.set_exception(ClosedError())

    def work(self) -> None:
        """Answer jobs until the queue is closed."""
        while jobs := self.next_jobs():
            self.current = jobs
            try:
                found = self.answers(jobs)
            except LateError:
                for job in jobs:
                    job.answers.set_exception(LateError())
                continue
            finally:
                self.current = []
            for job in jobs:
                mine, found = found[: len(job.inputs)], found[len(job.inputs) :]
                job.answers.set_result(mine)

    def answers(self, jobs: list[Job]) -> list[Any]:
        """Return the answer or error of each input of some jobs, in parts if they are many.

        Raises:
            LateError: Nobody waits for them any more.
        """
        inputs, found = [item for job in jobs for item in job.inputs], list[Any]()
        for job in jobs:
            job.batch = min(len(inputs), self.batch)
        for start in range(0, len(inputs), self.batch):
            self.check_wanted()
            found += self.found(jobs[0].key, inputs[start : start + self.batch])
        return found

    def found(self, key: Hashable, inputs: list[Any]) -> list[Any]:
        """Return the answer or error of each of some inputs.

        Raises:
            LateError: Nobody waits for them any more.
        """
        start = time.monotonic()
        try:
            found = self.answer(key, inputs)
        except LateError:
            raise
        except Exception as error:  # whatever it is, those who wait must hear of it
            found = [error] * len(inputs)
        self.pace += 0.2 * ((time.monotonic() - start) / len(inputs) - self.pace)
        self.note(len(inputs))
        return found

    def next_jobs(self) -> list[Job]:
        """Return the next jobs to answer together; none once the queue is closed."""
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.waiting or self.closed)
                if self.closed:
                    return []
                end = self.waiting[0].begun + self.window
                while len(self) < self.batch and (left := end - time.monotonic()) > 0:
                    self.changed.wait(left)
                    if self.closed:
                        return []
                jobs = self.taken()
            if jobs:
                return jobs

    def taken(self) -> list[Job]:
        """Take jobs of the first one's key out of the queue, in their order, without those that nobody waits for."""
        if not self.waiting:  # the last one has left meanwhile
            return []
        first, rest, jobs, count = self.waiting[0], deque[Job](), list[Job](), 0
        while self.waiting:
            job = self.waiting.popleft()
            fits = not jobs or count + len(job.inputs) <= self.batch
            if job.key != first.key or not fits:
                rest.append(job)
            elif job.answers.set_running_or_notify_cancel():
                if job.deadline < time.monotonic():
                    job.answers.set_exception(LateError())
                else:
                    jobs.append(job)
                    count += len(job.inputs)
        self.waiting = rest
        return jobs

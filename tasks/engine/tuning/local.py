"""Trials on this machine: each runs in a process of its own, which may crash without the search."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread

from tasks.engine.config import JsonObject
from tasks.engine.signals import ENDING
from tasks.engine.tuning.search import Search, Trial

CODE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); sys.argv[:] = json.loads(sys.argv[2]); "
SHARED = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # of a GPU, by several
THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")  # of the libraries of a trial
MOMENT = 0.2  # seconds
PATIENCE = 3.0  # seconds that a process has to finish its step and keep it
LOG = logging.getLogger("tasks")
Message = JsonObject | None  # `None` is the end of a process
Finish = Callable[[Trial, JsonObject], None]


class Worker:
    """A process that runs one trial after another.

    Args:
        messages: Gets itself and each message of its process.
        environment: Variables of the process beside those of this one.
    """

    def __init__(self, messages: SimpleQueue[tuple[Worker, Message]], environment: Mapping[str, str]) -> None:
        module = f"{__package__}.worker"
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"{CODE}from {module} import main; main()",
                json.dumps(sys.path),
                json.dumps(sys.argv),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env={**environment, **os.environ},
        )
        self.messages = messages
        self.trial: Trial | None = None
        self.reader = Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        """Pass on the messages of the process, and its end."""
        assert self.process.stdout
        with self.process.stdout as lines, suppress(ValueError):  # a process that is killed may leave half a line
            for line in lines:
                self.messages.put((self, json.loads(line)))
        self.messages.put((self, None))

    def send(self, message: JsonObject) -> None:
        """Send a message; the end of a process is met by its reader."""
        assert self.process.stdin
        with suppress(OSError):
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()

    def begin(self, trial: Trial, job: JsonObject) -> None:
        """Begin a trial."""
        self.trial = trial
        self.send(job)

    def ask_to_end(self) -> None:
        """Ask the process to end after the step that a training is taking."""
        with suppress(OSError):
            self.process.terminate()

    def end(self) -> None:
        """Wait for the process to end, and end it if that takes too long."""
        assert self.process.stdin
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(PATIENCE)
        with suppress(OSError):
            self.process.stdin.close()


def run_trials(search: Search, parallel: int, timed: bool, finish: Finish) -> None:
    """Run the trials of a search, so many at the same time.

    Args:
        timed: Whether to measure how long an answer takes.
        finish: Gets each trial that has ended, and how; see `run_trial`.
    """
    messages = SimpleQueue[tuple[Worker, Message]]()
    workers: list[Worker] = []
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3"}
    if parallel > 1:
        environment |= SHARED | dict.fromkeys(THREADS, str(max(1, (os.cpu_count() or 1) // parallel)))
    try:
        while True:
            idle = [worker for worker in workers if not worker.trial]
            while len(workers) - len(idle) < parallel and (trial := search.begin()):
                if not idle:
                    idle.append(Worker(messages, environment))
                    workers.append(idle[0])
                idle.pop().begin(trial, job_of(search, trial, timed))
            if len(idle) == len(workers):
                return
            while not handle(search, workers, messages, finish):
                pass
    finally:
        end_all(workers)


def job_of(search: Search, trial: Trial, timed: bool) -> JsonObject:
    """Return what the process of a trial has to know."""
    return {"task": search.plan.task, "settings": trial.config.state(), "run": str(trial.run), "timed": timed}


def handle(
    search: Search, workers: list[Worker], messages: SimpleQueue[tuple[Worker, Message]], finish: Finish
) -> bool:
    """Wait for a message of a process, do what it asks for, and return whether a trial has ended.

    After a signal, end all processes and this one.
    """
    if ENDING.asked:
        end_all(workers)
        ENDING.leave(ENDING.asked)
    try:
        worker, message = messages.get(timeout=MOMENT)
    except Empty:
        return False
    trial = worker.trial
    if worker not in workers or trial is None:
        return False
    if message is None:
        time.sleep(MOMENT)  # a signal to all processes may not have reached this one yet
        if ENDING.asked:
            return False
        message = {"done": {"failure": death(worker.process.wait()), "every": False}}
    if "notice" in message:
        LOG.warning("%s", message["notice"])
        return False
    if "row" in message:
        worker.send({"decision": search.epoch(trial, message["row"])})
        return False
    worker.trial = None
    if "failure" in message["done"]:  # what has failed may have left its process in a bad state
        workers.remove(worker)
        end_all([worker])
    finish(trial, message["done"])
    return True


def death(code: int) -> str:
    """Return what to say of a process that has ended in a trial."""
    said = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return f"Its process ended with {said}; was there too little memory?"


def end_all(workers: list[Worker]) -> None:
    """End processes, each after the step that it is taking."""
    for worker in workers:
        worker.ask_to_end()
    for worker in workers:
        worker.end()

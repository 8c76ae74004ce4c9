"""A process that runs trials: a job a line on its standard input, messages a line on its standard output.

    {"task": ..., "settings": {...}, "run": ..., "timed": false}          a job
    {"row": {...}}                                                         answered by {"decision": "on"}
    {"notice": ...}
    {"done": {...}}                                                        see `run_trial`

It ends with its standard input: when whoever started it closes that, or is killed.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from queue import SimpleQueue
from threading import Thread
from typing import IO

from tasks.engine.config import JsonObject
from tasks.engine.signals import ENDING
from tasks.engine.terminal import Hush

PASSED_ON = (signal.SIGINT, signal.SIGHUP)  # whoever started this process sends SIGTERM after one of these


def main() -> None:
    """Run trials until standard input ends."""
    for number in PASSED_ON:
        signal.signal(number, signal.SIG_IGN)
    ENDING.listen("Stopped; no training had begun.")
    sys.meta_path.insert(0, Hush())
    lines = SimpleQueue[JsonObject]()
    Thread(target=read_lines, args=(sys.stdin, lines), daemon=True).start()
    target = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is not a message
    from tasks.engine.tuning.trial import Notices, run_trial

    def send(message: JsonObject) -> None:
        target.write(json.dumps(message, allow_nan=False) + "\n")
        target.flush()

    def tell(row: JsonObject) -> str:
        send({"row": {name: value if name == "epoch" else float(value) for name, value in row.items()}})
        return str(lines.get()["decision"])

    logger = logging.getLogger("tasks")
    logger.addHandler(Notices(lambda text: send({"notice": text})))
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    while True:
        send({"done": run_trial(lines.get(), tell)})


def read_lines(source: IO[str], lines: SimpleQueue[JsonObject]) -> None:
    """Put what comes into a queue, and end the process when nothing comes any more."""
    for line in source:
        lines.put(json.loads(line))
    os._exit(0)

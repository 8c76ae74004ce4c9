"""Ending a command after SIGINT, SIGTERM or SIGHUP: at once, or after the step that a training is taking.

What a run has on disk is whole at any moment, so a process may end anywhere. A thread of its own reads the signals,
since the main thread may be inside a library for long. Standard library only.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from types import FrameType
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE = 4.0  # seconds that a training has to finish its step and keep it
LAST = 3.0  # seconds that what is to be done before the end has


class Ending:
    """What a command does when it is asked to end.

    Attributes:
        text: One sentence: what is kept, and the command that goes on.
        asked: Number of the signal that came, or 0.
        waits: If true, the main thread looks at `asked` after each step, keeps its work, and calls `leave`.
        last: What is to be done before the process ends, such as ending others.
    """

    def __init__(self) -> None:
        self.text = "Stopped."
        self.asked = 0
        self.waits = False
        self.last: Callable[[], None] = lambda: None

    def listen(self, text: str) -> None:
        """Take the signals from now on, except those that whoever started the process wants ignored."""
        self.text = text
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda *_: None)  # the number is in the pipe by then
        Thread(target=self.follow, args=(reader,), daemon=True).start()

    def hand_over(self, handle: Callable[[int, FrameType | None], None]) -> None:
        """Let something else take the signals from now on, such as a server; those that are ignored stay so."""
        signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, handle)

    def follow(self, reader: int) -> None:
        """End the process after the first signal, or if the main thread waits for it, after a time or a second one."""
        while number := os.read(reader, 1)[0]:
            if number not in SIGNALS:
                continue
            is_second, self.asked = bool(self.asked), number
            if is_second or not self.waits:
                self.leave(number)
            Thread(target=self.leave_after, args=(GRACE,), daemon=True).start()

    def hold(self) -> None:
        """Wait here for the end of the process, if a signal has asked for it."""
        while self.asked:
            time.sleep(LAST)

    def leave_after(self, seconds: float) -> None:
        """End the process after some time."""
        time.sleep(seconds)
        self.leave(self.asked)

    def leave(self, number: int) -> NoReturn:
        """End the process with its sentence, and the exit code of a signal."""
        with suppress(OSError):  # whoever reads our errors may be gone
            errors = os.dup(2)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the other threads go on for a moment; this is the last word
            os.write(errors, f"\nError: {self.text}\n".encode())
        last = Thread(target=self.last, daemon=True)
        last.start()
        last.join(LAST)
        os._exit(128 + number)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Say that the main thread looks at `asked`, for a `with` statement."""
        self.waits = True
        try:
            yield
        finally:
            self.waits = False


ENDING = Ending()  # signals belong to the whole process

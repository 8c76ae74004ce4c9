"""What the terminal does not show, and how a command ends. Standard library only."""

import atexit
import codecs
import io
import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any, NoReturn

EXITS = {FileNotFoundError: 66, IsADirectoryError: 66, OSError: 73}  # in this order; an error may carry its own
ESCAPES = "fourlayers_escapes"  # how what standard output cannot encode is written
UNAVAILABLE = 69  # the exit code where a data set or a package is not to be had
STOPPED = {  # what a verb leaves when it is stopped; a training says more as it goes
    "train": "Stopped; no training had begun.",
    "tune": "Stopped; no search had begun.",
    "predict": "Stopped; the answers so far are whole, and where they are pictures `--skip-existing` goes on there.",
}
CONTROL = re.compile(  # control characters but the tab, those that turn the direction of writing, and bytes of no text
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
UNESCAPED = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")  # those that JSON leaves


class WorkError(RuntimeError):
    """An error that ended a part of the work, and now ends the command, with its sentence and its exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        if code != 1:  # a bug says so itself
            self.exit_code = code


class ReaderGoneError(RuntimeError):
    """The reader of the output has gone, as `head` does; the command ends quietly, as after SIGPIPE."""

    exit_code = 141


def visible(text: str) -> str:
    """Return a text whose control characters are written out, so that none from a file acts on the terminal.

    Bytes of a file name that are not UTF-8 are written out too.

    Example:
        >>> visible("a\\x1b[2Jb\\u202ec")
        'a\\\\x1b[2Jb\\\\u202ec'
    """
    return text if text.isprintable() else CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def visible_json(text: str) -> str:
    """Return a line of JSON whose control characters are all escaped; its values are the same.

    Example:
        >>> visible_json('"a\\x9bb"')
        '"a\\\\u009bb"'
    """
    return text if text.isprintable() else UNESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Visible(logging.Formatter):
    """The form of notices: one line each, without control characters."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


class Once(logging.Filter):
    """A filter that lets each notice through once."""

    def __init__(self) -> None:
        super().__init__()
        self.said: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        new = text not in self.said
        self.said.add(text)
        return new


class Hush:
    """An import hook that keeps TensorFlow's start-up notes, which no setting turns off, from the screen."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path) if name == "tensorflow" else None
        if spec and spec.loader:
            load = spec.loader.exec_module

            def quietly(module: Any) -> None:
                with silence():
                    load(module)

            spec.loader.exec_module = quietly  # type: ignore[method-assign]
        return spec


@contextmanager
def silence() -> Iterator[None]:
    """Send what any library writes to standard error nowhere."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def escaped(error: UnicodeError) -> tuple[str, int]:
    """Return the characters that an encoding lacks as JSON escapes them, and where they end.

    Example:
        >>> escaped(UnicodeEncodeError("ascii", "Gr\\xfc\\U0001f600", 2, 4, "not in range"))
        ('\\\\u00fc\\\\ud83d\\\\ude00', 4)
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    pairs = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex(" ", 2)
    return "".join(f"\\u{pair}" for pair in pairs.split()), error.end


def escape_output() -> None:
    """Let standard output write what its encoding lacks as escapes, so that JSON keeps its values."""
    codecs.register_error(ESCAPES, escaped)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in ("strict", "surrogateescape"):
        sys.stdout.reconfigure(errors=ESCAPES)


@contextmanager
def known_reader() -> Iterator[None]:
    """Raise `ReaderGoneError` where the reader of the output has gone, for a `with` statement."""
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGoneError from error


def missing(error: Exception) -> str:
    """Return what to say of packages that an import failed for want of; nothing of any other error."""
    if not isinstance(error, ModuleNotFoundError):
        return ""
    from data.packages import advice, missing_packages

    found = missing_packages(error)
    return advice(*found) if found else ""


def exit_code(error: Exception) -> int:
    """Return the documented exit code of an error; 1 is a bug."""
    own = UNAVAILABLE if missing(error) else getattr(error, "exit_code", None)
    return own or next((code for kind, code in EXITS.items() if isinstance(error, kind)), 1)


def sentence(error: Exception) -> str:
    """Return an error as one sentence."""
    if packages := missing(error):
        return f"This command {packages}."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename or 'a file without a name'}."
    if exit_code(error) == 1:
        return f"{type(error).__name__}: {error} (this is a bug; run with --debug for a traceback)."
    return str(error)


def stopped_sentence(words: Sequence[str]) -> str:
    """Return what to say if a command with these words is stopped."""
    return STOPPED.get(next((word for word in words if word in STOPPED), ""), "Stopped.")


def stop(text: str, code: int) -> NoReturn:
    """Print one sentence and end."""
    print(f"Error: {visible(text)}", file=sys.stderr)
    sys.exit(code)


@contextmanager
def ended_at_once() -> Iterator[None]:
    """End the process as soon as a command has ended, for a `with` statement around it.

    To take the interpreter and its libraries down would take a tenth of the time of an answer. All that was
    registered to run at the exit runs before. An error that is no exit, or a tracer such as a debugger, ends the
    slow way.
    """
    code: int | None = None

    def end() -> None:
        if code is None or sys.gettrace():
            return
        with suppress(OSError, ValueError):  # what cannot be written is left to the interpreter to say
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    atexit.register(end)
    try:
        yield
        code = 0
    except SystemExit as done:
        code = done.code if isinstance(done.code, int) else 0 if done.code is None else None
        raise

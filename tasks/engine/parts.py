"""Answers to very many inputs, kept in parts until they are all there."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from tasks.engine import runs
from tasks.engine.config import JsonObject, SettingError
from tasks.engine.files import atomic_file, make_folder, named_errors, write_json, write_text
from tasks.engine.items import Item
from tasks.engine.members import RunError
from tasks.engine.outcome import Tally
from tasks.engine.outputs import check_new
from tasks.engine.records import read_json
from tasks.engine.task import Task
from tasks.engine.workers import digest

LOG = logging.getLogger("tasks")
FORMAT = 1
CHUNKS = 16  # most chunks of a part
SECONDS = 10.0  # most time between two parts, while answers come
MANIFEST = "manifest.json"


class Done(NamedTuple):
    """What is kept: chunks, inputs, files, bytes, and a SHA-256 of the inputs, as `joined_digest` gives it."""

    chunks: int = 0
    inputs: int = 0
    parts: int = 0
    bytes: int = 0
    digest: str = ""


class Parts:
    """A folder of parts beside the file that they become.

    Attributes:
        done: What is kept.
        tally: Counts of all answers so far.
    """

    def __init__(self, out: Path, belongs: JsonObject, task: Task[Any]) -> None:
        self.out, self.belongs = out, belongs
        self.folder = folder_of(out)
        self.tally = Tally(task)
        self.done, self.digest = Done(), ""
        self.lines, self.waiting, self.since = list[str](), 0, time.monotonic()

    def restore(self) -> None:
        """Take up the parts that are there.

        Raises:
            SettingError: They are those of another command.
            RunError: They are not whole.
        """
        if not (self.folder / MANIFEST).exists():
            return
        found = read_json(self.folder / MANIFEST)
        self.check_same(found)
        self.done = Done(**found["done"])
        self.digest = self.done.digest
        self.tally.merge(found["tally"])
        files = [self.part(number) for number in range(self.done.parts)]
        if sum(path.stat().st_size for path in files if path.is_file()) != self.done.bytes:
            raise RunError(f"{str(self.folder)!r} is damaged; remove it to begin again.")
        LOG.warning("Going on: %s.", self.said())

    def check_same(self, found: JsonObject) -> None:
        """Raise `SettingError` unless a manifest is one of the same command."""
        before = found.get("belongs", {}) if found.get("format") == FORMAT else {"format": found.get("format")}
        if other := [name for name in self.belongs if before.get(name) != self.belongs[name]]:
            raise SettingError(
                f"{str(self.folder)!r} holds answers of another command, which differs in its {' and '.join(other)}; "
                "give that one, another --out, or remove the folder."
            )

    def part(self, number: int) -> Path:
        """Return the file of a part."""
        return self.folder / f"part-{number:06}"

    def add(self, lines: Sequence[str], tally: JsonObject, digest: str) -> None:
        """Take the lines of the next chunk."""
        self.lines += lines
        self.tally.merge(tally)
        self.digest = joined_digest(self.digest, digest)
        self.waiting += 1
        if self.waiting == CHUNKS or time.monotonic() - self.since > SECONDS:
            self.write()

    def write(self) -> None:
        """Write a part: its lines, and then the manifest, which counts it."""
        text = "".join(f"{line}\n" for line in self.lines)
        write_text(self.part(self.done.parts), text)
        self.done = Done(
            self.done.chunks + self.waiting,
            self.tally.total,
            self.done.parts + 1,
            self.done.bytes + len(text.encode("utf-8")),
            self.digest,
        )
        state = {"done": self.done._asdict(), "tally": self.tally.state()}
        write_json(self.folder / MANIFEST, {"format": FORMAT, "belongs": self.belongs, **state})
        self.lines, self.waiting, self.since = [], 0, time.monotonic()

    def said(self) -> str:
        """Return in words how much is kept."""
        return f"the answers to {self.done.inputs:,} inputs are kept in {str(self.folder)!r}"

    def join(self) -> None:
        """Make the file of the parts, and remove them."""
        if self.waiting:
            self.write()
        with atomic_file(self.out) as whole, named_errors(self.out), whole.open("wb") as file:
            for number in range(self.done.parts):
                with self.part(number).open("rb") as part:
                    shutil.copyfileobj(part, file)
        shutil.rmtree(self.folder)


def folder_of(out: Path) -> Path:
    """Return the folder of the parts of a file."""
    return out.with_name(f"{out.name}.parts")


def joined_digest(before: str, digest: str) -> str:
    """Return the SHA-256 of chunks of inputs, by that of all but the last, and that of the last."""
    return sha256(f"{before}{digest}".encode()).hexdigest()


def chunks_after(chunks: Iterable[Sequence[Item]], done: Done) -> Iterator[Sequence[Item]]:
    """Yield the chunks after those that are done.

    Raises:
        SettingError: Those that are done have changed.
    """
    rest, found = iter(chunks), ""
    for chunk in islice(rest, done.chunks):
        found = joined_digest(found, digest(chunk))
    if found != done.digest:
        raise SettingError(
            f"The first {done.inputs:,} inputs are not those that have answers already; give those inputs, "
            "another --out, or remove the folder of the parts."
        )
    yield from rest


@contextmanager
def opened_parts(out: Path, belongs: JsonObject, task: Task[Any]) -> Iterator[Parts]:
    """Give the parts of a new file, those of an earlier start too, for a `with` statement; no empty folder is left.

    Args:
        belongs: What the answers depend on, in words and JSON types.

    Raises:
        OSError: The file exists, or cannot be made.
        SettingError: The parts that are there are those of another command.
        RunError: They are not whole.
        LockedError: Another process writes them.
    """
    check_new(out)
    parts = Parts(out, belongs, task)
    make_folder(parts.folder)
    try:
        with runs.lock(parts.folder, "--out"):
            parts.restore()
            yield parts
    finally:
        if parts.folder.is_dir() and not any(parts.folder.iterdir()):
            parts.folder.rmdir()

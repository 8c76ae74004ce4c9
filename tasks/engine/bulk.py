"""Answers to very many inputs, by several processes of this machine or of a cluster."""

from __future__ import annotations

import json
import logging
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from tasks.engine import outputs
from tasks.engine.bulk_inputs import Request
from tasks.engine.checksums import run_checksums
from tasks.engine.cluster import LostWorkerError
from tasks.engine.config import JsonObject, SettingError, answering_settings
from tasks.engine.facts import program
from tasks.engine.items import CHUNK
from tasks.engine.load import checksums
from tasks.engine.network import OnnxNetwork
from tasks.engine.outcome import Tally
from tasks.engine.parts import Done, Parts, chunks_after, opened_parts
from tasks.engine.signals import ENDING
from tasks.engine.task import Pipeline, Task
from tasks.engine.terminal import exit_code
from tasks.engine.workers import Answered, Order, answers_of_processes

LOG = logging.getLogger("tasks")
Ask: TypeAlias = Callable[[Done], Iterator[Answered]]  # what becomes of the chunks after those that are done


class Cluster(NamedTuple):
    """The processes that answer.

    Attributes:
        workers: Their number.
        address: Cluster of Ray: `"local"`, `"auto"` or `HOST:PORT`; `None` is processes of this machine.
    """

    workers: int
    address: str | None = None


def check_order(pipeline: Pipeline[Any], request: Request) -> None:
    """Raise `SettingError` if other processes cannot answer as this one does."""
    if "-" in request.words:
        raise SettingError("`--workers` takes no `-`; write standard input into a file, and give that with --file.")
    if not isinstance(pipeline.network, OnnxNetwork):
        raise SettingError("`--workers` answers from ONNX; leave out --engine keras, or take a run with ONNX files.")
    if drawn := outputs.drawn_files(pipeline.config):
        raise SettingError(f"`{next(iter(drawn))}` draws one picture after the other; leave it out with --workers.")


def belonging(pipeline: Pipeline[Any], request: Request, plain: bool) -> JsonObject:
    """Return what answers depend on beside the inputs: words for it, and values of JSON types."""
    sums = checksums(pipeline.run) or run_checksums(pipeline.run)
    settings = {f"--{name.replace('_', '-')}": value for name, value in answering_settings(pipeline.config).items()}
    own = {"task": pipeline.task.name, "--run": sorted(sums.items()), "--keep": [*request.keep], "--plain": plain}
    said = {"--columns": dict(request.form.columns), "--encoding": request.form.encoding}
    found: JsonObject = json.loads(json.dumps({**own, **settings, **said, "size of chunks": CHUNK}))
    return found


def predict(
    pipeline: Pipeline[Any],
    request: Request,
    cluster: Cluster,
    *,
    out: Path | None = None,
    plain: bool = False,
    show: bool = False,
) -> None:
    """Print or write the answers to inputs, in order, as one process would.

    Args:
        cluster: The processes that answer.
        out: New file, or where answers are files, the file or folder to write.
        plain: If true, answers are bare.
        show: If true, draw a progress bar on standard error.

    Raises:
        SettingError: Other processes cannot answer as this one does, or the parts are those of another command.
        LostWorkerError, WorkError: A process has ended, or cannot go on.
        InputsError: Some inputs have no answer; the others have been answered.
    """
    check_order(pipeline, request)
    order = Order.of(pipeline, out if pipeline.task.write else None, plain)
    ask = partial(answers, pipeline, order, request, cluster, show)
    if out is None or pipeline.task.write:
        print_answers(ask, Tally(pipeline.task))
    else:
        write_answers(ask, out, belonging(pipeline, request, plain), pipeline.task)


def print_answers(ask: Ask, tally: Tally) -> None:
    """Print answers as they come."""
    try:
        with outputs.standard_output() as target:
            for found in ask(Done()):
                tally.merge(found.tally)
                target.writelines(f"{line}\n" for line in found.lines)
                target.flush()
    except LostWorkerError as error:
        raise LostWorkerError(f"{error}; the answers so far are whole.") from error
    tally.check()


def write_answers(ask: Ask, out: Path, belongs: JsonObject, task: Task[Any]) -> None:
    """Write answers in parts, which an interrupted command goes on after."""
    with opened_parts(out, belongs, task) as kept:
        ENDING.text = f"Stopped; {goes_on(kept)}."
        try:
            for found in ask(kept.done):
                kept.add(found.lines, found.tally, found.digest)
                ENDING.text = f"Stopped; {goes_on(kept)}."
        except LostWorkerError as error:
            raise LostWorkerError(f"{error}; {goes_on(kept)}.") from error
        except Exception as error:
            if kept.done.chunks and exit_code(error) != SettingError.exit_code:
                LOG.warning("Not all is answered: %s.", goes_on(kept))
            raise
        kept.join()
    kept.tally.check()


def answers(
    pipeline: Pipeline[Any], order: Order, request: Request, cluster: Cluster, show: bool, done: Done
) -> Iterator[Answered]:
    """Yield what becomes of the chunks after those that are done, and say the notices of their processes.

    Raises:
        LostWorkerError, WorkError: A process has ended, or cannot go on.
    """
    if cluster.address is None:
        chunks = chunks_after(request.chunks(pipeline, order.out), done)
        found = answers_of_processes(order, chunks, cluster.workers)
    else:
        from tasks.engine.bulk_cluster import answers_of_cluster

        found = answers_of_cluster(order, request, done, cluster.workers, cluster.address)
    from tqdm import tqdm

    with closing(found), tqdm(unit=" inputs", disable=not show, leave=False, dynamic_ncols=True) as bar:
        for one in found:
            for notice in one.notices:
                LOG.warning("%s", notice)
            if one.failure:
                raise one.failure.error()
            bar.update(one.tally["total"])
            yield one


def goes_on(kept: Parts) -> str:
    """Return what is kept, and the command that goes on."""
    command = f"`{program()} {shlex.join(sys.argv[1:])}`"
    if not kept.done.chunks:
        return f"no answer is kept yet, and {command} begins again"
    return f"{kept.said()}, and {command} goes on"

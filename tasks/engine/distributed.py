"""A training on several processes that Ray starts: here, or on the machines of a cluster."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import TypeVar

from data.packages import check_packages
from tasks.engine import runs
from tasks.engine.cluster import LOCAL, LostWorkerError, connected
from tasks.engine.config import JsonObject, Settings, TaskConfig
from tasks.engine.distribution import Distribution
from tasks.engine.facts import notices, portable_notices, resume_command
from tasks.engine.files import write_json
from tasks.engine.load import load, read_config
from tasks.engine.members import RunError
from tasks.engine.records import read_facts, read_history, read_json
from tasks.engine.signals import ENDING
from tasks.engine.summaries import epoch_line
from tasks.engine.task import Pipeline, Task
from tasks.engine.train import begun_directory, changed_config, check_examples, check_start, with_absolute_places

C = TypeVar("C", bound=TaskConfig)
LOG = logging.getLogger("tasks")
STARTS = "starts.json"  # how often the processes have begun
DIVERGED = "diverged.json"  # how the training diverged, if it has
PASSED_ON = ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL", "FOURLAYERS_LIMITS")  # of the environment, to other machines


def train_on_workers(
    task: Task[C],
    config: C | None,
    directory: Path | str | None,
    settings: Settings,
    spread: Distribution,
    *,
    preset: str | None = None,
    score: bool = True,
) -> Pipeline[C]:
    """Train as `train.train` or `train.resume` do, on processes that Ray starts, and return the pipeline.

    Args:
        config: Config of a new run; `None` goes on with a run.
        settings: Settings that change when a run goes on.

    Raises:
        LostWorkerError: Processes were lost more often than `spread.failures`.
        Exception: What one of the processes raises.
    """
    check_packages("`--workers`", "ray")
    run = (
        begun_directory(task, directory, settings) if config is None else new_directory(task, directory, spread)
    ).resolve()
    changes = dict(settings) if config is None else {}
    config = changed_config(task, read_config(task, run), settings) if config is None else with_absolute_places(config)
    check_start(config, spread)
    with notices() as said:
        check_examples(task, task.load(config))  # here once, so that bad data ends before any process begins
    job = {
        "task": task, "config": config, "run": str(run), "changes": changes, "preset": preset, "score": score,
        "folder": os.getcwd(), "cores": shares_of_cores(spread),
    }  # fmt: skip
    again = f"{resume_command(task.name, run, config)} --workers {spread.workers}"
    ENDING.text = f"Stopped; what the last checkpoint of {str(run)!r} holds is kept, and `{again}` goes on there."
    notes = run.with_name(f".{run.name}.ray")
    shutil.rmtree(notes, ignore_errors=True)  # of a process that was killed
    with connected("`--workers`", spread.address, spread.workers or 1, notes), followed(run, notes, config, said):
        run_job(job, spread, notes)
    return load(task, run)


def new_directory(task: Task[C], directory: Path | str | None, spread: Distribution) -> Path:
    """Return the directory of a new run, where all machines see it."""
    if directory:
        runs.check_directory(Path(directory))
        return runs.empty_directory(Path(directory))
    return runs.new_directory((spread.shared or runs.KEPT) / task.name)


def shares_of_cores(spread: Distribution) -> list[list[int]]:
    """Return the cores of each process on this machine, or nothing if there are too few, or other machines."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    each = len(cores) // (spread.workers or 1)
    if spread.address != LOCAL or not each:
        return []
    return [cores[rank * each : (rank + 1) * each] for rank in range(spread.workers or 1)]


def run_job(job: JsonObject, spread: Distribution, notes: Path) -> None:
    """Let Ray start the processes of a job, and start them again when one is lost.

    Args:
        notes: Folder that all machines see, for what Ray keeps of the job.

    Raises:
        LostWorkerError: Processes were lost too often.
        Exception: What one of them raises.
    """
    from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError, WorkerGroupError
    from ray.train.tensorflow import TensorflowTrainer

    told = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {"RAY_CHDIR_TO_TRIAL_DIR": "0"}
    trainer = TensorflowTrainer(  # it tells the processes their addresses; Keras may be on JAX as well
        work,
        train_loop_config=job | {"notes": str(notes)},
        scaling_config=ScalingConfig(
            num_workers=spread.workers or 1, use_gpu=spread.gpus > 0,
            resources_per_worker={"CPU": 1, **({"GPU": spread.gpus} if spread.gpus else {})},
        ),
        run_config=RunConfig(
            name="training", storage_path=str(notes), worker_runtime_env={"env_vars": told},
            failure_config=FailureConfig(max_failures=spread.failures),
        ),
    )  # fmt: skip
    try:
        trainer.fit()
    except WorkerGroupError as error:
        first = next(iter(error.worker_failures.values()), error)
        raise own_error(error.worker_failures) or lost_error(first, spread) from error
    except TrainingFailedError as error:
        raise lost_error(error, spread) from error
    if (notes / DIVERGED).is_file():
        from tasks.engine.divergence import DivergedError

        raise DivergedError(str(read_json(notes / DIVERGED)))


def own_error(failures: dict[int, Exception]) -> Exception | None:
    """Return the first error of some processes that is about the input or the machine, and not about the others."""
    for error in failures.values():
        cause: BaseException | None = getattr(error, "base_exc", error)
        if isinstance(cause, Exception) and hasattr(cause, "exit_code"):
            return cause
    return None


def lost_error(error: Exception, spread: Distribution) -> LostWorkerError:
    """Return the error of a training whose processes were lost too often."""
    cause = getattr(error, "base_exc", error)
    reason = " ".join(str(cause).split())[:300].rstrip(".")
    return LostWorkerError(
        f"Processes of the training failed or were lost more than {spread.failures} times, --max-failures; the run "
        f"goes on with --resume. The last error: {type(cause).__name__}: {reason}."
    )


@contextmanager
def followed(run: Path, notes: Path, config: TaskConfig, said: list[str]) -> Iterator[None]:
    """Say here what the first process notes in the run: its notices, its epochs, and that the processes begin again.

    Args:
        said: Notices that were said here before.
    """
    ended = Event()
    follower = Follower(run, notes, config.epochs, {*said, *portable_notices(said, config)})

    def follow() -> None:
        while not ended.wait(0.5):
            follower.look()

    thread = Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        follower.look()


class Follower:
    """Says what is new in a run that other processes write."""

    def __init__(self, run: Path, notes: Path, epochs: int, said: set[str]) -> None:
        self.run, self.notes, self.epochs, self.said = run, notes, epochs, said
        self.done, self.starts, self.first = len(self.history()), 0, True

    def history(self) -> list[dict[str, float]]:
        """Return the rows of the run's history so far."""
        with suppress(RunError, OSError):
            return read_history(self.run)
        return []

    def look(self) -> None:
        """Say what is new."""
        with suppress(RunError, OSError, KeyError, TypeError):
            starts = int(read_json(self.notes / STARTS)["starts"])
            if starts > max(self.starts, 1):
                LOG.warning("A process was lost; the training goes on from its last checkpoint (start %d).", starts)
            self.starts = starts
        if self.starts and (self.run / "config.json").is_file() and self.first:
            LOG.info("Run: %s", self.run)
            self.first = False
        with suppress(RunError, OSError, KeyError):
            for notice in read_facts(self.run).get("notices", ()):
                if notice not in self.said:
                    LOG.warning("%s", notice)
                    self.said.add(notice)
        history = self.history()
        for row in history[self.done :]:
            mean = sum(row.get("seconds", 0.0) for row in history) / len(history)
            LOG.info("%s", epoch_line(row, self.epochs, mean * (self.epochs - row["epoch"])))
        self.done = max(self.done, len(history))


def work(job: JsonObject) -> None:
    """Be one of the processes of a job: train, report each epoch, and as the first of them keep the run."""
    import ray.train

    os.environ.pop("TF_USE_LEGACY_KERAS", None)  # Ray asks for a Keras that is no more
    with suppress(OSError):  # another machine may not have this folder
        os.chdir(job["folder"])
    rank, notes, run = ray.train.get_context().get_world_rank(), Path(job["notes"]), Path(job["run"])
    if job["cores"]:
        os.sched_setaffinity(0, job["cores"][rank])
    if rank == 0:
        before = read_json(notes / STARTS)["starts"] if (notes / STARTS).is_file() else 0
        write_json(notes / STARTS, {"starts": before + 1})
    logger = logging.getLogger("tasks")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        take_up(job, run, rank)
    except ArithmeticError as error:  # it comes to all of them in the same step
        if rank == 0:
            write_json(notes / DIVERGED, str(error))


def take_up(job: JsonObject, run: Path, rank: int) -> None:
    """Begin the training of a job, or go on where its run has a checkpoint."""
    import ray.train

    from tasks.engine import train as training
    from tasks.engine.starting import has_begun

    task, config = job["task"], job["config"]
    more = {"score": job["score"], "spread": Distribution(strategy="workers"), "note": ray.train.report}
    if runs.is_finished(run) and len(read_history(run)) >= config.epochs:
        return  # another process was lost at the very end
    if rank:
        training.train(task, config, run, **more)
    elif has_begun(run):
        training.resume(task, run, job["changes"], **more)
    else:
        if run.is_dir():
            runs.remove_start(run)
        training.train(task, config, run, preset=job["preset"], **more)

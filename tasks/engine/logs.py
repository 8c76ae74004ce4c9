"""The history of a training, also kept where others look for it: TensorBoard and MLflow."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from data.packages import check_packages
from tasks.engine.config import JsonObject, SettingError, TaskConfig, nearest

FOLDER = "tensorboard"  # of a run
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}  # for a server that is away
LONGEST = 500  # characters of a setting that MLflow takes
Row = Mapping[str, Any]
LOG = logging.getLogger("tasks")


class Log(Protocol):
    """Where the history of a training goes."""

    def add(self, row: Row) -> None:
        """Note an epoch, by its row of the history."""

    def end(self, summary: JsonObject, run: Path) -> None:
        """Note the metrics of the test split, by their summary, and what else a finished run holds."""


class TensorBoardLog:
    """A folder `tensorboard` in the run, which `tensorboard --logdir RUN` shows; it is written anew at each start."""

    def __init__(self, task: str, config: TaskConfig, run: Path) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        shutil.rmtree(run / FOLDER, ignore_errors=True)
        self.writer = EventFileWriter(str(run / FOLDER))

    def add(self, row: Row) -> None:
        self.note({name: value for name, value in row.items() if name != "epoch"}, row["epoch"])

    def end(self, summary: JsonObject, run: Path) -> None:
        self.note(split_metrics(summary))
        self.writer.close()

    def note(self, values: Row, step: int = 0) -> None:
        """Write the numbers among some values, and see that they are on disk."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        scalars = [Summary.Value(tag=name, simple_value=value) for name, value in numbers(values).items()]
        self.writer.add_event(Event(step=step, wall_time=time.time(), summary=Summary(value=scalars)))
        self.writer.flush()


class MlflowLog:
    """A run of MLflow, in the experiment of the task's name, where `MLFLOW_TRACKING_URI` says.

    A training that goes on finds its run of MLflow by the tag `run`, the directory, and adds what is missing there.
    """

    def __init__(self, task: str, config: TaskConfig, run: Path) -> None:
        for name, value in PATIENCE.items():
            os.environ.setdefault(name, value)
        from mlflow.entities import Param
        from mlflow.tracking import MlflowClient

        self.client = MlflowClient()
        title = os.environ.get("MLFLOW_EXPERIMENT_NAME", task)
        found = self.client.get_experiment_by_name(title)
        place = found.experiment_id if found else self.client.create_experiment(title)
        name = quote(str(run.resolve()))  # it stands within quotation marks in the search
        known = self.client.search_runs([place], f"tags.run = '{name}'")
        if known:
            self.id = known[0].info.run_id
            self.client.update_run(self.id, status="RUNNING")
            self.done = {metric.step for metric in self.client.get_metric_history(self.id, "loss")}
            return
        self.id, self.done = self.client.create_run(place, run_name=run.name, tags={"run": name}).info.run_id, set()
        settings = {name: str(value) for name, value in config.state().items() if value is not None}
        params = [Param(name, value[:LONGEST]) for name, value in settings.items()]
        self.client.log_batch(self.id, params=params)

    def add(self, row: Row) -> None:
        if row["epoch"] not in self.done:
            self.note({name: value for name, value in row.items() if name != "epoch"}, row["epoch"])

    def end(self, summary: JsonObject, run: Path) -> None:
        self.note(split_metrics(summary))
        for name in ("README.md", "config.json", "metrics.json"):
            self.client.log_artifact(self.id, str(run / name))
        self.client.log_artifacts(self.id, str(run / "figures"), "figures")
        self.client.set_terminated(self.id)

    def note(self, values: Row, step: int = 0) -> None:
        """Send the numbers among some values."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self.client.log_batch(
            self.id, metrics=[Metric(name, value, now, step) for name, value in numbers(values).items()]
        )


KINDS: dict[str, Callable[[str, TaskConfig, Path], Log]] = {"tensorboard": TensorBoardLog, "mlflow": MlflowLog}


def named_logs(names: str | None) -> list[str]:
    """Return the names of the logs that the setting `log` asks for.

    Raises:
        SettingError: One of them is not known.
        MissingPackageError: The package of one is not installed.

    Example:
        >>> named_logs(None)
        []
    """
    found = list(dict.fromkeys(filter(None, (name.strip() for name in (names or "").split(",")))))
    for name in found:
        if name not in KINDS:
            raise SettingError(f"`log` must be some of {', '.join(KINDS)}; received {name!r}{nearest(name, KINDS)}")
        check_packages(f"`--log {name}`", name)
    return found


def split_metrics(summary: JsonObject) -> JsonObject:
    """Return the metrics of a summary, named after their split."""
    return {f"{summary['split']}_{name}": value for name, value in (summary["metrics"] or {}).items()}


def numbers(values: Row) -> dict[str, float]:
    """Return the numbers among some values, as floats."""
    return {name: float(value) for name, value in values.items() if type(value) in (int, float)}


class Logs:
    """The logs of a training. One that fails is given up with a notice; the training goes on."""

    def __init__(self, task: str, config: TaskConfig, run: Path) -> None:
        self.open: dict[str, Log] = {}
        for name in named_logs(config.log):
            with self.given_up(name):
                self.open[name] = KINDS[name](task, config, run)

    def add(self, row: Row) -> None:
        """Note an epoch, by its row of the history; one that is taken again after a divergence is noted again."""
        for name, log in list(self.open.items()):
            with self.given_up(name):
                log.add(row)

    def end(self, summary: JsonObject, run: Path) -> None:
        """Note the metrics of the test split, by their summary, and what else a finished run holds."""
        for name, log in list(self.open.items()):
            with self.given_up(name):
                log.end(summary, run)

    @contextmanager
    def given_up(self, name: str) -> Iterator[None]:
        """Give up a log that fails, for a `with` statement."""
        try:
            yield
        except Exception as error:  # whatever a server, its client or a disk does must not end a training
            self.open.pop(name, None)
            reason = " ".join(str(error).split())[:200].rstrip(".")
            LOG.warning("The log %s fails and is given up; the training goes on: %s.", name, reason)

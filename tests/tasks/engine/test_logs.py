"""Histories of trainings in TensorBoard and MLflow."""

import csv
import socket

import pytest
from mlflow.tracking import MlflowClient
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import tasks
from data import packages
from tasks.engine.config import SettingError

TINY = {"data": "builtin", "limit": 64, "batch_size": 32, "learning_rate": 1e-3}


@pytest.fixture(autouse=True)
def server(tmp_path, monkeypatch):
    """Let MLflow keep its runs in a folder, and return its client."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file:{tmp_path / 'mlruns'}")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    return MlflowClient


def history(run):
    with (run / "history.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.mark.slow
def test_both_hold_the_history_of_a_training_that_has_gone_on(tmp_path, server):
    run = tmp_path / "Anna's run"
    tasks.train("mnist", run, epochs=2, log="tensorboard, mlflow", **TINY)
    pipeline = tasks.train("mnist", run, resume=True, epochs=3)
    rows = history(run)
    events = EventAccumulator(str(run / "tensorboard")).Reload()
    for name in ("loss", "val_loss", "step_size"):
        found = {event.step: event.value for event in events.Scalars(name)}
        assert found == pytest.approx({int(row["epoch"]): row[name] for row in rows})
    assert len(rows) == 3
    (experiment,) = [each for each in server().search_experiments() if each.name == "mnist"]
    (one,) = server().search_runs([experiment.experiment_id])
    for name in ("loss", "val_loss"):
        values = [(metric.step, metric.value) for metric in server().get_metric_history(one.info.run_id, name)]
        assert sorted(values) == [(int(row["epoch"]), pytest.approx(row[name])) for row in rows]
    assert one.data.params["batch_size"] == "32"
    assert "init_from" not in one.data.params
    assert one.info.status == "FINISHED"
    summary = tasks.evaluate("mnist", run).summary["metrics"]
    assert one.data.metrics["test_accuracy"] == pytest.approx(summary["accuracy"])
    assert {file.path for file in server().list_artifacts(one.info.run_id)} >= {"README.md", "metrics.json", "figures"}
    assert pipeline.config.log == "tensorboard, mlflow"


@pytest.mark.slow
def test_a_log_that_fails_does_not_end_a_training(tmp_path, monkeypatch, caplog):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free.getsockname()[1]}")
        tasks.train("mnist", tmp_path / "run", epochs=1, log="mlflow", **TINY)
    assert (tmp_path / "run" / "metrics.json").exists()
    said = [one.getMessage() for one in caplog.records if "given up" in one.getMessage()]
    assert len(said) == 1
    assert said[0].startswith("The log mlflow fails and is given up; the training goes on: ")


def test_a_log_that_cannot_be_is_refused_before_a_directory_is_made(tmp_path, monkeypatch):
    with pytest.raises(SettingError, match=r"`log` must be some of tensorboard, mlflow; received 'tensorbord'"):
        tasks.train("mnist", tmp_path / "run", log="tensorbord", **TINY)
    monkeypatch.setattr(packages, "is_installed", lambda module: module != "mlflow")
    with pytest.raises(packages.MissingPackageError, match="`--log mlflow` takes mlflow-skinny; install it with"):
        tasks.train("mnist", tmp_path / "run", log="mlflow", **TINY)
    assert not (tmp_path / "run").exists()

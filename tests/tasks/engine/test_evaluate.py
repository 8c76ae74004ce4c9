"""Scoring: the run's own data, or else the embedded one, and said so."""

import json

import pytest

import tasks
from data.splits import UnavailableError
from tasks.engine import runs
from tasks.engine.evaluate import evaluate

EXAMPLES = {"mnist": 359, "sentiment": 394, "translate": 300, "upscale": 4, "caption": 9}


@pytest.mark.parametrize("name", tasks.names())
def test_a_shipped_run_is_scored_on_a_machine_without_data(name, tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "empty"))
    with caplog.at_level("WARNING", logger="tasks"):
        summary = tasks.evaluate(name, runs.pretrained_runs(name)[0]).summary
    own = json.loads((runs.pretrained_runs(name)[0] / "metrics.json").read_text())
    assert (summary["data"], summary["trained_on"], summary["split"]) == ("builtin", own["data"], "test")
    assert summary["examples"] == EXAMPLES[name]
    assert summary["card"]["metrics"] == own["metrics"]
    assert "is not here; scoring the embedded data instead. Give --data" in caplog.text


def test_data_that_is_asked_for_is_never_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = runs.pretrained_runs("mnist")[0]
    with pytest.raises(UnavailableError):
        tasks.evaluate("mnist", run, data_dir=str(tmp_path))
    with pytest.raises(FileNotFoundError):
        tasks.evaluate("mnist", run, data="./nowhere")
    with pytest.raises(UnavailableError):
        evaluate(tasks.load("mnist", run, data_dir=str(tmp_path)))


def test_a_training_without_scores_has_validation_metrics_alone(tmp_path):
    settings = {"data": "builtin", "limit": 64, "epochs": 3, "filters": [4], "average": 0}
    made = tasks.train("mnist", tmp_path / "run", score=False, **settings)
    summary = json.loads((made.run / "metrics.json").read_text())
    assert (summary["split"], summary["metrics"]) == ("valid", made.validation)
    history = runs.read_history(made.run)
    assert made.validation["loss"] == min(row["val_loss"] for row in history)
    assert set(made.validation) == {"loss", "accuracy"}
    assert "no test split was scored" in (made.run / "README.md").read_text()
    assert tasks.load("mnist", made.run).validation == made.validation

"""Searches of tiny networks: what they leave, and how they go on after whatever ends them."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
from click.testing import CliRunner

import cli
import tasks
from tasks.engine import evaluate, runs, upkeep
from tasks.engine.records import read_history, read_summary
from tasks.engine.tuning.trial import run_trial
from tests.loopback import enclosed, needs_enclosure

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
TINY = {"data": "builtin", "limit": 48, "batch_size": 16, "filters": [4], "units": [8], "average": 0}
WORDS = ["--data", "builtin", "--limit", "48", "--batch-size", "16", "--filters", "4", "--units", "8", "--average", "0"]
FILES = ["best.toml", "metrics.json", "search.json", "search.png", "study.db", "trials"]


def command(*words):
    return [sys.executable, str(ROOT / "cli.py"), "tune", "mnist", *map(str, words)]


def states(folder):
    """Return the state of each trial by number, as the study has it."""
    with sqlite3.connect(folder / "study.db") as study:
        return [state for _, state in study.execute("select number, state from trials order by number")]


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    """Return the folder of a search of six trials, and what it found."""
    folder = tmp_path_factory.mktemp("searches") / "search"
    return folder, tasks.tune("mnist", folder, epochs=3, trials=6, search=["dropout=0..0.9"], **TINY)


def test_a_search_leaves_its_best_settings_a_picture_and_its_trials(search):
    folder, found = search
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert found == json.loads((folder / "metrics.json").read_text())
    assert sum(found["trials"].values()) == 6
    assert found["trials"]["pruned"] >= 1
    assert found["trials"]["failed"] == found["trials"]["unfinished"] == 0
    assert found["best"]["value"] <= found["default"]
    assert "batch_size" not in found["best"]["settings"]  # it was given
    assert (folder / "search.png").read_bytes().startswith(b"\x89PNG")


def test_every_trial_is_a_run_and_a_pruned_one_is_unfinished(search):
    folder, _ = search
    for number, state in enumerate(states(folder)):
        run = folder / f"trials/{number:04}"
        assert upkeep.verified_summary("mnist", run)["state"] == ("finished" if state == "COMPLETE" else "not finished")
        assert (len(read_history(run)) == 3) == (state == "COMPLETE")
        assert list(run.glob("checkpoint/*-*/state.json"))


def test_the_test_split_is_scored_once_and_for_the_best_alone(search, monkeypatch):
    folder, found = search
    scored = {run.name for run in folder.glob("trials/*") if runs.is_finished(run) and split_of(run) != "valid"}
    assert scored == {f"{found['best']['trial']:04}"}
    monkeypatch.setattr(evaluate, "score_or_none", lambda *words: pytest.fail("scored again"))
    again = tasks.tune("mnist", folder, resume=True)
    assert again == found


def split_of(run):
    return read_summary(run)["split"]


def test_the_best_run_answers_as_any_other(search):
    _, found = search
    run = Path(found["best"]["run"])
    assert tasks.load("mnist", run).predict([ROOT / "tasks/mnist/example.png"])[0]["label"] in set("0123456789")
    assert "the test split is scored once" in (run / "README.md").read_text()
    assert found["metrics"] == read_summary(run)["metrics"]


def test_a_trial_whose_run_was_finished_before_a_kill_is_not_trained_again(search):
    _, found = search
    run = Path(found["best"]["run"])
    before = (run / "model.keras").stat().st_mtime_ns
    job = {"task": "mnist", "settings": {}, "run": str(run), "timed": True}
    ended = run_trial(job, lambda row: pytest.fail("trained again"))
    assert ended["validation"]["loss"] == found["best"]["value"]
    assert 0 < ended["milliseconds"] < 1000
    assert (run / "model.keras").stat().st_mtime_ns == before


def test_a_training_takes_the_best_settings(search):
    folder, found = search
    config = tasks.configure("mnist", file=folder / "best.toml")
    own = json.loads((Path(found["best"]["run"]) / "config.json").read_text())["settings"]
    assert json.loads(json.dumps(config.state())) == own


def test_optuna_alone_reads_the_study(search):
    folder, found = search
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{folder / 'study.db'}")
    assert study.best_value == found["best"]["value"]
    assert study.best_trial.user_attrs["run"] == found["best"]["run"]


def test_settings_of_a_search_do_not_change_when_it_goes_on(search):
    folder, _ = search
    for words in (["--metric", "accuracy"], ["--epochs", "9"], ["--search", "dropout=0..0.1"], ["--preset", "tiny"]):
        done = CliRunner().invoke(cli.commands, ["tune", "mnist", "--resume", "--out", str(folder), *words])
        assert "cannot change when a search goes on" in str(done.exception)


def test_a_search_does_not_write_into_another(search):
    folder, _ = search
    with pytest.raises(FileExistsError, match="is not empty"):
        tasks.tune("mnist", folder, **TINY)
    with pytest.raises(FileNotFoundError, match="There is no search in"):
        tasks.tune("mnist", folder / "trials", resume=True)


def until(check, process):
    """Wait until a check holds, while a process works."""
    end = time.monotonic() + 180
    while not check():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.02)


def has_epoch(run, epoch):
    return (run / "history.csv").is_file() and len(read_history(run)) >= epoch


def test_a_killed_search_goes_on_without_a_lost_trial(tmp_path):
    folder = tmp_path / "search"
    words = [*WORDS, "--epochs", "30", "--trials", "2", "--checkpoint-every", "2 steps", "--quiet"]
    for number, kill in ((0, signal.SIGKILL), (1, signal.SIGKILL)):
        run = folder / f"trials/{number:04}"
        begin = command("--out", folder, *(["--resume", "--quiet"] if number else words))
        with subprocess.Popen(begin, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
            until(lambda run=run: has_epoch(run, 2), process)
            process.send_signal(kill)
        assert process.returncode == -kill
        assert states(folder)[number] == "RUNNING"
    done = subprocess.run(command("--out", folder, "--resume", "--json"), capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert (found["trials"]["complete"] + found["trials"]["pruned"], len(states(folder))) == (2, 2)
    assert found["trials"]["unfinished"] == found["trials"]["failed"] == 0
    assert len(read_history(folder / "trials/0000")) == 30
    epochs = [row["epoch"] for row in read_history(folder / "trials/0001")]
    assert epochs == list(range(1, len(epochs) + 1))


def test_a_search_that_is_asked_to_end_keeps_its_trial_and_says_how_to_go_on(tmp_path):
    begin = command("--out", tmp_path / "search", *WORDS, "--epochs", "500", "--checkpoint-every", "1h")
    with subprocess.Popen(begin, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        until(lambda: has_epoch(tmp_path / "search/trials/0000", 3), process)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert "tune mnist --resume --out" in said.splitlines()[-1]
    assert states(tmp_path / "search") == ["RUNNING"]
    kept = [json.loads(path.read_text()) for path in tmp_path.glob("search/trials/0000/checkpoint/*-*/state.json")]
    assert max(state["epoch"] for state in kept) >= 3


def test_a_trial_that_diverges_has_failed_and_the_search_goes_on(tmp_path, caplog):
    words = ["learning_rate=1e25..1e30", "normalization=none,layer"]
    settings = TINY | {"epochs": 2, "retries": 0, "activation": "relu"}
    found = tasks.tune("mnist", tmp_path / "search", trials=3, parallel=2, search=words, **settings)
    assert found["trials"] == {"complete": 1, "pruned": 0, "failed": 2, "unfinished": 0}
    assert found["best"]["trial"] == 0
    assert "Trial 1 failed: Training diverged in epoch 1" in caplog.text
    assert "2 of 3 trials failed" in caplog.text


def test_data_that_cannot_be_had_ends_a_search_at_once_and_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError, match="There is no file or folder") as caught:
        tasks.tune("mnist", tmp_path / "search", data=str(tmp_path / "missing"), trials=3)
    assert caught.value.exit_code == 66
    assert not (tmp_path / "search").exists()


def test_unfinished_trials_may_go_unless_their_search_is_under_way(search, tmp_path, monkeypatch):
    folder, found = search
    monkeypatch.chdir(tmp_path)
    kept = Path(shutil.copytree(folder, "runs/tune/mnist/search"))
    with runs.lock(kept):
        assert not list(upkeep.unwanted_runs(["mnist"]))
    unwanted = list(upkeep.unwanted_runs(["mnist"]))
    assert len(unwanted) == found["trials"]["pruned"]
    assert all(map(upkeep.remove, unwanted))
    assert tasks.tune("mnist", kept, resume=True)["trials"] == found["trials"]


@needs_enclosure
def test_a_cluster_runs_the_trials(tmp_path):
    words = ["--epochs", "2", "--trials", "2", "--address", "local", "--parallel", "2", "--max-milliseconds", "0.00001"]
    done = subprocess.run(
        enclosed(*command("--out", tmp_path / "search", *WORDS, *words, "--json")),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["best"] is None
    assert found["trials"]["complete"] >= 1
    assert "No trial answers within 1e-05 ms; the fastest takes" in done.stderr
    assert not (tmp_path / "search/.ray").exists()

"""Keeping runs: every damaged file is found, and only what may go is removed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
import tasks
from tasks.engine import runs, upkeep
from tasks.engine.divergence import DivergedError
from tasks.engine.members import RunError

SHIPPED = runs.TASKS / "mnist/pretrained/small"
TINY = {"data": "builtin", "limit": 32, "epochs": 1, "batch_size": 16, "filters": [4], "units": [8], "average": 0}


def flip(path):
    """Change a byte in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def remove(path):
    path.unlink()


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("config.json", cut),
        ("environment.json", cut),
        ("metrics.json", cut),
        ("answers.jsonl", cut),
        ("history.csv", cut),
        ("codec.json", flip),
        ("codec.json", remove),
        ("model.keras", flip),
        ("model.keras", remove),
        ("onnx/classify.onnx", flip),
        ("onnx/classify.onnx", remove),
    ],
)
def test_a_damaged_file_is_found_and_named(name, damage, tmp_path):
    run = shutil.copytree(SHIPPED, tmp_path / "run")
    assert upkeep.verified_summary("mnist", run)["verified"]
    damage(run / name)
    row = upkeep.verified_summary("mnist", run)
    assert (row["state"], "verified" in row) == ("damaged", False)
    assert Path(name).name in row["reason"]


@pytest.mark.parametrize(
    "metrics", [{"accuracy": "nan"}, {"accuracy": "1e999"}, {"accuracy": True}, {"accuracy": []}, {}]
)
def test_a_run_whose_main_score_is_not_a_number_is_damaged_and_the_others_are_listed(metrics, place):
    path = shutil.copytree(SHIPPED, place / "odd") / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"metrics": metrics}))
    done = CliRunner().invoke(cli.commands, ["runs", "mnist", "--json"])
    rows = {Path(row["run"]).name: row for row in map(json.loads, done.output.splitlines())}
    assert (done.exit_code, rows["odd"]["state"], rows["stopped"]["state"]) == (0, "damaged", "not finished")
    assert rows["odd"]["reason"] in ("its metric 'accuracy' is not a number", "it has no scores")


def test_the_name_of_a_run_that_is_not_text_is_listed_and_pruned_as_escapes(place):
    (place / "stopped").rename(place / os.fsdecode(b"a\xff"))
    words = [sys.executable, str(runs.TASKS.parent / "cli.py"), "runs", "mnist"]
    for more, said in (([], "a\\udcff"), (["--json"], '/a\\udcff"'), (["--prune", "--yes"], "a\\udcff  not finished")):
        env = os.environ | {"PYTHONIOENCODING": "utf-8:strict"}
        done = subprocess.run([*words, *more], capture_output=True, text=True, env=env, check=False)
        assert (done.returncode, "bug" in done.stderr) == (0, False), done.stderr
        assert said in done.stdout
    assert not any(place.iterdir())


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return the folder of kept runs, with an unfinished one in it."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(SHIPPED, "runs/mnist/stopped")
    Path("runs/mnist/stopped/metrics.json").unlink()
    for path in Path("runs/mnist").rglob("*"):
        os.utime(path)  # a checkout may be old
    return Path("runs/mnist")


@pytest.mark.parametrize(("answer", "left"), [("y\n", False), ("n\n", True), ("", True)])
def test_pruning_asks_and_removes_after_a_yes_alone(answer, left, place):
    done = CliRunner().invoke(cli.commands, ["runs", "--prune"], input=answer)
    assert done.exit_code == 0
    assert "runs/mnist/stopped  not finished, " in done.output
    assert "Remove 1 runs, " in done.output
    assert (place / "stopped").exists() == left


def test_nothing_is_removed_through_a_link(place, tmp_path):
    real = shutil.move(place / "stopped", tmp_path / "real")
    shutil.copytree(real, tmp_path / "else/mnist/other")
    (place / "stopped").symlink_to(real)
    done = CliRunner().invoke(cli.commands, ["runs", "--prune", "--yes"])
    assert (done.exit_code, "Nothing is removed" in done.output) == (0, True)
    place.parent.rename(tmp_path / "before")
    Path("runs").symlink_to(tmp_path / "else")  # of all runs
    done = CliRunner().invoke(cli.commands, ["runs", "--prune", "--yes"])
    assert (done.exit_code, "Nothing is removed" in done.output) == (0, True)
    assert (tmp_path / "real/config.json").is_file()
    assert (tmp_path / "else/mnist/other/config.json").is_file()


def test_a_run_that_is_locked_meanwhile_stays(place):
    (one,) = upkeep.unwanted_runs(["mnist"])
    with runs.lock(one.run):
        assert not upkeep.remove(one)
    assert one.run.is_dir()
    assert upkeep.remove(one)
    assert not one.run.exists()


def test_old_runs_go_where_an_age_is_given(place):
    assert not list(upkeep.unwanted_runs(["mnist"], "1h"))
    assert [one.run.name for one in upkeep.unwanted_runs(["mnist"], "0m")] == ["stopped"]


@pytest.mark.slow
def test_a_run_that_diverged_is_listed_and_may_go(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = Path("runs/mnist/bad")
    with pytest.raises(DivergedError):
        tasks.train("mnist", run, **TINY, learning_rate=1e30, normalization="none", retries=0)
    assert upkeep.has_diverged(run)
    assert upkeep.run_summary("mnist", run)["state"] == "diverged"
    assert upkeep.verified_summary("mnist", run)["state"] == "diverged"
    assert [(one.run, one.reason) for one in upkeep.unwanted_runs(["mnist"])] == [(run, "diverged")]
    tasks.train("mnist", run, resume=True, learning_rate=0.001)
    assert not upkeep.has_diverged(run)
    assert upkeep.run_summary("mnist", run)["state"] == "finished"


def test_answers_are_read_as_those_of_a_stranger(tmp_path):
    from tasks.engine.publish import publish

    run = shutil.copytree(SHIPPED, tmp_path / "run")
    for line in ("{", "[1]", json.dumps({"input": 1}), '{"input": "a", "share": NaN}', "[" * 99_999):
        (run / "answers.jsonl").write_text(f"{line}\n")
        with pytest.raises(RunError, match=r"answers\.jsonl' is damaged"):
            publish("mnist", run, tmp_path / "published")
        assert not (tmp_path / "published").exists()

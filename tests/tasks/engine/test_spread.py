"""Trainings on several devices and processes: the weights of one device with the whole batch."""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

import tasks
from tasks.engine.config import SettingError
from tasks.engine.devices import row_shares
from tasks.engine.distribution import Distribution
from tasks.engine.group import Group, group_of, told_group
from tests.loopback import enclosed, needs_enclosure

ROOT = Path(__file__).parents[3]
CLOSE = {"dense": 1e-5, "batch": 1e-3, "recurrent": 1e-5, "sequence": 1e-5}


@pytest.fixture
def environment(monkeypatch):
    for name in ("TF_CONFIG", "RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("parts", [1, 2, 3])
@pytest.mark.parametrize("is_mean", [False, True])
def test_the_weighted_loss_of_all_parts_is_that_of_the_batch(count, parts, is_mean):
    random = np.random.default_rng(0)
    losses, weights = random.random((count, 4)), random.random((count, 4)).astype("float32")
    shares = row_shares((losses, np.zeros((count, 4)), weights), parts, is_mean)
    assert len({len(x) for x, _, _ in shares}) == 1
    mean = np.mean([(x * w).sum() / x.size for x, _, w in shares])
    whole = (losses * weights).sum() / (weights.sum() if is_mean else losses.size)
    assert mean == pytest.approx(whole, rel=1e-5)


@pytest.mark.parametrize(
    ("y", "shape"),
    [(np.zeros(3, "int32"), (3,)), (np.zeros((3, 2), "int32"), (3, 1)), (np.zeros((3, 8, 8, 1)), (3, 1, 1))],
)
def test_examples_without_weights_get_some_of_the_rank_of_their_losses(y, shape):
    assert sum(part[2].shape[0] for part in row_shares((y, y), 3, False)) == 3
    assert row_shares((y, y), 1, False)[0][2].shape == shape


def test_every_example_is_in_one_part():
    shares = row_shares((np.arange(7), np.arange(7)), 2, False)
    assert [row for x, _, w in shares for row, weight in zip(x, w, strict=True) if weight] == [*range(7)]


def test_a_group_is_found_in_either_form(environment):
    assert told_group() is None
    environment.setenv("RANK", "1")
    environment.setenv("WORLD_SIZE", "2")
    assert told_group() is None
    environment.setenv("MASTER_ADDR", "head")
    assert told_group() == Group(1, 2, ("head:29500",))
    environment.setenv("MASTER_PORT", "7")
    assert told_group() == Group(1, 2, ("head:7",))
    place = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}
    environment.setenv("TF_CONFIG", json.dumps(place))
    assert told_group() == Group(0, 2, ("a:1", "b:1"))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": -1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": "x"}}',
        '{"cluster": {"worker": ["a:1"], "chief": ["b:1"]}, "task": {"type": "chief", "index": 0}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "worker", "index": 0}}',
    ],
)
def test_a_group_of_another_form_is_refused(text):
    with pytest.raises(SettingError, match="TF_CONFIG"):
        group_of(text)


@pytest.mark.parametrize(("rank", "size"), [("2", "2"), ("-1", "2"), ("x", "2"), ("0", "0")])
def test_a_rank_beyond_its_group_is_refused(environment, rank, size):
    environment.setenv("RANK", rank)
    environment.setenv("WORLD_SIZE", size)
    environment.setenv("MASTER_ADDR", "head")
    with pytest.raises(SettingError, match="RANK"):
        told_group()


def test_options_that_do_not_fit_are_refused(environment):
    assert Distribution().strategy == "none"
    assert Distribution(workers=2).starts_workers
    with pytest.raises(SettingError, match="--workers N"):
        Distribution(strategy="workers")
    with pytest.raises(SettingError, match="mirrored"):
        Distribution(strategy="mirrored", workers=2)
    with pytest.raises(SettingError, match="--shared"):
        Distribution(workers=2, address="auto")
    environment.setenv("RANK", "1")
    environment.setenv("WORLD_SIZE", "2")
    environment.setenv("MASTER_ADDR", "head")
    assert not Distribution(strategy="workers").starts_workers
    assert not Distribution(strategy="workers").is_first
    with pytest.raises(SettingError, match="2 processes"):
        Distribution(workers=3).group()


def test_a_group_that_is_not_used_is_said(environment, caplog):
    environment.setenv("RANK", "0")
    environment.setenv("WORLD_SIZE", "2")
    environment.setenv("MASTER_ADDR", "head")
    assert Distribution().group() is None
    assert "trains alone" in caplog.text


def command(*words, backend):
    """Return a command in a network of its own, and its environment."""
    return enclosed(sys.executable, *words), os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}


def run_enclosed(*words, backend):
    """Run a command in a network of its own to its end; return what is known of it."""
    line, told = command(*words, backend=backend)
    return subprocess.run(line, env=told, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


@needs_enclosure
@pytest.mark.parametrize(
    ("backend", "cases"),
    [
        ("tensorflow", {"workers": [*CLOSE], "mirrored": ["batch"]}),
        ("jax", {"workers": ["batch"], "mirrored": ["recurrent"]}),
    ],
)
def test_several_devices_reach_the_weights_of_one(tmp_path, backend, cases):
    alone = dict.fromkeys(case for some in cases.values() for case in some)
    for strategy, some in {"none": alone, **cases}.items():
        group = ["-m", "tests.group", "2", sys.executable] if strategy == "workers" else []
        words = ["-m", "tests.tasks.engine.spread", ",".join(some), strategy, tmp_path / strategy]
        done = run_enclosed(*group, *words, backend=backend)
        assert done.returncode == 0, done.stderr[-3000:]
    for strategy, some in cases.items():
        for case in some:
            one, two = weights(tmp_path / "none" / case)[0], weights(tmp_path / strategy / case)
            assert max(abs(a - b).max() for a, b in zip(one, two[0], strict=True)) < CLOSE[case], (strategy, case)
            assert len(two) == (2 if strategy == "workers" else 1)
            assert all((a == b).all() for other in two for a, b in zip(two[0], other, strict=True)), (strategy, case)


def weights(folder):
    """Return the weights that each process of a training has kept."""
    return [list(np.load(path).values()) for path in sorted(folder.glob("*.npz"))]


@needs_enclosure
@pytest.mark.parametrize("name", tasks.names())
def test_every_task_trains_on_processes_that_the_environment_names(tmp_path, name):
    words = ["-m", "tests.group", "2", sys.executable, "cli.py", "train", name, "--data", "builtin", "--limit", "16"]
    words += ["--epochs", "1", "--strategy", "workers", "--run", tmp_path / "run", "--json"]
    done = run_enclosed(*words, backend="tensorflow")
    assert done.returncode == 0, done.stderr[-3000:]
    (shown,) = done.stdout.splitlines()  # of the first process alone
    assert json.loads(shown)["metrics"]
    assert tasks.load(name, tmp_path / "run").predict([next(iter(inputs_of(name)))])


def inputs_of(name):
    """Yield inputs of a task."""
    task = tasks.get(name)
    for example in task.load(tasks.configure(name, data="builtin")).test:
        yield example[task.accepts.field]


def descendants(process):
    """Return the processes below one, with their command lines."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            text = path.read_text()
            parents[int(path.parent.name)] = int(text[text.rindex(")") + 2 :].split()[1])
    below = {process}
    while more := {child for child, parent in parents.items() if parent in below} - below:
        below |= more
    found = {}
    for child in below:
        with suppress(OSError):
            found[child] = Path(f"/proc/{child}/cmdline").read_text()
    return found


@needs_enclosure
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_a_training_ends_by_itself_after_a_worker_was_killed(tmp_path, backend):
    words = ["cli.py", "train", "mnist", "--preset", "dense", "--data", "builtin", "--limit", "640", "--units", "32"]
    words += ["--batch-size", "32", "--epochs", "2", "--checkpoint-every", "5 steps"]
    group = ["-m", "tests.group", "2", sys.executable]
    whole = run_enclosed(*group, *words, "--strategy", "workers", "--run", tmp_path / "whole", backend=backend)
    assert whole.returncode == 0, whole.stderr
    words += ["--workers", "2", "--run"]
    line, told = command(*words, tmp_path / "killed", backend=backend)
    with subprocess.Popen(
        line, env=told, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while not [*(tmp_path / "killed").glob("checkpoint/00001-*/state.json")]:
            time.sleep(0.05)
            assert process.poll() is None
        workers = [child for child, name in descendants(process.pid).items() if "TrainWorker" in name]
        assert len(workers) == 2
        os.kill(workers[-1], 9)
        _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert "A process was lost" in said
    one, other = (ZipFile(tmp_path / name / "model.keras").read("model.weights.h5") for name in ("whole", "killed"))
    assert one == other


@needs_enclosure
def test_a_signal_ends_all_processes_of_a_training_on_workers(tmp_path):
    words = ["cli.py", "train", "mnist", "--preset", "dense", "--data", "builtin", "--epochs", "100", "--workers", "2"]
    words += ["--checkpoint-every", "5 steps", "--run", tmp_path / "run"]
    line, told = command(*words, backend="tensorflow")
    with subprocess.Popen(line, env=told, cwd=ROOT, stderr=-1, stdout=-1, text=True) as process:
        while not [*(tmp_path / "run").glob("checkpoint/00001-*/state.json")]:
            time.sleep(0.05)
            assert process.poll() is None
        others = descendants(process.pid).keys() - {process.pid}
        assert len(others) > 2
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert process.returncode == 143
    assert "--resume" in said.splitlines()[-1]
    assert "--workers 2" in said.splitlines()[-1]
    end = time.monotonic() + 20
    while left := [one for one in others if Path(f"/proc/{one}/cmdline").exists() and running(one)]:
        assert time.monotonic() < end, left
        time.sleep(0.2)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def running(process):
    """Return whether a process has not ended."""
    with suppress(OSError):
        text = Path(f"/proc/{process}/stat").read_text()
        return text[text.rindex(")") + 2] != "Z"
    return False


@needs_enclosure
def test_a_training_on_workers_that_diverges_ends_as_it_does_alone(tmp_path):
    words = ["cli.py", "train", "mnist", "--preset", "dense", "--data", "builtin", "--learning-rate", "1e18"]
    words += ["--retries", "0", "--workers", "2", "--run", tmp_path / "run"]
    done = run_enclosed(*words, backend="tensorflow")
    assert done.returncode == 3
    assert "Training diverged in epoch 1" in done.stderr
    assert "was lost" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_bad_data_ends_a_training_on_workers_before_they_begin(tmp_path, environment):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        tasks.train("mnist", tmp_path / "run", data="/nowhere", spread=Distribution(workers=2))
    assert not [*tmp_path.iterdir()]

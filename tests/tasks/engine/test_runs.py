"""The run directory: whole files, locks, finding, refusing."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.engine import files, runs
from tasks.engine.config import SettingError

ROOT = Path(__file__).parents[3]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    files.write_text(tmp_path / "a.txt", "old")

    def fail():
        with files.atomic_file(tmp_path / "a.txt") as part:
            part.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_kill_while_writing_never_leaves_half_a_file(tmp_path):
    code = (
        "from tasks.engine import files; from pathlib import Path; import itertools, sys\n"
        "print('go', flush=True)\n"
        "for n in itertools.count():\n"
        f"    files.write_json(Path({str(tmp_path)!r}) / 'a.json', [n] * 200_000)"
    )
    for delay in (0.2, 0.25, 0.3):
        process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
        process.stdout.readline()
        while not (tmp_path / "a.json").exists():
            time.sleep(0.01)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        values = json.loads((tmp_path / "a.json").read_text())
        assert len(values) == 200_000
        assert len(set(values)) == 1


def test_numbers_that_json_lacks_are_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_directory_with_something_in_it_is_never_taken(tmp_path):
    assert runs.empty_directory(tmp_path / "new") == tmp_path / "new"
    (tmp_path / "a").write_text("")
    with pytest.raises(FileExistsError, match="not empty"):
        runs.empty_directory(tmp_path)


@pytest.mark.parametrize("there", ["", "a", "a/b", "a/b/c"])
def test_work_that_fails_leaves_no_empty_directory_that_it_made(there, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(there).mkdir(parents=True, exist_ok=True)
    for name in ("a/b/c", "a/b/d"):
        with pytest.raises(OSError, match="early"), runs.made_directory(Path(name)):
            raise OSError("early")
    assert [path.as_posix() for path in Path().rglob("*")] == [
        there[:length] for length in (1, 3, 5) if length <= len(there)
    ]
    with runs.made_directory(Path("a/b/c")):
        Path("a/b/c/half").touch()
    assert Path("a/b/c/half").is_file()


def test_one_process_at_a_time_writes_a_run(tmp_path):
    with runs.lock(tmp_path), pytest.raises(runs.LockedError, match="another process"), runs.lock(tmp_path):
        pass
    with runs.lock(tmp_path):
        assert not list(tmp_path.iterdir())


def make(folder, task="mnist", finished=True):
    folder.mkdir(parents=True)
    runs.write_config(folder, task, {"epochs": 3})
    if finished:
        files.write_json(folder / "metrics.json", {})
    return folder


def test_the_newest_finished_run_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, finished in (("1", True), ("2", True), ("3", False)):
        make(Path("runs/mnist") / name, finished=finished)
    assert runs.find_run("mnist", None) == Path("runs/mnist/2")
    assert runs.find_run("mnist", Path("other")) == Path("other")
    assert runs.unfinished_run("mnist", None) == Path("runs/mnist/3")


def test_a_finished_run_has_nothing_to_resume(tmp_path):
    with pytest.raises(FileExistsError, match="finished"):
        runs.unfinished_run("mnist", make(tmp_path / "a"))


def test_no_run_at_all_says_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, "TASKS", tmp_path)
    for look in (runs.find_run, runs.unfinished_run):
        with pytest.raises(FileNotFoundError, match="train mnist"):
            look("mnist", None)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        (None, runs.RunError, "no config.json"),
        ("{", runs.RunError, "damaged"),
        ("[]", runs.RunError, "damaged"),
        ('{"format": 1, "task": "mnist"}', runs.RunError, "damaged"),
        ('{"format": 99, "task": "mnist", "settings": {}}', runs.RunError, "format 99"),
        ('{"format": 1, "task": "caption", "settings": {}}', SettingError, "a run of 'caption', not of 'mnist'"),
    ],
)
def test_an_unfit_run_is_refused(tmp_path, text, error, said):
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    with pytest.raises(error, match=said):
        runs.read_config(tmp_path, "mnist")


def test_a_missing_run_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        runs.read_config(tmp_path / "nowhere", "mnist")

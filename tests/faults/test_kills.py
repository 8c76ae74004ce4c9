"""Processes that are killed or stopped: nothing is lost, and what goes on equals a training that was left alone."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.engine import runs
from tests.faults import kills

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("task", "events"), [("mnist", (9, 60, 150)), ("sentiment", (100,)), ("translate", (75,))])
def test_a_killed_training_goes_on_to_the_same_weights_history_and_metrics(task, events, tmp_path):
    ended = kills.start(task, tmp_path / "whole")
    assert ended.returncode == 0, ended.stderr
    count, wrong = kills.killed_training(task, tmp_path / "cut", iter(events), len(events))
    assert wrong == ""
    assert count == len(events), "each start must be killed for this test to mean anything"
    assert kills.Outcome.of(tmp_path / "cut") == kills.Outcome.of(tmp_path / "whole")


def stopped(words, when, number, folder):
    """Start a command, send it a signal once a path is there, and return its last line, its code and the seconds."""
    command = [sys.executable, str(ROOT / "cli.py"), *words]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 240
    while not list(folder.glob(when)) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    begin = time.monotonic()
    _, stderr = process.communicate(timeout=60)
    return stderr.splitlines()[-1], process.returncode, time.monotonic() - begin


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (
            "run/config.json",
            "Stopped before the first checkpoint; `python cli.py train mnist --resume --run run` begins",
        ),
        (
            "run/onnx/*",
            "Stopped; the training is complete and kept, and `python cli.py train mnist --resume --run run`",
        ),
    ],
)
def test_a_signal_outside_the_steps_ends_at_once_and_says_what_is_kept(when, said, tmp_path):
    words = ["train", "mnist", *kills.SHARED, *kills.SETTINGS["mnist"], "--run", "run"]
    last, code, seconds = stopped(words, when, signal.SIGTERM, tmp_path)
    assert code == 143
    assert said in last
    assert seconds < 5
    ended = kills.start("mnist", tmp_path / "run")
    assert ended.returncode == 0, ended.stderr
    assert json.loads((tmp_path / "run/metrics.json").read_text())["metrics"]


def listening(*lines):
    """Run lines in a process that listens for signals; return its code, its output, its errors and the seconds."""
    begin = time.monotonic()
    head = ("import os, signal, time", "from tasks.engine import signals", "ENDING = signals.ENDING")
    words = [sys.executable, "-c", "\n".join([*head, *lines])]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    return ended.returncode, ended.stdout, ended.stderr, time.monotonic() - begin


def test_a_second_signal_ends_at_once():
    *found, seconds = listening(
        "signal.signal(signal.SIGINT, signal.SIG_DFL)",
        "ENDING.listen('Stopped.')",
        "with ENDING.waiting():",
        "    os.kill(os.getpid(), signal.SIGINT)",
        "    while not ENDING.asked: time.sleep(0.01)",
        "    print('asked', ENDING.asked, flush=True)",
        "    os.kill(os.getpid(), signal.SIGTERM)",
        "    time.sleep(20)",
    )
    assert found == [143, "asked 2\n", "\nError: Stopped.\n"]
    assert seconds < 3


def test_nothing_is_said_after_the_sentence_of_a_stop():
    code, _, errors, _ = listening(
        "from threading import Thread",
        "ENDING.listen('Stopped.')",
        "ENDING.last = lambda: time.sleep(0.3)",
        "Thread(target=lambda: (time.sleep(0.2), os.kill(os.getpid(), signal.SIGTERM)), daemon=True).start()",
        "while True: os.write(2, b'at work\\n')",
    )
    assert code == 143
    assert errors.startswith("at work\n")
    assert errors.endswith("\nError: Stopped.\n")


def test_a_step_that_takes_too_long_is_not_waited_for():
    *found, seconds = listening(
        "signals.GRACE = 0.3",
        "ENDING.listen('Stopped.')",
        "with ENDING.waiting():",
        "    os.kill(os.getpid(), signal.SIGTERM)",
        "    time.sleep(20)",
    )
    assert found == [143, "", "\nError: Stopped.\n"]
    assert seconds < 3


def test_a_signal_that_whoever_started_the_process_ignores_stays_ignored():
    code, output, _, _ = listening(
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)",
        "ENDING.listen('Stopped.')",
        "os.kill(os.getpid(), signal.SIGHUP)",
        "time.sleep(0.3)",
        "print('goes on')",
    )
    assert (code, output) == (0, "goes on\n")


def test_a_command_whose_standard_error_is_gone_still_ends():
    code, _, _, _ = listening(
        "ENDING.listen('Stopped.')",
        "reader, writer = os.pipe()",
        "os.close(reader)",
        "os.dup2(writer, 2)",
        "os.kill(os.getpid(), signal.SIGTERM)",
        "time.sleep(20)",
    )
    assert code == 143


def test_a_directory_whose_training_had_not_begun_is_not_stuck(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/.part-config.json").write_text("{")
    words = [sys.executable, str(ROOT / "cli.py"), "train", "mnist"]
    resumed = subprocess.run(
        [*words, "--resume", "--run", "run"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert resumed.returncode == 65
    assert "its training had not begun; begin it with: train mnist --run run" in resumed.stderr
    ended = kills.start("mnist", tmp_path / "run")
    assert ended.returncode == 0, ended.stderr
    assert not list((tmp_path / "run").rglob(".part-*"))


def test_a_folder_with_the_name_of_a_part_counts_for_nothing(tmp_path):
    (tmp_path / ".part-x").mkdir()
    runs.remove_parts(tmp_path)
    assert runs.empty_directory(tmp_path) == tmp_path

"""Runs that take over while a server answers."""

import os
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tasks.engine import runs
from tasks.serving.app import State
from tasks.serving.metrics import Metrics
from tasks.serving.queue import Job
from tasks.serving.server import watch_runs
from tasks.serving.service import Limits, Served

SHIPPED = Path(__file__).parents[3] / "tasks/mnist/pretrained/small"
DIGIT = (SHIPPED.parents[1] / "example.png").read_bytes()


@pytest.fixture
def served(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = Served("mnist", None, Limits(), Metrics())
    yield made
    made.queue.close()
    made.queue.thread.join(5)


def finished_run(name):
    """Return a copy of the run that ships, as one that was trained here."""
    return Path(shutil.copytree(SHIPPED, Path("runs/mnist", name)))


def answer(served, key="[]"):
    job = Job([DIGIT], key, time.monotonic() + 20)
    served.queue.put(job)
    (found,) = job.answers.result(20)
    return found


def test_a_run_that_ends_later_takes_over_and_no_request_is_dropped(served, monkeypatch):
    monkeypatch.setattr("tasks.serving.server.EVERY", 0.02)
    state, found, done = State({"mnist": served}, Limits(), Metrics()), [], threading.Event()

    def ask():
        while not done.is_set():
            found.append(answer(served))

    threads = [threading.Thread(target=ask), threading.Thread(target=watch_runs, args=([served], state))]
    for thread in threads:
        thread.start()
    try:
        assert answer(served).run == "small"
        finished_run("later")
        end = time.monotonic() + 20
        while not found or found[-1].run != "later":
            assert time.monotonic() < end
            time.sleep(0.02)
    finally:
        done.set()
        state.closing = True
        for thread in threads:
            thread.join(20)
    assert {one.run for one in found} == {"small", "later"}
    assert {one.answer["label"] for one in found} == {"3"}
    assert served.state["run"]["name"] == "later"
    assert "small" in served.state["others"]


def test_a_damaged_or_unfinished_run_does_not_take_over(served):
    assert served.newest() is None
    run = finished_run("later")
    onnx = run / "onnx/classify.onnx"
    whole = onnx.read_bytes()
    onnx.write_bytes(whole[:1000])
    with pytest.raises(runs.RunError):
        served.newest()
    assert served.newest() is None  # it is not opened again as long as it stays as it is
    assert answer(served).run == "small"
    onnx.write_bytes(whole)
    assert served.newest().run.name == "later"


def test_pipelines_of_other_settings_are_kept_but_not_without_end_nor_past_their_run(served):
    first = answer(served, '[["layers_file", "layers.png"]]')
    assert first.answer["layers"]
    for number in range(40):
        served.variant(f'[["batch_size", {number + 1}]]')
    assert len(served.variants) <= 16
    assert answer(served, '[["layers_file", "layers.png"]]').answer == first.answer
    served.take(served.opened(finished_run("other"), 4.0))
    assert answer(served, '[["layers_file", "layers.png"]]').run == "other"
    assert not [name for name in os.listdir() if name != "runs"]


def test_a_bad_input_does_not_spoil_the_others_and_an_odd_failure_is_one_inputs_own(served, monkeypatch):
    job = Job([DIGIT, b"no picture", DIGIT], "[]", time.monotonic() + 20)
    served.queue.put(job)
    found = job.answers.result(20)
    assert [bool(one.error) for one in found] == [False, True, False]
    predict = served.pipeline.task.predict

    def failing(pipeline, inputs):
        read = list(inputs)
        if any(not one.image.any() for one in read):
            raise ZeroDivisionError
        return predict(pipeline, read)

    task = served.pipeline.task
    object.__setattr__(task, "predict", failing)
    try:
        found = served.answer("[]", [DIGIT, np.full((30, 30), 255, "uint8"), DIGIT])
    finally:
        object.__setattr__(task, "predict", predict)
    assert [type(one.error) for one in found] == [type(None), ZeroDivisionError, type(None)]
    assert [one.answer.get("label") for one in found] == ["3", None, "3"]


def test_tasks_that_answer_with_pictures_take_few_at_a_time():
    served = Served("upscale", Path("small-x2"), Limits(), Metrics())
    assert served.limits.batch == 1
    assert served.limits.inputs < Limits().inputs
    assert served.state["max_inputs"] == served.limits.inputs
    served.queue.close()

"""Runs that take over while a server answers."""

import os
import shutil
import threading
import time
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.engine import runs
from tasks.serving.app import State
from tasks.serving.metrics import Metrics
from tasks.serving.queue import Job, LateError
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


def jpeg(side, quality):
    file = BytesIO()
    Image.new("RGB", (side, side), "grey").save(file, "JPEG", quality=quality)
    return file.getvalue()


LONG = {  # a task, its run, settings, an input, and how many calls of its network somebody waits for
    "beams": ("translate", "small", '[["beam", 16], ["n_best", 16], ["alignment_file", "a.png"]]', "A dog runs.", 3),
    "words": ("sentiment", "hybrid", '[["explain", true]]', "It is good.", 1),
    "words of a caption": ("caption", None, "[]", jpeg(64, 95), 2),
    "layers": ("mnist", "small", '[["layers_file", "a.png"]]', DIGIT, 1),
    "a run for JPEG files": ("upscale", None, "[]", jpeg(24, 50), 0),
    "that run with other settings": ("upscale", None, '[["ensemble", true]]', jpeg(24, 50), 3),
}


@pytest.mark.parametrize("case", LONG)
def test_no_network_is_called_once_nobody_waits(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name, run, key, given, wanted = LONG[case]
    served, asked = Served(name, run and Path(run), Limits(), Metrics()), []

    def check_wanted():
        asked.append(name)
        if len(asked) > wanted:
            raise LateError

    monkeypatch.setattr(served.queue, "check_wanted", check_wanted)
    with pytest.raises(LateError):
        served.answer(key, [given])
    assert len(asked) == wanted + 1
    served.queue.close()


def test_a_long_answer_ends_soon_after_its_time_and_the_next_one_comes():
    served, calls = Served("translate", Path("small"), Limits(), Metrics()), []
    network = served.pipeline.network

    def slow_network(signature, *arrays):
        calls.append(signature)
        time.sleep(0.05)
        return network(signature, *arrays)

    served.take(replace(served.pipeline, network=slow_network))
    long = Job(["A man in a red shirt rides a brown horse. "] * 64, "[]", time.monotonic() + 0.4)
    served.queue.put(long)
    with pytest.raises(LateError):
        long.answers.result(5)
    assert len(calls) < 12
    short = Job(["A dog runs."], "[]", time.monotonic() + 20)
    served.queue.put(short)
    assert short.answers.result(20)[0].answer["translation"] == "Ein Hund rennt."
    served.queue.close()


def test_a_client_is_told_the_facts_of_each_run_that_may_answer(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    served = Served("upscale", None, Limits(), Metrics())
    alternates = {run["name"]: run for run in served.state["alternates"]}
    assert list(alternates) == served.state["others"]
    assert served.answer("[]", [jpeg(24, 50)])[0].answer["run"] in alternates
    own = served.state["run"]
    for run in alternates.values():
        assert set(run) == set(own)
        assert run["score"] != own["score"]
    served.queue.close()

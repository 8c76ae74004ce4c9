"""Runs of older formats are read with today's names."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import tasks
from tasks.engine import runs
from tasks.engine.members import RunError
from tasks.engine.runs import TASKS

OLD = json.loads((Path(__file__).parent / "format_1.json").read_text())  # config.json of the seven runs that shipped
TRAINED_AGAIN = {  # runs, and what is another there
    "caption/gru": ("encoder", "epochs", "length_penalty", "storage"),
    "sentiment/hybrid": ("epochs", "excerpts", "storage", "ngrams"),
    "translate/small": (
        *("source", "target", "learning_rate", "budget", "embedding", "epochs", "storage", "units", "average"),
        "checkpoint_every",
    ),
}
PATHS = ("data", "test", "init_from", "encoder_weights")  # published with names since


@pytest.mark.parametrize("name", OLD)
def test_a_run_of_the_first_format_has_the_settings_of_today(name, tmp_path):
    task, run = name.split("/")
    copy = shutil.copytree(TASKS / task / "pretrained" / run, tmp_path / run)
    today, changed = json.loads((copy / "config.json").read_text())["settings"], TRAINED_AGAIN.get(name, ())
    before = OLD[name]["settings"]
    assert all(before.get(key) != today[key] for key in changed)
    settings = before | {key: today[key] for key in changed}
    (copy / "config.json").write_text(json.dumps(OLD[name] | {"settings": settings}))
    assert OLD[name]["format"] == 1
    old, new = (tasks.load(task, folder).config.state() for folder in (copy, TASKS / task / "pretrained" / run))
    assert not {key for key in old.keys() | new.keys() if key not in PATHS and old.get(key) != new.get(key)}


def test_a_run_of_the_first_format_answers_the_same(tmp_path):
    shipped = TASKS / "translate/pretrained/small"
    copy = shutil.copytree(shipped, tmp_path / "small")
    (copy / "config.json").write_text(json.dumps(OLD["translate/small"]))
    texts = ["A dog runs.", "Two men are talking."]
    np.testing.assert_equal(
        tasks.load("translate", copy).predict(texts), tasks.load("translate", shipped).predict(texts)
    )


def test_a_newer_format_is_refused(tmp_path):
    copy = shutil.copytree(TASKS / "mnist/pretrained/small", tmp_path / "small")
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"format": runs.FORMAT + 1}))
    with pytest.raises(RunError, match=f"format {runs.FORMAT + 1}, and this version reads up to {runs.FORMAT}"):
        tasks.load("mnist", copy)

"""Published runs name their data and no folder of a machine."""

import json
import shutil

import pytest

import tasks
from tasks.engine import runs
from tasks.engine.members import RunError
from tasks.engine.publish import check_portable, portable_command, publish

SHIPPED = [run for name in tasks.names() for run in runs.pretrained_runs(name)]


@pytest.mark.parametrize("run", SHIPPED, ids=lambda run: f"{run.parts[-3]}/{run.name}")
def test_a_shipped_run_names_its_data_and_no_path(run):
    check_portable(run)
    data = json.loads((run / "environment.json").read_text())["data"]
    assert data["name"] == json.loads((run / "config.json").read_text())["settings"]["data"]
    assert len(data["source"]) > 20
    assert "licence is the user's" not in data["source"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a run of the user's own pictures."""
    from PIL import Image

    from data.builtin import sets

    folder = tmp_path_factory.mktemp("data") / "my digits"
    for number, example in enumerate(sets.digits()[0][:60]):
        path = folder / example["label"] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(example["image"]).save(path)
    settings = {"data": str(folder), "epochs": 1, "filters": [4], "average": 0}
    return tasks.train("mnist", folder.parent / "run", **settings).run


def test_publishing_replaces_paths_by_names(trained, tmp_path):
    publish("mnist", trained, tmp_path / "small")
    check_portable(tmp_path / "small")
    assert not (tmp_path / "small/checkpoint").exists()
    settings = json.loads((tmp_path / "small/config.json").read_text())["settings"]
    assert settings["data"] == "my digits"
    assert "`my digits`" in (tmp_path / "small/README.md").read_text()
    one, other = (
        tasks.load("mnist", run).predict(["tasks/mnist/example.png"]) for run in (trained, tmp_path / "small")
    )
    assert one == other


def test_a_path_that_is_left_is_refused(trained):
    with pytest.raises(RunError, match="has a path for 'data'"):
        check_portable(trained)


def test_a_run_that_cannot_be_published_leaves_nothing(trained, tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.engine.publish.portable_command", lambda command: f"{command} /data/x")
    with pytest.raises(RunError, match="names the path '/data/x'"):
        publish("mnist", trained, tmp_path / "small")
    assert not list(tmp_path.iterdir())


def test_relative_folders_become_names(trained, tmp_path, monkeypatch):
    copy = shutil.copytree(trained, tmp_path / "copy")
    config = json.loads((copy / "config.json").read_text())
    config["settings"] |= {"data": "pictures/of/digits", "test": "more/of/digits"}
    (copy / "config.json").write_text(json.dumps(config))
    publish("mnist", copy, tmp_path / "small")
    settings = json.loads((tmp_path / "small/config.json").read_text())["settings"]
    assert (settings["data"], settings["test"]) == ("digits", "digits")


def test_an_unfinished_run_is_not_published(tmp_path):
    with pytest.raises(RunError, match="is not finished"):
        publish("mnist", tmp_path, tmp_path / "x")


def test_a_command_keeps_names_of_catalogues():
    given = "cli.py train translate --data ted_hrlr_translate/pt_to_en --run /me/runs/a --data-dir /data --epochs 3"
    want = "cli.py train translate --data ted_hrlr_translate/pt_to_en --data-dir DIR --epochs 3"
    assert portable_command(given) == want

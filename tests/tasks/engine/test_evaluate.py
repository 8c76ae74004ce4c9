"""Scoring: the run's own data, or else the embedded one, and said so."""

import json
import shutil

import pytest
from PIL import Image

import tasks
from data.builtin import sets
from data.splits import DataError, UnavailableError
from tasks.engine import records, runs
from tasks.engine.evaluate import evaluate

EXAMPLES = {"mnist": 359, "sentiment": 394, "translate": 300, "upscale": 4, "caption": 9}


@pytest.mark.slow
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


@pytest.fixture
def other(tmp_path):
    """Return a small data set of the user's own for each task."""
    reviews, sentences = sets.reviews()[1][:6], sets.pairs()[1][:5]
    rows = [f"{row['label'][:3]}\t{row['text']}" for row in reviews]
    (tmp_path / "reviews.tsv").write_text("\n".join(["label\ttext", *rows]) + "\n")
    rows = [f"{row['en']}\t{row['de']}" for row in sentences]
    (tmp_path / "pairs.tsv").write_text("\n".join(["en\tde", *rows]) + "\n", encoding="utf-8")
    for number, example in enumerate(sets.digits()[1][:8]):
        (tmp_path / "digits" / example["label"]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(example["image"]).save(tmp_path / "digits" / example["label"] / f"{number}.png")
    (tmp_path / "album").mkdir()
    for number, example in enumerate(sets.scenes()[1][:4]):
        Image.fromarray(example["image"]).save(tmp_path / "album" / f"{number}.png")
    rows = [
        f"{number}.png\t{text}" for number, example in enumerate(sets.scenes()[1][:4]) for text in example["captions"]
    ]
    (tmp_path / "album" / "captions.tsv").write_text("\n".join(["image\tcaption", *rows]) + "\n")
    names = {"mnist": "digits", "sentiment": "reviews.tsv", "translate": "pairs.tsv", "caption": "album"}
    return {name: str(tmp_path / place) for name, place in names.items()} | {"upscale": str(tmp_path / "album")}


@pytest.mark.parametrize(
    ("name", "count"), [("mnist", 8), ("sentiment", 6), ("translate", 5), ("caption", 4), ("upscale", 4)]
)
def test_other_examples_are_scored_on_a_machine_without_the_training_data(name, count, other, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "empty"))
    run = runs.pretrained_runs(name)[0]
    assert tasks.evaluate(name, run, test=other[name]).summary["examples"] == count
    assert tasks.evaluate(name, run, test=other[name], limit=2).summary["examples"] == 2
    assert tasks.evaluate(name, run, split=other[name]).summary["split"] == other[name]


@pytest.mark.parametrize("name", ["mnist", "sentiment", "caption", "translate"])
def test_a_training_with_other_test_data_misses_its_own_before_a_directory_is_made(name, other, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError):
        tasks.train(name, tmp_path / "run", data="./nowhere", test=other[name])
    assert not (tmp_path / "run").exists()


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
    history = records.read_history(made.run)
    assert made.validation["loss"] == min(row["val_loss"] for row in history)
    assert set(made.validation) == {"loss", "accuracy"}
    assert "no test split was scored" in (made.run / "README.md").read_text()
    assert tasks.load("mnist", made.run).validation == made.validation


def write_reviews(path, count, names=("stars", "body"), classes=("positive", "negative"), part=None, begin=0):
    """Write embedded reviews as a table in Latin-1, with other names of columns and classes, and a row without text."""
    rows = [[*names, *(["split"] if part else [])]]
    for row in sets.reviews()[0][begin : begin + count]:
        label = classes[0] if row["label"] == sets.reviews()[0][0]["label"] else classes[1]
        rows.append([label, f"{row['text']} né".replace('"', "'"), *([part] if part else [])])
    rows.append([classes[0], "", *([part] if part else [])])
    text = "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in rows)
    path.write_bytes(text.encode("latin-1"))
    return path


TINY = {"epochs": 1, "embedding": 4, "units": 4, "max_length": 20, "average": 0, "ngrams": 0}
OWN = {"columns": "text=body,label=stars", "encoding": "latin-1", "labels": "positive=pos,negative=neg"}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Return the run of a table with settings of its own."""
    folder = tmp_path_factory.mktemp("own")
    path = write_reviews(folder / "mine.csv", 80)
    return tasks.train("sentiment", folder / "run", preset="gru", data=str(path), **OWN, **TINY).run


def test_what_is_left_out_and_drawn_stands_in_the_run_and_on_its_card(own):
    notices = json.loads((own / "environment.json").read_text())["notices"]
    card = (own / "README.md").read_text()
    assert any("1 examples without a text are left out" in notice for notice in notices)
    assert len(set(notices)) == len(notices)
    assert all(f"* **Notice**: {notice}" in card for notice in notices)


def test_what_is_drawn_is_said_in_the_run_from_python_too(own):
    notices = json.loads((own / "environment.json").read_text())["notices"]
    for part in ("no test part; 16 of 80", "no validation part; 6 of 64"):
        assert any(part in notice and "(seed 0)" in notice for notice in notices)


def test_the_own_data_of_a_run_is_read_as_it_was_trained(own, caplog):
    with caplog.at_level("WARNING", logger="tasks"):
        assert tasks.evaluate("sentiment", own).summary["examples"] == 16
        assert tasks.evaluate("sentiment", own, "valid").summary["examples"] == 6
    assert "not those that the run was trained with" not in caplog.text


def test_other_data_is_read_without_the_settings_of_the_own_data(own, tmp_path):
    (tmp_path / "other.csv").write_text("text,label\nA great film é.,pos\nA dull film.,neg\n", encoding="utf-8")
    assert tasks.evaluate("sentiment", own, data=str(tmp_path / "other.csv")).summary["examples"] == 2
    config = tasks.load("sentiment", own, data=str(tmp_path / "other.csv")).config
    assert (config.columns, config.encoding, config.labels, config.test) == (None, None, None, None)
    given = {"columns": "text=text", "encoding": "latin-1"}
    config = tasks.load("sentiment", own, data=str(tmp_path / "other.csv"), **given).config
    assert (config.columns, config.encoding, config.labels) == ("text=text", "latin-1", None)


def test_other_data_is_scored_whole_if_it_names_no_parts_and_else_its_test_part(own, tmp_path):
    path = write_reviews(tmp_path / "more.csv", 12, ("label", "text"), ("pos", "neg"))
    assert tasks.evaluate("sentiment", own, data=str(path), encoding="latin-1").summary["examples"] == 12
    path = write_reviews(tmp_path / "rows.csv", 12, ("label", "text"), ("pos", "neg"), "Test")
    assert tasks.evaluate("sentiment", own, data=str(path), encoding="latin-1").summary["examples"] == 12


def test_data_with_a_test_part_alone_is_scored_and_not_trained_on(own, tmp_path):
    path = write_reviews(tmp_path / "test.csv", 12, ("label", "text"), ("pos", "neg"))
    found = tasks.evaluate("sentiment", own, data=str(path), encoding="latin-1")
    assert (found.summary["examples"], found.summary["split"]) == (12, "test")
    with pytest.raises(DataError, match=r"no training examples.*`evaluate --data` scores") as caught:
        tasks.train("sentiment", tmp_path / "run", data=str(path), encoding="latin-1", **TINY)
    assert caught.value.exit_code == 65
    assert not (tmp_path / "run").exists()


def test_a_score_of_a_part_that_was_trained_on_is_said(own, tmp_path, caplog):
    path = write_reviews(tmp_path / "mine.csv", 60, begin=20)
    with caplog.at_level("WARNING", logger="tasks"):
        tasks.evaluate("sentiment", own, "valid", data=str(path), **OWN)
    assert "parts of this data are not those that the run was trained with" in caplog.text


def test_embedded_data_is_read_without_the_settings_of_the_own_data(own, tmp_path):
    copy = shutil.copytree(own, tmp_path / "run")
    config = json.loads((copy / "config.json").read_text())
    config["settings"]["data"] = "./gone.csv"
    (copy / "config.json").write_text(json.dumps(config))
    summary = tasks.evaluate("sentiment", copy).summary
    assert (summary["data"], summary["trained_on"]) == ("builtin", "gone.csv")

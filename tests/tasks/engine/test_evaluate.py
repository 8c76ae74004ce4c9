"""Scoring: the run's own data, or else the embedded one, and said so."""

import json

import pytest
from PIL import Image

import tasks
from data.builtin import sets
from data.splits import UnavailableError
from tasks.engine import runs
from tasks.engine.evaluate import evaluate

EXAMPLES = {"mnist": 359, "sentiment": 394, "translate": 300, "upscale": 4, "caption": 9}


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
    history = runs.read_history(made.run)
    assert made.validation["loss"] == min(row["val_loss"] for row in history)
    assert set(made.validation) == {"loss", "accuracy"}
    assert "no test split was scored" in (made.run / "README.md").read_text()
    assert tasks.load("mnist", made.run).validation == made.validation

"""What every task promises; each is trained once, small, on its embedded data.

A file `test_contract_TASK.py` has these tests for its `TASK`, so that processes share them.
"""

import csv
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import tasks
from data.splits import Splits, fingerprint
from tasks.engine import evaluate as evaluation
from tasks.engine.config import SettingError
from tasks.engine.load import keras_model
from tasks.engine.members import RunError
from tasks.engine.network import KerasNetwork, OnnxNetwork

ROOT = Path(__file__).parents[2]
TINY = {"data": "builtin", "limit": 96, "epochs": 4, "batch_size": 16, "average": 0}
SMALLER = {"upscale": {"filters": 8, "squeeze": 4, "depth": 1}}
FILES = {
    "README.md",
    "answers.jsonl",
    "checkpoint",
    "codec.json",
    "config.json",
    "environment.json",
    "figures",
    "history.csv",
    "metrics.json",
    "model.keras",
    "onnx",
}


def tiny(name):
    """Return the settings of a tiny run of a task."""
    return TINY | SMALLER.get(name, {})


@pytest.fixture(scope="module")
def trained(request, tmp_path_factory):
    """Return the pipeline of a tiny run of the task that a module names."""
    name = request.module.TASK
    return tasks.train(name, tmp_path_factory.mktemp("runs") / name, **tiny(name))


def inputs(pipeline, count=5):
    return [example[pipeline.task.accepts.field] for example in pipeline.task.load(pipeline.config).test[:count]]


def numbers(answer):
    """Return all numbers in an answer, in order."""
    if isinstance(answer, dict):
        return [number for value in answer.values() for number in numbers(value)]
    if isinstance(answer, list):
        return [number for value in answer for number in numbers(value)]
    if isinstance(answer, np.ndarray):
        return [float(answer.mean() / 255)]  # whole levels: a tie may be rounded either way
    return [answer] if isinstance(answer, float) else []


def timeless(metrics):
    """Return metrics without rates, which depend on the machine's mood."""
    return {name: value for name, value in metrics.items() if "_per_second" not in name and "milliseconds" not in name}


def count(pipeline):
    """Return how many examples a tiny run is tested on."""
    return min(pipeline.config.limit, len(pipeline.task.load(pipeline.config).test))


def test_a_run_has_its_files_and_no_other(trained):
    assert {path.name for path in trained.run.iterdir()} == FILES
    assert list((trained.run / "onnx").glob("*.onnx"))
    assert all(path.stat().st_size > 0 for path in trained.run.rglob("*") if path.is_file())


def test_the_loss_is_finite_and_falls(trained):
    with (trained.run / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    losses = [float(row["loss"]) for row in rows]
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4]
    assert all(map(math.isfinite, losses))
    assert losses[-1] < losses[0]


@pytest.mark.slow
def test_a_training_from_a_run_begins_with_its_network_and_its_weights(trained, tmp_path):
    name = trained.task.name
    settings = {**tiny(name), "epochs": 1, "learning_rate": 0.0, "score": False}
    made = tasks.train(name, tmp_path / "run", init_from=trained.run, **settings)
    assert made.codec.state() == trained.codec.state() or name == "translate"  # its limits are learnt anew
    before, after = (keras_model(each).trainable_weights for each in (trained, made))
    assert len(before) == len(after) > 3
    for old, new in zip(before, after, strict=True):
        np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, (old, new)), atol=1e-6)
    (said,) = [one for one in json.loads((made.run / "environment.json").read_text())["notices"] if "weights" in one]
    assert said.endswith("new are none.")


def test_metrics_are_about_the_test_split(trained):
    summary = json.loads((trained.run / "metrics.json").read_text())
    assert {name: summary[name] for name in ("task", "data", "split", "examples")} == {
        "task": trained.task.name,
        "data": "builtin",
        "split": "test",
        "examples": count(trained),
    }
    assert timeless(summary["metrics"]) == timeless(evaluation.evaluate(trained).report.metrics)


def test_a_restored_run_answers_the_same(trained):
    again = tasks.load(trained.task.name, trained.run)
    assert again.config == trained.config
    assert isinstance(again.network, OnnxNetwork)
    np.testing.assert_equal(again.predict(inputs(trained)), trained.predict(inputs(trained)))


def test_onnx_answers_as_keras_does(trained):
    environment = json.loads((trained.run / "environment.json").read_text())
    assert 0 <= environment["onnx_difference"] < 1e-4
    other = tasks.load(trained.task.name, trained.run, engine="keras")
    assert isinstance(other.network, KerasNetwork)
    one, two = trained.predict(inputs(trained)), other.predict(inputs(trained))
    np.testing.assert_allclose(numbers(one), numbers(two), atol=1e-4)


def test_without_onnx_files_keras_answers(trained, tmp_path):
    for name in ("config.json", "codec.json", "model.keras"):
        (tmp_path / name).write_bytes((trained.run / name).read_bytes())
    pipeline = tasks.load(trained.task.name, tmp_path)
    assert isinstance(pipeline.network, KerasNetwork)
    np.testing.assert_allclose(
        numbers(pipeline.predict(inputs(trained))), numbers(trained.predict(inputs(trained))), atol=1e-4
    )
    with pytest.raises(RunError, match="no ONNX files"):
        tasks.load(trained.task.name, tmp_path, engine="onnx")
    (tmp_path / "environment.json").write_bytes((trained.run / "environment.json").read_bytes())
    with pytest.raises(RunError, match=r"is an incomplete run: it has no onnx/\w+\.onnx; --engine keras does"):
        tasks.load(trained.task.name, tmp_path)
    assert isinstance(tasks.load(trained.task.name, tmp_path, engine="keras").network, KerasNetwork)
    (tmp_path / "model.keras").unlink()
    with pytest.raises(RunError, match=r"no model\.keras"):
        tasks.load(trained.task.name, tmp_path, engine="keras")


def test_the_saved_model_loads_by_itself(trained):
    model = keras.saving.load_model(trained.run / "model.keras")
    assert model.count_params() == json.loads((trained.run / "environment.json").read_text())["parameters"]


def test_one_input_answers_as_in_a_batch_and_no_input_is_no_answer(trained):
    batch = trained.predict(inputs(trained))
    alone = [trained.predict([one])[0] for one in inputs(trained)]
    np.testing.assert_allclose(numbers(alone), numbers(batch), atol=1e-5)
    assert trained.predict([]) == []


def test_a_codec_comes_back_from_json(trained):
    state = json.loads(json.dumps(trained.codec.state()))
    again = trained.task.codec.restore(trained.config, state)
    assert again.state() == trained.codec.state()
    examples = list(trained.task.load(trained.config).train[:3])
    for seed in (None, 3):
        random = [seed and np.random.default_rng(seed) for _ in range(2)]
        arrays = [codec.encode(examples, each) for codec, each in zip((again, trained.codec), random, strict=True)]
        for one, other in zip(*map(keras.tree.flatten, arrays), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_one_seed_gives_one_result(trained, tmp_path):
    again = tasks.train(trained.task.name, tmp_path / "again", **tiny(trained.task.name))
    same = [
        [row.split(",")[:-1] for row in (run / "history.csv").read_text().splitlines()]
        for run in (trained.run, again.run)
    ]
    assert same[0] == same[1]
    np.testing.assert_equal(again.predict(inputs(again)), trained.predict(inputs(trained)))


def test_the_seed_never_chooses_the_test_part(trained):
    one, other = (trained.task.load(trained.config.restore(trained.config.state() | {"seed": seed})) for seed in (0, 7))
    assert fingerprint(Splits([], [], one.test)) == fingerprint(Splits([], [], other.test))
    assert [len(split) for split in one] == [len(split) for split in other]


def test_a_setting_that_is_fixed_by_training_cannot_change(trained):
    with pytest.raises(SettingError, match="`epochs` cannot change after training"):
        tasks.load(trained.task.name, trained.run, epochs=9)
    assert trained.with_settings(limit=3).config.limit == 3
    assert trained.config.limit == TINY["limit"]


def test_a_run_that_exists_is_never_written_over(trained):
    before = {path: path.read_bytes() for path in trained.run.rglob("*") if path.is_file()}
    with pytest.raises(FileExistsError, match="not empty"):
        tasks.train(trained.task.name, trained.run, **tiny(trained.task.name))
    with pytest.raises(FileExistsError, match="finished"):
        tasks.train(trained.task.name, trained.run, resume=True)
    assert before == {path: path.read_bytes() for path in trained.run.rglob("*") if path.is_file()}


@pytest.fixture
def copy(trained, tmp_path):
    """Return a copy of the run that a test may damage."""
    return shutil.copytree(trained.run, tmp_path / "copy")


def test_a_damaged_file_of_a_run_is_named(trained, copy):
    name, (onnx, *_) = trained.task.name, (copy / "onnx").glob("*.onnx")
    onnx.write_bytes(onnx.read_bytes()[:100])
    with pytest.raises(RunError, match=onnx.name):
        tasks.load(name, copy).predict(inputs(trained))
    (copy / "model.keras").write_bytes((copy / "model.keras").read_bytes()[:1000])
    with pytest.raises(RunError, match=r"model\.keras"):
        tasks.load(name, copy, engine="keras")
    (copy / "codec.json").write_text("[]")
    with pytest.raises(RunError, match=r"codec\.json"):
        tasks.load(name, copy)
    (copy / "codec.json").unlink()
    with pytest.raises(RunError, match=r"no codec\.json"):
        tasks.load(name, copy)


def test_a_run_of_another_version_is_refused(trained, copy):
    config = json.loads((copy / "config.json").read_text())
    config["settings"]["flux"] = 1
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(RunError, match=r"another version.*'flux'"):
        tasks.load(trained.task.name, copy)


def test_a_run_goes_on_with_its_own_data_and_settings_only(trained, copy):
    (copy / "metrics.json").unlink()
    with pytest.raises(SettingError, match="`batch_size` cannot change when a run goes on"):
        tasks.train(trained.task.name, copy, resume=True, batch_size=8)
    environment = json.loads((copy / "environment.json").read_text())
    environment["data"]["sha256"] = "0"
    (copy / "environment.json").write_text(json.dumps(environment))
    with pytest.raises(RunError, match="data has changed"):
        tasks.train(trained.task.name, copy, resume=True)


@pytest.mark.slow
def test_a_run_that_was_trained_and_not_scored_is_scored_on_resuming(trained, copy):
    (copy / "metrics.json").unlink()
    again = tasks.train(trained.task.name, copy, resume=True)
    now, before = (json.loads((run / "metrics.json").read_text())["metrics"] for run in (copy, trained.run))
    assert timeless(now) == timeless(before)
    np.testing.assert_equal(again.predict(inputs(trained)), trained.predict(inputs(trained)))


def test_the_card_says_what_a_reader_must_know(trained):
    card = (trained.run / "README.md").read_text()
    for word in ("Data", "Protocol", "seed 0", "minutes", "parameters", "Limits", "ONNX", "| test metric | value |"):
        assert word in card


def test_an_answer_from_onnx_loads_neither_keras_nor_tensorflow(trained):
    code = (
        "import sys, tasks\n"
        f"pipeline = tasks.load({trained.task.name!r}, {str(trained.run)!r})\n"
        "from tasks.engine import evaluate as evaluation\n"
        f"assert evaluation.evaluate(pipeline).summary['examples'] == {count(trained)}\n"
        "assert not {'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_every_preset_is_valid_and_documented(trained):
    readme = (ROOT / "tasks" / trained.task.name / "README.md").read_text()
    for preset in tasks.presets(trained.task.name):
        tasks.configure(trained.task.name, preset)
        assert f"`{preset}`" in readme
    assert trained.task.config().data in trained.task.sources


def test_a_report_counts_in_each_example_what_gives_its_metrics(trained):
    report = evaluation.evaluate(trained).report
    measures = report.measures()
    assert measures[0].name == next(iter(report.metrics))
    assert {len(measure.counts) for measure in measures} == {count(trained)}
    for measure in measures:
        assert measure.name not in report.metrics or measure.total == pytest.approx(report.metrics[measure.name])
    assert json.loads(json.dumps(report.entry(1)))["answer"]
    entries = [report.entry(place) for place in range(count(trained))]
    assert all(entry in entries for entry in report.answers)
    assert isinstance(json.loads(json.dumps(trained.task.terms(trained))), dict)

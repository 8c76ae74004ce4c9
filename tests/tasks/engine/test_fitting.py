"""Fitting: best epoch, averaged weights, resuming to the last bit, divergence."""

import csv
import json
import math
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from data.splits import Splits
from tasks.engine import checkpoint, divergence, files, fitting, training, weights
from tasks.engine.config import TaskConfig
from tasks.engine.interval import Clock, Interval
from tasks.engine.members import RunError
from tasks.engine.runs import kept_epoch
from tasks.engine.schedule import Schedule

pytestmark = pytest.mark.slow


def splits(count=40):
    random = np.random.default_rng(0)
    x = random.normal(size=(count, 4)).astype("float32")
    examples = [{"x": row, "y": np.float32(row.sum())} for row in x]
    return Splits(examples[:-8], examples[-8:], [])


def encode(examples, random=None):
    noise = 0 if random is None else random.normal(scale=0.1, size=(len(examples), 4))
    return (np.stack([e["x"] for e in examples]) + noise).astype("float32"), np.stack([e["y"] for e in examples])


CODEC = SimpleNamespace(
    encode=encode,
    vary=lambda example, random: example,
    turns=lambda example: 1,
    bucket=lambda example: 0,
    cost=lambda bucket: 1,
)


def build():
    inputs = keras.Input((4,))
    x = keras.layers.BatchNormalization(momentum=0.9)(keras.layers.Dense(8)(inputs))
    x = keras.layers.Dropout(0.3)(x)
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    model.compile(optimizer=keras.optimizers.AdamW(1e-2), loss="mse", metrics=["mae"])
    return model


def fit(run, codec=CODEC, note=lambda row: None, **settings):
    keras.utils.set_random_seed(0)
    config = TaskConfig(**{"epochs": 5, "batch_size": 8, "learning_rate": 0.02, "warmup": 0.2, "average": 2} | settings)
    model, kept = build(), build()
    progress, _ = fitting.fit(model, kept, codec, splits(), config, run, note=note)
    return kept, progress


def history(run):
    with (run / "history.csv").open() as file:
        return [
            {name: float(value) for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)
        ]


def test_the_best_epoch_is_kept(tmp_path):
    kept, progress = fit(tmp_path, learning_rate=0.5, schedule="constant", average=0, epochs=9)
    losses = [row["val_loss"] for row in history(tmp_path)]
    x, y = encode(splits().valid)
    assert len(losses) == 9
    assert min(losses) < losses[-1], "the last epoch must not be the best for this test to mean anything"
    assert kept.evaluate(x, y, verbose=0)[0] == pytest.approx(min(losses), rel=1e-5)
    assert kept_epoch(progress.history, TaskConfig(epochs=9))["val_loss"] == min(losses)
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), kept.predict(x, verbose=0), atol=1e-6)


class KilledError(Exception):
    pass


def cut_at(monkeypatch, name, count):
    """Let the writing of a file fail the `count`-th time."""
    real, seen = files.atomic_file, []

    def dying(path):
        seen.append(path.name)
        if path.name == name and seen.count(name) == count:
            raise KilledError
        return real(path)

    for module in ("files", "weights", "checkpoint"):
        monkeypatch.setattr(f"tasks.engine.{module}.atomic_file", dying)


@pytest.mark.parametrize(
    ("every", "name"),
    [("1 steps", "state.json"), ("3 steps", "kept.keras"), ("3 steps", "best.keras"), ("1h", "model.keras")],
)
def test_a_resumed_training_equals_an_uninterrupted_one_to_the_last_bit(tmp_path, monkeypatch, whole, every, name):
    with monkeypatch.context() as patch:
        cut_at(patch, name, 2 if every == "1h" else 3)
        with pytest.raises(KilledError):
            fit(tmp_path, checkpoint_every=every)
    cut, _ = fit(tmp_path, checkpoint_every=every)
    assert history(tmp_path) == whole[1]
    for one, other in zip(whole[0].get_weights(), cut.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the network and the history of a training that was never stopped."""
    run = tmp_path_factory.mktemp("whole")
    kept, _ = fit(run)
    return kept, history(run)


def test_whoever_is_told_of_an_epoch_may_end_a_training_which_goes_on_after_it(tmp_path, whole):
    def end(row):
        if row["epoch"] == 3:
            raise KilledError

    with pytest.raises(KilledError):
        fit(tmp_path, note=end)
    assert state(tmp_path)["epoch"] == 3
    told = []
    kept, _ = fit(tmp_path, note=lambda row: told.append(row["epoch"]))
    assert told == [1, 2, 3, 4, 5]
    for one, other in zip(kept.get_weights(), whole[0].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def state(run):
    return json.loads(max((run / "checkpoint").glob("*/state.json")).read_text())


def test_two_checkpoints_are_kept_with_their_check_sums(tmp_path):
    fit(tmp_path, checkpoint_every="3 steps")
    assert sorted(path.name for path in (tmp_path / "checkpoint").iterdir()) == ["00004-0000002", "00005-0000000"]
    for place in (tmp_path / "checkpoint").iterdir():
        assert {path.name for path in place.iterdir()} == {"model.keras", "kept.keras", "best.keras", "state.json"}
        sums = json.loads((place / "state.json").read_text())["checksums"]
        assert sums == {name: checkpoint.digest(place / name) for name in sums}
        assert len(sums) == 3


def test_the_time_of_a_training_is_that_of_its_epochs(tmp_path):
    _, progress = fit(tmp_path, checkpoint_every="1 steps")
    assert progress.seconds == pytest.approx(sum(row["seconds"] for row in progress.history), abs=0.1)
    assert progress.seconds > 0.1


def test_a_checkpoint_that_was_cut_off_is_removed_before_the_next_one(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        cut_at(patch, "kept.keras", 3)
        with pytest.raises(KilledError):
            fit(tmp_path, checkpoint_every="3 steps")
    (begun,) = (
        path.parent for path in (tmp_path / "checkpoint").glob("*/model.keras") if len([*path.parent.iterdir()]) == 1
    )
    moved = begun.rename(begun.with_name("00000-0000099"))
    fit(tmp_path, checkpoint_every="3 steps")
    assert not moved.exists()


def test_the_first_checkpoint_comes_after_a_quarter_of_the_time(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    clock, found = Clock(Interval.of("2m")), []
    for second in range(600):
        now[0] = float(second)
        if clock.is_due():
            found.append(second)
            clock.restart()
    assert found == [30, 150, 270, 390, 510]


@pytest.mark.parametrize(
    ("name", "fault"),
    [("model.keras", "flipped"), ("best.keras", "missing"), ("state.json", "cut"), ("state.json", "missing")],
)
def test_a_damaged_checkpoint_is_left_for_the_one_before_it(tmp_path, whole, monkeypatch, caplog, name, fault):
    with monkeypatch.context() as patch:
        cut_at(patch, "history.csv", 4)
        with pytest.raises(KilledError):
            fit(tmp_path, checkpoint_every="3 steps")
    path = max((tmp_path / "checkpoint").glob(f"*/{name}"))
    content = path.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]
    path.write_bytes({"flipped": flipped, "cut": content[:middle]}.get(fault, b""))
    if fault == "missing":
        path.unlink()
    cut, _ = fit(tmp_path, checkpoint_every="3 steps")
    if (name, fault) != ("state.json", "missing"):  # without its state a checkpoint was never complete
        assert "damaged" in caplog.text
        assert "from the checkpoint before it" in caplog.text
    assert history(tmp_path) == whole[1]
    for one, other in zip(whole[0].get_weights(), cut.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_run_whose_checkpoints_are_all_damaged_is_refused(tmp_path):
    fit(tmp_path, epochs=2)
    for path in (tmp_path / "checkpoint").glob("*/model.keras"):
        path.write_bytes(b"")
    with pytest.raises(RunError, match=r"model\.keras is not as it was written.* begin a new run"):
        fit(tmp_path, epochs=3)


def test_a_checkpoint_of_an_older_version_goes_on(tmp_path):
    fit(tmp_path, epochs=2, average=0)
    place = max((tmp_path / "checkpoint").iterdir())
    old = {"epoch": 2, "seconds": 1.0} | {name: state(tmp_path)[name] for name in ("seeds", "history")}
    for row in old["history"]:
        del row["step_size"]
    for name in ("model", "kept"):
        (place / f"{name}.keras").rename(tmp_path / f"checkpoint/{name}-2.keras")
    for path in sorted((tmp_path / "checkpoint").glob("0*/*")):
        path.unlink()
    (tmp_path / "checkpoint/state.json").write_text(json.dumps(old))
    _, progress = fit(tmp_path, epochs=3, average=0)
    assert [row["epoch"] for row in progress.history] == [1, 2, 3]
    assert "step_size" in (tmp_path / "history.csv").read_text()


def test_the_kept_weights_are_the_mean_of_the_last_epochs(tmp_path, monkeypatch):
    seen, real = [], training.average

    def watch(model, kept, rate):
        seen.append(model.get_weights())
        real(model, kept, rate)
        last.append(kept.get_weights())

    last = []
    monkeypatch.setattr(training, "average", watch)
    fit(tmp_path, epochs=5, average=3)
    for index, values in enumerate(zip(*seen[-3:], strict=True)):
        np.testing.assert_allclose(last[-1][index], np.mean(values, axis=0), atol=1e-6)
    for one, other in zip(last[1], seen[1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_only_averaged_epochs_are_kept_where_there_is_an_average(tmp_path, monkeypatch):
    losses = iter([0.1, 0.5, 0.4, 0.3, 0.35])
    monkeypatch.setattr(keras.Model, "evaluate", lambda *args, **kwargs: {"loss": next(losses)})
    _, progress = fit(tmp_path, epochs=5, average=3)
    best = kept_epoch(progress.history, TaskConfig(epochs=5, average=3))
    assert (best["epoch"], best["val_loss"]) == (4, 0.3)


def broken_at(steps, value=np.inf):
    """Return a codec whose batches of these numbers, counted over all epochs, have targets that no network learns."""
    seen = []

    def encode_broken(examples, random=None):
        x, y = encode(examples, random)
        if random is None:
            return x, y
        seen.append(len(examples))
        return x, y * np.float32(value) if len(seen) in steps else y

    return SimpleNamespace(**vars(CODEC) | {"encode": encode_broken})


@pytest.mark.parametrize("value", [np.nan, 1e4])
def test_a_training_that_diverges_goes_back_and_on_at_half_the_step_size(tmp_path, caplog, value):
    kept, progress = fit(tmp_path, checkpoint_every="1 steps", codec=broken_at({10}, value))
    assert [row["epoch"] for row in progress.history] == [1, 2, 3, 4, 5]
    assert [row["step_size"] for row in progress.history] == [0.02, 0.02, 0.01, 0.01, 0.01]
    assert "Training diverged in epoch 3, step 2 of 4: loss is" in caplog.text
    assert "goes back to epoch 3, step 1, and on at half the step size, 0.01" in caplog.text
    assert all(np.isfinite(weight).all() for weight in kept.get_weights())


def test_a_training_that_diverges_again_ends_and_keeps_the_last_good_checkpoint(tmp_path):
    with pytest.raises(divergence.DivergedError, match=r"`train --resume --learning-rate 0\.001`\.$"):
        fit(tmp_path, checkpoint_every="1 steps", codec=broken_at({10, 14}))
    assert divergence.DivergedError.exit_code == 3
    for path in (tmp_path / "checkpoint").glob("*/*.keras"):
        assert all(np.isfinite(weight).all() for weight in keras.saving.load_model(path).get_weights())
    assert state(tmp_path)["retries"] == 1
    checkpoint.forget_rate(tmp_path)
    _, progress = fit(tmp_path, learning_rate=0.005)
    assert progress.history[-1]["step_size"] == 0.005


def test_a_training_without_retries_ends_at_once(tmp_path):
    with pytest.raises(divergence.DivergedError, match="epoch 1, step 1 of 4"):
        fit(tmp_path, retries=0, codec=broken_at({1}))


def test_a_network_that_fits_already_and_begins_with_an_easy_batch_has_not_diverged():
    progress = checkpoint.Progress()
    for step, loss in enumerate([1e-6, 0.3, 0.2, 0.5], start=1):
        progress.step = step
        divergence.check_loss({"loss": loss}, progress, 400)
    progress.step = 101
    divergence.check_loss({"loss": 40.0}, progress, 400)
    with pytest.raises(divergence.DivergedError, match="loss is 60"):
        divergence.check_loss({"loss": 60.0}, progress, 400)
    with pytest.raises(divergence.DivergedError, match="step 2 of 4: loss is 1000"):
        divergence.check_loss({"loss": 1000.0}, checkpoint.Progress(step=2, first=2.0), 4)


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": 99},
        {"rate": 0.0},
        {"step": -1},
        {"sums": [1.0]},
        {"step": 99, "sums": []},
        {"seeds": []},
        {"row": {"loss": 1e300}},
        {"sums": [1, [2]]},
    ],
    ids=str,
)
def test_a_state_whose_numbers_do_not_agree_is_damage(tmp_path, monkeypatch, changes):
    with monkeypatch.context() as patch:
        cut_at(patch, "history.csv", 2)
        with pytest.raises(KilledError):
            fit(tmp_path, checkpoint_every="3 steps")
    for path in (tmp_path / "checkpoint").glob("*/state.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(RunError, match="damaged"):
        fit(tmp_path, checkpoint_every="3 steps")


def test_a_checkpoint_with_another_metric_is_passed_over(tmp_path, whole, monkeypatch, caplog):
    with monkeypatch.context() as patch:
        cut_at(patch, "history.csv", 2)
        with pytest.raises(KilledError):
            fit(tmp_path, checkpoint_every="3 steps")
    newest = max((tmp_path / "checkpoint").glob("*/state.json"))
    content = json.loads(newest.read_text())
    content["history"] = [row | {"zzz": 1.0} for row in content["history"]]
    newest.write_text(json.dumps(content))
    fit(tmp_path, checkpoint_every="3 steps")
    assert f"{newest.parent.name}' is damaged: the fields of its history are not epoch, loss, mae" in caplog.text
    assert history(tmp_path) == whole[1]


def test_a_damaged_checkpoint_does_not_count_among_the_two_that_stay(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        cut_at(patch, "history.csv", 3)
        with pytest.raises(KilledError):
            fit(tmp_path, checkpoint_every="3 steps")
    assert [place.done for place in checkpoint.places(tmp_path / "checkpoint")] == [(2, 4), (2, 1)]
    (tmp_path / "checkpoint/00002-0000004/state.json").write_text("{}")
    mine = tmp_path / "checkpoint/0-1-mine/model.keras"
    mine.parent.mkdir()
    mine.write_text("mine")
    with monkeypatch.context() as patch:
        cut_at(patch, "state.json", 2)
        with pytest.raises(KilledError):
            fit(tmp_path, checkpoint_every="1 steps")
    assert [place.done for place in checkpoint.places(tmp_path / "checkpoint")] == [(2, 2), (2, 1)]
    assert not (tmp_path / "checkpoint/00002-0000004").exists()
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("sums", [[1.0], [1.0, [2.0]], [[1], [2, [3]]], ["a", [1, 2]], [True, [1, 2]], [1e300, [1, 2]]])
def test_sums_of_metrics_that_their_variables_cannot_hold_are_refused(sums):
    variables = [np.zeros(()), np.zeros(2)]
    training.check_sums([1.0, [2, 3.5]], variables)
    with pytest.raises(ValueError, match=r"sums of its metrics|zip\(\)|inhomogeneous"):
        training.check_sums(sums, variables)


def test_a_smaller_step_size_passes_over_a_damaged_state(tmp_path):
    fit(tmp_path, epochs=2, checkpoint_every="3 steps")
    newest = max((tmp_path / "checkpoint").glob("*/state.json"))
    newest.write_text("[1]")
    checkpoint.forget_rate(tmp_path)
    assert newest.read_text() == "[1]"


def test_a_loss_that_is_never_finite_ends_as_often_as_it_may(tmp_path, caplog):
    with pytest.raises(divergence.DivergedError, match="epoch 1"):
        fit(tmp_path, retries=3, codec=broken_at(set(range(99))))
    assert caplog.text.count("goes back") == 3


@pytest.mark.parametrize("shape", ["cosine", "linear", "constant"])
def test_the_schedule_rises_then_falls(shape):
    schedule = Schedule(0.5, 100, 0.1, shape)
    rates = [float(schedule(step)) for step in range(100)]
    np.testing.assert_allclose(rates[:10], 0.05 * np.arange(1, 11), rtol=1e-5)
    want = {"cosine": 0.25 * (1 + math.cos(math.pi * 45 / 90)), "linear": 0.25, "constant": 0.5}
    assert rates[55] == pytest.approx(want[shape], rel=1e-4)
    assert Schedule.from_config(schedule.get_config()).get_config() == schedule.get_config()
    if shape != "constant":
        assert rates[99] < 0.01


def test_weights_stored_as_float16_take_half_the_room_and_answer_the_same(tmp_path):
    inputs = keras.Input((64,))
    x = keras.layers.Dense(256)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.BatchNormalization()(x)))
    model.set_weights([weight.astype("float16").astype("float32") for weight in model.get_weights()])
    weights.save(model, tmp_path / "whole.keras")
    weights.save(model, tmp_path / "half.keras", half=True)
    assert (tmp_path / "half.keras").stat().st_size < 0.7 * (tmp_path / "whole.keras").stat().st_size
    again = keras.saving.load_model(tmp_path / "half.keras")
    for one, other in zip(again.get_weights(), model.get_weights(), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_a_run_that_stores_float16_keeps_the_rounded_weights(tmp_path):
    kept, _ = fit(tmp_path, storage="float16")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for one, other in zip(again.get_weights(), kept.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, one.astype("float16"))

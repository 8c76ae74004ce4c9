"""Fitting: best epoch, averaged weights, resuming to the last bit, divergence."""

import csv
import json
import math
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from data.splits import Splits
from tasks.engine import fitting
from tasks.engine.config import TaskConfig
from tasks.engine.runs import kept_epoch


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
    model.compile(optimizer=keras.optimizers.AdamW(1e-2), loss="mse")
    return model


def fit(run, **settings):
    keras.utils.set_random_seed(0)
    config = TaskConfig(**{"epochs": 5, "batch_size": 8, "learning_rate": 0.02, "warmup": 0.2, "average": 2} | settings)
    model, kept = build(), build()
    progress = fitting.fit(model, kept, CODEC, splits(), config, run)
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
    assert kept.evaluate(x, y, verbose=0) == pytest.approx(min(losses), rel=1e-5)
    assert kept_epoch(progress.history, TaskConfig(epochs=9))["val_loss"] == min(losses)
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), kept.predict(x, verbose=0), atol=1e-6)


class KilledError(Exception):
    pass


@pytest.mark.parametrize("when", ["state.json", "model-3.keras", "kept-3.keras", "history.csv", "model.keras"])
def test_a_resumed_training_equals_an_uninterrupted_one_to_the_last_bit(tmp_path, monkeypatch, when):
    whole, _ = fit(tmp_path / "whole")
    real, seen = fitting.atomic_file, []

    def dying(path):
        seen.append(path.name)
        if path.name == when and (not when.endswith((".csv", "state.json", "model.keras")) or seen.count(when) == 3):
            raise KilledError
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "atomic_file", dying)
        patch.setattr("tasks.engine.files.atomic_file", dying)
        with pytest.raises(KilledError):
            fit(tmp_path / "cut")
    cut, _ = fit(tmp_path / "cut")
    assert history(tmp_path / "cut") == history(tmp_path / "whole")
    for one, other in zip(whole.get_weights(), cut.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_checkpoint_is_one_epoch(tmp_path):
    fit(tmp_path)
    assert sorted(path.name for path in (tmp_path / "checkpoint").iterdir()) == [
        "kept-5.keras",
        "model-5.keras",
        "state.json",
    ]
    assert json.loads((tmp_path / "checkpoint/state.json").read_text())["epoch"] == 5


def test_the_kept_weights_are_the_mean_of_the_last_epochs(tmp_path, monkeypatch):
    seen, real = [], fitting.average

    def watch(model, kept, rate):
        seen.append(model.get_weights())
        real(model, kept, rate)
        last.append(kept.get_weights())

    last = []
    monkeypatch.setattr(fitting, "average", watch)
    fit(tmp_path, epochs=5, average=3)
    for index, weights in enumerate(zip(*seen[-3:], strict=True)):
        np.testing.assert_allclose(last[-1][index], np.mean(weights, axis=0), atol=1e-6)
    for one, other in zip(last[1], seen[1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_only_averaged_epochs_are_kept_where_there_is_an_average(tmp_path, monkeypatch):
    losses = iter([0.1, 0.5, 0.4, 0.3, 0.35])
    monkeypatch.setattr(keras.Model, "evaluate", lambda *args, **kwargs: {"loss": next(losses)})
    _, progress = fit(tmp_path, epochs=5, average=3)
    best = kept_epoch(progress.history, TaskConfig(epochs=5, average=3))
    assert (best["epoch"], best["val_loss"]) == (4, 0.3)


def test_a_diverged_training_never_replaces_the_best_weights(tmp_path):
    kept, _ = fit(tmp_path, epochs=1)
    saved = (tmp_path / "model.keras").read_bytes()

    def broken(examples, random=None):
        x, y = encode(examples, random)
        return x * np.float32("inf"), y

    model = build()
    config = TaskConfig(epochs=2, batch_size=8)
    (tmp_path / "checkpoint/state.json").unlink()
    with pytest.raises(fitting.DivergedError, match="epoch 1"):
        fitting.fit(model, kept, SimpleNamespace(**vars(CODEC) | {"encode": broken}), splits(), config, tmp_path)
    assert (tmp_path / "model.keras").read_bytes() == saved
    assert fitting.DivergedError.exit_code == 3


@pytest.mark.parametrize("shape", ["cosine", "linear", "constant"])
def test_the_schedule_rises_then_falls(shape):
    schedule = fitting.Schedule(0.5, 100, 0.1, shape)
    rates = [float(schedule(step)) for step in range(100)]
    np.testing.assert_allclose(rates[:10], 0.05 * np.arange(1, 11), rtol=1e-5)
    want = {"cosine": 0.25 * (1 + math.cos(math.pi * 45 / 90)), "linear": 0.25, "constant": 0.5}
    assert rates[55] == pytest.approx(want[shape], rel=1e-4)
    assert fitting.Schedule.from_config(schedule.get_config()).get_config() == schedule.get_config()
    if shape != "constant":
        assert rates[99] < 0.01


def test_weights_stored_as_float16_take_half_the_room_and_answer_the_same(tmp_path):
    inputs = keras.Input((64,))
    x = keras.layers.Dense(256)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.BatchNormalization()(x)))
    model.set_weights([weight.astype("float16").astype("float32") for weight in model.get_weights()])
    fitting.save(model, tmp_path / "whole.keras")
    fitting.save(model, tmp_path / "half.keras", half=True)
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

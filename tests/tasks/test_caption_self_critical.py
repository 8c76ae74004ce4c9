"""A captioner that is trained on captions which it draws."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

import tasks
from data.texts.text import PAD, UNKNOWN
from tasks.caption import network
from tasks.caption.pipeline import Codec, load
from tasks.caption.self_critical import drawn_token
from tasks.engine.config import SettingError
from tasks.engine.load import keras_model
from tasks.engine.train import train

pytestmark = pytest.mark.slow  # its runs take a minute
SMALL = {"data": "builtin", "limit": 200, "embedding": 24, "units": 32, "seed": 0}
DRAWN = {"objective": "cider", "learning_rate": 1e-3, "schedule": "constant", "warmup": 0.0, "epochs": 2}


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """Return a run by likelihood."""
    return tasks.train("caption", tmp_path_factory.mktemp("runs") / "run", **SMALL, epochs=8, score=False).run


@pytest.fixture(scope="module")
def config(before):
    return tasks.configure("caption", **SMALL, **DRAWN, init_from=before)


@pytest.fixture(scope="module")
def trained(before, config, tmp_path_factory):
    """Return a run that goes on from it by CIDEr-D."""
    return train(tasks.get("caption"), config, tmp_path_factory.mktemp("runs") / "drawn", score=False)


@pytest.fixture(scope="module")
def parts(before, config):
    """Return the network that learns from what it draws, with the weights of the run before, and a batch."""
    splits = load(config)
    codec = tasks.load("caption", before).codec
    codec = Codec.restore(config, codec.state()).for_training(splits.train)
    model = network.build(config, codec)
    plain = keras_model(tasks.load("caption", before))
    model.set_weights(plain.get_weights())
    examples = network.prepare(model, config, splits, False).train[:6]
    inputs, *_ = codec.encode(examples)
    return model, plain, codec, inputs


def losses(run):
    with (run / "history.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def test_what_is_drawn_are_captions(parts):
    model, _, codec, (seen, _, _) = parts
    grid = model.get_layer("even")(model.get_layer("encoder")(seen), training=False)
    first, second = (keras.ops.convert_to_numpy(model.drawn(grid, 5, True)) for _ in range(2))
    assert first.shape == (6, 5, model.steps)
    assert (first != second).any(), "each draw is another"
    for row in first.reshape(-1, model.steps).tolist():
        length = row.index(codec.end) + 1 if codec.end in row else len(row)
        assert not {PAD, UNKNOWN, codec.start} & {*row[:length]}
        assert not any(row[length:])
    likeliest = keras.ops.convert_to_numpy(model.drawn(grid, 1, False))
    np.testing.assert_array_equal(likeliest, keras.ops.convert_to_numpy(model.drawn(grid, 1, False)))


def test_the_likeliest_caption_is_that_of_a_search_without_choice(parts, before):
    model, _, codec, (seen, _, _) = parts
    grid = model.get_layer("even")(model.get_layer("encoder")(seen), training=False)
    rows = keras.ops.convert_to_numpy(model.drawn(grid, 1, False))[:, 0].tolist()
    pipeline = tasks.load("caption", before, beam=1, length_penalty=0.0, no_repeat_ngram=0)
    answers = [answer["caption"] for answer in pipeline.predict(list(seen))]
    assert [codec.text([token for token in row if token not in (PAD, codec.end)]) for row in rows] == answers


def test_tokens_are_drawn_as_often_as_they_are_probable():
    chances = (np.arange(1000) + 0.5) / 1000
    scores = np.log(np.tile(np.array([0.5, 0.2, 0.0, 0.3]) + 1e-12, (1000, 1))).astype("float32")
    found = keras.ops.convert_to_numpy(drawn_token(scores, chances.astype("float32")))
    assert np.bincount(found, minlength=4).tolist() == pytest.approx([500, 200, 0, 300], abs=1)


def test_the_loss_is_minus_the_mean_reward(parts):
    model, _, codec, (seen, before, references) = parts
    grid = model.get_layer("even")(model.get_layer("encoder")(seen), training=False)
    rewards = codec.reward(keras.ops.convert_to_numpy(model.drawn(grid, 1, False)), references)
    found = keras.ops.convert_to_numpy(model([seen, before, references], training=False))
    np.testing.assert_allclose(found, -rewards[:, 0], atol=1e-5)
    assert np.ptp(rewards) > 0


def test_steps_by_cider_raise_it(parts):
    model, _, _, inputs = parts
    begun = model.get_weights()
    before = -float(np.mean(model.predict_on_batch(inputs)))
    for _ in range(200):
        model.train_on_batch(inputs, np.zeros(6, "float32"))
    after = -float(np.mean(model.predict_on_batch(inputs)))
    assert after > before + 0.5
    model.set_weights(begun)


def test_tokens_that_are_never_drawn_take_no_probability(parts):
    model, _, _, inputs = parts
    begun = model.get_weights()
    table = model.get_layer("embedding").table
    before = keras.ops.convert_to_numpy(table)
    for _ in range(3):
        model.train_on_batch(inputs, np.zeros(6, "float32"))
    ratios = keras.ops.convert_to_numpy(table) / before
    model.set_weights(begun)
    assert np.ptp(ratios[UNKNOWN]) < 1e-5, "its weights decay, and no more"
    assert (np.ptp(ratios, axis=1) > 1e-3).sum() > 5


def test_the_history_has_minus_the_mean_reward(trained):
    assert all(row[name] < 0 for row in losses(trained.run) for name in ("loss", "val_loss"))


def test_its_run_answers_with_both_engines_and_keras_alone_opens_it(trained):
    photos = [example["image"] for example in load(trained.config).test[:5]]
    one, other = (tasks.load("caption", trained.run, engine=engine).predict(photos) for engine in ("onnx", "keras"))
    assert [answer["caption"] for answer in one] == [answer["caption"] for answer in other]
    whole = keras.saving.load_model(trained.run / "model.keras")
    assert type(whole) is not network.SelfCritical


def test_it_keeps_the_words_of_the_run_before(trained, before, tmp_path):
    with Path(before, "codec.json").open() as file:
        words = json.load(file)["vocabulary"]
    config = replace(trained.config, vocabulary=len(words) + 40)
    codec = Codec.adapt(config, tasks.load("caption", before).codec, [{"captions": ["a marvellous zeppelin"]}])
    assert codec.vocabulary.state() == words
    assert trained.codec.vocabulary.state() == words


def test_it_goes_on_exactly_after_a_stop(trained, config, tmp_path):
    def stop(row):
        if row["epoch"] == 1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(tasks.get("caption"), config, tmp_path / "run", score=False, note=stop)
    again = tasks.train("caption", tmp_path / "run", resume=True, score=False)
    for one, other in zip(losses(again.run), losses(trained.run), strict=True):
        assert one | {"seconds": 0} == other | {"seconds": 0}
    for one, other in zip(keras_model(again).get_weights(), keras_model(trained).get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_goes_on_from_a_run_by_likelihood_alone(tmp_path):
    with pytest.raises(SettingError, match=r"`objective` cider goes on from a run by likelihood; name one"):
        tasks.train("caption", tmp_path / "run", **SMALL, **DRAWN)
    assert not (tmp_path / "run").exists()

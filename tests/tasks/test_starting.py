"""Trainings that start from another run: what is kept, and what is new and said."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image, ImageDraw

import tasks
from tasks.engine import runs
from tasks.engine.checkpoint import CHECKPOINT, places, remove
from tasks.engine.config import SettingError
from tasks.engine.load import keras_model, restored_pipeline
from tasks.engine.members import RunError
from tasks.engine.records import read_history

pytestmark = pytest.mark.slow
FAST = {"epochs": 1, "learning_rate": 0.0, "warmup": 0.0, "average": 0, "score": False}


def album(folder, names=("snail", "lighthouse"), count=8):
    """Write drawn pictures with captions."""
    folder.mkdir()
    rows = []
    for number in range(count):
        picture = Image.new("RGB", (64, 48), "white")
        ImageDraw.Draw(picture).ellipse([8, 8, 30 + number, 40], fill="red")
        picture.save(folder / f"{number}.png")
        rows.append({"file_name": f"{number}.png", "text": f"A red {names[number % len(names)]} on paper."})
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def reviews(path, labels):
    """Write short texts with labels."""
    rows = [f"a fine text number {number} of some words,{labels[number % len(labels)]}" for number in range(40)]
    path.write_text("text,label\n" + "\n".join(rows) + "\n")
    return path


def notices(run):
    return json.loads((run / "environment.json").read_text())["notices"]


def test_the_shipped_captioner_learns_new_words_beside_its_own_and_keeps_its_encoder(tmp_path):
    shipped = restored_pipeline(tasks.get("caption"), runs.pretrained_runs("caption")[0])
    data = str(album(tmp_path / "album"))
    made = tasks.train("caption", tmp_path / "run", init_from="pretrained", data=data, cache=tmp_path / "cache", **FAST)
    words = made.codec.vocabulary.words
    assert (words[:-2], sorted(words[-2:])) == (shipped.codec.vocabulary.words, ["lighthouse", "snail"])
    assert made.config.beam == shipped.config.beam
    before, after = keras_model(shipped), keras_model(made)
    for name in ("encoder", "decoder"):
        for old, new in zip(before.get_layer(name).get_weights(), after.get_layer(name).get_weights(), strict=True):
            np.testing.assert_allclose(new, old, atol=2e-3 * np.abs(old).max())  # stored as float16
    old, new = (model.get_layer("embedding").get_weights()[0] for model in (before, after))
    size = len(old)
    np.testing.assert_allclose(np.delete(new, [size - 2, size - 1], axis=0), old, atol=1e-2)
    said = notices(made.run)
    assert f"The vocabulary keeps its 2498 words; 2 are new: {', '.join(words[-2:])}." in said
    assert any(one.endswith("new are embedding (384).") for one in said)


def test_an_interrupted_training_from_a_run_goes_on_with_the_encoder_of_that_run(tmp_path):
    data = str(album(tmp_path / "album"))
    settings = {"data": data, "cache": tmp_path / "cache", "init_from": "pretrained", "seed": 3}
    once = tasks.train("caption", tmp_path / "once", **settings, epochs=2, score=False)
    shutil.copytree(tmp_path / "once", tmp_path / "twice")
    for name in ("metrics.json", "README.md"):
        (tmp_path / "twice" / name).unlink()
    assert (tmp_path / "twice/checkpoint/00002-0000000/state.json").is_file()
    again = tasks.train("caption", tmp_path / "twice", resume=True, score=False)
    for old, new in zip(keras_model(once).get_weights(), keras_model(again).get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_an_interrupted_training_needs_neither_the_run_it_started_from_nor_a_file_of_weights(tmp_path):
    data = str(album(tmp_path / "album"))
    shutil.copytree(runs.pretrained_runs("caption")[0], tmp_path / "given")
    settings = {"data": data, "cache": tmp_path / "cache", "init_from": tmp_path / "given"}
    once = tasks.train("caption", tmp_path / "once", **settings, epochs=2, score=False)
    said = notices(once.run)
    assert any("weights are those of given" in one for one in said)
    for name in ("metrics.json", "README.md"):
        (once.run / name).unlink()
    shutil.rmtree(tmp_path / "given")
    again = tasks.train("caption", tmp_path / "once", resume=True, cache=tmp_path / "other", epochs=3, score=False)
    assert notices(again.run)[: len(said)] == said
    assert again.codec.vocabulary.words == once.codec.vocabulary.words
    for old, new in zip(*(keras_model(one).get_layer("encoder").get_weights() for one in (once, again)), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_classifier_keeps_its_vocabulary_and_classes_or_says_which_are_new(tmp_path):
    small = {"units": 8, "embedding": 8}
    given = tasks.train("sentiment", tmp_path / "one", data="builtin", limit=64, epochs=1, score=False, **small)
    same = str(reviews(tmp_path / "same.csv", ["negative", "positive"]))
    made = tasks.train("sentiment", tmp_path / "two", init_from=given.run, data=same, **FAST)
    assert made.codec.state()["vocabulary"] == given.codec.state()["vocabulary"]
    assert made.codec.classes == given.codec.classes
    other = str(reviews(tmp_path / "other.csv", ["anger", "joy", "fear"]))
    made = tasks.train("sentiment", tmp_path / "three", init_from=given.run, data=other, **FAST)
    assert made.codec.classes == ["anger", "fear", "joy"]
    said = notices(made.run)
    assert "The classes anger, fear, joy are new; those of the run to start from were negative, positive." in said
    assert any("new are scores (" in one for one in said)


def test_a_network_that_shares_no_layer_with_the_run_is_refused(tmp_path):
    given = tasks.train("mnist", tmp_path / "one", "tiny", data="builtin", limit=64, epochs=1, score=False)
    settings = {"filters": (), "units": (7,), "data": "builtin", "limit": 64}
    with pytest.raises(SettingError, match=r"No layer of .* fits this network"):
        tasks.train("mnist", tmp_path / "two", init_from=given.run, **settings)
    assert not (tmp_path / "two").exists()


@pytest.mark.parametrize("name", tasks.names())
def test_a_missing_run_is_refused_before_anything_is_read(tmp_path, name):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        tasks.train(name, tmp_path / "y", data="builtin", init_from="nowhere")
    assert not (tmp_path / "y").exists()


def test_settings_of_the_run_give_way_to_those_that_are_given():
    assert tasks.configure("upscale", init_from="small-x2", scale=3, data="a").scale == 3
    given = tasks.configure("sentiment", init_from="hybrid")
    assert given.ngrams == 2**19
    assert given.epochs < tasks.configure("sentiment").epochs


def test_a_training_under_way_may_end_sooner_and_no_sooner_than_it_is(tmp_path, caplog):
    settings = {"data": "builtin", "limit": 64, "batch_size": 16, "filters": (4, 6), "score": False}
    whole = tasks.train("mnist", tmp_path / "run", epochs=2, **settings)
    (whole.run / "metrics.json").unlink()
    config = json.loads((whole.run / "config.json").read_text())
    config["settings"]["epochs"] = 9  # as if it had been stopped after two epochs
    (whole.run / "config.json").write_text(json.dumps(config))
    with pytest.raises(SettingError, match="`epochs` must be above the 2 that are done, to go on; received 2"):
        tasks.train("mnist", whole.run, resume=True, epochs=2, score=False)
    ended = tasks.train("mnist", whole.run, resume=True, epochs=3, score=False)
    assert len(read_history(ended.run)) == ended.config.epochs == 3
    assert "The run goes on to epoch 3; its step size is scheduled anew." in caplog.text


def test_a_run_without_checkpoints_does_not_begin_anew_in_place_of_what_it_has(tmp_path):
    settings = {"data": "builtin", "limit": 64, "batch_size": 16, "filters": (4, 6), "score": False}
    run = tasks.train("mnist", tmp_path / "run", epochs=1, **settings).run
    shutil.rmtree(run / "checkpoint")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    for finished in (True, False):
        if not finished:
            before.pop(run / "metrics.json")
            (run / "metrics.json").unlink()
        with pytest.raises(RunError, match=r"no checkpoint to go on from; `--init-from .*` begins a new run"):
            tasks.train("mnist", run, resume=True, epochs=2)
        assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_an_interrupted_training_from_a_run_keeps_the_weights_of_classes(tmp_path):
    given = tasks.train("sentiment", tmp_path / "one", data="builtin", limit=64, epochs=1, score=False, units=8)
    data = str(reviews(tmp_path / "same.csv", ["negative", "positive", "positive"]))
    settings = {"init_from": given.run, "data": data, "class_weights": "balanced", "score": False}
    whole = tasks.train("sentiment", tmp_path / "whole", epochs=2, average=0, **settings)
    cut = tasks.train("sentiment", tmp_path / "cut", epochs=2, average=0, **settings)
    for place in (cut.run / "checkpoint").glob("00002-*"):
        shutil.rmtree(place)
    for name in ("metrics.json", "README.md"):
        (cut.run / name).unlink()
    again = tasks.train("sentiment", cut.run, resume=True, score=False)
    for one, other in zip(keras_model(whole).get_weights(), keras_model(again).get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_epochs_that_a_kill_left_in_the_history_alone_are_not_done(tmp_path):
    settings = {"data": "builtin", "limit": 64, "batch_size": 16, "filters": (4, 6), "score": False}
    whole = tasks.train("mnist", tmp_path / "run", epochs=3, checkpoint_every="2 steps", **settings)
    (whole.run / "metrics.json").unlink()
    remove(places(whole.run / CHECKPOINT)[0])  # as if it had been killed before the last checkpoint was written
    kept = places(whole.run / CHECKPOINT)[0].done[0]
    assert 0 < kept < len(read_history(whole.run)) == 3
    with pytest.raises(SettingError, match=f"`epochs` must be above the {kept} that are done, to go on"):
        tasks.train("mnist", whole.run, resume=True, epochs=kept, score=False)
    config = json.loads((whole.run / "config.json").read_text())
    config["settings"]["epochs"] = 9
    (whole.run / "config.json").write_text(json.dumps(config))
    ended = tasks.train("mnist", whole.run, resume=True, epochs=3, score=False)
    assert len(read_history(ended.run)) == 3


def test_another_frozen_encoder_is_never_one_of_random_weights(tmp_path):
    data = str(album(tmp_path / "album"))
    settings = {"data": data, "cache": tmp_path / "cache", "encoder": "mobilenetv2", "encoder_weights": "nowhere.h5"}
    with pytest.raises(FileNotFoundError, match=r"no file of weights 'nowhere\.h5'"):
        tasks.train("caption", tmp_path / "run", init_from="pretrained", **settings, **FAST)

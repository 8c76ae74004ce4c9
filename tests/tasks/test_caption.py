"""The captioner: what a frozen encoder sees and keeps, words, searches, attention, and what can be wrong."""

import json
import logging
import resource
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

import tasks
from data.builtin.scenes import scenes
from data.pictures.files import OutputError
from data.splits import DataError, UnavailableError
from data.texts.text import PAD, UNKNOWN
from layers import encoder as encoders
from layers.encoder import GridEncoder
from tasks.caption.describe import caption_attention, caption_hypotheses, picture_memory
from tasks.caption.encoder import load_weights
from tasks.caption.features import picture_features
from tasks.caption.growing_file import growing_file
from tasks.caption.network import load as load_encoder
from tasks.caption.network import prepare
from tasks.caption.pipeline import Codec, load
from tasks.engine.config import SettingError
from tasks.engine.items import Item
from tasks.engine.load import keras_part
from tasks.engine.predict import outcomes
from tasks.engine.signals import Ending

ROOT = Path(__file__).parents[2]
SMALL = {"epochs": 2, "batch_size": 16, "average": 0, "embedding": 16, "units": 24, "learning_rate": 0.01, "size": 64}
PICTURES = 170


def command(*words, cwd=ROOT):
    words = (sys.executable, ROOT / "cli.py", *words)
    return subprocess.run(words, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder of drawn scenes with a table of captions."""
    place = tmp_path_factory.mktemp("pictures")
    rows = ["image\tsplit\tcaption"]
    for number, example in enumerate(scenes(PICTURES, 0)[0]):
        Image.fromarray(example["image"]).save(place / f"{number:03}.png")
        split = ("train", "train", "train", "dev", "test")[number % 5]
        rows += [f"{number:03}.png\t{split}\t{caption}" for caption in example["captions"]]
    (place / "captions.tsv").write_text("\n".join(rows) + "\n")
    return place


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Return a file of weights of MobileNet, as they are at first."""
    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("weights") / "mobilenet.weights.h5"
    encoders.NETWORKS["mobilenet"].make(include_top=False, weights=None, input_shape=(64, 64, 3)).save_weights(path)
    return path


@pytest.fixture(scope="module")
def settings(folder, weights):
    """Return the settings of a run with a frozen encoder."""
    frozen = {"data": str(folder), "encoder": "mobilenet", "encoder_weights": str(weights), "mirror": True}
    return SMALL | frozen | {"cache": folder.parent / "cache", "storage": "float16"}


@pytest.fixture(scope="module")
def pipeline(settings, tmp_path_factory):
    return tasks.train("caption", tmp_path_factory.mktemp("runs") / "run", **settings)


@pytest.fixture
def copy(folder, tmp_path):
    """Return a copy of the folder that a test may damage."""
    return shutil.copytree(folder, tmp_path / "copy")


def prepared(config):
    """Return what a run with this config would be trained on."""
    splits = load(config)
    network = keras_part(tasks.get("caption"))
    model = network.build(config, Codec.learn(config, splits.train))
    load_encoder(model, config)
    return prepare(model, config, splits, False)


def test_a_frozen_encoder_is_in_the_run_and_stays_as_it_was(pipeline, weights):
    model = keras.saving.load_model(pipeline.run / "model.keras")
    given = encoders.NETWORKS["mobilenet"].make(include_top=False, weights=None, input_shape=(64, 64, 3))
    given.load_weights(weights)
    for one, other in zip(model.get_layer("encoder").sight.get_weights(), given.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)  # float16
    assert json.loads((pipeline.run / "environment.json").read_text())["onnx_difference"] < 1e-4


def test_a_prediction_sees_what_was_seen_in_training(pipeline, settings):
    config = tasks.configure("caption", **settings)
    example = prepared(config).valid[0]
    encoder = GridEncoder("mobilenet", 64)
    encoder.build((None, 64, 64, 3))
    load_weights(encoder, settings["encoder_weights"])
    seen = np.asarray(encoder(pipeline.codec.inputs([pipeline.codec.read(example["image"])])))
    np.testing.assert_allclose(seen[0], example["grid"], atol=2e-3)
    assert example["grid"].shape == (4, 768)


@pytest.mark.slow
def test_what_was_seen_is_kept_and_seen_again_only_when_something_changes(settings, tmp_path):
    config = tasks.configure("caption", **(settings | {"cache": tmp_path}))
    first = prepared(config)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(files) == 2  # as they are, and mirrored
    with mock.patch("tasks.caption.features.write_features", side_effect=AssertionError("seen again")):
        again = prepared(config)
        other = prepared(config.restore(config.state() | {"seed": 5}))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == files
    np.testing.assert_array_equal(first.train[3]["mirrored"], again.train[3]["mirrored"])
    assert len(other.train) == len(first.train)
    prepared(config.restore(config.state() | {"size": 96}))
    assert len(list(tmp_path.iterdir())) == 4


def test_half_written_features_are_never_used(settings, tmp_path):
    config = tasks.configure("caption", **(settings | {"cache": tmp_path, "mirror": False}))
    whole = prepared(config).train[0]["grid"].copy()
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    path.unlink()
    path.with_name(f".part-{path.name}").write_bytes(content[: len(content) // 2])  # killed while writing
    np.testing.assert_array_equal(prepared(config).train[0]["grid"], whole)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_killed_pass_over_the_pictures_goes_on_where_it_was(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 256, (8, 8, 3)).astype("uint8") for _ in range(170)]
    seen = []

    def encode(batch, last=99):
        seen.append(len(batch))
        if len(seen) > last:
            raise KeyboardInterrupt
        return batch[:, :2, 0]

    whole = picture_features(pictures, encode, 8, {}, tmp_path / "whole", False)
    monkeypatch.setattr("tasks.caption.growing_file.SAVED", 0.0)
    seen.clear()
    with pytest.raises(KeyboardInterrupt):
        picture_features(pictures, partial(encode, last=2), 8, {}, tmp_path / "cut", False)
    (part,) = (tmp_path / "cut").glob("*.npy")
    with part.open("ab") as file:
        file.write(b"beyond what counts")
    seen.clear()
    cut = picture_features(pictures, encode, 8, {}, tmp_path / "cut", False)
    assert seen == [50, 20]
    np.testing.assert_array_equal(np.stack(cut), np.stack(whole))
    assert [path.suffix for path in (tmp_path / "cut").iterdir()] == [".npy"]


def test_a_pass_that_is_asked_to_end_keeps_every_picture_that_it_has_seen(tmp_path, monkeypatch):
    pictures = [np.full((8, 8, 3), number, "uint8") for number in range(120)]
    ending, seen = Ending(), []
    ending.text = "Stopped."
    ending.leave = mock.Mock(side_effect=SystemExit)
    monkeypatch.setattr("tasks.caption.features.ENDING", ending)

    def encode(batch):
        assert ending.waits
        ending.asked = signal.SIGTERM
        seen.append(len(batch))
        return batch[:, :2, 0]

    with pytest.raises(SystemExit):
        picture_features(pictures, encode, 8, {}, tmp_path, False)
    assert ending.text == "Stopped. The features of 50 of 120 pictures are kept."
    with growing_file(next(tmp_path.glob("*.npy")).with_name("y.npy")) as first, growing_file(first.path) as second:
        second.add(np.ones((3, 2), "<f2"), 9)
        second.save()
        second.keep()
        assert (second.done, second.rows.exists()) == (0, False)  # no other start would find them
    ending.leave.assert_called_once_with(signal.SIGTERM)
    ending.leave.side_effect = None
    found = picture_features(pictures, encode, 8, {}, tmp_path, False)
    assert seen == [50, 50, 20]
    np.testing.assert_array_equal(np.stack(found), np.stack(pictures)[:, :2, 0])


def test_a_disk_that_fills_up_keeps_the_features_that_are_on_it(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.caption.growing_file.SAVED", 0.0)
    pictures = [np.full((8, 8, 3), number, "uint8") for number in range(120)]
    seen = []

    def encode(batch):
        seen.append(len(batch))
        return np.repeat(batch[:, :2, 0], 100, axis=1)

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (80_000, before[1]))
    try:
        with pytest.raises(OutputError, match=r"free space\. The features of 50 of 120 pictures are kept\."):
            picture_features(pictures, encode, 8, {}, tmp_path, False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    found = picture_features(pictures, encode, 8, {}, tmp_path, False)
    assert seen == [50, 50, 50, 20]
    np.testing.assert_array_equal(np.stack(found)[:, ::100], np.stack(pictures)[:, :2, 0])


def test_what_killed_processes_left_of_their_own_is_removed(tmp_path):
    for name in (".part-123-x.npy", ".part-123-x.npy.count", ".part-77-y.npy"):
        (tmp_path / name).write_text("1 2")
    with growing_file(tmp_path / "x.npy") as part:
        assert sorted(path.name for path in tmp_path.iterdir()) == [".part-77-y.npy", ".part-x.npy"]
        part.add(np.ones((3, 2), "<f2"), 3)
        part.finish()


def test_two_processes_that_want_the_same_features_do_not_disturb_each_other(tmp_path):
    path = tmp_path / "x.npy"
    with growing_file(path) as one, growing_file(path) as other:
        assert one.rows != other.rows
        for part in (one, other):
            part.add(np.ones((3, 2), "<f2"), 3)
            part.finish()
    np.testing.assert_array_equal(np.load(path), np.ones((3, 2)))
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_ends_with_a_sentence_and_leaves_nothing(settings, tmp_path):
    config = tasks.configure("caption", **(settings | {"cache": tmp_path}))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(
            OutputError, match=r"cannot be written to .*\. Give --cache a folder with 1 MB of free space"
        ):
            prepared(config)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert OutputError.exit_code == 73
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_made_is_named(settings, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file/cache"):
        prepared(tasks.configure("caption", **(settings | {"cache": tmp_path / "file/cache"})))


def test_a_damaged_picture_among_many_is_named_and_left_out(settings, copy, caplog):
    (copy / "000.png").write_bytes((copy / "000.png").read_bytes()[:200])  # for training
    with caplog.at_level(logging.WARNING):
        splits = prepared(tasks.configure("caption", **(settings | {"data": str(copy), "size": 32, "mirror": False})))
    assert "Left out, unreadable: 1 of 102 pictures, the first is" in caplog.text
    assert "000.png" in caplog.text
    assert len(splits.train) == 101
    assert "000.png" not in {example["image"].name for example in splits.train}


def test_damaged_pictures_beyond_one_in_a_hundred_are_refused(settings, copy, tmp_path):
    for number in (0, 1, 2, 5):
        (copy / f"00{number}.png").write_text("no picture")
    with pytest.raises(DataError, match=r"Unreadable: 4 of 102 pictures, the first is .*000\.png'; at most one in a"):
        prepared(tasks.configure("caption", **(settings | {"data": str(copy), "cache": tmp_path})))
    scratch = {"encoder": "scratch", "encoder_weights": "none", "data": str(copy)}
    with pytest.raises(DataError, match="Unreadable: 4 of 102"):
        prepared(tasks.configure("caption", **(settings | scratch)))


def test_an_unreadable_picture_is_not_scored_and_counted(pipeline, copy, caplog):
    examples = load(pipeline.with_settings(data=str(copy)).config).test
    many = [*examples] * 4
    damaged = many[0] | {"image": copy / "damaged.png"}
    (copy / "damaged.png").write_text("no picture")
    with caplog.at_level(logging.WARNING):
        report = pipeline.score([*many, damaged])
    assert f"Left out, unreadable: 1 of {len(many) + 1} pictures" in caplog.text
    whole = pipeline.score(many).metrics
    for name in ("cider", "bleu_4", "rouge_l", "distinct", "cider_shuffled"):
        assert report.metrics[name] == pytest.approx(whole[name])
    with pytest.raises(DataError, match="Unreadable: 1 of 4"):
        pipeline.score([*examples[:3], damaged])


def test_weights_of_another_network_are_refused(settings, tmp_path):
    other = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(other)
    (tmp_path / "text.weights.h5").write_text("no weights")
    for name in (other, tmp_path / "text.weights.h5"):
        with pytest.raises(DataError, match="does not hold weights of the encoder 'mobilenet' without its classifier"):
            prepared(tasks.configure("caption", **(settings | {"encoder_weights": str(name)})))
    with pytest.raises(DataError, match="does not hold weights of the encoder 'mobilenetv2'"):
        prepared(tasks.configure("caption", **(settings | {"encoder": "mobilenetv2"})))
    with pytest.raises(FileNotFoundError, match=r"no file of weights 'nowhere\.h5'"):
        prepared(tasks.configure("caption", **(settings | {"encoder_weights": "nowhere.h5"})))


def lite_arrays(encoder):
    """Return weights of EfficientNet-Lite0 by name, random ones."""
    draws, found = np.random.default_rng(0), {}
    for layer in encoder.sight.layers:
        parts = layer.name.split("_")
        place = "/".join(["_".join(parts[:2]), *parts[2:3]] if parts[0] == "block" else parts[:1])
        names = ("gamma", "beta", "mean", "variance") if layer.name.endswith("normalization") else ("kernel",)
        for name, weight in zip(names, layer.get_weights(), strict=False):
            found[f"{place}/{name}"] = draws.random(weight.shape).astype("float32")
    return found


def test_named_weights_go_to_their_places_in_efficientnet_lite0(tmp_path):
    encoder = GridEncoder("efficientnetlite0", 64)
    encoder.build((None, 64, 64, 3))
    arrays = lite_arrays(encoder)
    assert len(arrays) == 245
    np.savez(tmp_path / "a.npz", **arrays)
    load_weights(encoder, str(tmp_path / "a.npz"))
    for name, place in (("stem", "stem"), ("block_07_expand", "block_07/expand"), ("head", "head")):
        (kernel,) = encoder.sight.get_layer(name).get_weights()
        np.testing.assert_array_equal(kernel, arrays[f"{place}/kernel"])
    mean = encoder.sight.get_layer("block_00_project_normalization").moving_mean
    np.testing.assert_array_equal(np.asarray(mean), arrays["block_00/project/mean"])


@pytest.mark.parametrize(
    "fault",
    [
        lambda arrays: arrays | {"other": np.zeros(3)},
        lambda arrays: {name: values for name, values in arrays.items() if name != "head/mean"},
        lambda arrays: arrays | {"head/mean": np.zeros(3)},
        lambda arrays: arrays | {"head/mean": np.array([None] * 1280)},
        lambda arrays: arrays | {"other": np.zeros(20_000_000)},
    ],
    ids=["too many", "one missing", "another shape", "objects", "too large"],
)
def test_other_named_weights_are_refused(fault, tmp_path):
    encoder = GridEncoder("efficientnetlite0", 64)
    encoder.build((None, 64, 64, 3))
    np.savez_compressed(tmp_path / "a.npz", **fault(lite_arrays(encoder)))
    with pytest.raises(DataError, match="does not hold weights of the encoder 'efficientnetlite0'"):
        load_weights(encoder, str(tmp_path / "a.npz"))


def test_efficientnet_lite0_has_no_weights_to_download(settings):
    encoder = GridEncoder("efficientnetlite0", 64)
    encoder.build((None, 64, 64, 3))
    with pytest.raises(UnavailableError, match="Keras has no weights of 'efficientnetlite0'; give --encoder-weights"):
        load_weights(encoder, "imagenet")


def test_weights_that_cannot_be_downloaded_have_a_way_out(settings):
    known = encoders.NETWORKS["mobilenet"]
    small = encoders.Network(lambda weights, **how: known.make(weights=fetched(weights), **how), known.prepare)

    def fetched(name):
        if name == "imagenet":
            raise OSError("no network")
        return name

    with (
        mock.patch.dict(encoders.NETWORKS, {"mobilenet": small}),
        pytest.raises(UnavailableError, match="could not be downloaded; give --encoder-weights a file"),
    ):
        prepared(tasks.configure("caption", **(settings | {"encoder_weights": "imagenet"})))
    assert UnavailableError.exit_code == 69


@pytest.mark.parametrize("name", encoders.NETWORKS)
def test_every_encoder_sees_a_grid_and_comes_back_from_its_config(name):
    layer = GridEncoder(name, 64, trainable=False)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), "uint8")
    grid = np.asarray(layer(pictures))
    cells, channels = layer.cells
    assert grid.shape == (2, cells, channels) == layer.compute_output_shape(pictures.shape)
    assert cells == 4
    np.testing.assert_array_equal(np.asarray(layer(grid)), grid)  # what was seen before is handed on
    assert not layer.trainable_weights
    assert GridEncoder.from_config(layer.get_config()).network == name


def test_an_encoder_without_weights_is_trained(settings, tmp_path):
    config = tasks.configure("caption", **(settings | {"encoder_weights": "none"}))
    assert not config.is_frozen
    model = keras_part(tasks.get("caption")).build(config, Codec.learn(config, load(config).train))
    assert model.get_layer("encoder").trainable_weights
    assert model.input_shape[0] == (None, 64, 64, 3)


def test_pictures_are_mirrored_unless_a_caption_says_left_or_right(pipeline):
    example = {"captions": ["a dog"], "grid": np.zeros((1, 2)), "mirrored": np.ones((1, 2))}
    told = example | {"captions": ["a dog", "a left-hand glove"]}
    random = np.random.default_rng(0)
    drawn = {float(pipeline.codec.network_picture(example, random)[0, 0]) for _ in range(20)}
    assert drawn == {0.0, 1.0}
    assert all(pipeline.codec.network_picture(told, random)[0, 0] == 0 for _ in range(20))
    assert pipeline.codec.network_picture(example, None)[0, 0] == 0


@pytest.mark.parametrize(("tokens", "size"), [("words", 100), ("pieces", 512)])
def test_captions_become_tokens_and_come_back(settings, tokens, size):
    config = tasks.configure("caption", **(settings | {"tokens": tokens, "vocabulary": size}))
    train = load(config).train
    codec = Codec.restore(config, json.loads(json.dumps(Codec.learn(config, train).state())))
    caption = train[0]["captions"][0]
    assert codec.text(codec.numbers(caption)) == caption.capitalize() + "."
    (seen, before, after), zeros, counts = codec.encode([example | {"grid": np.zeros((4, 8))} for example in train[:3]])
    assert seen.shape == (3, 4, 8)
    assert before.shape == after.shape == (3, 5, before.shape[2])
    assert (before[:, :, 0] == codec.start).all()
    np.testing.assert_array_equal(before[:, :, 1:][after[:, :, 1:] > PAD], after[:, :, :-1][after[:, :, 1:] > PAD])
    np.testing.assert_array_equal(counts, (after != PAD).sum((1, 2)))
    assert max(map(int, after.max((1, 2)))) < codec.size
    assert not zeros.any()


def test_pictures_with_fewer_captions_share_a_batch_with_others(pipeline, settings):
    grid = np.zeros((4, 768))
    examples = [{"grid": grid, "captions": ["a red star"] * number} for number in (1, 7, 3)]
    (_, before, after), _, counts = pipeline.codec.encode(examples, np.random.default_rng(0))
    assert before.shape[:2] == (3, 5)
    np.testing.assert_array_equal((after != PAD).any(2).sum(1), [1, 5, 3])
    np.testing.assert_array_equal(counts, [4, 20, 12])


def test_nothing_that_is_no_word_is_ever_written(pipeline, folder):
    pixels = pipeline.codec.inputs(list(map(pipeline.codec.read, sorted(folder.glob("*.png"))[:8])))
    never = {PAD, UNKNOWN, pipeline.codec.start, pipeline.codec.end}
    for found in caption_hypotheses(pipeline.with_settings(beam=4, min_length=6), picture_memory(pipeline, pixels), 4):
        assert all(not never & set(one.tokens) and len(one.tokens) >= 6 for one in found)


def test_a_folder_is_answered_picture_by_picture(pipeline, folder, tmp_path):
    for name in ("001.png", "002.png"):
        shutil.copy(folder / name, tmp_path / name)
    result = command("predict", "caption", tmp_path, folder / "003.png", "--run", pipeline.run, "--n-best", "2")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [Path(row["input"]).name for row in rows] == ["001.png", "002.png", "003.png"]
    for row in rows:
        assert set(row["answer"]) == {"caption", "score", "captions"}
        assert len(row["answer"]["captions"]) == 2
        assert row["answer"]["captions"][0]["caption"] == row["answer"]["caption"]
        assert row["answer"]["caption"][-1] == "."
    (tmp_path / "empty").mkdir()
    for words, code, said in (
        ([tmp_path / "empty"], 65, "holds no pictures"),
        ([tmp_path / "nowhere.png"], 66, "There is no file"),
        ([folder / "captions.tsv"], 65, "not a picture"),
        ([folder / "003.png", "--n-best", "9"], 2, "give a larger `beam`"),
        ([folder / "003.png", "--beam", "101"], 2, "is not in the range"),
    ):
        result = command("predict", "caption", *words, "--run", pipeline.run)
        assert (result.returncode, said in result.stderr) == (code, True), result.stderr


def test_where_each_word_looked_is_given_and_drawn(pipeline, folder, tmp_path):
    paths = sorted(folder.glob("*.png"))[:2]
    own = pipeline.with_settings(attention_file=tmp_path / "look.png")
    answers = own.predict(paths)
    assert not list(tmp_path.iterdir()), "predict has no side effects"
    shown = [outcome.record()["answer"] for outcome in outcomes(own, [Item(str(path)) for path in paths], None, False)]
    assert [answer["attention_file"] for answer in shown] == [
        [str(tmp_path / name)] for name in ("look.png", "look-2.png")
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["look-2.png", "look.png"]
    for answer in answers:
        words, looked = answer["attention"]["words"], np.array(answer["attention"]["weights"])
        assert words[-1] == "</s>"
        assert " ".join(words[:-1]).capitalize() + "." == answer["caption"]
        assert looked.shape == (len(words), 4)
        np.testing.assert_allclose(looked.sum(1), 1, atol=1e-3)
    with Image.open(tmp_path / "look.png") as picture:
        assert picture.width > 500


def test_the_attention_that_is_drawn_is_that_of_the_search(pipeline, folder):
    pixels = pipeline.codec.inputs(list(map(pipeline.codec.read, sorted(folder.glob("*.png"))[:3])))
    memory = picture_memory(pipeline, pixels)
    tokens = caption_hypotheses(pipeline, memory, 1)[2][0].tokens
    alone = picture_memory(pipeline, pixels[2:])
    np.testing.assert_allclose(
        caption_attention(pipeline, memory, 2, tokens), caption_attention(pipeline, alone, 0, tokens), atol=1e-5
    )


def test_an_ensemble_says_the_same_of_a_picture_and_of_its_mirror_image(pipeline, folder):
    pixels = pipeline.codec.inputs(list(map(pipeline.codec.read, sorted(folder.glob("*.png"))[:6])))
    mirrored = np.ascontiguousarray(pixels[:, :, ::-1])
    both = pipeline.with_settings(ensemble=True)
    one, other = both.predict(list(pixels)), both.predict(list(mirrored))
    assert [answer["caption"] for answer in one] == [answer["caption"] for answer in other]
    np.testing.assert_allclose([a["score"] for a in one], [a["score"] for a in other], atol=1e-4)
    even = pixels[:1] // 2 + mirrored[:1] // 2  # its own mirror image
    (alone,), (together,) = pipeline.predict(list(even)), both.predict(list(even))
    assert alone["caption"] == together["caption"]


def test_answers_do_not_depend_on_company(pipeline, folder):
    paths = sorted(folder.glob("*.png"))[:7]
    together = pipeline.predict(paths)
    assert pipeline.with_settings(batch_size=2).predict(paths) == together
    (alone,) = pipeline.predict([np.asarray(Image.open(paths[4]))])
    assert alone["caption"] == together[4]["caption"]


def test_coco_captions_come_from_the_catalogue(tmp_path):
    with tfds.testing.mock_data(num_examples=12), mock.patch("socket.getaddrinfo"):
        splits = load(tasks.configure("caption", **{"data_dir": tmp_path, "size": 32}))
    assert sum(map(len, splits)) == 12
    example = splits.train[0]
    codec = Codec.learn(tasks.configure("caption", **{"size": 32}), splits.train)
    assert codec.read(example["image"]).shape == (32, 32, 3)
    assert all(isinstance(caption, str) for caption in example["captions"])


def test_settings_that_make_no_sense_are_refused():
    for settings, said in (
        ({"n_best": 4}, "give a larger `beam`"),
        ({"heads": 3}, "`heads` must divide `units`"),
        ({"min_length": 24}, "`min_length` must be below `max_length`"),
        ({"encoder": "scratch", "encoder_weights": "a.h5"}, "has no weights to load"),
    ):
        with pytest.raises(SettingError, match=said):
            tasks.configure("caption", **settings)


def test_unreadable_pictures_are_marked_in_what_is_kept(tmp_path):
    pictures = [np.full((8, 8, 3), 9, "uint8"), tmp_path / "gone.png", np.full((8, 8, 3), 7, "uint8")]
    (tmp_path / "gone.png").write_text("no picture")
    found = picture_features(pictures, lambda batch: batch[:, :2, 0], 8, {}, tmp_path / "cache", False)
    assert found[1] is None
    assert [float(found[place][0, 0]) for place in (0, 2)] == [9, 7]


def test_captions_that_are_cut_and_those_without_words_are_counted(settings, caplog):
    config = tasks.configure("caption", **(settings | {"max_length": 3}))
    captions = ["a dog runs", "a dog runs far away", "!?"]
    with caplog.at_level(logging.WARNING):
        Codec.learn(config, [{"captions": captions}])
    assert "1 of 3 training captions are cut at 3 tokens (--max-length); the longest has 5" in caplog.text
    assert "1 training captions have no words; the first is '!?'" in caplog.text

"""The digit task: networks, codec, folders of pictures."""

import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import tasks
from data.builtin import sets
from data.pictures.digits import framed_character
from data.splits import DataError
from tasks.engine import runs
from tasks.mnist import network, pipeline
from tasks.mnist.config import Config
from tasks.mnist.maps import from_png

ROOT = Path(__file__).parents[2]

SIZES = {"small": 100_000, "tiny": 10_000, "dense": 10_000_000}


def codec(config=None, classes="0123456789"):
    return pipeline.Codec(list(classes), True, (config or Config()).augmentation())


@pytest.mark.parametrize("preset", SIZES)
def test_a_preset_stays_below_its_size(preset):
    config = tasks.configure("mnist", preset)
    model = network.build(config, codec())
    assert model.count_params() < SIZES[preset]
    assert (config.filters == ()) == (preset == "dense")
    kinds = {type(layer).__name__ for layer in model.layers}
    assert ("ConvolutionBlock" in kinds) == (preset != "dense")
    assert "DenseBlock" in kinds if preset == "dense" else "DenseBlock" not in kinds


@pytest.mark.parametrize(
    "settings",
    [
        {"filters": [4], "units": [8, 6], "features": "flat", "normalization": "layer"},
        {"filters": [4, 6], "padding": "valid", "pooling": "average", "dilation": 2, "convolutions": 1},
        {
            "filters": [4, 6],
            "pooling": "none",
            "normalization": "none",
            "activation": "gelu",
            "convolution_dropout": 0.1,
        },
    ],
)
def test_every_hyperparameter_reaches_the_network(settings):
    config = tasks.configure("mnist", **settings)
    model = network.build(config, codec())
    assert model.output_shape == (None, 10)
    blocks = [layer for layer in model.layers if type(layer).__name__ == "ConvolutionBlock"]
    assert blocks[0].filters == settings["filters"][0]
    assert {block.activation for block in blocks} == {config.activation}
    assert {block.normalization for block in blocks} == {config.normalization}
    assert {block.dropout for block in blocks} == {config.convolution_dropout}
    assert {block.dilation for block in blocks[1:]} <= {config.dilation}
    assert blocks[-1].pooling == "none"
    assert [layer.units for layer in model.layers if type(layer).__name__ == "DenseBlock"] == list(config.units)


def test_a_network_that_pools_too_much_says_so():
    with pytest.raises(ValueError, match=r"[Nn]egative dimension|padding|size"):
        network.build(tasks.configure("mnist", filters=[2] * 9, padding="valid"), codec())


def test_the_signature_gives_probabilities():
    model = network.signatures(network.build(Config(filters=(2,)), codec()))["classify"]
    rows = keras.ops.convert_to_numpy(model(np.random.default_rng(0).random((3, 28, 28, 1), "float32")))
    np.testing.assert_allclose(rows.sum(1), 1, rtol=1e-5)


def inputs(*pictures):
    """Return pictures as the network reads them."""
    return codec().inputs([codec().read(picture) for picture in pictures])


def test_arrays_in_frame_are_taken_as_they_are_dark_on_light_too():
    image = framed_character(sets.digits()[1][0]["image"])
    for array in (image, 255 - image):
        np.testing.assert_array_equal(inputs(array)[0, :, :, 0], image / np.float32(255))


def test_a_file_an_array_and_a_framed_digit_are_the_same_input(tmp_path):
    digit = sets.digits()[1][0]["image"]
    large = np.asarray(Image.fromarray(255 - digit).resize((160, 240)))
    Image.fromarray(large).save(tmp_path / "digit.png")
    from_file, from_array = inputs(tmp_path / "digit.png", large)
    np.testing.assert_array_equal(from_file, from_array)
    assert np.abs(from_file[..., 0] - framed_character(digit) / 255).mean() < 0.05


def shipped():
    """Return the shipped run."""
    return tasks.load("mnist", runs.pretrained_runs("mnist")[0])


def test_a_blank_page_has_no_label_but_a_reason():
    blank = np.full((90, 70), 240, "uint8")
    (answer,) = shipped().predict([blank])
    assert list(answer) == ["label", "probability", "reason"]
    assert answer["label"] is None
    assert answer["probability"] is None
    assert "blank" in answer["reason"]


def test_several_digits_are_counted_and_said_once(caplog):
    one = np.full((80, 40), 255, "uint8")
    one[10:70, 17:23] = 0
    page = np.hstack([one, one])
    answers = shipped().predict([page, page, np.hstack([page, one]), one])
    assert [answer.get("characters", 1) for answer in answers] == [2, 2, 3, 1]
    assert [answer["label"] for answer in answers] == ["1"] * 4
    assert [record.getMessage() for record in caplog.records] == [
        "3 of 4 pictures show several characters; the largest of each is read."
    ]


def test_a_training_picture_is_read_as_predict_reads_it(tmp_path):
    one = np.full((90, 80, 3), (200, 230, 200), "uint8")
    one[20:70, 40:46] = (220, 120, 160)
    Image.fromarray(one).save(tmp_path / "one.png")
    image = pipeline.own_image(Config(), tmp_path / "one.png")
    np.testing.assert_array_equal(image, codec().read(tmp_path / "one.png").image)
    assert image.any()


def test_augmentation_changes_pictures_and_not_labels():
    examples = [
        {"image": framed_character(example["image"]), "label": example["label"]} for example in sets.digits()[1][:8]
    ]
    plain, labels = codec().encode(examples)
    moved, same = codec().encode(examples, np.random.default_rng(0))
    np.testing.assert_array_equal(labels, same)
    assert np.abs(plain - moved).max() > 0.1
    assert moved.min() >= 0
    assert moved.max() <= 1
    still = codec(Config(shift=0, rotate=0, augment_scale=0, shear=0, elastic=0))
    np.testing.assert_array_equal(still.encode(examples, np.random.default_rng(0))[0], plain)


def test_a_class_that_training_never_saw_is_named():
    with pytest.raises(DataError, match="Class 'x' is not among the training examples: a, b"):
        codec(classes="ab").encode([{"image": np.zeros((28, 28), "uint8"), "label": "x"}])


def folder(root, count=12, size=(40, 56), dark=True):
    """Make a folder of pictures of two digits, in several formats and modes."""
    kept = [example for example in sets.digits()[0] if example["label"] in "01"][: 2 * count]
    for number, example in enumerate(kept):
        path = (
            root
            / ("zero" if example["label"] == "0" else "one")
            / f"{number}.{['png', 'jpg', 'bmp', 'webp', 'tif', 'gif'][number % 6]}"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        levels = 255 - example["image"] if dark else example["image"]
        mode = "RGB" if number % 3 else "L"
        Image.fromarray(levels).resize((size[0] + number, size[1])).convert(mode).save(path)
    return root


@pytest.mark.slow
def test_a_folder_of_pictures_is_learnt_from(tmp_path):
    folder(tmp_path / "pictures", 60)
    trained = tasks.train(
        "mnist",
        tmp_path / "run",
        data=str(tmp_path / "pictures"),
        filters=[6, 8],
        epochs=20,
        batch_size=16,
        learning_rate=0.01,
    )
    assert trained.codec.state() == {"classes": ["one", "zero"], "framed": True}
    summary = json.loads((trained.run / "metrics.json").read_text())
    assert summary["metrics"]["accuracy"] > 0.9
    answer = trained.predict([next((tmp_path / "pictures/zero").iterdir())])[0]
    assert answer["label"] == "zero"
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert "licence is the user's" in (trained.run / "README.md").read_text()


def test_a_damaged_picture_in_a_folder_is_named(tmp_path):
    (folder(tmp_path) / "one" / "bad.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"bad\.png"):
        pipeline.load(Config(data=str(tmp_path)))


def test_pictures_may_be_taken_whole(tmp_path):
    splits = pipeline.load(Config(data=str(folder(tmp_path)), frame=False))
    assert all((example["image"].max(1) > 0).sum() == 28 for example in splits.train)  # a frame would leave 20
    assert pipeline.Codec.learn(Config(), splits.train).state()["framed"] is False


def test_catalogue_images_of_another_shape_are_refused(monkeypatch):
    rows = [{"image": np.zeros((32, 32, 3), "uint8"), "label": "a"}] * 3
    monkeypatch.setattr(pipeline.catalogue, "read", lambda *args: {"train": rows, "test": rows})
    with pytest.raises(DataError, match=r"'cifar10' has images of shape \(32, 32, 3\)"):
        pipeline.load(Config(data="cifar10"))


def test_emnist_is_turned_upright(monkeypatch):
    image = np.zeros((28, 28, 1), "uint8")
    image[3, 9] = 1
    rows = [{"image": image, "label": "a"}] * 3
    monkeypatch.setattr(pipeline.catalogue, "read", lambda *args: {"train": rows, "test": rows})
    assert pipeline.load(Config(data="emnist/digits")).test[0]["image"][9, 3] == 1
    assert pipeline.load(Config(data="kmnist")).test[0]["image"][3, 9] == 1


def test_each_layer_of_the_shipped_run_is_shown_and_drawn(tmp_path):
    loaded = tasks.load("mnist", "small", layers_file=tmp_path / "layers.png")
    read = loaded.codec.read(ROOT / "tasks/mnist/example.png")
    (answer,) = loaded.task.predict(loaded, [read])
    shown = from_png(answer["read"])
    assert np.array_equal(np.asarray(shown), read.image)
    outputs = loaded.network("layers", loaded.codec.inputs([read]))
    assert [layer["channels"] for layer in answer["layers"]] == [output.shape[-1] for output in outputs]
    for layer, output in zip(answer["layers"], outputs, strict=True):
        sheet, largest = np.asarray(from_png(layer["image"])), output.max()
        for channel in (0, layer["channels"] - 1):
            top = channel // layer["columns"] * (layer["height"] + 1)
            left = channel % layer["columns"] * (layer["width"] + 1)
            part = sheet[top : top + layer["height"], left : left + layer["width"]]
            np.testing.assert_allclose(part, np.clip(output[0, :, :, channel] / largest, 0, 1) * 255, atol=0.51)
    assert loaded.draw(read, answer) == {"layers_file": [str(tmp_path / "layers.png")]}
    assert (tmp_path / "layers.png").stat().st_size > 1000


def test_a_run_without_the_signature_of_its_layers_answers_with_a_notice(tmp_path, caplog):
    run = shutil.copytree(ROOT / "tasks/mnist/pretrained/small", tmp_path / "run")
    (run / "onnx" / "layers.onnx").unlink()
    loaded = tasks.load("mnist", run, layers_file=tmp_path / "layers.png")
    (answer,) = loaded.predict([ROOT / "tasks/mnist/example.png"])
    assert (answer["label"], "layers" in answer, "read" in answer) == ("3", False, True)
    assert "does not show its layers" in caplog.text


def test_a_network_from_the_pixels_to_the_classes_has_no_layers_to_show(tmp_path):
    settings = {"data": "builtin", "limit": 32, "epochs": 1, "filters": [], "units": [], "average": 0, "score": False}
    tasks.train("mnist", tmp_path / "run", **settings)
    for engine in ("onnx", "keras"):
        loaded = tasks.load("mnist", tmp_path / "run", layers_file=tmp_path / "layers.png", engine=engine)
        (answer,) = loaded.predict([ROOT / "tasks/mnist/example.png"])
        assert answer["layers"] == []

"""Super-resolution: networks, pieces, flat pictures, files in and out, bad input."""

import json
import logging
import os
import zipfile
from functools import cache

import keras
import numpy as np
import pytest
from PIL import Image

import tasks
from data import catalogue
from data.builtin import sets
from data.pictures.files import OutputError
from data.pictures.imresize import imresize, luma, turned_picture, unturned_picture, whole_levels
from data.pictures.photo import read_photo
from data.splits import DataError
from tasks.engine.card import OWN, origin
from tasks.engine.config import SettingError
from tasks.engine.items import Item
from tasks.engine.network import KerasNetwork
from tasks.engine.predict import outcomes
from tasks.engine.task import Pipeline
from tasks.upscale import enlarge, network, pipeline
from tasks.upscale.config import SOURCES, Config

SIZES = {"small": 25_000, "medium": 200_000}
RANDOM = np.random.default_rng(0)


@cache
def trained_a_little(**settings):
    """Return a pipeline whose network has random weights, its deconvolutions as even as training keeps them."""
    config = tasks.configure(
        "upscale", **{"filters": 6, "squeeze": 4, "depth": 2, "activation": "gelu", "xla": False, **settings}
    )
    keras.utils.set_random_seed(3)
    codec = pipeline.Codec(config)
    model = network.build(config, codec)
    x = RANDOM.random((4, 12, 12, 1), "float32")
    y = RANDOM.normal(size=(4, 12 * config.scale, 12 * config.scale, 1))
    model.optimizer.learning_rate = 0.03
    for _ in range(6):
        model.train_on_batch(x, y)
    return Pipeline(pipeline.TASK, config, codec, KerasNetwork(network.signatures(model)), None)


@pytest.fixture(scope="module")
def little():
    return trained_a_little()


def photo(folder, name="photo.png", size=(40, 30), **how):
    """Write a part of an embedded photograph."""
    with Image.open(sets.photos()[1][1]) as image:
        part = image.convert("RGB").crop((100, 60, 100 + size[0], 60 + size[1]))
    folder.mkdir(parents=True, exist_ok=True)
    part.convert(how.pop("mode", "RGB")).save(folder / name, **how)
    return folder / name


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("preset", SIZES)
def test_a_preset_stays_below_its_size_and_counts_itself_right(preset, scale):
    config = tasks.configure("upscale", preset, scale=scale)
    model = network.build(config, pipeline.Codec(config))
    assert model.count_params() == config.parameters() <= SIZES[preset]
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("DeconvolutionBlock") == (2 if preset == "medium" and scale == 4 else 1)
    assert ("ResidualBlock" in kinds) == (preset == "medium")
    assert model(np.zeros((1, 5, 7, 1))).shape == (1, 5 * scale, 7 * scale, 1)


def test_a_margin_that_leaves_nothing_is_refused():
    with pytest.raises(SettingError, match="`margin` is 8 and leaves nothing of a `patch` of 16"):
        Config(margin=8, patch=16)


def test_multiply_adds_by_hand():
    config = Config(filters=4, first_kernel_size=3, squeeze=2, depth=1, reach=3)
    small = 9 * 4 + 4 * 2 + 9 * 2 * 2 + 2 * 4 + 36 * 4  # for a pixel of the small picture
    assert config.multiply_adds() == small / 4


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, {"scale": 3}, {"body": "residual", "scale": 4}])
def test_the_network_looks_no_further_than_it_says(settings):
    made = trained_a_little(**settings)
    scale, border = made.config.scale, made.config.border()
    plane = np.full((2 * border + 9,) * 2, 0.5, "float32")
    other = plane.copy()
    other[border + 4, border + 4] = 1
    one, two = (made.network("upscale", p[None, ..., None])[0][0, ..., 0] for p in (plane, other))
    changed = np.argwhere(np.abs(one - two) > 1e-7)
    assert changed.min() >= 4 * scale
    assert changed.max() < (2 * border + 5) * scale


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, {"scale": 3}, {"scale": 4, "body": "residual"}, {"ensemble": True}])
def test_pieces_fit_together(settings):
    made = trained_a_little(**settings)
    picture = RANDOM.integers(0, 256, (53, 38, 3), "uint8")
    whole, pieces = (made.with_settings(tile=tile) for tile in (512, 16))
    plane = np.pad(luma(picture.astype("float32")), made.config.border(), mode="symmetric")
    one, two = (p.predict([picture])[0]["image"].astype(int) for p in (whole, pieces))
    assert np.abs(one - two).max() <= 1  # a tie may be rounded either way
    assert (one != two).mean() < 1e-3
    side, border, scale = 16, made.config.border(), made.config.scale
    answer = enlarge.inner_picture(enlarge.luma_residual(made, plane), border * scale) / 255
    for row, column in [(0, 0), (16, 16), (32, 16)]:
        part = plane[row : row + side + 2 * border, column : column + side + 2 * border]
        piece = enlarge.inner_picture(enlarge.luma_residual(made, part), border * scale) / 255
        own = answer[row * scale : (row + side) * scale, column * scale : (column + side) * scale]
        np.testing.assert_allclose(piece[: own.shape[0], : own.shape[1]], own, atol=1e-4)


@pytest.mark.parametrize("settings", [{}, {"scale": 3}, {"scale": 4}, {"scale": 4, "body": "residual"}])
@pytest.mark.parametrize("level", [0, 77, 255])
def test_a_flat_picture_stays_flat_after_training(settings, level):
    """No energy at the frequency of the strides, nor at any other: the weights of all phases add up to the same."""
    made = trained_a_little(**settings)
    side = 6 * made.config.border()
    answer = enlarge.luma_residual(made, np.full((side, side), level, "float32"))
    inside = enlarge.inner_picture(answer, 2 * made.config.border() * made.config.scale)
    assert abs(inside.mean()) > 1e-3  # it was trained to something
    np.testing.assert_allclose(inside, inside.mean(), atol=1e-3)  # levels of 255: the rounding of single precision
    assert np.ptp(made.predict([np.full((9, 9), level, "uint8")])[0]["image"]) == 0


def test_an_ensemble_is_the_mean_of_eight_ways(little):
    picture = RANDOM.integers(0, 256, (20, 14), "uint8").astype("float32")
    mean = np.mean(
        [unturned_picture(enlarge.luma_residual(little, turned_picture(picture, way)), way) for way in range(8)],
        axis=0,
    )
    np.testing.assert_allclose(enlarge.luma_residual(little.with_settings(ensemble=True), picture), mean, atol=1e-4)


def test_colours_come_from_bicubic_interpolation(little):
    """What the network adds goes to red, green and blue alike, as a change of luma does."""
    picture = RANDOM.integers(90, 160, (24, 24, 3), "uint8")
    answer = little.predict([picture])[0]["image"]
    bicubic = imresize(picture.astype("float32"), 2)
    added = answer - bicubic
    assert np.abs(added - added.mean(2, keepdims=True)).max() <= 1  # but for rounding
    assert np.abs(added).max() > 2


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 1), (3, 1000), (1, 7, 3), (5, 2, 1), (17, 3, 4)])
@pytest.mark.parametrize("scale", [2, 3])
def test_any_size_is_enlarged(shape, scale):
    made = trained_a_little(scale=scale)
    answer = made.predict([RANDOM.integers(0, 256, shape, "uint8")])[0]
    assert answer["image"].shape == (shape[0] * scale, shape[1] * scale, *shape[2:])
    assert (answer["height"], answer["width"]) == answer["image"].shape[:2]


@pytest.mark.parametrize("array", [np.zeros((4, 4)), np.zeros((4, 4, 2), "uint8"), np.zeros((0, 4), "uint8")])
def test_an_array_that_is_no_picture_is_refused(array, little):
    with pytest.raises(DataError, match="A picture must be uint8"):
        little.predict([array])


def written(made, inputs, out=None):
    names = [one for word in inputs for one in made.task.accepts.expand(str(word))]
    return [(name, made.task.write(made, name, out, False)) for name in names]


def test_a_picture_is_written_beside_its_own_and_never_over_another(little, tmp_path):
    path = photo(tmp_path)
    ((name, answer),) = written(little, [path])
    assert (name, answer["image"]) == (str(path), str(tmp_path / "photo-x2.png"))
    assert (answer["width"], answer["height"]) == (80, 60)
    np.testing.assert_array_equal(read_photo(tmp_path / "photo-x2.png").pixels, little.predict([path])[0]["image"])
    before = (tmp_path / "photo-x2.png").read_bytes()
    with pytest.raises(FileExistsError, match=r"photo-x2\.png.*--out"):
        written(little, [path])
    assert (tmp_path / "photo-x2.png").read_bytes() == before


def test_many_pictures_go_into_a_folder_and_one_into_a_file_of_any_format(little, tmp_path):
    photo(tmp_path / "in", "a.png")
    photo(tmp_path / "in", "b.jpg", icc_profile=b"a profile", dpi=(300, 300))
    rows = written(little, [tmp_path / "in"], tmp_path / "out")
    assert [answer["image"] for _, answer in rows] == [str(tmp_path / "out" / name) for name in ("a.png", "b.jpg")]
    with Image.open(tmp_path / "out/b.jpg") as image:
        assert (image.format, image.info["icc_profile"], image.info["dpi"]) == ("JPEG", b"a profile", (300, 300))
    written(little, [tmp_path / "in/a.png"], tmp_path / "c.webp")
    with Image.open(tmp_path / "c.webp") as image:
        assert (image.format, image.size) == ("WEBP", (80, 60))
    with pytest.raises(SettingError, match="2 pictures; give a folder"):
        list(outcomes(little, [Item("a.png"), Item("b.jpg")], tmp_path / "d.png", False))


def test_an_output_folder_that_cannot_be_written_is_named(little, tmp_path):
    path = photo(tmp_path)
    with pytest.raises(OutputError, match=r"photo\.png' cannot be written"):
        written(little, [path], path / "below")
    if os.geteuid():  # the superuser may write anywhere
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(OutputError, match=r"closed/photo\.png' cannot be written"):
            written(little, [path], tmp_path / "closed")


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "I;16"])
def test_every_mode_comes_out_enlarged(little, tmp_path, mode):
    if mode == "I;16":
        Image.fromarray(RANDOM.integers(0, 65536, (30, 40), "uint16")).save(tmp_path / "a.png")
    name = "a.tif" if mode == "CMYK" else "a.png"
    path = tmp_path / name if mode == "I;16" else photo(tmp_path, name, mode=mode)
    ((_, answer),) = written(little, [path])
    before, after = read_photo(path), read_photo(tmp_path / answer["image"])
    assert after.pixels.shape == (60, 80, before.pixels.shape[2])
    assert after.pixels.dtype == before.pixels.dtype
    assert (after.alpha is None) == (before.alpha is None)


def test_transparency_is_enlarged_too(little):
    picture = RANDOM.integers(0, 256, (21, 10, 4), "uint8")
    answer = little.with_settings(tile=16).predict([picture])[0]["image"]
    np.testing.assert_array_equal(answer[:, :, 3], whole_levels(imresize(picture[:, :, 3].astype("float32"), 2)))


def folder(root, count=6, size=(80, 60)):
    for number in range(count):
        photo(root, f"{number}.png", size=(size[0] + number, size[1]))
    return root


QUICK = {"filters": 6, "squeeze": 4, "depth": 1, "patch": 16, "epochs": 2, "average": 0, "xla": False, "valid": 0.2}


@pytest.mark.slow
def test_folders_and_zips_are_learnt_from_and_validation_comes_from_the_last(tmp_path):
    folder(tmp_path / "one")
    folder(tmp_path / "two", 4)
    with zipfile.ZipFile(tmp_path / "test.zip", "w") as archive:
        archive.write(photo(tmp_path / "three", "t.png", size=(51, 41)), "t.png")
    data = f"{tmp_path / 'one'},{tmp_path / 'two'}"
    made = tasks.train("upscale", tmp_path / "run", data=data, test=str(tmp_path / "test.zip"), **QUICK)
    splits = made.task.load(made.config)
    assert len(splits.valid) == 2  # a fifth of ten
    assert all("two" in example["name"] for example in splits.valid)
    assert len(splits.train) == 8 + sum(60 * size >= 32 for size in (0.9, 0.8, 0.7, 0.6)) * 8
    assert [example["truth"].shape for example in splits.test] == [(40, 50, 3)]
    found = tasks.evaluate("upscale", made.run, data=str(tmp_path / "one"))
    assert found.summary["examples"] == 6  # all of other pictures are the test split
    assert set(found.report.metrics) >= {"psnr", "ssim", "bicubic_psnr", "bicubic_ssim", "psnr_rgb", "parameters"}
    assert "licence is the user's" in (made.run / "README.md").read_text()


def test_other_pictures_are_the_test_split_and_named_data_has_its_own():
    config = Config(data="a", test="b")
    assert config.with_settings({}).test == config.with_settings({"data": "a"}).test == "b"
    assert config.with_settings({"data": "c"}).test == "c"
    assert config.with_settings({"data": "c", "test": "d"}).test == "d"
    assert config.with_settings({"data": "c", "test": None}).test == "c"
    assert config.with_settings({"data": "builtin"}).test is None


def test_the_card_knows_folders_of_the_papers_by_their_names():
    known = origin(SOURCES, "x/T91,general100.zip")
    assert "T91 (Yang" in known
    assert "General-100 (Dong" in known
    assert origin(SOURCES, "x/t91,holidays") == origin(SOURCES, "builtin2") == OWN
    assert "scikit-image" in origin(SOURCES, "builtin")


def test_pictures_smaller_than_a_patch_are_left_out_and_named(tmp_path, caplog):
    photo(folder(tmp_path / "in"), "tiny.png", size=(63, 20))
    given = {"data": str(tmp_path / "in"), "test": str(tmp_path / "in"), "shrink": (), "valid": 0.2}
    with caplog.at_level(logging.WARNING, "tasks"):
        splits = pipeline.load(Config(**given, patch=30))
        names = [example["name"] for split in splits[:2] for example in split]
    assert len(names) == 6
    assert not any("tiny" in name for name in names)
    assert "Left out, smaller than a patch of 60x60 pixels: 1, " in caplog.text
    assert "tiny.png" in caplog.text
    with pytest.raises(DataError, match=r"None of the 7 pictures is as large as a patch of 64x64.*--patch below 32"):
        len(pipeline.load(Config(**given)).train)


def test_a_damaged_picture_in_a_folder_is_named(tmp_path):
    (folder(tmp_path) / "bad.png").write_text("only words")
    with pytest.raises(DataError, match=r"bad\.png"):
        len(pipeline.load(Config(data=str(tmp_path), test=str(tmp_path / "0.png"), patch=8)).train)


def test_a_picture_too_small_to_be_scored_is_named(tmp_path):
    path = photo(tmp_path, size=(40, 14))
    with pytest.raises(DataError, match=r"photo\.png' is too small to be scored: 40x14 pixels; at least 15x15"):
        len(pipeline.load(Config(data=str(path), test=str(path))).test)


@pytest.mark.slow
def test_another_scale_begins_with_the_body_of_a_run(tmp_path):
    data = str(folder(tmp_path / "in"))
    given = tasks.train("upscale", tmp_path / "two", data=data, test=data, **QUICK)
    settings = {**QUICK, "scale": 3, "patch": 12, "epochs": 1, "learning_rate": 0.0}
    made = tasks.train("upscale", tmp_path / "three", data=data, test=data, init_from=str(given.run), **settings)
    one, two = (keras.saving.load_model(run.run / "model.keras") for run in (given, made))
    own = [layer.name for layer in two.layers if layer.weights and "deconvolution" not in layer.name]
    assert len(own) == 4
    for name in own:
        for mine, theirs in zip(two.get_layer(name).get_weights(), one.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(mine, theirs)
    again = tasks.configure("upscale", init_from=given.run)
    assert (again.filters, again.depth, again.epochs) == (6, 1, 18)  # the network of the run, and a training of its own
    with pytest.raises(FileNotFoundError, match="nowhere"):
        tasks.train("upscale", tmp_path / "y", data=data, init_from="nowhere")
    assert not (tmp_path / "y").exists()


def test_the_error_is_absolute_at_first_and_squared_at_the_end():
    error = network.Error(margin=1, squared=0.25)
    truth = np.zeros((1, 4, 4, 1), "float32")
    answer = np.full_like(truth, 10 / 255)
    answer[:, 0] = 1e6  # at the border, which does not count
    assert float(error(truth, answer)) == pytest.approx(100)
    assert error.follow(0.0)
    assert not error.follow(0.7)
    assert float(error(truth, answer)) == pytest.approx(np.sqrt(100 + network.SMOOTH**2))
    assert error.follow(0.75)
    assert float(error(truth, answer)) == pytest.approx(100 / network.TYPICAL)


def test_a_patch_lacks_what_bicubic_interpolation_misses():
    config = Config(data="builtin", patch=16, shrink=())
    example = pipeline.load(config).valid[0]
    codec = pipeline.Codec(config)
    small, lacking = codec.patch(example, (0, 40))
    want = example["truth"].astype("float32") - imresize(example["image"].astype("float32"), 2)
    np.testing.assert_array_equal(small, example["image"][:16, 40:56])
    np.testing.assert_allclose(lacking, want[:32, 80:112], atol=1e-3)
    x, y = codec.encode([example], np.random.default_rng(0))
    assert (x.shape, y.shape) == ((1, 16, 16, 1), (1, 32, 32, 1))
    assert codec.turns(example) == round(example["image"].size / 256)


def test_the_catalogue_gives_high_resolution_pictures(monkeypatch):
    rows = [{"image": RANDOM.integers(0, 256, (80, 70, 3), "uint8")} for _ in range(4)]
    asked = []
    monkeypatch.setattr(
        catalogue, "read", lambda *given: asked.append(given) or {"train": rows, "validation": rows[:2]}
    )
    splits = pipeline.load(Config(data="div2k", shrink=()))
    assert [len(split) for split in splits] == [3, 1, 2]
    assert asked[0][:3] == ("div2k", ("train", "validation"), {"image": ("hr",)})
    assert splits.test[0]["image"].shape == (40, 35, 3)


@pytest.mark.slow
def test_a_run_is_chosen_by_its_scale(tmp_path, monkeypatch):
    data = str(folder(tmp_path / "in", 4))
    monkeypatch.chdir(tmp_path)
    for scale in (2, 3):
        tasks.train("upscale", tmp_path / f"runs/upscale/{scale}", data=data, test=data, scale=scale, **QUICK)
    assert tasks.load("upscale").config.scale == 3
    assert tasks.load("upscale", scale=2).run.name == "2"
    with pytest.raises(SettingError, match="was not trained with --scale 4"):
        tasks.load("upscale", tmp_path / "runs/upscale/2", scale=4)
    answers = json.loads((tmp_path / "runs/upscale/3/answers.jsonl").read_text().splitlines()[0])
    assert set(answers) == {"input", "answer"}

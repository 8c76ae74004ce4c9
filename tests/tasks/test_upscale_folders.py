"""The user's own photos through the task: DIV2K, pairs, parts."""

import numpy as np
import pytest
from PIL import Image

import tasks
from data.builtin import sets
from data.pictures.imresize import degraded_picture, imresize, luma, modcrop, whole_levels
from data.splits import DataError
from tasks.toolbox import metrics
from tasks.upscale import pipeline
from tasks.upscale.config import Config


def picture(number, size=(100, 80)):
    with Image.open(sets.photos()[1][1]) as image:
        return image.convert("RGB").crop((20 * number, 10 * number, 20 * number + size[0], 10 * number + size[1]))


def saved(image, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return np.asarray(image)


def shrunk(image, scale=2):
    return image.resize((image.width // scale, image.height // scale), Image.Resampling.NEAREST)


def div2k(root):
    for number in range(5):
        part = "valid" if number == 4 else "train"
        saved(picture(number), root / f"DIV2K_{part}_HR/{number:04}.png")
        for scale in (2, 4):
            place = root / f"DIV2K_{part}_LR_bicubic/X{scale}/{number:04}x{scale}.png"
            saved(shrunk(picture(number), scale), place)
    return root


def pairs(root, count=6, form="{kind}/{name}.png"):
    for number in range(count):
        saved(picture(number), root / form.format(kind="HR", name=number))
        saved(shrunk(picture(number)), root / form.format(kind="LR", name=number))
    return root


QUICK = {"patch": 16, "shrink": (80,)}


def test_div2k_trains_and_tests_on_high_resolution_in_its_parts(tmp_path):
    data = str(div2k(tmp_path / "DIV2K"))
    train, valid, test = pipeline.load(Config(data=data, **QUICK))
    names = [[row["name"] for row in split] for split in (train, valid, test)]
    assert [len(one) for one in names] == [6, 1, 1]  # three pictures at two sizes, one kept, and that of DIV2K_valid_HR
    assert all("train_HR" in name for name in names[0] + names[1])
    assert "DIV2K_valid_HR/0004.png" in names[2][0]
    truth = test[0]["truth"]
    np.testing.assert_array_equal(truth, np.asarray(picture(4)))
    np.testing.assert_array_equal(test[0]["image"], degraded_picture(truth, 2))
    assert [len(split) for split in pipeline.load(Config(data=data, test=data, **QUICK))][2] == 1


def test_pairs_are_trained_and_tested_on_as_they_are(tmp_path):
    train, valid, test = pipeline.load(Config(data=str(pairs(tmp_path / "own")), **QUICK))
    assert [len(split) for split in (train, valid, test)] == [4, 1, 1]  # each picture in one size
    for row in (*train, *valid):
        number = int(row["name"].split("/")[-1].split(".")[0])
        np.testing.assert_array_equal(row["image"], whole_levels(luma(np.asarray(shrunk(picture(number))))))
        np.testing.assert_array_equal(row["truth"], whole_levels(luma(np.asarray(picture(number)))))
    number = int(test[0]["name"].split("/")[-1].split(".")[0])
    np.testing.assert_array_equal(test[0]["image"], np.asarray(shrunk(picture(number))))
    assert test[0]["given"]


def test_a_patch_of_a_pair_lacks_what_bicubic_interpolation_misses(tmp_path):
    config = Config(data=str(pairs(tmp_path / "own")), **QUICK)
    row = pipeline.load(config).train[0]
    small, lacking = pipeline.Codec(config).patch(row, (0, 20))
    want = row["truth"].astype("float32") - imresize(row["image"].astype("float32"), 2)
    np.testing.assert_array_equal(small, row["image"][:16, 20:36])
    np.testing.assert_allclose(lacking, want[:32, 40:72], atol=1e-3)


def test_pairs_are_scored_on_the_users_own_small_pictures(tmp_path):
    pairs(tmp_path / "own", 2)
    made = tasks.load("upscale", scale=2)
    found = tasks.evaluate("upscale", made.run, data=str(tmp_path / "own"))
    assert found.summary["examples"] == 2
    row = found.report.answers[0]["answer"]
    truth = whole_levels(luma(np.asarray(picture(0))))
    small = whole_levels(luma(np.asarray(shrunk(picture(0)))))
    assert row["bicubic_psnr"] == pytest.approx(metrics.psnr(whole_levels(imresize(small, 2)), truth, 2), abs=1e-3)
    own = metrics.psnr(whole_levels(imresize(degraded_picture(truth, 2), 2)), truth, 2)
    assert abs(row["bicubic_psnr"] - own) > 0.05


def test_grey_and_coloured_pictures_of_a_pair_get_the_same_channels(tmp_path):
    pairs(tmp_path / "own", 2)
    saved(shrunk(picture(0)).convert("L"), tmp_path / "own/LR/0.png")
    (first, second) = pipeline.load(Config(data="builtin", test=str(tmp_path / "own"), **QUICK)).test
    assert first["image"].shape == second["image"].shape == (40, 50, 3)


def test_parts_of_pairs_are_used(tmp_path):
    for part, count in (("train", 3), ("val", 2), ("test", 2)):
        pairs(tmp_path / "own", count, f"{part}/{{kind}}/{part}{{name}}.png")
    train, valid, test = pipeline.load(Config(data=str(tmp_path / "own"), **QUICK))
    assert [len(split) for split in (train, valid, test)] == [3, 2, 2]
    assert all("test" in row["name"] for row in test)
    other = pairs(tmp_path / "other", 1)
    parts = pipeline.load(Config(data=str(tmp_path / "own"), test=str(other), **QUICK))
    assert [len(split) for split in parts] == [3, 2, 1]


def test_scales_of_one_picture_never_stand_in_two_splits(tmp_path):
    for number in range(6):
        for scale in (1, 2, 3):
            image = picture(number, (300 // scale, 240 // scale))
            saved(image, tmp_path / ("x" if scale == 1 else f"X{scale}") / f"{number}.png")
    splits = pipeline.load(Config(data=str(tmp_path), patch=16, shrink=()))
    assert [len(split) for split in splits] == [4, 1, 1]
    shapes = {row["truth"].shape[:2] for split in splits for row in split}
    assert shapes == {modcrop(np.zeros((240, 300), "uint8"), 2).shape}


def test_pairs_of_another_size_are_refused_before_training(tmp_path):
    pairs(tmp_path / "own")
    with pytest.raises(DataError, match=r"not exactly 3 times each side; give --scale 2"):
        pipeline.load(Config(data=str(tmp_path / "own"), scale=3))

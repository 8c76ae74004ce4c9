"""Super-resolution of JPEG files: training on artefacts, scores by quality, and the run that answers."""

import io

import numpy as np
import pytest
from PIL import Image

import tasks
from data.builtin import sets
from data.pictures.jpeg import compressed_picture
from tasks.engine import runs
from tasks.engine.config import SettingError
from tasks.engine.items import Item
from tasks.engine.predict import outcomes
from tasks.engine.task import mark_counts
from tasks.upscale import choice, pipeline
from tasks.upscale.config import Config
from tasks.upscale.score import example_scores

QUICK = {"filters": 6, "squeeze": 4, "depth": 1, "patch": 16, "epochs": 1, "average": 0, "xla": False, "shrink": ()}


def jpeg(quality, size=(60, 50)):
    """Return a part of an embedded photograph as the content of a JPEG file."""
    file = io.BytesIO()
    Image.open(sets.photos()[1][1]).convert("RGB").crop((100, 60, 100 + size[0], 60 + size[1])).save(
        file, "JPEG", quality=quality
    )
    return file.getvalue()


def test_training_patches_are_compressed_at_random_qualities_and_those_for_validation_at_each():
    config = Config(source="jpeg", quality=(90, 20), patch=16)
    codec = pipeline.Codec(config)
    assert {codec.random_quality(np.random.default_rng(seed)) for seed in range(900)} == set(range(20, 91))
    assert [codec.quality(number) for number in range(3)] == [90, 20, 90]
    plain = pipeline.Codec(Config(patch=16))
    image = np.asarray(Image.open(sets.photos()[1][1]).convert("L"))[:64, :64]
    example = {"image": image[::2, ::2].copy(), "truth": image}
    exact, _ = plain.patch(example, (5, 7))
    small, residual = codec.patch(example, (5, 7), 20)
    np.testing.assert_array_equal(small, compressed_picture(example["image"], 20)[5:21, 7:23])
    assert (exact != small).any()
    assert residual.shape == (32, 32)


def test_small_pictures_of_the_users_own_are_not_compressed_again():
    codec = pipeline.Codec(Config(source="jpeg", patch=16))
    image = np.asarray(Image.open(sets.photos()[1][1]).convert("L"))[:64, :64]
    pair = {"image": image[::2, ::2].copy(), "truth": image}
    for given in ({}, {"given": True}):
        small, _ = codec.patch(pair | given, (5, 7), 20)
        assert (small == pair["image"][5:21, 7:23]).all() == bool(given)


def test_pairs_are_known_as_such_in_training(tmp_path):
    for number in range(4):
        for folder, size in (("HR", (48, 48)), ("LR", (24, 24))):
            path = tmp_path / folder / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            Image.open(sets.photos()[1][number]).convert("RGB").resize(size).save(path)
    splits = pipeline.load(Config(data=str(tmp_path), patch=16, valid=0.3, source="jpeg"))
    assert all(example["given"] for part in splits for example in part)


@pytest.mark.slow
def test_a_training_for_jpeg_files_is_scored_at_each_quality(tmp_path):
    made = tasks.train("upscale", tmp_path / "run", data="builtin", source="jpeg", quality=(80, 40), **QUICK)
    metrics = made.score(made.task.load(made.config).test[:4]).metrics
    assert {"psnr_q80", "bicubic_psnr_q80", "psnr_q40", "bicubic_psnr_q40"} <= metrics.keys()
    assert metrics["bicubic_psnr_q80"] > metrics["bicubic_psnr_q40"]
    names = [example["name"] for example in made.task.load(made.config).test[:2]]
    assert [name.rpartition(" at ")[2] for name in names] == ["quality 80", "quality 40"]
    np.testing.assert_allclose(
        metrics["bicubic_psnr"], np.mean([metrics["bicubic_psnr_q80"], metrics["bicubic_psnr_q40"]])
    )


def test_a_run_of_exact_pictures_is_scored_on_jpeg_files_too():
    given = Config(data="builtin", quality=(75,))
    examples = pipeline.load(given).test[:2]
    assert [example["quality"] for example in examples] == [75, 75]
    assert not {"quality"} & pipeline.load(Config(data="builtin")).test[0].keys()


@pytest.mark.parametrize("quality", [30, 50, 75, 85])
def test_the_shipped_run_for_jpeg_files_gains_where_the_other_loses(quality):
    examples = list(pipeline.load(Config(data="builtin", quality=(quality,))).test)
    gains = {}
    for name in ("small-x2", "small-x2-jpeg"):
        made = tasks.load("upscale", name)
        rows = [example_scores(made, example)[0] for example in examples]
        gains[name] = np.mean([row["psnr"] - row["bicubic_psnr"] for row in rows])
    assert gains["small-x2-jpeg"] > 0.3
    assert gains["small-x2-jpeg"] > gains["small-x2"]


def test_a_jpeg_file_is_enlarged_by_the_run_for_them_and_that_is_said():
    given = tasks.load("upscale")
    answers = given.predict([jpeg(60), jpeg(97), np.zeros((9, 9), "uint8"), Image.open(io.BytesIO(jpeg(60)))])
    assert [answer.get("run") for answer in answers] == ["small-x2-jpeg", None, None, "small-x2-jpeg"]
    assert mark_counts(given.task, answers) == {"run": 2}
    direct = tasks.load("upscale", "small-x2-jpeg").predict([jpeg(60)])[0]
    np.testing.assert_array_equal(direct["image"], answers[0]["image"])
    assert "run" not in direct
    assert len(given.others) == 1


def test_settings_of_the_answer_hold_for_that_run_too():
    given = tasks.load("upscale", ensemble=True)
    answer = given.predict([jpeg(60)])[0]["image"]
    other = tasks.load("upscale", "small-x2-jpeg", ensemble=True).predict([jpeg(60)])[0]["image"]
    np.testing.assert_array_equal(answer, other)
    plain = given.with_settings(ensemble=False)
    assert (plain.predict([jpeg(60)])[0]["image"] != answer).any()


@pytest.mark.parametrize("settings", [{"run": "small-x2"}, {"source": "lossless"}])
def test_a_run_that_the_user_chose_answers_itself_and_says_what_it_does_to_artefacts(settings):
    run = settings.get("run")
    given = tasks.load("upscale", run, **{name: value for name, value in settings.items() if name != "run"})
    (answer,) = given.predict([jpeg(60)])
    assert "run" not in answer
    assert answer["artefacts"]
    assert tasks.load("upscale", source="jpeg").run.name == "small-x2-jpeg"


def test_a_run_of_ones_own_is_not_left_for_a_shipped_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, "KEPT", tmp_path / "runs")
    tasks.train("upscale", data="builtin", limit=2, score=True, **QUICK)
    (answer,) = tasks.load("upscale").predict([jpeg(60)])
    assert answer["artefacts"]


def test_a_file_is_answered_so_on_the_command_line(tmp_path):
    (tmp_path / "a.jpg").write_bytes(jpeg(60))
    given = tasks.load("upscale")
    (outcome,) = outcomes(given, [Item(str(tmp_path / "a.jpg"))], tmp_path / "out", False)
    assert outcome.answer["run"] == "small-x2-jpeg"
    assert "enlarge" in choice.REMARKS["run"]


def test_a_quality_out_of_range_is_refused():
    with pytest.raises(SettingError, match="`quality` must be"):
        Config(quality=(0,))

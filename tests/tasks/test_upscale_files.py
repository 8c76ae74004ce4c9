"""Enlarging files: transparent edges, bits, formats known before the work, and batches."""

import json
import logging
import re
from functools import cache

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, features

import cli
import tasks
from data.pictures.files import FormatError, OutputError
from data.pictures.imresize import imresize
from data.pictures.output import part_path, write_photo
from data.pictures.photo import Photo, read_photo
from data.pictures.transparency import filled_colours
from data.splits import DataError
from tasks.engine import predict as answering
from tasks.engine.answer_files import with_bar
from tasks.engine.items import Item, item_chunks
from tasks.engine.outcome import Outcome

RANDOM = np.random.default_rng(0)
RED = (220, 30, 40)


@cache
def upscaler(**settings):
    return tasks.load("upscale", **settings)


def disc(side=64, inside=RED, outside=(0, 0, 0), soft=1.0):
    """Return the pixels and the alpha of a disc; what is outside is hidden under no opacity."""
    row, column = np.mgrid[:side, :side] - (side - 1) / 2
    alpha = np.rint(np.clip((side * 0.35 - np.hypot(row, column)) / soft + 0.5, 0, 1) * 255).astype("uint8")
    return np.where(alpha[:, :, None] > 0, np.array(inside, "uint8"), np.array(outside, "uint8")), alpha


def premultiplied(pixels, alpha, scale):
    """Return the colours of a premultiplied resize, and the opacity."""
    opacity = imresize(alpha.astype("float64"), scale)
    colours = imresize(pixels * alpha[:, :, None].astype("float64"), scale)
    return (colours / np.where(np.abs(opacity) < 1e-6, 1, opacity)[:, :, None]).clip(0, 255), opacity


@pytest.mark.parametrize("outside", [(0, 0, 0), (255, 255, 255), (0, 255, 0)])
@pytest.mark.parametrize(("scale", "soft"), [(2, 1e-9), (2, 1.0), (3, 3.0), (4, 1.0)])
def test_hidden_colours_do_not_reach_the_edge(scale, soft, outside):
    pixels, alpha = disc(outside=outside, soft=soft)
    answer = upscaler(scale=scale).predict([np.dstack([pixels, alpha])])[0]["image"]
    wanted, opacity = premultiplied(pixels, alpha, scale)
    edge = (opacity > 1) & (opacity < 251)
    off = np.abs(answer[:, :, :3] - wanted)[edge]
    assert off.mean() <= 3
    assert off.max() <= 12
    np.testing.assert_allclose(answer[:, :, 3], opacity.clip(0, 255), atol=0.51)


def test_colours_that_change_count_by_their_opacity():
    ramp = np.arange(64) * 4
    pixels = np.stack([*np.meshgrid(ramp, ramp), np.full((64, 64), 90)], 2).astype("uint8")
    alpha = disc(soft=3.0)[1]
    answer = upscaler().predict([np.dstack([np.where(alpha[:, :, None] > 0, pixels, 0), alpha])])[0]["image"]
    wanted, opacity = premultiplied(pixels, alpha, 2)
    edge = (opacity > 16) & (opacity < 251)
    assert np.abs(answer[:, :, :3] - wanted)[edge].mean() <= 3


@pytest.mark.parametrize("mode", ["LA", "P", "RGBA", "L"])
def test_palettes_and_grey_have_clean_edges_too(tmp_path, mode):
    alpha = disc(soft=1e-9)[1]
    grey = np.where(alpha > 0, 180, 0).astype("uint8")
    image = Image.fromarray(np.dstack([grey, alpha]), "LA")
    if mode == "P":
        image = Image.fromarray(np.where(alpha > 0, 1, 0).astype("uint8"), "P")
        image.putpalette([0, 0, 0, 180, 180, 180])
    if mode == "L":
        image = Image.fromarray(grey)
    image.save(tmp_path / "a.png", **({"transparency": 0} if mode in ("P", "L") else {}))
    answer = upscaler().predict([tmp_path / "a.png"])[0]["image"]
    visible = answer[:, :, -1] > 4
    assert np.abs(answer[visible][:, :-1].astype(int) - 180).max() <= 3


@pytest.mark.parametrize("settings", [{}, {"scale": 3}])
def test_tiles_of_a_transparent_picture_fit_together(settings):
    picture = RANDOM.integers(0, 256, (53, 38, 4), "uint8")
    picture[10:30, 5:33, 3] = 0
    whole, pieces = (upscaler(**settings).with_settings(tile=tile) for tile in (512, 16))
    one, two = (made.predict([picture])[0]["image"].astype(int) for made in (whole, pieces))
    assert np.abs(one - two).max() <= 1  # a tie may be rounded either way
    assert (one != two).mean() < 1e-3


def test_an_opaque_picture_is_enlarged_as_one_without_alpha():
    picture = RANDOM.integers(0, 256, (30, 20, 3), "uint8")
    opaque = np.dstack([picture, np.full((30, 20), 255, "uint8")])
    one, two = (answer["image"] for answer in upscaler().predict([picture, opaque]))
    np.testing.assert_array_equal(two, np.dstack([one, np.full((60, 40), 255, "uint8")]))


def test_hidden_pixels_are_filled_from_the_nearest_and_visible_ones_stay():
    pixels = RANDOM.integers(0, 256, (9, 9, 3), "uint8")
    alpha = np.zeros((9, 9), "uint8")
    alpha[4, 2], alpha[4, 6] = 255, 255
    found = filled_colours(pixels, alpha, 1)
    np.testing.assert_array_equal(found[3:6, 1:4], np.broadcast_to(pixels[4, 2], (3, 3, 3)))
    np.testing.assert_array_equal(found[3:6, 5:8], np.broadcast_to(pixels[4, 6], (3, 3, 3)))
    mean = np.rint((pixels[4, 2].astype(float) + pixels[4, 6]) / 2)
    np.testing.assert_allclose(found[0], np.broadcast_to(mean, (9, 3)), atol=1)
    for opacity in (0, 255):
        np.testing.assert_array_equal(filled_colours(pixels, np.full((9, 9), opacity, "uint8"), 3), pixels)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bits_are_enlarged_as_16_bits(tmp_path, suffix):
    steps = np.linspace(20_000, 20_900, 40)  # finer than 8 bits
    pixels = np.rint(np.broadcast_to(steps[None, :, None], (30, 40, 3))).astype("uint16")
    alpha = np.full((30, 40), 51_234, "uint16")
    write_photo(Photo(pixels, alpha), tmp_path / f"a{suffix}", {".png": "PNG", ".tif": "TIFF"}[suffix])
    ((_, answer),) = written([tmp_path / f"a{suffix}"])
    found = read_photo(tmp_path / f"a-x2{suffix}")
    assert found.pixels.dtype == found.alpha.dtype == np.uint16
    assert (answer["width"], answer["height"]) == (80, 60)
    np.testing.assert_array_equal(found.alpha, 51_234)
    assert len(np.unique(found.pixels[20, 8:-8])) > 50
    np.testing.assert_allclose(found.pixels, imresize(pixels.astype(float), 2), atol=130)


def photo(folder, name="photo.png", size=(40, 30), mode="RGB", **how):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RANDOM.integers(0, 256, (*size[::-1], 3), "uint8")).convert(mode).save(folder / name, **how)
    return folder / name


def rows(words, out=None, made=None):
    """Return the outcomes of words of the command line."""
    made = made or upscaler()
    return [
        outcome
        for chunk in item_chunks(made, [str(word) for word in words], iter(()), None, out)
        for outcome in answering.outcomes(made, chunk, out, False)
    ]


def written(words, out=None, made=None):
    found = rows(words, out, made)
    assert not [outcome.error for outcome in found if outcome.error]
    return [(outcome.item.value, outcome.answer) for outcome in found]


def test_folders_keep_their_folders_and_a_bad_picture_is_named(tmp_path):
    for name in ("a.png", "deep/a.png", "deep/er/b.jpg"):
        photo(tmp_path / "in", name)
    (tmp_path / "in/deep/bad.png").write_text("only words")
    found = rows([tmp_path / "in"], tmp_path / "out")
    made = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert made == ["a.png", "deep/a.png", "deep/er/b.jpg"]
    assert [bool(outcome.error) for outcome in found] == [False, False, True, False]
    assert re.search(r"bad\.png' is not a picture", str(found[2].error))


def test_what_else_is_in_a_folder_is_counted_once(tmp_path, caplog):
    photo(tmp_path / "in", "a.png")
    for name in ("b.cr2", "c.svg", "notes.txt", "list.csv", ".DS_Store", "Thumbs.db", "__MACOSX/._a.png"):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_text("x")
    with caplog.at_level(logging.WARNING, "tasks"):
        assert len(written([tmp_path / "in"], tmp_path / "out")) == 1
    (said,) = caplog.messages
    assert re.search(r"in formats that are not read 2, .*b\.cr2, .*c\.svg; not pictures 2", said)


@pytest.mark.parametrize("name", ["a.jfif", "a.jp2", "a.avif", "a.ICO", "a.mpo"])
def test_other_formats_are_enlarged_as_they_are(tmp_path, name):
    form = {"jfif": "JPEG", "jp2": "JPEG2000", "avif": "AVIF", "ICO": "ICO", "mpo": "MPO"}[name[2:]]
    if form == "AVIF" and not features.check("avif"):
        pytest.skip("Pillow without AVIF")
    more = {"sizes": [(40, 30)]} if form == "ICO" else {"save_all": True} if form == "MPO" else {}
    path = photo(tmp_path, name, format=form, **more)
    ((_, answer),) = written([path])
    with Image.open(answer["image"]) as image:
        assert (image.size, image.format) == ((80, 60), "JPEG" if form == "MPO" else form)


def test_a_second_run_does_not_enlarge_its_own_answers(tmp_path, caplog):
    photo(tmp_path / "in", "a.png")
    photo(tmp_path / "in", "deep/b.png")
    photo(tmp_path / "in", "c-x2.png")  # no picture c is there: it is one of its own
    assert len(written([tmp_path / "in"])) == 3
    before = sorted(tmp_path.rglob("*"))
    again = upscaler().with_settings(skip_existing=True)
    with caplog.at_level(logging.WARNING, "tasks"):
        found = written([tmp_path / "in"], made=again)
        named = written([*sorted((tmp_path / "in").glob("*.png"))], made=again)
    assert all(answer["skipped"] for _, answer in found + named)
    assert len(found) == 3
    assert sorted(tmp_path.rglob("*")) == before
    assert "answers of an earlier run: 3, " in caplog.text
    ((_, answer),) = written([tmp_path / "in/a-x2.png"])  # asked for by name, and alone
    assert answer["width"] == 160


def test_answers_in_a_folder_of_the_inputs_are_not_inputs(tmp_path):
    photo(tmp_path / "in", "a.png")
    photo(tmp_path / "in", "deep/b.png")
    out = tmp_path / "in/large"
    written([tmp_path / "in"], out)
    found = written([tmp_path / "in"], out, upscaler().with_settings(skip_existing=True))
    assert [(answer["image"], answer["skipped"]) for _, answer in found] == [
        (str(out / "a.png"), True),
        (str(out / "deep/b.png"), True),
    ]


def test_pictures_are_not_their_own_answers(tmp_path):
    photo(tmp_path / "in", "a.png")
    photo(tmp_path / "in", "deep/b.png")
    found = rows([tmp_path / "in"], tmp_path / "in", upscaler().with_settings(skip_existing=True))
    assert len(found) == 2
    assert all("is the picture itself" in str(outcome.error) for outcome in found)


@pytest.mark.parametrize("skip", [False, True])
def test_two_pictures_never_share_an_answer(tmp_path, skip):
    photo(tmp_path / "one", "a.png")
    photo(tmp_path / "two", "a.png")
    made = upscaler().with_settings(skip_existing=skip)
    for _ in range(1 + skip):
        found = rows([tmp_path / "one", tmp_path / "two"], tmp_path / "out", made)
        assert [bool(outcome.error) for outcome in found] == [False, True]
    assert isinstance(found[1].error, FileExistsError)


def test_an_interrupted_batch_is_taken_up_again(tmp_path, monkeypatch):
    for number in range(20):
        photo(tmp_path / "in", f"{number:02}.png", size=(9, 8))
    (tmp_path / "in/07.png").write_text("only words")
    made, out = upscaler().with_settings(skip_existing=True), tmp_path / "out"
    running = (
        outcome
        for chunk in item_chunks(made, [str(tmp_path / "in")], iter(()), None, out)
        for outcome in answering.outcomes(made, chunk, out, False)
    )
    for _ in range(11):
        next(running)
    running.close()
    half = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    part_path(out / "11.png").write_bytes(b"half of a file")
    found = rows([tmp_path / "in"], out, made)
    assert [str(outcome.item.value)[-6:] for outcome in found if outcome.error] == ["07.png"]
    assert sum("skipped" in outcome.answer for outcome in found if not outcome.error) == len(half) == 10
    assert all(path.stat().st_mtime_ns == time for path, time in half.items())
    assert len(list(out.iterdir())) == 19


def test_a_format_that_cannot_hold_the_answer_is_known_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.upscale.files.enlarged_photo", lambda *given: pytest.fail("it was enlarged"))
    path = photo(tmp_path, "a.webp", size=(8192, 1))
    (outcome,) = rows([path])
    assert isinstance(outcome.error, FormatError)
    assert "16,384 pixels; WEBP has at most 16,383" in str(outcome.error)
    with pytest.raises(OutputError, match=r"x\.tga' cannot be written: \.tga is not the ending of PNG"):
        rows([photo(tmp_path)], tmp_path / "x.tga")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.webp", "photo.png"]


def test_a_format_that_cannot_hold_one_picture_does_not_stop_the_others(tmp_path):
    photo(tmp_path / "in", "a.ico", size=(129, 9), format="ICO", sizes=[(129, 9)])
    photo(tmp_path / "in", "b.png")
    found = rows([tmp_path / "in"], tmp_path / "out")
    assert [type(outcome.error) for outcome in found] == [FormatError, type(None)]


def test_the_command_line_skips_limits_and_counts(tmp_path):
    photo(tmp_path / "in", "a.png")
    photo(tmp_path / "in", "b.png", size=(60, 50))
    (tmp_path / "in/c.png").write_text("only words")
    words = ["predict", "upscale", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--quiet"]
    one = CliRunner().invoke(cli.commands, [*words, "--megapixels", "0.002"])
    lines = [json.loads(line) for line in one.output.splitlines()]
    assert ["error" in line for line in lines] == [False, True, True]
    assert "--megapixels 1" in lines[1]["error"]
    assert one.exception.exit_code == 65
    two = CliRunner().invoke(cli.commands, [*words, "--skip-existing"])
    lines = [json.loads(line) for line in two.output.splitlines()]
    assert ["skipped" in line.get("answer", ()) for line in lines] == [True, False, False]


def test_every_kind_of_input_gives_the_same_answer(tmp_path):
    path = photo(tmp_path)
    with Image.open(path) as image:
        given = [path, str(path), path.read_bytes(), np.asarray(image), image]
        answers = upscaler().predict(given)
    for answer in answers[1:]:
        np.testing.assert_array_equal(answer["image"], answers[0]["image"])
    with pytest.raises(TypeError, match="must be a list of inputs"):
        upscaler().predict(Image.new("L", (3, 3)))
    with pytest.raises(DataError, match="an image of Pillow or a uint8 array"):
        upscaler().predict([3])


@pytest.mark.parametrize("task", ["mnist", "caption"])
def test_other_tasks_take_the_same_kinds_of_inputs(tmp_path, task):
    made, path = tasks.load(task), photo(tmp_path, size=(60, 60))
    with Image.open(path) as image:
        answers = made.predict([path, path.read_bytes(), image])
    assert answers[0] == answers[1] == answers[2]
    with pytest.raises(DataError, match=r"`megapixels` allows 0\.001 million"):
        made.with_settings(megapixels=0.001).predict([path])


def test_a_bar_is_hidden_while_an_answer_is_shown(capsys):
    outcomes = [Outcome(Item(str(number)), {}) for number in range(3)]
    assert list(with_bar(iter(outcomes), 3)) == outcomes
    assert "picture" in capsys.readouterr().err

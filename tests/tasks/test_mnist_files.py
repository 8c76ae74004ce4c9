"""The user's own digits: layouts through the task, damaged pictures, test sets to evaluate."""

import logging

import numpy as np
import pytest
from PIL import Image

import tasks
from data.builtin import sets
from data.pictures.digits import framed_character
from data.pictures.pixel_tables import is_pixel_table, pixel_inputs
from data.splits import DataError, OptionError
from data.tables import TableFormat
from tasks.engine.evaluate import evaluate, with_whole_data
from tasks.engine.items import file_items
from tasks.engine.predict import outcomes
from tasks.mnist import pipeline
from tasks.mnist.config import Config

DIGITS = [row for row in sets.digits()[0] if row["label"] in "17"][:240]


def class_folders(root, rows=DIGITS):
    for number, row in enumerate(rows):
        path = root / row["label"] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - row["image"]).resize((40, 40)).save(path)
    return root


def arrays(path, count=40):
    images = np.stack([framed_character(row["image"]) for row in DIGITS[:count]])
    np.savez(path, x_train=images, y_train=[int(row["label"]) for row in DIGITS[:count]])
    return path


def pixel_rows(path, images, label=True):
    names = [*(["label"] if label else []), *(f"pixel{number}" for number in range(images[0].size))]
    rows = [[*([DIGITS[place]["label"]] if label else []), *image.ravel()] for place, image in enumerate(images)]
    path.write_text("\n".join(",".join(map(str, row)) for row in [names, *rows]) + "\n")
    return path


def test_arrays_become_examples_as_they_are(tmp_path):
    splits = pipeline.load(Config(data=str(arrays(tmp_path / "mnist.npz"))))
    assert sum(map(len, splits)) == 40
    assert {row["image"].shape for split in splits for row in split} == {(28, 28)}
    known = {framed_character(row["image"]).tobytes() for row in DIGITS[:40]}
    assert {row["image"].tobytes() for split in splits for row in split} == known


def test_pixels_of_other_sizes_are_framed_as_files_are(tmp_path):
    images = [row["image"] for row in DIGITS[:40]]
    splits = pipeline.load(Config(data=str(pixel_rows(tmp_path / "digits.csv", images))))
    known = {framed_character(image).tobytes() for image in images}
    assert {row["image"].tobytes() for split in splits for row in split} == known


def test_a_column_of_labels_may_be_named(tmp_path):
    path = pixel_rows(tmp_path / "digits.csv", [row["image"] for row in DIGITS[:40]])
    path.write_text(path.read_text().replace("label", "what", 1))
    with pytest.raises(DataError, match="none with labels; name it with --columns label=NAME"):
        pipeline.load(Config(data=str(path)))
    assert {row["label"] for row in pipeline.load(Config(data=str(path), columns="label=what")).train} == {"1", "7"}


def test_few_damaged_pictures_are_left_out_and_more_are_refused(tmp_path, caplog):
    caplog.set_level(logging.WARNING, "tasks")
    class_folders(tmp_path / "set")
    (tmp_path / "set/7/bad.png").write_bytes(b"no picture")
    splits = pipeline.load(Config(data=str(tmp_path / "set"), frame=False))
    assert sum(map(len, splits)) == 240
    assert "set: 1 of 241 pictures cannot be read and are left out; the first: " in caplog.text
    assert "bad.png" in caplog.text
    for name in "abc":
        (tmp_path / f"set/1/{name}.jpg").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"set: 4 of 244 pictures cannot be read; the first: "):
        pipeline.load(Config(data=str(tmp_path / "set"), frame=False))


@pytest.mark.slow
def test_validation_folders_are_used(tmp_path):
    for part, rows in (("Train", DIGITS[:60]), ("val", DIGITS[60:90]), ("Testing", DIGITS[90:100])):
        class_folders(tmp_path / "set" / part, rows)
    assert [len(split) for split in pipeline.load(Config(data=str(tmp_path / "set")))] == [60, 30, 10]


@pytest.mark.parametrize("layout", ["classes", "part", "names", "arrays", "pixels"])
def test_all_of_a_test_set_is_scored(tmp_path, layout):
    place = tmp_path / "own"
    place.mkdir()
    if layout == "classes":
        class_folders(place, DIGITS[:40])
    elif layout == "part":
        class_folders(place / "test", DIGITS[:40])
    elif layout == "names":
        for number, row in enumerate(DIGITS[:40]):
            Image.fromarray(255 - row["image"]).resize((40, 40)).save(place / f"{row['label']}_{number:03}.png")
    elif layout == "arrays":
        arrays(place / "digits.npz")
    else:
        pixel_rows(place / "test.csv", [row["image"] for row in DIGITS[:40]])
    settings = {"data": str(place)}
    found = evaluate(with_whole_data(tasks.load("mnist").with_settings(**settings), settings))
    assert found.summary["examples"] == 40
    assert found.summary["metrics"]["accuracy"] > 0.8


def test_rows_of_pixels_are_inputs(tmp_path):
    images = [framed_character(row["image"]) for row in DIGITS[:20]]
    path = pixel_rows(tmp_path / "test.csv", images, label=False)
    assert is_pixel_table(path)
    rows = list(pixel_inputs(path, TableFormat()))
    assert [row.number for row in rows] == list(range(1, 21))
    answers = tasks.load("mnist").predict([row.value for row in rows])
    assert np.mean([answer["label"] == row["label"] for answer, row in zip(answers, DIGITS, strict=False)]) > 0.8
    path.write_text(path.read_text().replace("\n0,", "\nnone,", 1))
    rows = list(pixel_inputs(path, TableFormat()))
    assert (rows[0].value is None, rows[0].error) == (True, "a pixel is not a number")
    assert len(rows) == 20


def test_other_columns_of_rows_of_pixels_are_kept(tmp_path):
    path = pixel_rows(tmp_path / "test.csv", [row["image"] for row in DIGITS[:3]])
    assert [row.kept for row in pixel_inputs(path, TableFormat(), ["label"])] == [
        {"label": row["label"]} for row in DIGITS[:3]
    ]


def test_a_file_of_pixels_is_answered_row_by_row(tmp_path):
    path = pixel_rows(tmp_path / "test.csv", [framed_character(row["image"]) for row in DIGITS[:4]], label=False)
    path.write_text(path.read_text().replace("\n0,", "\nnone,", 1))
    made = tasks.load("mnist")
    rows = [one.record() for one in outcomes(made, list(file_items(made, path, TableFormat(), [])), None, False)]
    assert [row["input"] for row in rows] == [f"test.csv, row {number}" for number in range(1, 5)]
    assert rows[0]["error"] == "a pixel is not a number"
    assert [row["answer"]["label"] for row in rows[1:]] == [row["label"] for row in DIGITS[1:4]]


def test_data_that_cannot_be_joined_is_refused_in_one_sentence(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with pytest.raises(OptionError, match=r"Data cannot be joined here; received .*; test on one at a time\."):
        tasks.evaluate("mnist", "small", data=f"{tmp_path / 'a'},{tmp_path / 'b'}")

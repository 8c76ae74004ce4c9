"""Names of pictures and of columns in files of captions, and what is counted and said."""

import json
import logging
import re
import shutil
import unicodedata

import pytest

from data.pictures.caption_tables import listed_texts
from data.pictures.captions import all_captioned_pictures
from data.splits import DataError
from data.tables import TableFormat
from tasks.caption.pipeline import FIELDS
from tests.data.pictures import albums
from tests.data.pictures.albums import draw, read


def table(path, rows, header="image,caption"):
    path.write_text("\n".join([header, *rows] if header else rows) + "\n", encoding="utf-8")
    return path


def shown(path, **columns):
    return albums.shown(read(path, **columns), path)


@pytest.fixture
def album(tmp_path):
    """Return a folder with the pictures 0 to 3 in `images/a`, of which captions say the number."""
    for number in range(4):
        draw(tmp_path / f"images/a/{number}.jpg", 30 * number)
    return tmp_path


RIGHT = {f"images/a/{number}.jpg": (f"A {number}",) for number in range(4)}


@pytest.mark.parametrize(
    "form",
    [
        "{root}/images/a/{n}.jpg",
        "/kaggle/input/x/images/a/{n}.jpg",
        "./images/a/{n}.jpg",
        "images/../images/a/{n}.jpg",
        "a/{n}.jpg",
        "{n}.jpg",
        "{n}.JPG",
        "{n}",
        "a/{n}",
        "{n}.jpeg",
        "{n}.jpg#0",
        "https://example.org/images/a/{n}.jpg?size=large",
        "C:\\Users\\me\\images\\a\\{n}.jpg",
        "images\\a\\{n}.jpg",
        " {n}.jpg ",
    ],
)
def test_names_in_any_form(album, form):
    table(album / "captions.csv", [f"{form.format(root=album, n=n)},A {n}" for n in range(4)])
    assert shown(album) == RIGHT


def test_paths_out_of_the_folder_of_the_captions(album):
    (album / "words").mkdir()
    table(album / "words/list.csv", [f"../images/a/{n}.jpg,A {n}" for n in range(4)])
    assert sum(map(len, read(album / "words/list.csv"))) == 4
    assert shown(album) == RIGHT


def test_letters_with_accents_in_either_form(tmp_path):
    for number in range(3):
        draw(tmp_path / unicodedata.normalize("NFD", f"\xe9t\xe9{number}.png"), 30 * number)
    table(tmp_path / "captions.csv", [f"\xe9t\xe9{n}.png,A {n}" for n in range(3)])
    assert sorted(shown(tmp_path).values()) == [("A 0",), ("A 1",), ("A 2",)]


def two_folders(root):
    for number in range(3):
        draw(root / f"a/{number}.png", 10 * number)
        draw(root / f"b/{number}.png", 200 + 10 * number)


def test_pictures_of_one_name_in_two_folders(tmp_path):
    two_folders(tmp_path)
    table(tmp_path / "captions.csv", [f"{each}/{n}.png,In {each}" for each in "ab" for n in range(3)])
    assert shown(tmp_path) == {f"{each}/{n}.png": (f"In {each}",) for each in "ab" for n in range(3)}


def test_bare_names_that_two_folders_have_are_refused(tmp_path):
    two_folders(tmp_path)
    table(tmp_path / "captions.csv", [f"{n}.png,A {n}" for n in range(3)])
    with pytest.raises(
        DataError, match=r"fit several pictures, or one picture twice: 3 of 3 pictures, .*; give paths with folders"
    ):
        read(tmp_path)


def test_a_bare_name_that_two_folders_have_is_left_out_of_many(tmp_path, caplog):
    for number in range(20):
        draw(tmp_path / f"a/{number}.png", 10 * number)
    draw(tmp_path / "b/0.png", 255)
    table(tmp_path / "captions.csv", [f"{n}.png,A {n}" for n in range(20)])
    with caplog.at_level(logging.WARNING):
        found = shown(tmp_path)
    assert len(found) == 19
    assert "one picture twice: 1 of 20 pictures, the first is '0.png'" in caplog.text


def test_a_picture_that_is_missing_is_not_taken_from_another_folder(tmp_path, caplog):
    for number in range(10):
        draw(tmp_path / f"a/{number}.png", 10 * number)
        draw(tmp_path / f"b/{number}.png", 200 + number)
    (tmp_path / "a/0.png").unlink()
    table(tmp_path / "captions.csv", [f"a/{n}.png,In a" for n in range(10)])
    with caplog.at_level(logging.WARNING):
        assert set(shown(tmp_path)) == {f"a/{n}.png" for n in range(1, 10)}
    assert "missing: 1 of 10 pictures, the first is 'a/0.png'" in caplog.text


def test_rows_of_two_folders_whose_pictures_were_put_together_are_refused(tmp_path):
    for number in range(3):
        draw(tmp_path / f"all/{number}.png", number)
    table(tmp_path / "captions.csv", [f"{each}/{n}.png,In {each}" for each in "ab" for n in range(3)])
    with pytest.raises(DataError, match="one picture twice: 6 of 6 pictures"):
        read(tmp_path)


@pytest.mark.parametrize("image", ["filename", "file_name", "Image Name", "path", "picture"])
@pytest.mark.parametrize("caption", ["caption", "text", "Sentence", "sentences", "comment", "raw"])
def test_usual_columns_need_no_option(album, image, caption):
    table(album / "notes.csv", [f"{n},{n}.jpg,A {n}" for n in range(4)], f"nr,{image},{caption}")
    assert shown(album) == RIGHT


def test_the_only_other_reading_is_taken(album):
    table(album / "notes.csv", [f"{n}.jpg;Ein Bild {n}" for n in range(4)], "Datei;Beschreibung")
    assert shown(album)["images/a/1.jpg"] == ("Ein Bild 1",)


def test_two_columns_that_may_be_captions_are_refused(album):
    table(album / "notes.csv", [f"{n}.jpg,A {n},B {n}" for n in range(4)], "image,text,sentence")
    with pytest.raises(DataError, match=r"may be its captions: text, sentence; name one with --columns caption=NAME"):
        read(album)
    assert shown(album, caption="sentence")["images/a/0.jpg"] == ("B 0",)


def test_numbered_columns_are_captions_of_one_picture(album):
    table(album / "notes.csv", [f"{n}.jpg,A {n},,B {n}" for n in range(4)], "image,caption_1,caption_2,caption_3")
    assert shown(album)["images/a/0.jpg"] == ("A 0", "B 0")


def test_a_table_without_names_of_columns(album, caplog):
    table(album / "notes.csv", [f"{n}.jpg,A cat {n}" for n in range(4)], "")
    (album / "images/a/0.jpg").rename(album / "images/a/cat.jpg")
    (album / "notes.csv").write_text((album / "notes.csv").read_text().replace("0.jpg", "cat.jpg"))
    with caplog.at_level(logging.WARNING):
        assert shown(album)["images/a/cat.jpg"] == ("A cat 0",)
    assert "it reads column 1 as image, column 2 as caption" in caplog.text


def test_lists_of_captions(album):
    rows = [{"file_name": f"{n}.jpg", "captions": [f"A {n}", "B", " "]} for n in range(4)]
    (album / "all.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert shown(album)["images/a/2.jpg"] == ("A 2", "B")
    (album / "all.jsonl").unlink()
    table(album / "all.csv", [f"\"['A {n}', 'B']\",{n}.jpg,[{n}]" for n in range(4)], "raw,filename,sentids")
    assert shown(album)["images/a/2.jpg"] == ("A 2", "B")
    assert listed_texts("[sic] A dog") == ["[sic] A dog"]


def test_a_table_for_training_and_one_for_testing(tmp_path):
    for number in range(8):
        draw(tmp_path / f"images/{number}.png", 30 * number)
    table(tmp_path / "train.csv", [f"{n}.png,A {n}" for n in range(6)])
    table(tmp_path / "test.csv", [f"{n}.png,A {n}" for n in (6, 7)])
    assert list(map(len, read(tmp_path))) == [4, 2, 2]
    assert len(all_captioned_pictures(tmp_path, FIELDS, TableFormat())) == 2
    table(tmp_path / "test.csv", ["6.png", "7.png"], "image")
    assert sum(map(len, read(tmp_path))) == 6


def test_a_picture_in_two_parts_is_for_testing_alone(tmp_path, caplog):
    for number in range(8):
        draw(tmp_path / f"images/{number}.png", 30 * number)
    table(tmp_path / "train.csv", [f"{n}.png,A {n}" for n in range(7)])
    table(tmp_path / "test.csv", [f"{n}.png,For testing" for n in (6, 7)])
    with caplog.at_level(logging.WARNING):
        splits = read(tmp_path)
    assert list(map(len, splits)) == [4, 2, 2]
    assert splits.test[0]["captions"] == ["For testing"]
    assert "1 pictures stand in several parts" in caplog.text


def test_copies_in_two_parts_are_counted(tmp_path, caplog):
    for number in range(6):
        draw(tmp_path / f"images/{number}.png", 30 * number)
    shutil.copy(tmp_path / "images/0.png", tmp_path / "images/copy.png")
    table(tmp_path / "train.csv", [f"{n}.png,A {n}" for n in range(6)])
    table(tmp_path / "test.csv", ["copy.png,Again"])
    with caplog.at_level(logging.WARNING):
        read(tmp_path)
    assert "Also in the train part, as copies: 1 pictures of the test part, the first is 'copy.png'" in caplog.text


def test_a_gap_in_a_small_album_is_said(tmp_path, caplog):
    for number in range(60):
        draw(tmp_path / f"{number}.png", number)
    table(tmp_path / "captions.csv", [f"{n}.png,A {n}" for n in range(61)])
    with caplog.at_level(logging.WARNING):
        assert sum(map(len, read(tmp_path))) == 60
    assert "missing: 1 of 61 pictures, the first is '60.png'" in caplog.text


def test_empty_captions_are_counted_once(album, caplog):
    table(album / "captions.csv", [f"{n}.jpg,{text}" for n in range(4) for text in (f"A {n}" if n else "", "")])
    with caplog.at_level(logging.WARNING):
        found = shown(album)
    assert found == {name: texts for name, texts in RIGHT.items() if "0" not in name}
    assert len(re.findall("5 rows have an empty caption", caplog.text)) == 1
    assert "Left out, since their captions are empty: 1 pictures, the first is '0.jpg'" in caplog.text


def test_captions_without_spaces_are_said_to_be_scored_by_character(album, caplog):
    table(album / "captions.csv", [f"{n}.jpg,\u4e00\u53ea\u72d7\u5728\u8349\u5730\u4e0a\u8dd1" for n in range(4)])
    with caplog.at_level(logging.WARNING):
        read(album)
    assert "each character counts as a word" in caplog.text

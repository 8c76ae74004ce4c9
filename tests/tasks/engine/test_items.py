"""Inputs from words, from standard input and from files: their order, their form, and what is wrong with them."""

import io
import sys
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import tasks
from data.splits import DataError, OptionError
from data.tables import TableFormat
from tasks.engine.items import CHUNK, Item, file_items, item_chunks, line_items, ready_chunks, typed_format

PLAIN = TableFormat()


@pytest.fixture(scope="module")
def reviews():
    return tasks.load("sentiment")


def with_columns(pipeline, columns):
    """Return a pipeline as of a run that was trained with these columns."""
    return replace(pipeline, config=pipeline.config.restore(pipeline.config.state() | {"columns": columns}))


def give_input(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))


def values(chunks):
    return [item.value for chunk in chunks for item in chunk]


def slow_items(gate, count):
    """Yield numbers, each when the gate opens."""
    for number in range(count):
        gate.acquire()
        yield number


def test_a_slow_source_gives_each_item_at_once():
    gate = threading.Semaphore(0)
    found = ready_chunks(slow_items(gate, 3))
    for number in range(3):
        gate.release()
        begin = time.monotonic()
        assert next(found) == [number]
        assert time.monotonic() - begin < 1
    assert list(found) == []


def test_a_fast_source_gives_full_lists_in_order():
    ready = threading.Event()

    def source():
        yield from range(1000)
        ready.set()

    found = ready_chunks(source(), 100)
    sizes, seen = [], []
    for chunk in found:
        time.sleep(0.005)  # while it is answered, more comes
        sizes.append(len(chunk))
        seen += chunk
    assert seen == list(range(1000))
    assert max(sizes) == 100
    assert len(sizes) < 30
    assert ready.is_set()


def test_a_source_is_read_a_little_ahead_and_never_as_a_whole():
    taken = []
    found = ready_chunks((taken.append(number) or number for number in range(100_000)), 10)
    next(found)
    time.sleep(0.1)
    assert len(taken) < 100


def test_an_empty_source_gives_nothing():
    assert list(ready_chunks([])) == []


def test_an_error_of_the_source_is_raised_after_its_items():
    def source():
        yield from (1, 2)
        raise OptionError("No.")

    seen = []
    with pytest.raises(OptionError, match="No"):
        seen.extend(number for chunk in ready_chunks(source()) for number in chunk)
    assert seen == [1, 2]


def test_an_unknown_encoding_of_standard_input_is_refused(reviews, monkeypatch):
    give_input(monkeypatch, b"Good.\n")
    with pytest.raises(OptionError, match="No encoding is named 'utf-99'"):
        values(item_chunks(reviews, ["-"], iter(()), "utf-99"))


def test_words_lines_and_rows_come_in_the_order_in_which_they_are_given(reviews, monkeypatch):
    give_input(monkeypatch, b"b\n\nc\n")
    chunks = item_chunks(reviews, ["a", "-", "d", "e"], iter([Item("f")]), None)
    assert values(chunks) == ["a", "b", "", "c", "d", "e", "f"]


def test_many_words_come_in_chunks(reviews):
    assert [len(chunk) for chunk in item_chunks(reviews, ["a"] * (CHUNK + 3), iter(()), None)] == [CHUNK, 3]


@pytest.mark.parametrize(
    ("content", "encoding", "want"),
    [
        (b"one\r\ntwo\n", None, ["one", "two"]),
        (b"\xef\xbb\xbfone\ntwo", None, ["one", "two"]),
        ("über\n".encode("latin-1"), "latin-1", ["über"]),
        ("über\nβ\n".encode("utf-16"), "utf-16", ["über", "β"]),
        ("one\u2028two\x0cthree\x85four\n".encode(), None, ["one\u2028two\x0cthree\x85four"]),
        (b"one\n\n \ntwo\n", None, ["one", "", " ", "two"]),
        (b"", None, []),
    ],
)
def test_a_line_of_standard_input_is_one_item(content, encoding, want, monkeypatch):
    give_input(monkeypatch, content)
    items = list(line_items(encoding))
    assert [item.value for item in items] == want
    assert not any(item.error for item in items)


def test_a_line_in_another_encoding_is_an_error_that_names_the_likely_one(monkeypatch):
    give_input(monkeypatch, "gut\nschön\ngut\n".encode("latin-1"))
    one, two, three = line_items(None)
    assert (one.error, three.error) == ("", "")
    assert "line 2 is not in UTF-8 (byte 0xf6); give its encoding, likely --encoding latin-1" in two.error
    assert two.value == "sch\ufffdn"


@pytest.fixture
def album(tmp_path):
    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros((8, 8), "uint8")).save(tmp_path / name)
    return tmp_path


def test_a_folder_is_its_pictures_as_a_word_and_one_item_as_a_line_or_a_row(album, monkeypatch):
    pipeline = tasks.load("mnist")
    monkeypatch.chdir(album)
    assert values(item_chunks(pipeline, ["."], iter(()), None)) == ["a.png", "b.png"]
    give_input(monkeypatch, b".\n\na.png\n")
    assert values(item_chunks(pipeline, ["-"], iter([Item(".")]), None)) == [".", "", "a.png", "."]


def test_a_folder_without_pictures_is_one_item_with_an_error(tmp_path):
    ((item,),) = item_chunks(tasks.load("mnist"), [str(tmp_path)], iter(()), None)
    assert "holds no pictures" in item.error
    assert not item.error.endswith(".")


def table(folder, text):
    (folder / "t.csv").write_text(text)
    return folder / "t.csv"


def test_rows_have_their_numbers_and_the_columns_to_keep(reviews, tmp_path):
    path = table(tmp_path, "id,when,text\n7,May,Good.\n8,June,\n")
    items = list(file_items(reviews, path, PLAIN, ["id", "2"]))
    assert items == [
        Item("Good.", "", {"row": 1, "id": "7", "2": "May"}),
        Item("", "", {"row": 2, "id": "8", "2": "June"}),
    ]


def test_a_missing_file_and_a_missing_column_are_refused_at_once(reviews, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        file_items(reviews, tmp_path / "nowhere.csv", PLAIN, [])
    path = table(tmp_path, "id,text\n7,Good.\n")
    with pytest.raises(OptionError, match="no column 'ids' to keep; its columns are: id, text"):
        file_items(reviews, path, PLAIN, ["ids"])
    with pytest.raises(OptionError, match="no column 'body'"):
        file_items(reviews, path, TableFormat({"text": "body"}), [])
    with pytest.raises(DataError, match="has no column 'text'"):
        file_items(reviews, table(tmp_path, "id,opinion of all\n7,Good.\n8,Bad.\n"), PLAIN, [])


def test_the_column_of_the_training_comes_first(reviews, tmp_path):
    path = table(tmp_path, "text,mine\nWrong.,Right.\nWrong.,Right.\n")
    own = with_columns(reviews, "text=mine,label=3")
    assert [item.value for item in file_items(own, path, PLAIN, [])] == ["Right.", "Right."]


@pytest.mark.parametrize("columns", ["text=mine,label=theirs", "text=2,label=1"])
def test_the_column_of_the_training_is_not_forced_on_another_file(columns, reviews, tmp_path):
    path = table(tmp_path, "text,label\nRight.,pos\nRight.,neg\n")
    assert [item.value for item in file_items(with_columns(reviews, columns), path, PLAIN, [])] == ["Right."] * 2


def test_only_the_columns_and_the_encoding_that_the_user_gave_are_forced(reviews):
    own = with_columns(reviews, "text=mine").with_settings(encoding="latin-1")
    assert typed_format(own, {}) == PLAIN
    assert typed_format(own, {"columns": "text=mine"}) == TableFormat({"text": "mine"})
    assert typed_format(own, {"encoding": "latin-1"}) == TableFormat({}, "latin-1")


def test_half_a_sign_in_a_json_row_spoils_no_other(reviews, tmp_path):
    (tmp_path / "t.jsonl").write_text('{"text": "Good \\ud83d"}\n{"text": "\\ud83d\\ude00 Fine."}\n')
    items = list(file_items(reviews, tmp_path / "t.jsonl", PLAIN, []))
    assert [item.value for item in items] == ["Good \ufffd", "\U0001f600 Fine."]

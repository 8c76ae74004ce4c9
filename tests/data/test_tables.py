"""The user's own files: a folder with a folder for each class, tables, lines."""

import csv
import json

import pytest

from data.sources import class_folder_splits
from data.splits import DataError
from data.tables import table_inputs, table_rows
from data.texts.labelled_texts import labelled_texts


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return root


def read(path, valid=0.25, seed=0):
    return class_folder_splits(path, (".txt",), "file", valid, seed)


def test_classes_are_folders_and_the_parts_never_overlap(tmp_path):
    make(
        tmp_path, *(f"{kind}/{number}.txt" for kind in ("cat", "dog") for number in range(10)), "cat/notes.md", "a.txt"
    )
    make(tmp_path, ".hidden/x.txt", "dog/.x.txt")
    splits = read(tmp_path)
    assert [len(split) for split in splits] == [12, 4, 4]
    files = [example["file"] for split in splits for example in split]
    assert len(set(files)) == 20
    assert all(example["label"] == example["file"].parent.name for split in splits for example in split)


def test_the_test_part_does_not_depend_on_the_seed(tmp_path):
    make(tmp_path, *(f"{kind}/{number}.TXT" for kind in "ab" for number in range(20)))
    assert read(tmp_path, seed=1).test == read(tmp_path, seed=2).test
    assert read(tmp_path, seed=1).valid != read(tmp_path, seed=2).valid


def test_given_parts_are_kept(tmp_path):
    make(
        tmp_path,
        *(f"train/{kind}/{number}.txt" for kind in "ab" for number in range(4)),
        "test/a/x.txt",
        "test/b/y.txt",
    )
    splits = read(tmp_path)
    assert [example["file"].name for example in splits.test] == ["x.txt", "y.txt"]
    assert [len(split) for split in splits] == [6, 2, 2]


@pytest.mark.parametrize(
    ("names", "said"),
    [([], "no folder with .txt files"), (["a.txt"], "no folder"), (["a/1.txt", "b/1.md"], "one class only, 'a'")],
)
def test_a_folder_that_cannot_be_learnt_from_is_refused(tmp_path, names, said):
    with pytest.raises(DataError, match=said):
        read(make(tmp_path, *names))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read(tmp_path / "nowhere")


COLUMNS = {"text": "text", "label": "label"}
ROWS = [('good, "really"\nso', "yes"), ("bad\tone", "no"), ("naïve 😀", "yes"), ("", "no")]


def write(path, rows=ROWS, names=("text", "label")):
    """Write a table of the kind that its name says."""
    with path.open("w", newline="", encoding="utf-8") as file:
        if path.suffix == ".jsonl":
            file.writelines(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)
        else:
            csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",").writerows([names, *rows])
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "A.CSV"])
def test_a_table_is_read_as_it_was_written(name, tmp_path):
    path = write(tmp_path / name)
    assert [(row["text"], row["label"]) for row in table_rows(path, COLUMNS)] == ROWS
    assert list(table_inputs(path, "text")) == [text for text, _ in ROWS]


def test_numbers_and_truth_values_are_labels_too(tmp_path):
    path = write(tmp_path / "a.jsonl", [("one", 1), ("two", True)])
    assert [row["label"] for row in table_rows(path, COLUMNS)] == ["1", "True"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "review,label\nx,y\n", r"line 2, has no column 'text'; its columns are: review, label"),
        ("a.csv", 'text,label\n"good" film,yes\n', r"line 2: misplaced quotes"),
        ("a.csv", 'text,label\nfine,yes\n"never closed,no\n', r"misplaced quotes"),
        ("a.csv", "text,label\ngood, really,yes\n", r"line 2: 3 fields, and the first line names 2"),
        ("a.tsv", "text\tlabel\nalone\n", r"line 2: 1 fields"),
        ("a.jsonl", '{"text": "a", "label": "b"}\n{"text": \n', r"line 2: not valid JSON"),
        ("a.jsonl", '["a", "b"]\n', r"line 1: each line must be a JSON object"),
        ("a.jsonl", '{"text": null, "label": "b"}\n', r"line 1, has no column 'text'"),
        ("a.csv", b"text,label\nna\xefve,yes\n", r"not in UTF-8.*byte"),
        ("a.xlsx", "text", r"is not a table; its name must end in \.csv, \.tsv, \.jsonl"),
    ],
)
def test_a_table_that_cannot_be_read_is_named_with_its_line(name, content, said, tmp_path):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=said):
        list(table_rows(path, COLUMNS))


def test_a_long_field_and_nul_bytes_are_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + "word " * 100_000 + ",yes\nnul\x00byte,no\n")
    assert [len(row["text"]) for row in table_rows(path, COLUMNS)] == [500_000, 8]


def test_a_table_keeps_a_fifth_for_testing_unless_it_says_itself(tmp_path):
    rows = [(f"text {number}", "ab"[number % 2]) for number in range(20)]
    splits = labelled_texts(write(tmp_path / "a.csv", rows), COLUMNS, 0.25, 0)
    assert [len(split) for split in splits] == [12, 4, 4]
    assert labelled_texts(tmp_path / "a.csv", COLUMNS, 0.25, 5).test == splits.test
    rows = [(*row, "test" if number < 3 else "train") for number, row in enumerate(rows)]
    splits = labelled_texts(write(tmp_path / "b.csv", rows, ("text", "label", "split")), COLUMNS, 0.25, 0)
    assert [example["text"] for example in splits.test] == ["text 0", "text 1", "text 2"]
    assert set(splits.test[0]) == {"text", "label"}


def test_a_folder_may_hold_two_tables_or_a_folder_of_texts_per_class(tmp_path):
    rows = [(f"text {number}", "ab"[number % 2]) for number in range(8)]
    (tmp_path / "tables").mkdir()
    write(tmp_path / "tables/train.csv", rows)
    write(tmp_path / "tables/test.jsonl", rows[:3])
    splits = labelled_texts(tmp_path / "tables", COLUMNS, 0.25, 0)
    assert [len(split) for split in splits] == [6, 2, 3]
    make(tmp_path / "classes", *(f"{kind}/{number}.txt" for kind in "ab" for number in range(10)))
    splits = labelled_texts(tmp_path / "classes", COLUMNS, 0.25, 0)
    assert [len(split) for split in splits] == [12, 4, 4]
    assert splits.test[0]["text"].startswith(splits.test[0]["label"] + "/")
    (tmp_path / "classes/a/0.txt").write_bytes(b"\xff")
    with pytest.raises(DataError, match=r"0\.txt' is not in UTF-8"):
        labelled_texts(tmp_path / "classes", COLUMNS, 0.25, 0)


def test_the_lines_of_any_other_file_are_inputs(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("one\n\n  \nzwö\r\n".encode() + b"\xff")
    assert list(table_inputs(path, "text")) == ["one", "zwö", "\ufffd"]
    with pytest.raises(FileNotFoundError, match=r"no file .*b\.txt"):
        list(table_inputs(tmp_path / "b.txt", "text"))
    with pytest.raises(FileNotFoundError, match=r"no file .*b\.csv"):
        list(table_inputs(tmp_path / "b.csv", "text"))

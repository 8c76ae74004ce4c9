"""Parts are told by a column or by names, and what is not used is named."""

import json

import pytest

from data.parts import file_parts, part_files
from data.splits import DataError, OptionError
from data.tables import TableFormat, example_rows

NAMES = {"text": ("text",), "label": ("label",)}


def make(root, **files):
    """Write files, `__` standing for a dot and `___` for a slash in their names: texts, or a comma-separated row."""
    for name, text in files.items():
        path = root / name.replace("___", "/").replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in (".jsonl", ".json"):
            path.write_text("\n".join(json.dumps({"text": one, "label": "a"}) for one in text.split()))
        else:
            path.write_text("text,label\n" + "".join(f"{one},a\n" for one in text.split()))
    return root


def read(path, suffixes=(), **columns):
    found = file_parts(path, lambda file: example_rows(file, NAMES, TableFormat(columns)), suffixes)
    return found and [[row["text"] for row in part] for part in found]


@pytest.mark.parametrize(
    "names",
    [
        ("train.csv", "valid.csv", "test.csv"),
        ("Train.CSV", "VAL.jsonl", "my-Test.json"),
        ("sst2_training.csv", "sst2_dev.csv", "sst2_testing.csv"),
        ("train-00000-of-00001.json", "validation-00000-of-00001.json", "test-00000-of-00001-abcdef.json"),
    ],
)
def test_names_tell_the_parts_whatever_the_format(names, tmp_path, caplog):
    make(tmp_path, **{name.replace(".", "__"): f"one{place} two{place}" for place, name in enumerate(names)})
    assert read(tmp_path) == [["one0", "two0"], ["one1", "two1"], ["one2", "two2"]]
    assert not caplog.records


def test_a_column_of_splits_tells_the_parts_of_a_file_or_of_the_only_file(tmp_path):
    text = "text,label,split\na,x,Train\nb,x,dev\nc,x,TEST\n"
    for name in ("data.csv", "train.csv", "test.csv"):
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_text(text)
        assert read(folder / name) == read(folder) == [["a"], ["b"], ["c"]]


def test_a_column_of_splits_beside_names_of_files_is_said(tmp_path, caplog):
    (tmp_path / "train.csv").write_text("text,label,split\na,x,train\nb,x,test\n")
    (tmp_path / "test.csv").write_text("text,label,split\nc,x,test\n")
    assert read(tmp_path) == [["a", "b"], [], ["c"]]
    assert caplog.messages == ["train.csv: 1 rows name another split than train, as the file does; it counts."]


def test_a_single_file_is_for_training_unless_it_is_called_test(tmp_path):
    make(tmp_path, a__csv="a", my_test__csv="b", valid__csv="c")
    assert read(tmp_path / "a.csv") == [["a"], [], []]
    assert read(tmp_path / "my_test.csv") == [[], [], ["b"]]
    assert read(tmp_path / "valid.csv") == [["c"], [], []]


def test_test_files_alone_are_a_test_part(tmp_path):
    assert read(make(tmp_path / "one", test__csv="a b")) == [[], [], ["a", "b"]]
    assert read(make(tmp_path / "two", valid__csv="a", test__csv="b")) == [[], ["a"], ["b"]]


def test_shards_are_read_in_order_and_other_files_of_one_part_are_said(tmp_path, caplog):
    make(
        tmp_path / "one", **{f"train-0000{number}-of-00003__json": f"a{number}" for number in (2, 0, 1)}, test__csv="b"
    )
    assert read(tmp_path / "one") == [["a0", "a1", "a2"], [], ["b"]]
    assert not caplog.records
    make(tmp_path / "two", train_b__csv="b", train_a__csv="a", test__csv="c")
    assert read(tmp_path / "two") == [["a", "b"], [], ["c"]]
    assert caplog.messages == ["two: several files are read as one part, train: train_a.csv, train_b.csv."]


@pytest.mark.parametrize("copy", ["train__jsonl", "train__csv__gz", "TRAIN__csv"])
def test_files_that_may_be_copies_are_refused(copy, tmp_path):
    make(tmp_path, train__csv="a", **{copy: "a"})
    with pytest.raises(DataError, match=rf"'{tmp_path}' has several files for one part, train, that may be copies: "):
        read(tmp_path)


def test_a_file_whose_name_tells_no_part_is_named(tmp_path, caplog):
    make(tmp_path, train__csv="a", test__csv="b", extra__jsonl="c", sample_submission__csv="d", __hidden__csv="e")
    assert read(tmp_path) == [["a"], [], ["b"]]
    assert caplog.messages == [f"{tmp_path.name}: not used beside the named parts: extra.jsonl, sample_submission.csv."]


def test_several_tables_without_parts_are_refused(tmp_path):
    make(tmp_path, a__csv="a", b__csv="b")
    with pytest.raises(
        DataError, match=rf"'{tmp_path}' holds 2 tables, and none is called train or test: a\.csv, b\.csv"
    ):
        read(tmp_path)


def test_the_only_table_of_a_folder_is_for_training(tmp_path):
    assert read(make(tmp_path, reviews__csv="a")) == [["a"], [], []]


def test_a_test_file_without_labels_is_named_and_not_used(tmp_path, caplog):
    make(tmp_path, train__csv="a", dev__csv="b")
    (tmp_path / "test.csv").write_text("index,text\n0,c\n")
    assert read(tmp_path) == [["a"], ["b"], []]
    (said,) = caplog.messages
    assert said.startswith("test.csv is not used: 'test.csv' has no column 'label'; its columns are: index, text.")
    assert read(tmp_path, label="label") == [["a"], ["b"], []]
    with pytest.raises(OptionError, match=r"train\.csv' has no column 'stars'"):
        read(tmp_path, label="stars")
    (tmp_path / "train.csv").unlink()
    with pytest.raises(DataError, match=rf"'{tmp_path}/test\.csv' has no column 'label'"):
        read(tmp_path)


def test_folders_of_an_export_are_looked_into(tmp_path):
    one = make(tmp_path / "one", **{"data___train-00000-of-00001__json": "a", "data___test-00000-of-00001__json": "b"})
    assert read(one) == [["a"], [], ["b"]]
    two = make(tmp_path / "two", default___train___0000__json="a", default___validation___0000__json="b")
    assert read(two) == [["a"], ["b"], []]


def test_a_folder_without_tables_has_no_parts(tmp_path):
    assert read(tmp_path) is None
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "notes.txt").write_text("a")
    assert read(tmp_path) is None
    assert part_files(tmp_path, (".txt",)) is None


def test_a_table_beside_folders_of_classes_is_named_and_not_used(tmp_path, caplog):
    make(tmp_path, pos___1__txt="a", neg___1__txt="b", metadata__csv="c")
    assert part_files(tmp_path, (".txt",)) is None
    assert caplog.messages == [f"{tmp_path.name}: not used beside the folders: metadata.csv."]


def test_folders_and_files_may_both_be_parts(tmp_path, caplog):
    assert read(make(tmp_path, train__csv="a", test___x__csv="b")) == [["a"], [], ["b"]]
    assert not caplog.records


def test_folders_of_texts_beside_tables_are_named(tmp_path, caplog):
    make(tmp_path, train__csv="a", test__csv="b", pos___1__txt="a", pictures___a__png="c")
    assert read(tmp_path, (".txt",)) == [["a"], [], ["b"]]
    assert caplog.messages == [f"{tmp_path.name}: not used beside the named parts: pos."]
    caplog.clear()
    (tmp_path / "test.csv").unlink()
    (tmp_path / "train.csv").rename(tmp_path / "labels.csv")
    make(tmp_path, train___pos___1__txt="a")
    assert part_files(tmp_path, (".txt",)) is None
    assert caplog.messages == [f"{tmp_path.name}: not used beside the folders: labels.csv."]

"""Labelled texts in the layouts that people have: read rightly, or refused with the way out."""

import gzip
import json
import logging
from pathlib import Path

import pytest

from data.splits import DataError
from data.tables import TableFormat
from data.texts.labelled_texts import all_texts, label_order, labelled_texts

NAMES = {"text": ("text", "sentence", "review"), "label": ("label", "sentiment")}
ROWS = [(f"text {number}", "ab"[number % 2]) for number in range(20)]


@pytest.fixture
def read(tmp_path):
    """Return a function that writes files, and returns the (text, label) of each part of the first, or of all."""

    def parts(files, path=None, seed=0, encoding=None, **columns):
        make(tmp_path, files)
        form = TableFormat(columns, encoding)
        found = labelled_texts(path or tmp_path, NAMES, form, 0.25, seed)
        assert all(set(row) == {"text", "label"} for part in found for row in part)
        return [[(row["text"], row["label"]) for row in part] for part in found]

    return parts


def make(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def table(rows=ROWS, names=("text", "label"), sign=","):
    return "".join(sign.join(row) + "\n" for row in [names, *rows])


def fasttext(rows=ROWS):
    return "".join(f"__label__{label} {text}\n" for text, label in rows)


def lines(rows=ROWS):
    return "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows)


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", table()),
        ("a.tsv", table(sign="\t")),
        ("a.jsonl", lines()),
        ("a.txt", fasttext()),
        ("a.txt.gz", gzip.compress(fasttext().encode(), mtime=0)),
        ("a.txt", table(sign="\t")),
        ("a.txt", table(ROWS[1:], ROWS[0], sign="\t")),
        ("a.txt", table([row[::-1] for row in ROWS[1:]], ROWS[0][::-1], sign="\t")),
    ],
)
def test_missing_parts_are_drawn_from_one_file_and_the_test_part_without_the_seed(name, content, read, tmp_path):
    train, valid, test = read({name: content}, tmp_path / name)
    assert (len(train), len(valid), len(test)) == (12, 4, 4)
    assert sorted([*train, *valid, *test]) == sorted(ROWS)
    other = read({}, tmp_path / name, seed=5)
    assert other[2] == test
    assert other[1] != valid


def test_kaggles_imdb_file_needs_no_option(read, tmp_path, caplog):
    rows = [
        (f'"A ""film"", {number}.<br /><br />So\n{number}"', "positive" if number % 2 else "negative")
        for number in range(8)
    ]
    train, _, _ = read({"IMDB Dataset.csv": table(rows, ("review", "sentiment"))}, tmp_path / "IMDB Dataset.csv")
    assert {label for _, label in train} == {"positive", "negative"}
    assert all('A "film", ' in text and "\n" in text for text, _ in train)
    assert warnings(caplog) == [
        "IMDB Dataset.csv: column 'review' is read as text, column 'sentiment' is read as label."
    ]


def test_the_master_file_of_imdb_has_its_parts_and_no_unsup(read, tmp_path, caplog):
    kinds = [("test", "neg"), ("test", "pos"), ("train", "neg"), ("train", "pos"), ("train", "unsup")]
    rows = [(str(number), part, f"Caf\xe9 {number}", label) for part, label in kinds for number in range(2)]
    text = table(rows, ("", "type", "review", "label")).encode("latin-1")
    train, valid, test = read({"imdb_master.csv": text}, tmp_path / "imdb_master.csv", encoding="latin-1")
    assert [len(train) + len(valid), len(test)] == [4, 4]
    assert "class 'unsup' is only in the training part; its 2 examples are left out" in caplog.text


@pytest.mark.parametrize(
    "files",
    [
        {"train.csv": table(ROWS[:12]), "dev.jsonl": lines(ROWS[12:16]), "test.tsv": table(ROWS[16:], sign="\t")},
        {"train.csv": table(ROWS[:12]), "valid.txt": fasttext(ROWS[12:16]), "test.txt": fasttext(ROWS[16:])},
        {"Train.txt": fasttext(ROWS[:12]), "Valid.txt": fasttext(ROWS[12:16]), "Test.txt": fasttext(ROWS[16:])},
        {"data/train-00000-of-00002.jsonl": lines(ROWS[:6]), "data/train-00001-of-00002.jsonl": lines(ROWS[6:12]),
         "data/validation-00000-of-00001.jsonl": lines(ROWS[12:16]), "data/test-00000-of-00001.jsonl": lines(ROWS[16:]),
         "README.md": "---"},
    ],
)  # fmt: skip
def test_files_of_any_format_are_the_parts_of_a_folder(files, read, caplog):
    assert read(files) == [ROWS[:12], ROWS[12:16], ROWS[16:]]
    assert not warnings(caplog)


def test_a_column_of_splits_in_any_case_gives_the_parts(read, tmp_path):
    rows = [(*row, ("Train", "train", "VAL", "Test")[number // 5]) for number, row in enumerate(ROWS)]
    path = tmp_path / "a.csv"
    assert read({"a.csv": table(rows, ("text", "label", "split"))}, path) == [ROWS[:10], ROWS[10:15], ROWS[15:]]
    assert read({}) == read({}, path)


def test_sst_2_has_a_test_file_without_labels(read, caplog):
    rows = [(text, str(number % 2)) for number, (text, _) in enumerate(ROWS)]
    train, valid, test = read(
        {
            "train.tsv": table(rows[:16], ("sentence", "label"), "\t"),
            "dev.tsv": table(rows[16:], ("sentence", "label"), "\t"),
            "test.tsv": "index\tsentence\n0\tuneasy mishmash\n",
        }
    )
    assert valid == rows[16:]
    assert sorted(train + test) == sorted(rows[:16])
    assert any(said.startswith("test.tsv is not used: 'test.tsv' has no column 'label'") for said in warnings(caplog))


def test_a_test_part_with_minus_one_for_all_labels_is_not_used(read, caplog):
    train, valid, test = read({"train.csv": table(), "test.csv": table([(text, "-1") for text, _ in ROWS])})
    assert sorted(train + valid + test) == sorted(ROWS)
    assert "all 20 test examples have the label '-1'" in caplog.text


def test_a_yelp_export_is_refused_without_and_read_with_numbers(read, tmp_path):
    text = "".join(f'"{number % 2 + 1}","Place ""{number}""\\n so."\n' for number in range(10))
    path = tmp_path / "train.csv"
    with pytest.raises(DataError, match=r"'.*train\.csv' has no names of columns.* --columns text=1,label=2"):
        read({"train.csv": text}, path)
    train, _, _ = read({}, path, text="2", label="1")
    assert {label for _, label in train} == {"1", "2"}
    assert train[0][0].endswith('"\\n so.')


def test_several_labels_and_none_are_counted_in_fasttext(read, tmp_path, caplog):
    text = fasttext() + "__label__a __label__b both\nno label\n__label__a\n__label__a  \n\n"
    train, valid, test = read({"a.txt": text}, tmp_path / "a.txt")
    assert sorted([*train, *valid, *test]) == sorted(ROWS)
    assert warnings(caplog) == [
        "a.txt: 3 of 25 lines have no label or no text and are left out.",
        "a.txt: 1 of 25 lines have several labels and are left out.",
        "a.txt: 1 examples without a text are left out.",
    ]


def test_fasttext_is_known_by_its_first_lines_and_not_by_the_first_alone(read, tmp_path):
    train, valid, test = read({"a.txt": "# a comment\n  " + fasttext()}, tmp_path / "a.txt")
    assert len([*train, *valid, *test]) == 20
    with pytest.raises(DataError, match=r"'.*b\.txt' has no line with one label, such as '__label__good"):
        read({"b.txt": "__label__a __label__b both\n"}, tmp_path / "b.txt")


def test_the_column_with_fewer_values_has_the_labels(caplog, read, tmp_path):
    assert label_order(["A film.\t1", "Bad.\t0", "So.\t1"]) == ("text", "label")
    assert label_order(["ham\tSee you.", "spam\tWin!", "ham\tOn my way."]) == ("label", "text")
    assert label_order([]) == ("text", "label")
    text = "".join(f"{'ham' if number % 2 else 'spam'}\tMessage {number}!\n" for number in range(8))
    train, _, _ = read({"SMSSpamCollection.txt": text}, tmp_path / "SMSSpamCollection.txt")
    assert {label for _, label in train} == {"ham", "spam"}
    assert warnings(caplog) == [
        "SMSSpamCollection.txt has no names of columns; it reads column 1 as label, column 2 as text."
    ]


def test_empty_texts_and_labels_are_left_out_with_their_numbers(read, tmp_path, caplog):
    rows = [*ROWS, ("", "a"), ("  ", "b"), ("more", ""), ("another", " ")]
    train, valid, test = read({"a.csv": table(rows)}, tmp_path / "a.csv")
    assert sorted([*train, *valid, *test]) == sorted(ROWS)
    assert warnings(caplog) == [
        "a.csv: 2 examples without a text are left out.", "a.csv: 2 examples without a label are left out.",
    ]  # fmt: skip


def test_folders_of_classes_give_texts(read, tmp_path):
    names = [(part, label) for part in ("train", "test") for label in ("pos", "neg")] * 4
    files = {f"{part}/{label}/{number}.txt": f"{part} {label}" for number, (part, label) in enumerate(names)}
    files |= {
        "train/unsup/0.txt": "no",
        "train/urls_pos.txt": "http",
        "imdbEr.txt": "0.1",
        "README": "read",
        "imdb.vocab": "the",
    }
    train, valid, test = read({f"aclImdb/{name}": text for name, text in files.items()})
    assert (len(train), len(valid), len(test)) == (6, 2, 8)
    assert {label for _, label in train} == {"pos", "neg"}
    assert all(text.split()[1] == label for text, label in [*train, *valid, *test])


def test_a_text_file_of_a_class_that_is_not_in_utf_8_is_named_with_its_encoding(read, tmp_path):
    files = {
        f"{label}/{number}.txt": "caf\xe9 na\xefve".encode("latin-1") for label in ("pos", "neg") for number in range(4)
    }
    with pytest.raises(DataError, match=rf"'{tmp_path}/neg/0\.txt': line 1 is not in UTF-8 .*--encoding latin-1"):
        read(files)
    assert read({}, encoding="latin-1")[0][0][0] == "café naïve"


def test_labels_that_the_training_part_does_not_have_are_refused(read):
    with pytest.raises(
        DataError, match="Class 'c' is among the test examples and not among the training examples: a, b"
    ):
        read({"train.csv": table(), "test.csv": table([("one", "c"), ("two", "a")])})


def test_test_files_alone_are_scored_whole(tmp_path, caplog):
    make(
        tmp_path, {"one/test.csv": table(), "two/test.txt": fasttext(), "four/a.csv": table(), "five/dev.csv": table()}
    )
    make(tmp_path, {"three/test/a/1.txt": "x", "three/test/b/1.txt": "y"})
    for name, count in (("one", 20), ("one/test.csv", 20), ("two", 20), ("three", 2), ("four", 20), ("five", 20)):
        assert len(all_texts(tmp_path / name, NAMES, TableFormat())) == count
    for name in ("one", "two", "three"):
        assert [len(part) for part in labelled_texts(tmp_path / name, NAMES, TableFormat(), 0.2, 0)][:2] == [0, 0]
    assert not warnings(caplog)
    make(tmp_path, {"one/train.csv": table(ROWS[:6])})
    assert len(all_texts(tmp_path / "one", NAMES, TableFormat())) == 20
    assert warnings(caplog) == ["one: its test part is scored, 20 of 26 examples."]


@pytest.mark.parametrize("name", ["a.docx", "a.pdf", "a", "a.tar.gz", "a.xls"])
def test_a_file_of_another_kind_is_refused_by_its_name(name, read, tmp_path):
    with pytest.raises(DataError, match=rf"'{tmp_path}/{name}' is not a table or a text file .*: \.csv, .*\.txt\. "):
        read({name: "text"}, tmp_path / name)


def test_a_missing_path_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no file or folder '.*nowhere\.csv'"):
        labelled_texts(tmp_path / "nowhere.csv", NAMES, TableFormat(), 0.2, 0)


def test_a_text_file_without_labels_is_refused(read, tmp_path):
    with pytest.raises(DataError, match=r"a\.txt' has 1 column without a name, 'A good film!', and needs"):
        read({"a.txt": "A good film!\nA bad film, really.\n"}, tmp_path / "a.txt")
    assert Path(tmp_path / "a.txt").is_file()

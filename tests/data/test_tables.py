"""Tables of the user: every row is an example or is counted, and every input has its number."""

# ruff: noqa: RUF001 (letters of other scripts are meant)

import bz2
import csv
import gzip
import json
import lzma
import tracemalloc
import zipfile

import pyarrow as pa
import pytest
from pyarrow import parquet

from data.splits import DataError, OptionError
from data.tables import InputRow, TableFormat, example_rows, input_rows, row_parts

NAMES = {"text": ("text", "sentence", "review"), "label": ("label", "sentiment")}
INPUT = {"text": NAMES["text"]}
ROWS = [('good, "really"\nso', "yes"), ("bad\tone", "no"), ("naïve 😀", "yes"), ("", "no")]
PACK = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def write(path, rows=ROWS, names=("text", "label")):
    """Write a table of the kind that its name says."""
    if path.suffix == ".parquet":
        parquet.write_table(
            pa.table({name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}), path
        )
        return path
    if path.suffix == ".xlsx":
        book = pytest.importorskip("openpyxl").Workbook()
        for row in [names, *rows]:
            book.active.append(row)
        book.save(path)
        return path
    with path.open("w", newline="", encoding="utf-8") as file:
        records = [dict(zip(names, row, strict=True)) for row in rows]
        if path.suffix == ".jsonl":
            file.writelines(json.dumps(record) + "\n" for record in records)
        elif path.suffix == ".json":
            json.dump(records, file)
        else:
            csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",").writerows([names, *rows])
    return path


def read(path, encoding=None, **columns):
    return [tuple(row.values()) for row in example_rows(path, NAMES, TableFormat(columns, encoding))]


def text_file(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "json", "jsonl", "parquet", "xlsx"])
@pytest.mark.parametrize("packed", ["", ".gz", ".bz2", ".xz", ".zip"])
def test_a_table_is_read_as_it_was_written(kind, packed, tmp_path, caplog):
    path = write(tmp_path / f"a.{kind}")
    if packed == ".zip":
        with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
            archive.write(path, f"in/a.{kind}")
            archive.writestr("__MACOSX/in/._a.csv", "x")
        path = tmp_path / "b.zip"
    elif packed:
        path = text_file(tmp_path / f"A.{kind.upper()}{packed}", PACK[packed](path.read_bytes()))
    assert read(path) == ROWS
    inputs = list(input_rows(path, INPUT, TableFormat()))
    assert inputs == [InputRow(number, text) for number, (text, _) in enumerate(ROWS, start=1)]
    assert not caplog.records


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_table_with_a_mark_needs_no_option(encoding, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\nnaïve 😀,yes\n", encoding=encoding)
    assert read(path) == [("naïve 😀", "yes")]


def test_another_encoding_is_refused_by_the_likely_one_and_read_with_it(tmp_path):
    path = text_file(tmp_path / "a.csv", "text,label\nОчень хороший фильм,да\nПлохой фильм,нет\n".encode("cp1251"))
    with pytest.raises(
        DataError, match=rf"'{path}': 2 of 2 rows cannot be read; .* line 2 .*likely --encoding cp1251\."
    ):
        read(path)
    assert read(path, "cp1251") == [("Очень хороший фильм", "да"), ("Плохой фильм", "нет")]


SENTIMENT140 = (
    '"4","1","Mon Apr 06","NO_QUERY","user","Señor café."\n"0","2","Mon Apr 07","NO_QUERY","you","Bad, so."\n'
)


def test_the_layout_of_sentiment140_is_read_by_numbers(tmp_path, caplog):
    path = text_file(tmp_path / "a.csv", SENTIMENT140.encode("latin-1"))
    assert read(path, "latin-1", text="6", label="1") == [("Señor café.", "4"), ("Bad, so.", "0")]
    assert "is read as data" in caplog.text
    with pytest.raises(
        DataError, match=r"first row looks like data: .*; say which of its 6 columns .*--columns text=1,label=2"
    ):
        read(path, "latin-1")


def test_the_layout_of_yelp_is_read_by_numbers(tmp_path):
    path = text_file(tmp_path / "a.csv", '"1","Bad ""place"",\nreally. \\""No\\"""\n"2","Good\\n\\nplace"\n')
    assert read(path, text="2", label="1") == [('Bad "place",\nreally. \\"No\\"', "1"), ("Good\\n\\nplace", "2")]


def test_an_unnamed_column_of_numbers_does_not_disturb(tmp_path):
    assert read(text_file(tmp_path / "a.csv", ",text,label\n0,good,yes\n1,bad,no\n")) == [
        ("good", "yes"),
        ("bad", "no"),
    ]


def test_lists_without_names_are_read_by_numbers(tmp_path):
    path = text_file(tmp_path / "a.json", '[["A film.", 1], ["Bad, so.", 0]]')
    assert read(path, text="1", label="2") == [("A film.", "1"), ("Bad, so.", "0")]
    with pytest.raises(DataError, match=r"no names of columns.*--columns"):
        read(path)


def test_an_excel_table_without_names_loses_no_row(tmp_path, caplog):
    path = write(tmp_path / "a.xlsx", [("Good, really.", 1), ("Bad.", 0)], ("Fine film, so.", 1))
    assert read(path, text="1", label="2") == [("Fine film, so.", "1"), ("Good, really.", "1"), ("Bad.", "0")]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "", "it is empty"),
        ("a.tsv", "\n\n", "it is empty"),
        ("a.json", "", "it is empty"),
        ("a.json", "[]", "it is empty"),
        ("a.jsonl", "\n", "it is empty"),
        ("a.csv", "text,label\n", "no rows below the names of its columns: text, label"),
        ("a.csv", "a,b\nx,y\n", "has no column 'text'; its columns are: a, b"),
        ("a.csv", "text,text,label\nx,y,z\n", "the column 'text' more than once"),
        ("a.jsonl", "{\n", "not valid JSON"),
        ("a.parquet", "text", "not a whole Parquet file"),
        ("a.xlsx", "text", "not a whole Excel file"),
        ("a.csv.gz", "text", "is damaged"),
        ("a.csv", 'text,label\ngood,yes\n"never closed,no\n', "line 3: misplaced quotes"),
        ("a.csv", b"PK\x03\x04text", "is not text but a zip or an Office document"),
    ],
)
def test_a_table_that_cannot_be_read_is_named_by_its_path(name, content, said, tmp_path):
    path = text_file(tmp_path / name, content)
    with pytest.raises(DataError, match=rf"'{path}'.*{said}"):
        read(path)


def test_a_missing_table_is_named(tmp_path):
    for name in ("a.csv", "a.parquet", "a.txt"):
        with pytest.raises(FileNotFoundError, match=rf"There is no file '{tmp_path}/{name}'"):
            read(tmp_path / name)
        with pytest.raises(FileNotFoundError, match=rf"There is no file '{tmp_path}/{name}'"):
            list(input_rows(tmp_path / name, INPUT, TableFormat()))


BAD = {"short": "alone", "long": "good, really,yes", "quotes": '"good" film,yes'}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_up_to_one_row_in_a_hundred_is_left_out_with_a_notice_and_more_are_refused(bad, tmp_path, caplog):
    rows = [f"text {number},yes" for number in range(198)]
    path = text_file(tmp_path / "a.csv", "\n".join(["text,label", *rows, bad, bad]) + "\n")
    assert len(read(path)) == 198
    (said,) = caplog.messages
    assert said.startswith("a.csv: 2 of 200 rows cannot be read and are left out; the first is row 199: ")
    assert "line 200" in said
    path.write_text("\n".join(["text,label", *rows, bad, bad, bad]) + "\n")
    with pytest.raises(DataError, match=rf"'{path}': 3 of 201 rows cannot be read; the first is row 199: "):
        read(path)


def test_a_damaged_line_of_json_is_left_out_among_many(tmp_path, caplog):
    lines = [json.dumps({"text": f"text {number}", "label": True}) for number in range(100)]
    path = text_file(tmp_path / "a.jsonl", "\n".join(['{"text":', *lines]))
    assert read(path) == [(f"text {number}", "True") for number in range(100)]
    assert caplog.messages[0].startswith("a.jsonl: 1 of 101 rows cannot be read and are left out; the first is row 1: ")


def test_a_column_of_splits_comes_with_the_examples(tmp_path):
    path = write(tmp_path / "a.csv", [("a", "yes", "Train"), ("b", "no", "TEST")], ("text", "label", "Split"))
    assert read(path) == [("a", "yes", "Train"), ("b", "no", "TEST")]
    path = write(tmp_path / "b.csv", [("a", "yes", "drama"), ("b", "no", "comedy")], ("text", "label", "type"))
    assert read(path) == [("a", "yes"), ("b", "no")]
    with pytest.raises(OptionError, match=rf"'{path}' has no column 'fold'"):
        read(path, split="fold")


def parts(*values):
    rows = [{"text": str(number), "split": value} for number, value in enumerate(values)]
    return [[row["text"] for row in part] for part in row_parts(rows, "a.csv")]


def test_splits_in_any_case_are_parts_and_others_are_left_out_with_a_notice(caplog):
    assert parts("Train", "VAL", "dev", "Test", "", "validation", "training") == [
        ["0", "4", "6"],
        ["1", "2", "5"],
        ["3"],
    ]
    assert not caplog.records
    assert parts("train", "extra", "extra", "x") == [["0"], [], []]
    assert caplog.messages == [
        "a.csv: 3 rows left out, since their split is not train, valid or test: 2 of 'extra', 1 of 'x'."
    ]


def test_a_column_of_splits_that_names_no_part_is_not_used(caplog):
    assert parts("1", "2", "3") == [["0", "1", "2"], [], []]
    assert caplog.messages == ["a.csv: its column of splits is not used, since no value is train, valid or test."]


def inputs(path, keep=(), encoding=None, **columns):
    return [tuple(row) for row in input_rows(path, INPUT, TableFormat(columns, encoding), keep)]


def test_each_row_has_one_input_in_step_with_its_number_and_the_columns_to_keep(tmp_path):
    text = 'id,text,date\n7,Warm.,May\n8,"",June\n9\n10,na\xefve,July\n11,"two\nlines",\n'
    one, two, three, four, five = inputs(text_file(tmp_path / "a.csv", text.encode("latin-1")), ["id", "3"])
    assert one == (1, "Warm.", "", {"id": "7", "3": "May"})
    assert two == (2, "", "", {"id": "8", "3": "June"})
    assert three[:2] == (3, "")
    assert three[2].startswith("line 4 has 1 fields")
    assert three[3] == {"id": "9", "3": ""}
    assert (four[:2], four[3]) == ((4, "na\ufffdve"), {"id": "10", "3": "July"})
    assert four[2] == "line 5 is not in UTF-8 (byte 0xef); give its encoding, likely --encoding latin-1"
    assert five == (5, "two\nlines", "", {"id": "11", "3": ""})


def test_every_input_can_be_written_as_json(tmp_path):
    for name, text in (
        ("a.csv", b"text,id\n\xff,\xfe\n"),
        ("a.txt", b"\xff\n"),
        ("a.jsonl", b'{"text": "\xff"}\n{"text": "a"}\n'),
    ):
        for row in input_rows(text_file(tmp_path / name, text), INPUT, TableFormat()):
            json.dumps(row, ensure_ascii=False).encode()


def test_a_column_to_keep_must_exist(tmp_path):
    with pytest.raises(OptionError, match=r"a\.csv' has no column 'id' to keep"):
        inputs(text_file(tmp_path / "a.csv", "text\na\n"), ["id"])
    with pytest.raises(OptionError, match=r"a\.txt' is not a table, so it has no column 'id'; a table ends in \.csv"):
        inputs(text_file(tmp_path / "a.txt", "a\n"), ["id"])


def test_one_column_without_a_name_is_the_input(tmp_path):
    assert inputs(text_file(tmp_path / "a.csv", "A good film!\nA bad film!\n")) == [
        (1, "A good film!", "", {}), (2, "A bad film!", "", {}),
    ]  # fmt: skip
    assert inputs(text_file(tmp_path / "a.json", '["One.", "Two."]')) == [(1, "One.", "", {}), (2, "Two.", "", {})]
    with pytest.raises(DataError, match=r"no names of columns.*--columns text=1"):
        inputs(text_file(tmp_path / "b.csv", "1,A good film!\n2,A bad film!\n"))
    assert inputs(tmp_path / "b.csv", text="2")[1] == (2, "A bad film!", "", {})


def test_a_named_column_is_the_input(tmp_path):
    path = text_file(tmp_path / "a.csv", "body text,text\none,two\n")
    assert inputs(path, text="body text") == [(1, "one", "", {})]
    assert inputs(path) == [(1, "two", "", {})]


def test_each_line_of_any_other_file_is_an_input(tmp_path):
    path = text_file(tmp_path / "a.txt", "one\r\n\r\n  \r\nzwö\u2028drei\r\n".encode() + b"\xff\r\n")
    *fine, last = inputs(path)
    assert fine == [(1, "one", "", {}), (2, "", "", {}), (3, "  ", "", {}), (4, "zwö\u2028drei", "", {})]
    assert last[:2] == (5, "\ufffd")
    assert last[2].startswith("line 5 is not in UTF-8 (byte 0xff); ")
    assert [row[1] for row in inputs(text_file(tmp_path / "b.md", "one\rtwo\r"))] == ["one", "two"]


def test_labels_of_fasttext_are_left_out_of_inputs_with_one_notice(tmp_path, caplog):
    path = text_file(tmp_path / "a.txt", "__label__pos A film.\nplain\n__label__a __label__b Another.\n")
    assert [row[1] for row in inputs(path)] == ["A film.", "plain", "Another."]
    assert caplog.messages == ["a.txt: labels before the texts, such as '__label__pos', are left out."]


def test_a_zip_of_several_files_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", "text\na\n")
        archive.writestr("b.csv", "text\nb\n")
    with pytest.raises(DataError, match=r"a\.zip' holds 2 files, not one; unzip it"):
        inputs(tmp_path / "a.zip")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.txt"])
def test_inputs_are_read_in_flat_memory(name, tmp_path):
    line = '{"text": "A film that I like"}\n' if name.endswith("jsonl") else "A film that I like\t1\n"
    rows = 200_000 if name != "a.jsonl" else 50_000
    line = line.replace("\t", ",") if name == "a.csv" else line
    head = "text,id\n" if name == "a.csv" else "text\tid\n" if name == "a.tsv" else ""
    path = text_file(tmp_path / name, head + line * rows)
    tracemalloc.start()
    assert sum(1 for _ in input_rows(path, INPUT, TableFormat())) == rows
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6


def test_names_of_columns_that_stand_there_again_are_left_out_with_a_notice(tmp_path, caplog):
    rows = "".join(f"text {number},yes\n" for number in range(100))
    path = text_file(tmp_path / "a.csv", f"text,label\n{rows}text,label\n{rows}")
    assert len(read(path)) == 200
    (said,) = caplog.messages
    assert said.endswith(" are left out; the first is row 101: it has the names of the columns again.")


def test_a_field_that_there_is_not_is_refused(tmp_path):
    path = text_file(tmp_path / "a.csv", "text,label\na,b\n")
    with pytest.raises(OptionError, match="--columns names 'txt', which is not one of: text, label, split"):
        read(path, txt="text")
    assert inputs(path, label="label") == [(1, "a", "", {})]


def test_a_table_with_too_few_columns_shows_its_first_row(tmp_path):
    with pytest.raises(
        DataError, match=r"a\.csv' has 1 column without a name, '0 bad film!', and needs text and label"
    ):
        read(text_file(tmp_path / "a.csv", "0 bad film!\n1 good film!\n"))
    with pytest.raises(DataError, match=r"looks like data: '4, 1, Mon Apr 06, .*; say which of its 6 columns"):
        read(text_file(tmp_path / "b.csv", SENTIMENT140))

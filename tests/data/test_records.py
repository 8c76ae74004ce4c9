"""Records of JSON and Parquet, and rows of Excel, in every form that people save them in."""

import gzip
import json
import sys

import pyarrow as pa
import pytest
from pyarrow import parquet

from data.records import READERS, TABLES, is_table, json_records, parquet_records
from data.sheets import sheet_rows
from data.splits import DataError, UnavailableError

ROWS = [{"text": "a film", "label": "pos"}, {"text": "naïve 😀\nso", "label": "neg"}, {"text": "c", "label": "pos"}]


@pytest.fixture
def read(tmp_path):
    """Return a function that writes JSON and returns the values of its records, or their errors."""

    def values(content, name="a.json", encoding=None):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        records = list(READERS[".json"](tmp_path / name, encoding))
        assert [record.number for record in records] == list(range(1, len(records) + 1))
        return [record.error or record.values for record in records]

    return values


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2),
        json.dumps(ROWS[:3], ensure_ascii=False),
        "\n".join(map(json.dumps, ROWS)),
        "\n\n".join(map(json.dumps, ROWS)) + "\r\n",
        "\n".join(json.dumps(row, indent=1) for row in ROWS),
        "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n",
        "\ufeff" + json.dumps(ROWS),
        json.dumps({"data": ROWS}),
        json.dumps({"version": "1", "data": ROWS, "tags": ["a"]}, indent=2),
        json.dumps({"schema": {"fields": [{"name": "text"}]}, "data": ROWS}),
        json.dumps({"rows": [{"row_idx": number, "row": row} for number, row in enumerate(ROWS)]}),
        json.dumps({name: [row[name] for row in ROWS] for name in ROWS[0]}),
        json.dumps({name: [row[name] for row in ROWS] for name in ROWS[0]}, indent=2),
        json.dumps({name: {str(number): row[name] for number, row in enumerate(ROWS)} for name in ROWS[0]}),
        json.dumps({str(number): row for number, row in enumerate(ROWS)}),
        json.dumps({"columns": ["text", "label"], "index": [0, 1, 2], "data": [list(row.values()) for row in ROWS]}),
        json.dumps([["text", "label"], *(list(row.values()) for row in ROWS)]),
    ],
)
def test_all_forms_of_json_give_the_same_rows(text, read):
    assert read(text) == ROWS


def test_a_single_row_is_a_row(read):
    assert read(json.dumps(ROWS[0])) == ROWS[:1]
    assert read(json.dumps(ROWS[0], indent=2)) == ROWS[:1]
    assert read('{"translation": {"en": "a", "de": "b"}}') == [{"translation/en": "a", "translation/de": "b"}]
    assert read('{"id": 1, "translation": {"en": "a"}}', "a.jsonl") == [{"id": "1", "translation/en": "a"}]
    assert read("[" + json.dumps(ROWS[0]) + "]") == ROWS[:1]
    assert read("[\n" + json.dumps(ROWS[0]) + "\n]") == ROWS[:1]


def test_lists_of_rows_by_part_have_a_split(read):
    assert read(json.dumps({"train": ROWS[:2], "dev": ROWS[2:]})) == [
        *(row | {"split": "train"} for row in ROWS[:2]), ROWS[2] | {"split": "dev"},
    ]  # fmt: skip


def test_lists_of_bare_values_have_numbered_columns(read):
    assert read('["A film.", "Another film!"]') == [{"1": "A film."}, {"1": "Another film!"}]
    assert read('[["A film.", 1], ["Another, so?", 0]]') == [
        {"1": "A film.", "2": "1"},
        {"1": "Another, so?", "2": "0"},
    ]
    assert read('["A film.", 1]\n["Another film.", 0]\n', "a.jsonl")[1] == {"1": "Another film.", "2": "0"}


def test_values_are_text_and_missing_ones_are_empty(read):
    (row,) = read('[{"a": null, "b": NaN, "c": 1.0, "d": 2, "e": true, "f": ["two", "words"], "g": {"h": {"i": 0.5}}}]')
    assert row == {"a": "", "b": "", "c": "1", "d": "2", "e": "True", "f": "two words", "g/h/i": "0.5"}


def test_a_column_called_row_is_a_column(read):
    assert read('{"data": [{"row": 5, "text": "a"}]}') == [{"row": "5", "text": "a"}]


@pytest.mark.parametrize("bad", ['{"text": \n', "[1, 2]\n", "word\n", '"text"\n'])
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_damaged_line_is_an_error_and_the_others_are_rows(bad, place, read):
    lines = [json.dumps(row) + "\n" for row in ROWS]
    lines.insert(place, bad)
    rows = read("".join(lines), "a.jsonl")
    assert isinstance(rows[place], str)
    assert [row for row in rows if isinstance(row, dict)] == ROWS


def test_a_line_that_is_not_in_the_encoding_is_an_error(read):
    text = b'{"text": "na\xefve caf\xe9"}\n{"text": "fine"}\n'
    rows = read(text, "a.jsonl")
    assert rows == ["row 1 is not in UTF-8 (byte 0xef); give its encoding, likely --encoding latin-1", {"text": "fine"}]
    assert read(text, "a.jsonl", "latin-1")[0] == {"text": "naïve café"}
    with pytest.raises(DataError, match=r"a\.json': its text is not in UTF-8 .*--encoding latin-1"):
        read(b'[{"text": "na\xefve caf\xe9"}]')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[\n{"text": "a"},\n{"text" "b"}\n]', r"line 3: not valid JSON"),
        ('{"a": [1],\n"b": [1, 2]}', r"is JSON without rows; give a list of objects, or an object a line"),
        ('{\n"info": {}, "images": [{}], "annotations": [{}]}', r"is JSON without rows"),
        ("text,label\na,b\n", r"line 1: not valid JSON"),
    ],
)
def test_json_without_rows_is_refused_by_its_path(text, said, read, tmp_path):
    with pytest.raises(DataError, match=rf"'{tmp_path}/a\.json'.*{said}|'{tmp_path}/a\.json', {said}"):
        read(text)


def test_an_empty_file_has_no_records(read):
    assert read("") == read("[]") == read(" \n\n") == []


def test_many_values_one_after_another_are_read_in_linear_time(read):
    assert len(read("\n".join(json.dumps(row, indent=1) for row in ROWS * 20_000))) == 60_000


def write_parquet(path, columns, features=None, **options):
    table = pa.table(columns)
    if features:
        info = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": info})
    parquet.write_table(table, path, **options)
    return path


def values_of(path):
    return [dict(record.values) for record in parquet_records(path, None)]


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "brotli"])
def test_parquet_is_read_whatever_compresses_it(compression, tmp_path):
    columns = {"text": ["a", None, "c"], "stars": [1.0, float("nan"), 2.5], "at": [{"en": "x"}, {"en": "y"}, None]}
    path = write_parquet(tmp_path / "a.parquet", columns, compression=compression)
    assert values_of(path) == [
        {"text": "a", "stars": "1", "at/en": "x"},
        {"text": "", "stars": "", "at/en": "y"},
        {"text": "c", "stars": "2.5", "at": ""},
    ]
    (tmp_path / "b.parquet.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert values_of(tmp_path / "b.parquet.gz") == values_of(path)


def test_classes_of_parquet_have_their_names_and_minus_one_is_none(tmp_path):
    features = {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}, "tags": [{"_type": "Value"}]}
    path = write_parquet(tmp_path / "a.parquet", {"text": list("abcd"), "label": [1, 0, -1, 2]}, features)
    assert [row["label"] for row in values_of(path)] == ["pos", "neg", "", "2"]


def test_texts_of_parquet_may_be_bytes(tmp_path):
    assert values_of(write_parquet(tmp_path / "a.parquet", {"text": ["naïve".encode()]})) == [{"text": "naïve"}]


@pytest.mark.parametrize("cut", [0, 10, 100, -1, -10])
def test_a_damaged_parquet_file_is_named(cut, tmp_path):
    path = write_parquet(tmp_path / "a.parquet", {"text": ["words " * 50] * 1000})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError, match=rf"'{tmp_path}/a\.parquet' is not a whole Parquet file"):
        values_of(path)


@pytest.fixture
def sheet(tmp_path):
    """Return a function that writes an Excel file with a sheet for each list of rows."""

    def write(*sheets):
        openpyxl = pytest.importorskip("openpyxl")
        book = openpyxl.Workbook()
        book.remove(book.active)
        for number, rows in enumerate(sheets, start=1):
            page = book.create_sheet(f"page {number}")
            for row in rows:
                page.append(row)
        book.save(tmp_path / "a.xlsx")
        return tmp_path / "a.xlsx"

    return write


def test_the_first_sheet_is_read_and_others_are_named(sheet, caplog):
    path = sheet([["text", "stars"], ["naïve, 😀", 1.0], [None, None], [None, 2.5], ["c", True]], [["other"]])
    assert list(sheet_rows(path)) == [["text", "stars"], ["naïve, 😀", "1"], ["", "2.5"], ["c", "True"]]
    assert caplog.messages == ["a.xlsx: only its first sheet 'page 1' is read; not used: 'page 2'."]


def test_a_damaged_excel_file_is_named(sheet):
    path = sheet([["text"], ["a"]])
    for content in (path.read_bytes()[:500], b"text", b""):
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"'{path}' is not a whole Excel file"):
            list(sheet_rows(path))


def test_excel_without_openpyxl_names_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (tmp_path / "a.xlsx").write_bytes(b"")
    with pytest.raises(UnavailableError, match=r"takes openpyxl; install it with: pip install .* as CSV") as caught:
        list(sheet_rows(tmp_path / "a.xlsx"))
    assert caught.value.exit_code == 69


def test_tables_are_known_by_their_names(tmp_path):
    for suffix in TABLES:
        for ending in ("", ".gz", ".XZ"):
            (tmp_path / f"a{suffix.upper()}{ending}").touch()
            assert is_table(tmp_path / f"a{suffix.upper()}{ending}")
    assert not is_table(tmp_path / "missing.csv")
    assert not is_table(tmp_path)
    assert json_records is READERS[".jsonl"]

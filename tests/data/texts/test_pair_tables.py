"""Tables with names of columns: which of them are the two languages."""

import gzip
import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from data.splits import DataError, OptionError
from data.tables import TableFormat
from data.texts.pair_sources import path_languages
from data.texts.sentence_pairs import sentence_pairs

PAIRS = [(f"Line {number}.", f"Zeile {number}.") for number in range(10)]


def read(path, source="en", target="de", **columns):
    return sentence_pairs(path, source, target, TableFormat(columns), 0.2, 0)


def rows_of(splits):
    return sorted((row["text"], row["translation"]) for split in splits for row in split)


def table(path, header, rows=PAIRS, sign=","):
    path.write_text(header + "\n" + "".join(sign.join(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("header", ["en,de", "EN,DE", "eng,deu", "en-US,de_DE", "en_XX,de_DE", "eng_Latn,deu_Latn"])
def test_codes_name_the_columns_without_a_notice(tmp_path, caplog, header):
    assert rows_of(read(table(tmp_path / "own.csv", header))) == PAIRS
    assert not caplog.text
    assert path_languages(tmp_path / "own.csv", TableFormat()) == ["en", "de"]


@pytest.mark.parametrize(
    "header",
    [
        "English,German",
        "source,target",
        "src,tgt",
        "english_sentence,german_sentence",
        "text_en,text_de",
        "English words/sentences,German words/sentences",
    ],
)
def test_other_names_are_read_with_a_notice(tmp_path, caplog, header):
    assert rows_of(read(table(tmp_path / "own.csv", header))) == PAIRS
    one, other = header.split(",")
    assert f"it reads column {one!r} as en, column {other!r} as de" in caplog.text


def test_other_columns_do_not_count(tmp_path):
    rows = [(str(number), *pair, "web") for number, pair in enumerate(PAIRS)]
    assert rows_of(read(table(tmp_path / "own.csv", "id,de,en,source", rows), "de", "en")) == PAIRS
    assert rows_of(read(table(tmp_path / "two.csv", "en_id,en_text,de_text,url", rows))) == PAIRS


def test_several_columns_of_a_language_are_refused_until_one_is_named(tmp_path):
    rows = [(one, one.upper(), other) for one, other in PAIRS]
    path = table(tmp_path / "own.csv", "en_text,en_title,de", rows)
    with pytest.raises(DataError, match=r"several columns for 'en': en_text, en_title.*--columns en=NAME"):
        read(path)
    assert rows_of(read(path, en="en_text")) == PAIRS


@pytest.mark.parametrize(
    "columns", [{"text": "2", "translation": "3"}, {"en": "2", "de": "3"}, {"eng": "b_b", "de": "c_c"}]
)
def test_columns_are_given_by_field_or_language(tmp_path, columns):
    rows = [(other, one, other) for one, other in PAIRS]
    assert rows_of(read(table(tmp_path / "own.csv", "a_a,b_b,c_c", rows), **columns)) == PAIRS


def test_columns_that_are_not_there_are_named(tmp_path):
    path = table(tmp_path / "own.csv", "sentence_a,sentence_b")
    with pytest.raises(DataError, match=r"no column 'en'; its columns are: sentence_a, sentence_b"):
        read(path)
    with pytest.raises(OptionError, match=r"no column 'x'; its columns are"):
        read(path, en="x", de="sentence_b")
    with pytest.raises(OptionError, match=r"names 'fr', which is not one of: text, translation, split, en, de"):
        read(path, fr="1")


def test_json_on_one_line_may_hold_columns_or_all_rows(tmp_path):
    columns = {"en": [one for one, _ in PAIRS], "de": [two for _, two in PAIRS]}
    for value in (columns, {"data": [{"en": one, "de": two} for one, two in PAIRS]}):
        (tmp_path / "own.json").write_text(json.dumps(value) + "\n")
        assert rows_of(read(tmp_path / "own.json")) == PAIRS


def test_an_encoding_that_is_not_told_is_named(tmp_path):
    (tmp_path / "own.tsv").write_bytes("".join(f"Size {n}\tGröße {n}\n" for n in range(9)).encode("latin-1"))
    with pytest.raises(DataError, match=r"own.tsv': line 1 is not in UTF-8.*--encoding latin-1"):
        read(tmp_path / "own.tsv")
    form = TableFormat(encoding="latin-1")
    splits = sentence_pairs(tmp_path / "own.tsv", "en", "de", form, 0.2, 0)
    assert ("Size 1", "Größe 1") in rows_of(splits)


@pytest.mark.parametrize("ending", ["jsonl", "json", "jsonl.gz", "parquet"])
def test_hugging_face_translations_are_read_without_a_notice(tmp_path, caplog, ending):
    rows = [{"id": number, "translation": {"de": two, "en": one}} for number, (one, two) in enumerate(PAIRS)]
    path = tmp_path / f"own.{ending}"
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    if ending == "parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path)
    else:
        content = json.dumps(rows) if ending == "json" else lines
        path.write_bytes(gzip.compress(content.encode()) if ending.endswith("gz") else content.encode())
    assert rows_of(read(path)) == PAIRS
    assert not caplog.text
    assert set(path_languages(path, TableFormat())) == {"en", "de"}


def test_a_column_split_tells_the_parts(tmp_path):
    rows = [(*pair, part) for pair, part in zip(PAIRS, ["train"] * 6 + ["dev"] * 2 + ["Test"] * 2, strict=True)]
    assert [len(part) for part in read(table(tmp_path / "own.csv", "en,de,split", rows))] == [6, 2, 2]


def test_tables_in_a_folder_are_parts_by_their_names(tmp_path, caplog):
    (tmp_path / "data").mkdir()
    for name, rows in (("train-00000-of-00002", PAIRS[:4]), ("train-00001-of-00002", PAIRS[4:8]), ("test", PAIRS[8:])):
        table(tmp_path / "data" / f"{name}.csv", "en,de", rows)
    (tmp_path / "dataset_infos.json").write_text("{}")
    assert [len(part) for part in read(tmp_path)] == [6, 2, 2]
    assert "training from data/train-00000-of-00002, data/train-00001-of-00002; testing from data/test" in caplog.text

"""Pairs of sentences from the user's own files."""

import gzip
import json
import logging

import pytest

from data.splits import DataError, OptionError
from data.texts.sentence_pairs import sentence_pairs

ENGLISH, GERMAN = [f"Line {number}." for number in range(10)], [f"Zeile {number}." for number in range(10)]


def write(folder, name, lines, pack=False):
    text = "".join(line + "\n" for line in lines)
    if pack:
        (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    else:
        (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    for name, count in (("train", 10), ("val", 2), ("test_b", 3), ("test_a", 4)):
        write(tmp_path, f"{name}.en", ENGLISH[:count], pack=name == "train")
        write(tmp_path, f"{name}.de", GERMAN[:count])
    return tmp_path


def read(path, source="en", target="de", **settings):
    return sentence_pairs(path, source, target, 0.2, 0, **settings)


def test_files_are_paired_by_name_and_language(folder):
    splits = read(folder)
    assert [len(split) for split in splits] == [10, 2, 4]
    assert splits.train[3] == {"text": "Line 3.", "translation": "Zeile 3."}
    assert read(folder, "de", "en").valid[1] == {"text": "Zeile 1.", "translation": "Line 1."}
    assert len(read(folder, test="test_b").test) == 3


def test_parts_that_have_no_files_are_cut_from_the_training_part(folder):
    for path in (*folder.glob("test*"), *folder.glob("val*")):
        path.unlink()
    splits = read(folder)
    assert [len(split) for split in splits] == [6, 2, 2]
    assert {row["text"] for split in splits for row in split} == set(ENGLISH)
    again = sentence_pairs(folder, "en", "de", 0.2, 7)
    assert (again.test == splits.test, again.valid == splits.valid) == (True, False)


@pytest.mark.parametrize("ending", ["tsv", "jsonl"])
def test_tables_have_a_column_for_each_language(tmp_path, ending):
    rows = [{"en": one, "de": other, "more": "x"} for one, other in zip(ENGLISH, GERMAN, strict=True)]
    texts = {
        "tsv": "en\tde\tmore\n" + "".join("\t".join(row.values()) + "\n" for row in rows),
        "jsonl": "".join(json.dumps(row) + "\n" for row in rows),
    }
    path = tmp_path / f"own.{ending}"
    path.write_text(texts[ending])
    splits = read(path)
    assert [len(split) for split in splits] == [6, 2, 2]
    assert set(splits.train[0]) == {"text", "translation"}
    with pytest.raises(DataError, match=r"no column 'fr'; its columns are: en, de.*--source and --target"):
        read(path, "fr")


def test_files_of_different_length_are_refused(folder):
    write(folder, "train.de", GERMAN[:9])
    with pytest.raises(DataError, match=r"'train.en' has 10 lines and 'train.de' has 9"):
        read(folder)


def test_a_file_that_stands_for_both_languages_is_refused(folder):
    write(folder, "val.de", ENGLISH[:2])
    with pytest.raises(DataError, match=r"'val.en' and 'val.de' hold the same text"):
        read(folder)


def test_pairs_with_an_empty_side_are_left_out_and_counted(folder, caplog):
    write(folder, "train.de", [*GERMAN[:4], "  ", *GERMAN[5:]])
    with caplog.at_level(logging.WARNING, "tasks"):
        assert len(read(folder).train) == 9
    assert "train: 1 pairs with an empty side are left out, the first in line 5" in caplog.text
    write(folder, "test_a.de", [""] * 4)
    with pytest.raises(DataError, match="'test_a' has no pair"):
        read(folder)


def test_what_is_missing_is_named(folder, tmp_path_factory):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read(folder / "nowhere")
    with pytest.raises(OptionError, match=r"no file 'test_c' to test on; choose one of: test_a, test_b"):
        read(folder, test="test_c")
    with pytest.raises(DataError, match=r"one language, and no file 'test_a.fr'"):
        read(folder, "en", "fr")
    with pytest.raises(DataError, match=r"no files that end in '.en' and '.de'"):
        read(tmp_path_factory.mktemp("empty"))
    (folder / "val.de").unlink()
    with pytest.raises(DataError, match=r"'val' in one language, and no file 'val.de'"):
        read(folder)


def test_damaged_files_are_named(folder):
    packed = (folder / "train.en.gz").read_bytes()
    (folder / "train.en.gz").write_bytes(packed[:-12])
    with pytest.raises(DataError, match=r"train.en.gz' is damaged"):
        read(folder)
    (folder / "train.en.gz").write_bytes(b"no gzip")
    with pytest.raises(DataError, match=r"train.en.gz' is damaged"):
        read(folder)
    (folder / "train.en.gz").write_bytes(packed)
    (folder / "train.de").write_bytes(b"\xff\xfe\n" * 10)
    with pytest.raises(DataError, match=r"train.de' is not in UTF-8"):
        read(folder)

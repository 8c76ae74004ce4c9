"""Pairs of sentences from the user's own files."""

import gzip
import json
import logging

import pytest

from data.splits import DataError, OptionError
from data.tables import TableFormat
from data.texts.sentence_pairs import all_pairs, sentence_pairs

ENGLISH, GERMAN = [f"Line {number}." for number in range(10)], [f"Zeile {number}." for number in range(10)]

PLAIN = TableFormat()


def write(folder, name, lines, pack=False, encoding="utf-8"):
    text = "".join(line + "\n" for line in lines).encode(encoding)
    (folder / (f"{name}.gz" if pack else name)).write_bytes(gzip.compress(text) if pack else text)


@pytest.fixture
def folder(tmp_path):
    for name, count in (("train", 10), ("val", 2), ("test_b", 3), ("test_a", 4)):
        write(tmp_path, f"{name}.en", ENGLISH[:count], pack=name == "train")
        write(tmp_path, f"{name}.de", GERMAN[:count])
    return tmp_path


def read(path, source="en", target="de", form=PLAIN, **settings):
    return sentence_pairs(path, source, target, form, 0.2, 0, **settings)


def test_files_are_paired_by_name_and_language(folder):
    splits = read(folder)
    assert [len(split) for split in splits] == [10, 2, 4]
    assert splits.train[3] == {"text": "Line 3.", "translation": "Zeile 3."}
    assert read(folder, "de", "en").valid[1] == {"text": "Zeile 1.", "translation": "Line 1."}
    assert len(read(folder, test="test_b").test) == 3


def test_parts_that_have_no_files_are_cut_from_the_training_part_and_it_is_said(folder, caplog):
    for path in (*folder.glob("test*"), *folder.glob("val*")):
        path.unlink()
    with caplog.at_level(logging.INFO, "tasks"):
        splits = read(folder)
    assert "names no test part; 2 of 10 examples are kept for testing (seed 0)" in caplog.text
    assert [len(split) for split in splits] == [6, 2, 2]
    assert {row["text"] for split in splits for row in split} == set(ENGLISH)
    again = sentence_pairs(folder, "en", "de", TableFormat(), 0.2, 7)
    assert (again.test == splits.test, again.valid == splits.valid) == (True, False)


def test_a_path_to_test_on_gives_its_test_part_or_else_all(folder, caplog):
    assert len(all_pairs(folder, "en", "de", TableFormat())) == 4
    assert "its test part is scored, 4 of 16 pairs" in caplog.text
    for path in folder.glob("test*"):
        path.unlink()
    assert len(all_pairs(folder, "en", "de", TableFormat())) == 12


def test_a_folder_of_test_files_alone_can_be_scored(folder):
    for path in (*folder.glob("train*"), *folder.glob("val*")):
        path.unlink()
    assert [len(split) for split in read(folder)] == [0, 0, 4]
    assert [len(split) for split in read(folder, test="test_b")] == [0, 0, 3]


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


def test_files_of_different_length_are_refused_with_both_counts(folder):
    write(folder, "train.de", GERMAN[:9])
    with pytest.raises(DataError, match=r"'train.en' has 10 lines and 'train.de' has 9.*broken in two"):
        read(folder)


def test_only_line_feeds_end_a_line(folder):
    odd = [f"One\u2028two\u0085three\x0bfour {number}" for number in range(10)]
    write(folder, "train.en", odd)
    (folder / "train.en.gz").unlink()
    (folder / "train.de").write_bytes("".join(f"{line}\r\n" for line in GERMAN).encode())
    assert read(folder).train[2] == {"text": odd[2], "translation": "Zeile 2."}


def test_a_file_that_stands_for_both_languages_is_refused(folder, caplog):
    write(folder, "val.de", ENGLISH[:2])
    with pytest.raises(DataError, match=r"'val' holds the same text in 'en' and 'de'"):
        read(folder)
    write(folder, "val.de", GERMAN[:2])
    write(folder, "train.de", [*ENGLISH[:7], *GERMAN[7:]])
    read(folder)
    assert "train: 7 of 10 pairs have the same text on both sides" in caplog.text


def test_pairs_with_an_empty_side_are_left_out_and_counted(folder, caplog):
    write(folder, "train.de", [*GERMAN[:4], "  ", *GERMAN[5:]])
    assert len(read(folder).train) == 9
    assert "train: 1 pairs with an empty side are left out, the first in line 5" in caplog.text
    write(folder, "test_a.de", [""] * 4)
    with pytest.raises(DataError, match="'test_a' has no pair"):
        read(folder)


def test_repeated_pairs_are_kept_and_counted(folder, caplog):
    for language, lines in (("en", ENGLISH), ("de", GERMAN)):
        write(folder, f"train.{language}", [*lines[:9], lines[0]], pack=language == "en")
    assert len(read(folder).train) == 10
    assert "1 of 10 training pairs repeat another one" in caplog.text


def test_languages_in_the_wrong_place_are_said(folder, caplog):
    english = [f"This is the line {number}, and it is not the same." for number in range(10)]
    german = [f"Das ist die Zeile {number}, und sie ist nicht gleich." for number in range(10)]
    (folder / "train.en.gz").unlink()
    write(folder, "train.en", german)
    write(folder, "train.de", english)
    read(folder)
    assert "train: its texts in 'en' look like 'de', and the other way round" in caplog.text
    for language in ("en", "de"):
        (folder / f"train.{language}").rename(folder / f"train.{'fr' if language == 'en' else 'es'}")
    caplog.clear()
    assert len(read(folder, "fr", "es").train) == 6
    assert "its texts in 'fr' look like 'de'" in caplog.text


def test_what_is_missing_is_named(folder, tmp_path_factory):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read(folder / "nowhere")
    with pytest.raises(OptionError, match=r"no file 'test_c' to test on; choose one of: test_a, test_b"):
        read(folder, test="test_c")
    with pytest.raises(DataError, match=r"no text in 'en' and 'fr'; its languages are: de, en"):
        read(folder, "en", "fr")
    with pytest.raises(DataError, match=r"no files that end in '.en' and '.de'"):
        read(tmp_path_factory.mktemp("empty"))
    (folder / "val.de").unlink()
    with pytest.raises(DataError, match=r"'val' in one language, and no file 'val.de'"):
        read(folder)


def test_encodings_are_told_or_named(folder):
    umlauts = [f"Größe {number}" for number in range(10)]
    write(folder, "train.de", umlauts, encoding="utf-16")
    assert read(folder).train[1]["translation"] == "Größe 1"
    write(folder, "train.de", umlauts, encoding="latin-1")
    with pytest.raises(DataError, match=r"train.de': line 1 is not in UTF-8.*--encoding latin-1"):
        read(folder)
    assert read(folder, form=TableFormat(encoding="latin-1")).train[1]["translation"] == "Größe 1"


def test_damaged_files_are_named(folder):
    packed = (folder / "train.en.gz").read_bytes()
    for content in (packed[:-12], b"no gzip"):
        (folder / "train.en.gz").write_bytes(content)
        with pytest.raises(DataError, match=r"train.en.gz' is damaged"):
            read(folder)

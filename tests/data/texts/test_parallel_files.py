"""Layouts of parallel files, each made small."""

import bz2
import gzip
import logging
import lzma
import zipfile

import pytest

from data.splits import DataError
from data.tables import TableFormat
from data.texts.pair_sources import path_languages
from data.texts.sentence_pairs import sentence_pairs

ENGLISH, GERMAN = [f"Line {number}." for number in range(10)], [f"Zeile {number}." for number in range(10)]
PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def packed(name, lines):
    content = "".join(f"{line}\n" for line in lines).encode()
    return next((pack(content) for ending, pack in PACKERS.items() if name.endswith(ending)), content)


def write(folder, files):
    """Write files: a pattern of their name, the words for the two languages, and how many lines they have."""
    for pattern, words, count in files:
        for word, lines in zip(words, (ENGLISH, GERMAN), strict=True):
            path = folder / pattern.format(word)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(packed(path.name, lines[:count]))


def read(path, source="en", target="de", test=None):
    return sentence_pairs(path, source, target, TableFormat(), 0.2, 0, test)


CODES, ROLES = ("en", "de"), ("src", "tgt")
LAYOUTS = {
    "moses": ([("train.{}", CODES, 8), ("valid.{}", CODES, 2), ("test.{}", CODES, 3)], [8, 2, 3]),
    "opennmt": ([("{}-train.txt", ROLES, 8), ("{}-val.txt", ROLES, 2), ("{}-test.txt", ROLES, 3)], [8, 2, 3]),
    "roles behind": ([("train.{}", ROLES, 8), ("val.{}", ("source", "target"), 2), ("test.{}", ROLES, 3)], [8, 2, 3]),
    "roles and codes": ([("{}", ("src-train.en", "tgt-train.de"), 8), ("dev.{}", CODES, 1)], [6, 1, 2]),
    "in the middle": ([("train_{}.txt", CODES, 8), ("dev-{}.txt", CODES, 2), ("test.{}.txt", CODES, 3)], [8, 2, 3]),
    "folders by language": ([("{}/train.txt", CODES, 8), ("{}/dev.txt", CODES, 2)], [6, 2, 2]),
    "folders twice": ([("{0}/train.{0}", CODES, 8), ("{0}/test.{0}", CODES, 3)], [6, 2, 3]),
    "folders by part": ([("train/a.{}", CODES, 8), ("dev/a.{}", CODES, 2), ("test/a.{}", CODES, 3)], [8, 2, 3]),
    "europarl": ([("europarl-v7.de-en.{}", CODES, 10)], [6, 2, 2]),
    "wmt": ([("training/europarl-v7.de-en.{}", CODES, 8), ("dev/newstest2013.{}", CODES, 3)], [6, 2, 3]),
    "packed": ([("train.{}", ("en.gz", "de.bz2"), 8), ("test.{}", ("en.xz", "de"), 3)], [6, 2, 3]),
    "regions": ([("train.{}", ("en_US", "de_DE"), 8), ("test.{}", ("en-GB", "de_AT"), 3)], [6, 2, 3]),
    "flores": ([("dev/{}_Latn.dev", ("eng", "deu"), 8), ("devtest/{}_Latn.devtest", ("eng", "deu"), 3)], [0, 8, 3]),
    "upper case": ([("TRAIN.{}", ("EN", "DE"), 8), ("Test.{}", ("En", "De"), 3)], [6, 2, 3]),
    "names": ([("train.{}", ("english", "german"), 8), ("test.{}", ("eng", "ger"), 3)], [6, 2, 3]),
    "tokenized": ([("train.{}", CODES, 8), ("dev.tok.clean.{}", CODES, 1), ("tst2013.{}", CODES, 1)], [8, 1, 1]),
    "years": ([("train.{}", CODES, 8), ("dev2010.{}", CODES, 2), ("newstest2014.{}", CODES, 3)], [8, 2, 3]),
    "sub-words": ([("train.bpe.{}", CODES, 8), ("valid.bpe.{}", CODES, 2), ("test.bpe.{}", CODES, 3)], [8, 2, 3]),
    "words in the name": ([("small_vocab_{}", CODES, 10)], [6, 2, 2]),
    "languages alone": ([("{}.txt", CODES, 10)], [6, 2, 2]),
    "tests alone": ([("newstest2014.{}", CODES, 3)], [0, 0, 3]),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_read_in_both_directions(tmp_path, name):
    files, counts = LAYOUTS[name]
    write(tmp_path, files)
    splits = read(tmp_path)
    assert [len(split) for split in splits] == counts
    assert all(row["text"][5:] == row["translation"][6:] for split in splits for row in split)
    assert {row["text"][:4] for split in splits for row in split} == {"Line"}
    if not any("src" in str(word) for _, words, _ in files for word in words):
        assert read(tmp_path, "de", "en").test[0]["translation"].startswith("Line")
        assert path_languages(tmp_path, TableFormat()) == ["en", "de"]


def test_the_outermost_files_are_read_and_files_of_words_are_not(tmp_path, caplog):
    write(tmp_path, [("train.{}", CODES, 8), ("old/train.{}", CODES, 4), ("test.{}", CODES, 3)])
    for name, lines in (("vocab.50K.en", ENGLISH), ("vocab.50K.de", GERMAN[:4]), ("train.en-de.ids", ENGLISH)):
        (tmp_path / name).write_bytes(packed(name, lines))
    assert [len(split) for split in read(tmp_path)] == [6, 2, 3]
    assert "not used, since they are in inner folders: old/train" in caplog.text


def test_a_file_brings_the_one_of_the_other_language_beside_it(tmp_path):
    write(tmp_path, [("corpus.{}", CODES, 10), ("test.{}", CODES, 3)])
    assert [len(split) for split in read(tmp_path / "corpus.en")] == [6, 2, 2]
    assert [len(split) for split in read(tmp_path / "corpus.de")] == [6, 2, 2]
    assert [len(split) for split in read(tmp_path / "test.en")] == [0, 0, 3]
    assert path_languages(tmp_path / "corpus.en", TableFormat()) == ["en", "de"]
    (tmp_path / "corpus.de").unlink()
    with pytest.raises(DataError, match=r"corpus.en' has one language alone, and no file for 'en' and 'de'"):
        read(tmp_path / "corpus.en")


def test_an_opus_zip_is_read_in_place(tmp_path, caplog):
    path = tmp_path / "de-en.txt.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, lines in (("OpenSubtitles.de-en.de", GERMAN), ("OpenSubtitles.de-en.en", ENGLISH)):
            archive.writestr(name, packed(name, lines))
        for name in ("README", "LICENSE", "OpenSubtitles.de-en.ids", "__MACOSX/._OpenSubtitles.de-en.de"):
            archive.writestr(name, "Not a sentence.\n")
    splits = read(path)
    assert [len(split) for split in splits] == [6, 2, 2]
    assert splits.train[0] == {"text": "Line 0.", "translation": "Zeile 0."}
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert path_languages(path, TableFormat()) == ["en", "de"]
    assert not caplog.text


def test_a_zip_of_a_folder_with_packed_files_is_read(tmp_path):
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, lines in (("d/train.en.gz", ENGLISH), ("d/train.de.xz", GERMAN), ("d/test.en", ENGLISH[:3])):
            archive.writestr(name, packed(name, lines))
        archive.writestr("d/test.de", packed("", GERMAN[:2]))
    with pytest.raises(DataError, match=r"'test.en' has 3 lines and 'test.de' has 2"):
        read(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"data.zip' is damaged"):
        read(path)


def test_lines_of_markup_in_both_files_are_left_out(tmp_path, caplog):
    write(tmp_path, [("train.tags.de-en.{}", CODES, 10)])
    for path in tmp_path.iterdir():
        path.write_text("<url>x.org</url>\n<title>One</title>\n" + path.read_text())
    assert sum(map(len, read(tmp_path))) == 10
    assert "2 lines of markup are left out" in caplog.text


def test_tables_beside_parallel_files_are_named_as_not_used(tmp_path, caplog):
    write(tmp_path, [("train.{}", CODES, 10)])
    (tmp_path / "val.references.jsonl").write_text('{"en": "A", "de": "B"}\n')
    with caplog.at_level(logging.WARNING, "tasks"):
        read(tmp_path)
    assert "not used beside the parallel files: val.references.jsonl" in caplog.text


def test_a_region_is_chosen_where_there_are_two(tmp_path):
    for language, word in (("pt_BR", "ônibus"), ("pt_PT", "autocarro"), ("en", "bus")):
        (tmp_path / f"train.{language}").write_text("".join(f"{word} {n}\n" for n in range(9)), encoding="utf-8")
    assert read(tmp_path, "en", "pt-PT").train[0]["translation"].startswith("autocarro")
    assert read(tmp_path, "en", "pt_BR").train[0]["translation"].startswith("ônibus")


def test_files_that_are_there_twice_are_named(tmp_path, caplog):
    write(tmp_path, [("train.{}", ("en", "zh_CN"), 10), ("train.{}", ("en.gz", "zh_TW"), 10)])
    assert sum(map(len, read(tmp_path, "en", "zh"))) == 10
    assert "not used, since another file has the same name and language: train.en.gz, train.zh_TW" in caplog.text


def test_files_that_are_not_text_do_not_count(tmp_path):
    write(tmp_path, [("train.{}", CODES, 10), ("test.en-de.{}.bin", CODES, 3), ("dict.{}.txt", CODES, 5)])
    assert [len(split) for split in read(tmp_path)] == [6, 2, 2]


def test_pairs_of_other_languages_beside_do_not_count(tmp_path):
    write(
        tmp_path,
        [("train.de-en.{}", CODES, 10), ("train.fr-en.{}", ("en", "fr"), 7), ("test.de-fr.{}", ("de", "fr"), 7)],
    )
    assert [len(split) for split in read(tmp_path)] == [6, 2, 2]
    assert sum(map(len, read(tmp_path, "fr", "en"))) == 7


@pytest.mark.parametrize("name", ["data.tar.gz", "data.tgz", "data.7z"])
def test_other_archives_are_refused_with_the_way_out(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError, match="is an archive that is not read; unpack it"):
        read(tmp_path / name)


def test_an_ending_of_other_files_may_be_a_language(tmp_path):
    write(tmp_path, [("train.{}", ("en", "pt"), 8), ("test.{}.gz", ("en", "pt"), 3)])
    (tmp_path / "model.pt").write_bytes(b"\x80\x02")
    assert [len(part) for part in read(tmp_path, "en", "pt")] == [6, 2, 3]

"""Tables without names of columns: sets of Anki, Tatoeba and the user's own."""

import zipfile

import pytest

from data.splits import DataError, OptionError
from data.tables import TableFormat
from data.texts.pair_sources import path_languages
from data.texts.sentence_pairs import sentence_pairs

ENGLISH = [f"This is the line {number}, and it is not the same." for number in range(10)]
GERMAN = [f"Das ist die Zeile {number}, und sie ist nicht gleich." for number in range(10)]
PAIRS = list(zip(ENGLISH, GERMAN, strict=True))
CREDIT = "CC-BY 2.0 (France) Attribution: tatoeba.org #1"


def read(path, source="en", target="de", **columns):
    return sentence_pairs(path, source, target, TableFormat(columns), 0.2, 0)


def rows_of(splits):
    return sorted((row["text"], row["translation"]) for split in splits for row in split)


def table(path, rows):
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["deu.txt", "deu.tsv", "pairs.tsv", "en-de.txt"])
@pytest.mark.parametrize("more", [(), (CREDIT,)])
def test_a_set_of_anki_is_read_in_both_directions(tmp_path, caplog, name, more):
    path = table(tmp_path / "deu-eng" / name, [(*pair, *more) for pair in PAIRS])
    assert rows_of(read(path)) == PAIRS
    assert f"{name} has no names of columns; it reads column 1 as en, column 2 as de." in caplog.text
    assert rows_of(read(path, "de", "en")) == sorted((two, one) for one, two in PAIRS)
    assert path_languages(path, TableFormat()) == ["en", "de"]


def test_short_sentences_are_not_names_of_columns(tmp_path):
    rows = [("The cat sleeps.", "Die Katze schläft."), ("Go.", "Geh."), ("Hi", "Hallo"), ("It", "Es")]
    assert rows_of(read(table(tmp_path / "own.tsv", rows))) == sorted(rows)
    assert rows_of(read(table(tmp_path / "own.tsv", rows[::-1]))) == sorted(rows)


def test_a_folder_or_zip_of_anki_is_read_without_its_notes(tmp_path):
    path = table(tmp_path / "deu-eng" / "deu.txt", [(*pair, CREDIT) for pair in PAIRS])
    table(path.parent / "_about.txt", [("About", "this", "set")])
    assert rows_of(read(path.parent)) == PAIRS
    with zipfile.ZipFile(tmp_path / "deu-eng.zip", "w") as archive:
        for file in path.parent.iterdir():
            archive.write(file, file.name)
    assert rows_of(read(tmp_path / "deu-eng.zip")) == PAIRS


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (lambda one, two: ("77", one, "98", two), "column 2 as en, column 4 as de"),
        (lambda one, two: ("98", two, "77", one), "column 2 as de, column 4 as en"),
        (lambda one, two: ("77", one, "98", two, CREDIT), "column 2 as en, column 4 as de"),
        (lambda one, two: ("98", "deu", two, "77", "eng", one), "column 3 as de, column 6 as en"),
        (lambda one, two: (two, one), "column 1 as de, column 2 as en"),
        (lambda one, two: (one, two, one), "column 1 as en, column 2 as de; columns of text that are not used: 3"),
    ],
)
def test_numbers_codes_and_words_tell_the_columns(tmp_path, caplog, row, said):
    path = table(tmp_path / "own.tsv", [row(*pair) for pair in PAIRS])
    assert rows_of(read(path)) == PAIRS
    assert said in caplog.text


def test_languages_follow_from_the_name_or_the_words(tmp_path):
    rows = [(f"mot {number}", f"wort {number}") for number in range(5)]
    assert path_languages(table(tmp_path / "fra.txt", rows), TableFormat()) == ["en", "fr"]
    assert path_languages(table(tmp_path / "fr-de.tsv", rows), TableFormat()) == ["fr", "de"]
    assert path_languages(table(tmp_path / "own.tsv", rows), TableFormat()) == []
    assert path_languages(table(tmp_path / "own.tsv", [pair[::-1] for pair in PAIRS]), TableFormat()) == ["de", "en"]
    assert path_languages(tmp_path / "own.tsv", TableFormat({"fr": "1", "de": "2"})) == ["fr", "de"]


def test_columns_are_given_by_number(tmp_path):
    path = table(tmp_path / "own.tsv", [("x y", two, one) for one, two in PAIRS])
    assert rows_of(read(path, en="3", de="2")) == PAIRS
    assert rows_of(read(path, text="3", translation="2")) == PAIRS
    for wrong in ({"en": "3"}, {"en": "3", "de": "4"}, {"en": "0", "de": "2"}):
        with pytest.raises(OptionError, match=r"has 3 columns without names; give the number of the column of each"):
            read(path, **wrong)
    with pytest.raises(OptionError, match=r"column 2 for both"):
        read(path, en="2", de="2")


def test_one_column_of_text_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"has 1 columns of text, and a pair takes two"):
        read(table(tmp_path / "own.tsv", [(str(number), one) for number, one in enumerate(ENGLISH)]))


def test_quotes_are_characters_and_rows_are_never_merged(tmp_path):
    rows = [('"Hi," he said.', '"Hallo", sagte er.'), ('Say "no.', 'Sag "nein.'), ("Go.", "Geh.")]
    assert rows_of(read(table(tmp_path / "deu.txt", rows))) == sorted(rows)

"""Vocabularies."""

import json
import logging

import numpy as np
import pytest

from data.texts.text import PAD, UNKNOWN, text_words
from data.texts.vocabulary import END, START, VOCABULARIES, Pieces, Words

TEXTS = ["A good film, a very good film.", "Bad film! Don't see it.", "So bad it's good?"] * 20
CASED = ["Ein Hund rennt über die Wiese.", "Zwei Hunde rennen.", "A dog runs; dogs run.", "Die Wiesen sind grün."] * 5


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_a_vocabulary_comes_back_from_json(kind):
    vocabulary = VOCABULARIES[kind].learn(TEXTS, 600)
    again = type(vocabulary).restore(json.loads(json.dumps(vocabulary.state())))
    assert again.size == vocabulary.size <= 600
    for word in ("good", "film", "!", "unheard", "שלום", "😀"):
        numbers = list(vocabulary.numbers(word))
        assert numbers == list(again.numbers(word))
        assert numbers
        assert all(PAD < number < vocabulary.size for number in numbers)


def test_words_are_numbered_by_frequency():
    vocabulary = Words.learn(TEXTS, 4)
    assert vocabulary.words == ["film", "good"]
    assert [list(vocabulary.numbers(word)) for word in ("film", "good", "bad")] == [[2], [3], [UNKNOWN]]


def test_a_vocabulary_larger_than_the_data_gives_says_so(caplog):
    with caplog.at_level(logging.INFO, "tasks"):
        vocabulary = Words.learn(TEXTS, 10_000)
    assert vocabulary.size == 2 + len({word.lower() for text in TEXTS for word in text_words(text)})
    assert "no more" in caplog.text
    assert Pieces.learn(TEXTS, 30_000).size < 30_000


def test_pieces_leave_no_text_unknown():
    vocabulary = Pieces.learn(TEXTS, 600)
    for word in ("zebra", "שלום", "😀", "ﬁ", "\u0000"):
        numbers = list(vocabulary.numbers(word))
        assert UNKNOWN not in numbers or word == "\u0000"
    assert list(vocabulary.numbers("film")) != list(vocabulary.numbers("filn"))


@pytest.fixture(params=["bpe", "unigram"])
def pieces(request):
    return Pieces.learn(CASED, 600, request.param, cased=True)


def numbers(pieces, text):
    return [number for word in text.split() for number in pieces.numbers(word)]


@pytest.mark.parametrize("text", ["Ein Hund rennt.", "Zürich, 日本 and 😀!", "don't (stop) -- 3.5%", "x" * 300])
def test_what_is_spelt_is_read_again(pieces, text):
    row = numbers(pieces, text)
    assert not {PAD, UNKNOWN, START, END} & set(row)
    assert pieces.text(row) == text
    assert pieces.text([START, *row, END, PAD]) == text
    assert type(pieces).restore(json.loads(json.dumps(pieces.state()))).numbers("Wiesen") == pieces.numbers("Wiesen")


def test_sampling_spells_the_same_words_in_other_ways(pieces):
    random = np.random.default_rng(0)
    for word in ("Hunde", "Wiese.", "grün", "日本"):
        ways = [tuple(pieces.sampled_spelling(word, 0.4, random)) for _ in range(40)]
        assert {pieces.text(way) for way in ways} == {word}
        assert {tuple(pieces.sampled_spelling(word, 0.0, random)) for _ in range(9)} == {tuple(pieces.numbers(word))}
    words = {word for text in CASED for word in text.split()}
    assert any(len({tuple(way) for way in pieces.spellings(word, 0.9)}) > 1 for word in words)
    again = type(pieces).restore(pieces.state())
    assert again.spellings("Wiesen", 0.3) == pieces.spellings("Wiesen", 0.3)


def test_our_byte_pair_encoding_is_the_librarys_where_no_merge_is_left_out():
    pieces = Pieces.learn(CASED, 600, "bpe", cased=True)
    assert not pieces.is_unigram
    for word in {word for text in CASED for word in text.split()} | {"Hundewiese", "runt", "ß"}:
        assert pieces.merged_numbers(word, 0.0, np.random.default_rng(0)) == list(pieces.numbers(word))

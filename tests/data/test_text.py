"""Text as numbers."""

import itertools
import json
import logging

import numpy as np
import pytest

from data.text import (
    PAD,
    UNKNOWN,
    VOCABULARIES,
    Pieces,
    Words,
    clean,
    ngrams,
    padded,
    thinned,
    truncated,
    width_of,
    widths,
    words,
)

TEXTS = ["A good film, a very good film.", "Bad film! Don't see it.", "So bad it's good?"] * 20


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("one<br /><br/>two<BR>three", "one two three"),
        ("fish &amp; chips &lt;3", "fish & chips <3"),
        ("cafe\u0301", "café"),
        ("a\x00b\ufeff \t\r\n c\u200b", "a b c"),
        ("  ", ""),
        ("", ""),
        ("שלום 😀", "שלום 😀"),
    ],
)
def test_cleaning(raw, cleaned):
    assert clean(raw) == cleaned
    assert clean(cleaned) == cleaned


def test_words_keep_their_apostrophes_and_marks_stand_alone():
    assert words("Don't stop... it\u2019s 50% off, naïve!") == [
        "Don't", "stop", ".", ".", ".", "it\u2019s", "50", "%", "off", ",", "naïve", "!",
    ]  # fmt: skip
    assert words("") == []
    assert words("😀 שלום") == ["😀", "שלום"]


@pytest.mark.parametrize(("keep", "kept"), [("start", [0, 1, 2]), ("end", [7, 8, 9]), ("both", [0, 1, 9])])
def test_truncation_keeps_the_end_that_it_says(keep, kept):
    assert list(truncated(range(10), 3, keep)) == kept
    assert list(truncated(range(3), 3, keep)) == [0, 1, 2]
    assert list(truncated(range(10), 1, keep)) == ([9] if keep == "end" else [0])


def test_widths_are_few_and_fit_the_lengths():
    lengths = np.random.default_rng(0).lognormal(5, 0.6, 5000).astype(int)
    found = widths(lengths, 800)
    assert found == sorted(set(found))
    assert len(found) <= 8
    assert found[-1] == 800
    read = np.minimum(lengths, 800)
    wasted = sum(width_of(length, found) for length in read) / read.sum()
    assert wasted < 1.2
    assert widths([3], 800) == [10, 800]
    assert widths([900, 20], 50) == [20, 50]
    assert widths([5], 7) == [7]


def test_no_other_widths_pad_less():
    lengths = np.random.default_rng(1).integers(1, 60, 40)

    def padding(found):
        return sum(width_of(length, found) for length in lengths)

    others = [[*chosen, 60] for chosen in itertools.combinations(range(10, 60, 10), 2)]
    assert padding(widths(lengths, 60, count=3)) == min(map(padding, others))


def test_a_text_is_padded_to_the_smallest_width_that_holds_it():
    assert [width_of(length, [10, 20, 40]) for length in (1, 10, 11, 40)] == [10, 10, 20, 40]
    np.testing.assert_array_equal(padded([[5], [6, 7]], 3), [[5, PAD, PAD], [6, 7, PAD]])


def test_pairs_are_hashed_and_each_is_there_once():
    row = [7, 8, 7, 8, 9]
    found = ngrams(row, 1 << 18)
    assert len(found) == 6  # 7 8 9, 78 87 89
    assert found.dtype == np.int32
    assert (np.diff(found) > 0).all()
    assert set(ngrams([7, 8], 1 << 18)) < set(found)
    assert not set(ngrams([8, 7], 1 << 18)) >= set(ngrams([7, 8], 1 << 18)), "the order of a pair counts"
    many = ngrams(np.random.default_rng(0).integers(2, 20_000, 100_000), 256)
    assert (many.min(), many.max()) == (1, 255)


def test_hashing_spreads_evenly():
    pairs = np.random.default_rng(0).integers(2, 20_000, 30_000)
    assert len(ngrams(pairs, 1 << 18)) > 0.85 * len(np.unique(pairs)) + 0.85 * 30_000


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
    assert vocabulary.known == ["film", "good"]
    assert [list(vocabulary.numbers(word)) for word in ("film", "good", "bad")] == [[2], [3], [UNKNOWN]]


def test_a_vocabulary_larger_than_the_data_gives_says_so(caplog):
    with caplog.at_level(logging.INFO, "tasks"):
        vocabulary = Words.learn(TEXTS, 10_000)
    assert vocabulary.size == 2 + len({word.lower() for text in TEXTS for word in words(text)})
    assert "no more" in caplog.text
    assert Pieces.learn(TEXTS, 30_000).size < 30_000


def test_pieces_leave_no_text_unknown():
    vocabulary = Pieces.learn(TEXTS, 600)
    for word in ("zebra", "שלום", "😀", "ﬁ", "\u0000"):
        numbers = list(vocabulary.numbers(word))
        assert UNKNOWN not in numbers or word == "\u0000"
    assert list(vocabulary.numbers("film")) != list(vocabulary.numbers("filn"))


def test_a_thinned_text_lacks_whole_spans():
    random = np.random.default_rng(0)
    row = list(range(100))
    found = [list(thinned(row, 0.3, random, span=10)) for _ in range(300)]
    assert 0.65 < np.mean([len(kept) for kept in found]) / 100 < 0.77
    for kept in found:
        assert kept == sorted(kept)
        assert len(kept) % 10 == 0
        assert all(kept[i + 9] == kept[i] + 9 and kept[i] % 10 == 0 for i in range(0, len(kept), 10))
    assert min(len(thinned(row, 0.95, random, span=10)) for _ in range(300)) == 10
    assert list(thinned(row[:10], 0.95, random, span=10)) == row[:10]
    assert thinned(row, 0.0, random) is row

"""Text as numbers."""

import itertools

import numpy as np
import pytest

from data.texts.text import (
    PAD,
    caption_words,
    clean_text,
    hashed_ngrams,
    padded_batch,
    padding_width,
    padding_widths,
    sequence_without_spans,
    text_words,
    truncated_sequence,
)


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
    assert clean_text(raw) == cleaned
    assert clean_text(cleaned) == cleaned


def test_words_keep_their_apostrophes_and_marks_stand_alone():
    assert text_words("Don't stop... it\u2019s 50% off, naïve!") == [
        "Don't", "stop", ".", ".", ".", "it\u2019s", "50", "%", "off", ",", "naïve", "!",
    ]  # fmt: skip
    assert text_words("") == []
    assert text_words("😀 שלום") == ["😀", "שלום"]


@pytest.mark.parametrize(("keep", "kept"), [("start", [0, 1, 2]), ("end", [7, 8, 9]), ("both", [0, 1, 9])])
def test_truncation_keeps_the_end_that_it_says(keep, kept):
    assert list(truncated_sequence(range(10), 3, keep)) == kept
    assert list(truncated_sequence(range(3), 3, keep)) == [0, 1, 2]
    assert list(truncated_sequence(range(10), 1, keep)) == ([9] if keep == "end" else [0])


def test_widths_are_few_and_fit_the_lengths():
    lengths = np.random.default_rng(0).lognormal(5, 0.6, 5000).astype(int)
    found = padding_widths(lengths, 800)
    assert found == sorted(set(found))
    assert len(found) <= 8
    assert found[-1] == 800
    read = np.minimum(lengths, 800)
    wasted = sum(padding_width(length, found) for length in read) / read.sum()
    assert wasted < 1.2
    assert padding_widths([3], 800) == [10, 800]
    assert padding_widths([900, 20], 50) == [20, 50]
    assert padding_widths([5], 7) == [7]


def test_no_other_widths_pad_less():
    lengths = np.random.default_rng(1).integers(1, 60, 40)

    def padding(found):
        return sum(padding_width(length, found) for length in lengths)

    others = [[*chosen, 60] for chosen in itertools.combinations(range(10, 60, 10), 2)]
    assert padding(padding_widths(lengths, 60, count=3)) == min(map(padding, others))


def test_a_text_is_padded_to_the_smallest_width_that_holds_it():
    assert [padding_width(length, [10, 20, 40]) for length in (1, 10, 11, 40)] == [10, 10, 20, 40]
    np.testing.assert_array_equal(padded_batch([[5], [6, 7]], 3), [[5, PAD, PAD], [6, 7, PAD]])


def test_pairs_are_hashed_and_each_is_there_once():
    row = [7, 8, 7, 8, 9]
    found = hashed_ngrams(row, 1 << 18)
    assert len(found) == 6  # 7 8 9, 78 87 89
    assert found.dtype == np.int32
    assert (np.diff(found) > 0).all()
    assert set(hashed_ngrams([7, 8], 1 << 18)) < set(found)
    assert not set(hashed_ngrams([8, 7], 1 << 18)) >= set(hashed_ngrams([7, 8], 1 << 18)), "the order of a pair counts"
    many = hashed_ngrams(np.random.default_rng(0).integers(2, 20_000, 100_000), 256)
    assert (many.min(), many.max()) == (1, 255)


def test_hashing_spreads_evenly():
    pairs = np.random.default_rng(0).integers(2, 20_000, 30_000)
    assert len(hashed_ngrams(pairs, 1 << 18)) > 0.85 * len(np.unique(pairs)) + 0.85 * 30_000


def test_a_thinned_text_lacks_whole_spans():
    random = np.random.default_rng(0)
    row = list(range(100))
    found = [list(sequence_without_spans(row, 0.3, random, span=10)) for _ in range(300)]
    assert 0.65 < np.mean([len(kept) for kept in found]) / 100 < 0.77
    for kept in found:
        assert kept == sorted(kept)
        assert len(kept) % 10 == 0
        assert all(kept[i + 9] == kept[i] + 9 and kept[i] % 10 == 0 for i in range(0, len(kept), 10))
    assert min(len(sequence_without_spans(row, 0.95, random, span=10)) for _ in range(300)) == 10
    assert list(sequence_without_spans(row[:10], 0.95, random, span=10)) == row[:10]
    assert sequence_without_spans(row, 0.0, random) is row


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("A child in a pink dress is climbing up stairs .", "a child in a pink dress is climbing up stairs"),
        ("A man's two-year-old; the dogs' owner!", "a man 's two-year-old the dogs owner"),
        ("I don't think they\u2019re here.", "i do n't think they 're here"),
        ('We cannot see the "T-shirt" (red).', "we can not see the t-shirt red"),
        ("A S.C.U.B.A. diver, 3,000 feet & 50% down", "a s.c.u.b.a. diver 3,000 feet & 50 % down"),
    ],
)
def test_the_words_of_a_caption_are_cut_as_the_scorers_of_coco_cut_them(text, cut):
    assert caption_words(text) == cut.split()

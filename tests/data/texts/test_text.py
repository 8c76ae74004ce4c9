"""Text as numbers."""

import itertools
import time

import numpy as np
import pytest

from data.texts.text import (
    PAD,
    caption_text,
    caption_words,
    clean_text,
    has_joined_words,
    padded_batch,
    padding_width,
    padding_widths,
    plain_marks,
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
        (
            "lo\u200bve\u2060ly so\xadft \u202ehidden\u202c \u200eleft\u200f \u2066isolated\u2069",
            "lovely soft hidden left isolated",
        ),
        ("\u0e01\u200b\u0e02", "\u0e01 \u0e02"),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u200ca\u200db\u200d",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 ab",
        ),
        ("it\x92s \x93good\x94 \x85 \x81", "it\u2019s \u201cgood\u201d \u2026"),
        ("a\u2028b\ud800c", "a b c"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
        ("  ", ""),
        ("", ""),
        ("שלום 😀", "שלום 😀"),
    ],
)
def test_cleaning(raw, cleaned):
    assert clean_text(raw) == cleaned
    assert clean_text(cleaned) == cleaned


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("<p>I <b>loved</b> this movie</p>", "I loved this movie"),
        ("<P ALIGN='CENTER'>One</P><p>two", "One two"),
        ('lo<b>ve</b>ly, <i class="x">H</i><sub>2</sub>O', "lovely, H2O"),
        ("<ul><li>one</li><li>two</li></ul><td>three</td>four", "one two three four"),
        ("one<br/>two<hr>three<img src=a.png alt='5 > 3' />four", "one two three four"),
        ("<!-- a > b --><!DOCTYPE html>a<script type=x>if (a<b) {}</script>b<STYLE>p > a {}</STYLE>c", "a b c"),
        ("<?xml version='1.0'?><seg id=\"1\">a</seg><![CDATA[b <em>c</em>]]>", "a b c"),
        ('<a href="x?a>b">link</a> <a href=http://x.org/?q=1&b=2>link</a>', "link link"),
        ("&amp;lt;br /&amp;gt;a &lt;p&gt;b&lt;/p&gt; &amp;amp;amp;amp;quot;", 'a b "'),
        ("&nbsp;caf&eacute; &#8217; &#x2019; &#146; &copy 1 &shy;", "caf\u00e9 \u2019 \u2019 \u2019 \u00a9 1"),
    ],
)
def test_markup_is_not_read(raw, cleaned):
    assert clean_text(raw) == cleaned
    assert clean_text(cleaned) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "I <3 it </3",
        "5 < 6 and 7 > 6",
        "x<y",
        "a < b > c, a< b>c",
        "if x<y and z>w",
        "a<b and c>d",
        "<- this -> and <-- that -->",
        ">_< <_<",
        "write to <john@example.com>, see <https://example.com/a>",
        "<p",
        "AT&T; R&D, rock&notroll, Q&A; black & white; a&b=c",
    ],
)
def test_what_only_looks_like_markup_stays(text):
    assert clean_text(text) == text


@pytest.mark.parametrize("part", ["<", "<a ", "<!--", "<a b='", "<script>", "&amp;", "amp;", "<b>", "<?x", "<p open "])
def test_broken_markup_takes_no_longer_than_other_text(part):
    start = time.perf_counter()
    clean_text("&" + part * 100_000 + "x>")
    assert time.perf_counter() - start < 5


def test_typographic_marks_are_read_as_plain_ones():
    marked = (
        "It\u2019s \u201cgood\u201d \u2018n\u2019 \u201enice\u201f \xabhere\xbb don\xb4t can`t \u201a\u201b\u2039\u203a"
    )
    assert plain_marks(marked) == 'It\'s "good" \'n\' "nice" "here" don\'t can\'t ' + 4 * "'"
    assert plain_marks("wait\u2026 so\u2014no, well\u2010known") == "wait... so - no, well-known"
    other = "\uff27\uff4f\uff4f\uff44\uff01 \uff02\uff07 \U0001d5f9\U0001d5fc\U0001d603\U0001d5f2 \ufb01ne"
    assert plain_marks(other) == "Good! \"' love fine"
    assert plain_marks("\u2764\ufe0f \uff76\uff9e") == "\u2764 \u30ac"
    kept = "caf\xe9 \xbd \u041f\u0440\u0438\u0432\u0435\u0442 \u4f60\u597d \U0001f600 \xe5 \u2122 \u2103 \u2116"
    assert plain_marks(kept) == kept


@pytest.mark.parametrize(
    "word",
    [
        "\u0939\u093f\u0928\u094d\u0926\u0940",
        "\u0641\u0650\u064a",
        "x\u0308\u0323y",
        "\u0645\u06cc\u200c\u062e\u0648\u0627",
        "l\u0302\u2019e\u0302",
    ],
)
def test_letters_and_the_marks_above_and_below_them_are_one_word(word):
    assert text_words(f"{word}, {word}!") == [word, ",", word, "!"]


CHINESE = "\u8fd9\u90e8\u7535\u5f71\u5f88\u597d\u770b\u3002"
THAI = "\u0e2b\u0e19\u0e31\u0e07\u0e40\u0e23\u0e37\u0e48\u0e2d\u0e07\u0e19\u0e35\u0e49\u0e14\u0e35"
KOREAN = "\uc774 \uc601\ud654\ub294 \uc7ac\ubbf8\uc788\ub2e4"


def test_scripts_without_spaces_are_noticed_unless_they_are_cut_into_words():
    assert has_joined_words([CHINESE] * 3)
    assert has_joined_words([THAI, "good", THAI])
    assert not has_joined_words(["\u8fd9 \u90e8 \u7535\u5f71 \u5f88 \u597d\u770b \u3002"] * 3)
    assert not has_joined_words(["a good film", KOREAN, CHINESE])


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
        ("A man\u02bcs \uff24og \u2018runs\u2019", "a man 's dog runs"),
        (
            "\u090f\u0915 \u0939\u0930\u093e \u0921\u0902\u0921\u093e!",
            "\u090f\u0915 \u0939\u0930\u093e \u0921\u0902\u0921\u093e",
        ),
        (
            "\u0637\u0650\u0641\u0644\u064c \u064a\u064e\u0644\u0639\u064e\u0628",
            "\u0637\u0650\u0641\u0644\u064c \u064a\u064e\u0644\u0639\u064e\u0628",
        ),
        ("\u0e40\u0e14\u0e47\u0e01\u0e1c\u0e39\u0e49", "\u0e40 \u0e14\u0e47 \u0e01 \u0e1c\u0e39\u0e49"),
        ("\u4e00\u53ea3D\u72d7\u3002", "\u4e00 \u53ea 3d \u72d7"),
        ("\uac1c\uac00 \uacf5\uc744", "\uac1c\uac00 \uacf5\uc744"),
        ("Cafe\u0301 d'e\u0301te\u0301", "caf\xe9 d'\xe9t\xe9"),
        ("A S.C.U.B.A. diver, 3,000 feet & 50% down", "a s.c.u.b.a. diver 3,000 feet & 50 % down"),
    ],
)
def test_the_words_of_a_caption_are_cut_as_the_scorers_of_coco_cut_them(text, cut):
    assert caption_words(text) == cut.split()


def test_captions_come_back_as_their_language_is_written():
    for text in (
        "\u4e00\u53ea\u72d7\u3002",
        "\u0e40\u0e14\u0e47\u0e01\u0e1c\u0e39\u0e49",
        "\u090f\u0915 \u0939\u0930\u093e\u0964",
        "A dog runs.",
    ):
        assert caption_text(" ".join(caption_words(text))) == text

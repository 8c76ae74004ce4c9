"""The grammar: German genders, cases and word order."""

import pytest

from data.builtin.sentences import Noun, composed_sentences, noun_phrase
from data.builtin.sets import pairs

NOUNS = {"m": Noun("dog", "Hund", "m"), "f": Noun("cat", "Katze", "f"), "n": Noun("horse", "Pferd", "n")}


@pytest.mark.parametrize(
    ("case", "forms"),
    [
        ("nominative", "der alte Hund/die alte Katze/das alte Pferd/ein alter Hund/eine alte Katze/ein altes Pferd"),
        ("accusative", "den alten Hund/die alte Katze/das alte Pferd/einen alten Hund/eine alte Katze/ein altes Pferd"),
        (
            "dative",
            "dem alten Hund/der alten Katze/dem alten Pferd/einem alten Hund/einer alten Katze/einem alten Pferd",
        ),
    ],
)
def test_articles_and_adjectives_are_declined(case, forms):
    found = [
        noun_phrase(NOUNS[gender], case, definite, ("old", "alt")) for definite in (True, False) for gender in "mfn"
    ]
    assert [german for _, german in found] == forms.split("/")
    assert [english for english, _ in found[3:]] == ["an old dog", "an old cat", "an old horse"]


def test_an_article_agrees_with_the_next_sound_and_a_stem_may_change():
    assert noun_phrase(NOUNS["m"], "nominative", False, None) == ("a dog", "ein Hund")
    assert noun_phrase(NOUNS["m"], "nominative", False, ("expensive", "teuer")) == (
        "an expensive dog",
        "ein teurer Hund",
    )


def test_sentences_are_different_whole_and_the_same_each_time():
    composed = composed_sentences(500)
    assert composed == composed_sentences(500)
    assert composed_sentences(700)[:500] == composed
    assert len({english for english, _ in composed}) == 500
    for english, german in composed:
        assert english[0].isupper()
        assert german[0].isupper()
        assert english[-1] == german[-1] in ".?"


def test_word_order_follows_the_kind_of_sentence():
    by_english = dict(composed_sentences(2100))
    for english, german in by_english.items():
        if english.startswith("Does "):
            assert german.endswith("?")
        if " because " in english:
            assert german.rstrip(".").split(", weil ")[1].split()[-1].endswith("t")
        if " does not " in english:
            assert german.endswith(" nicht.")


def test_the_embedded_pairs_are_enough_and_no_test_sentence_is_trained_on():
    train, test = pairs()
    assert len(train) + len(test) >= 1500
    assert len(test) == 300
    known = {row[language] for row in train for language in ("en", "de")}
    assert not {row[language] for row in test for language in ("en", "de")} & known
    assert all(row["en"].strip() and row["de"].strip() for row in train)

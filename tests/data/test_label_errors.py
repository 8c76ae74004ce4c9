"""Tests of wrong labels: planted ones are found, clean labels are left alone, and a weak model says little."""

import numpy as np
import pytest

from data.builtin import sets
from data.label_errors import label_doubts, suspects, wrong_chances
from data.pictures.near_pictures import thumbnail


def planted(labels, share, seed=0):
    """Return labels of which a share is another one, and where."""
    random = np.random.default_rng(seed)
    classes = sorted(set(labels))
    places = set(random.choice(len(labels), round(share * len(labels)), replace=False).tolist())
    step = random.integers(1, len(classes), len(labels))
    changed = [
        classes[(classes.index(label) + step[place]) % len(classes)] if place in places else label
        for place, label in enumerate(labels)
    ]
    return changed, places


@pytest.fixture(scope="module")
def digits():
    examples = sets.digits()[0][:1000]
    return np.stack([thumbnail(example["image"])[0] for example in examples]), [row["label"] for row in examples]


def test_planted_labels_of_digits_are_found_and_their_share_estimated(digits):
    labels, places = planted(digits[1], 0.03)
    doubts = label_doubts(digits[0], labels)
    found = list(suspects(doubts))
    hits = len(places & set(found))
    assert hits >= 0.9 * len(places)
    assert hits >= 0.85 * len(found)
    assert doubts.share[1] <= 0.03 <= doubts.share[2]
    assert np.mean([doubts.suggestions[place] == digits[1][place] for place in places]) > 0.9


def test_clean_labels_are_left_alone(digits):
    doubts = label_doubts(*digits)
    assert len(list(suspects(doubts))) <= 5
    assert doubts.share[1] < 0.003


def test_words_that_tell_the_class_show_planted_labels():
    random = np.random.default_rng(0)
    words = [f"word{number}" for number in range(50)]
    labels = ["good" if row % 2 else "bad" for row in range(600)]
    texts = [" ".join([*random.choice(words, 8), label, random.choice(["film", label])]) for label in labels]
    given, places = planted(labels, 0.02)
    found = list(suspects(label_doubts(texts, given)))
    assert len(places & set(found)) >= 10
    assert len(found) <= 15


def test_labels_that_no_model_can_tell_are_not_called_wrong():
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(["one", "two", "three", "four"], 6)) for _ in range(300)]
    assert len(list(suspects(label_doubts(texts, random.choice(["a", "b"], 300).tolist())))) <= 3


def test_the_share_of_wrong_labels_is_that_which_was_planted_where_scores_are_right():
    random = np.random.default_rng(0)
    scores = random.normal(0, 4, (4000, 2))
    chance = 1 / (1 + np.exp(scores[:, 0] - scores[:, 1]))
    truth = (random.random(4000) < chance).astype(int)
    wrong = random.random(4000) < 0.05
    chances, (share, low, high) = wrong_chances(scores / 3, np.where(wrong, 1 - truth, truth))
    assert low <= 0.05 <= high
    assert share == pytest.approx(0.05, abs=0.02)
    assert chances.sum() == pytest.approx(wrong.sum(), rel=0.3)  # chances are calibrated


def test_texts_without_a_common_word_show_nothing():
    texts = [f"word{number}" for number in range(20)]
    doubts = label_doubts(texts, ["a", "b"] * 10)
    assert list(suspects(doubts)) == []
    assert doubts.share[0] < 0.01

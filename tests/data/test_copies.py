"""Tests of copies: exact ones are counted as people count them, near ones are found without comparing all pairs."""

import numpy as np
import pytest

from data.builtin import sets
from data.copies import exact_copies, near_copies
from data.near_texts import bucket_pairs, near_texts
from data.pictures.near_pictures import near_pictures, thumbnail


def test_a_content_in_several_parts_counts_once_for_each_two_of_them():
    places = [("train", 0), ("train", 1), ("valid", 0), ("test", 0), ("test", 1), ("test", 2)]
    found = exact_copies(list("aaaaab"), places)
    assert found.within == {"train": 1, "test": 1}
    assert found.across == {("train", "valid"): 1, ("train", "test"): 1, ("valid", "test"): 1}
    assert found.tested == 1
    assert found.groups == [places[:5]]


def test_near_ones_of_near_ones_are_one_group():
    places = [("train", number) for number in range(5)] + [("test", 0)]
    found = near_copies([(3, 1), (1, 5)], places)
    assert found.groups == [[("train", 1), ("train", 3), ("test", 0)]]
    assert (found.within, found.tested) == ({"train": 1}, 1)


def test_texts_with_a_few_other_words_are_near():
    texts = [" ".join(row["text"] for row in sets.reviews()[0][start : start + 8]) for start in range(0, 320, 8)]
    changed = [text.replace("the", "that", 2).upper() + " Yes!" for text in texts]
    pairs = set(near_texts([*texts, *changed]))
    assert {(place, place + 40) for place in range(40)} - pairs == set()
    assert len(pairs) == 40


def test_the_pairs_of_one_bucket_grow_in_step_with_it():
    pairs = list(bucket_pairs(np.zeros(5000, "uint64")))
    assert len(pairs) < 10_000
    assert {place for pair in pairs for place in pair} == set(range(5000))


@pytest.mark.parametrize(
    "text", ["", "a", "\ud800", "\u72d7" * 3, "x" * 100_000], ids=["none", "one", "half", "cjk", "long"]
)
def test_any_text_can_be_compared(text):
    assert list(near_texts([text, text])) == [(0, 1)]


def test_a_brighter_a_smaller_and_a_noisy_copy_of_a_picture_are_near_and_others_are_not():
    random = np.random.default_rng(0)
    photos = [np.asarray(example["image"]) for example in sets.scenes()[1][:60]]
    noisy = [np.clip(photo + random.normal(3, 2, photo.shape), 0, 255).astype("uint8") for photo in photos]
    small = [photo.reshape(32, 2, 32, 2, 3).mean((1, 3)).astype("uint8") for photo in photos[:20]]
    found = [thumbnail(picture) for picture in (*photos, *noisy, *small)]
    pairs = set(near_pictures(np.stack([each[0] for each in found]), np.array([each[1] for each in found])))
    assert sum((place, place + 60) in pairs for place in range(60)) >= 59
    assert sum((place, place + 120) in pairs for place in range(20)) >= 10
    assert not [pair for pair in pairs if pair[0] < 60 and pair[1] < 60]

"""The embedded sets."""

import numpy as np

from data.builtin import sets
from data.builtin.sets import digits


def test_the_digits_are_scikit_learns_own_in_two_fixed_parts():
    train, test = digits()
    assert (len(train), len(test)) == (1438, 359)
    assert {example["label"] for example in train} == {example["label"] for example in test} == set("0123456789")
    assert train[0]["label"] == "0"
    assert train[0]["image"].dtype == np.uint8
    np.testing.assert_array_equal(train[0]["image"][0], [0, 0, 80, 207, 143, 16, 0, 0])  # 5, 13, 9 and 1 of 16


def test_photos_are_there_and_those_for_testing_are_others():
    train, test = sets.photos()
    assert (len(train), len(test)) == (9, 4)
    assert all(path.is_file() for path in (*train, *test))
    assert not set(train) & set(test)

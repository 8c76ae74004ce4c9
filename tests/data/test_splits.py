"""Splits: names of parts, examples made late, and fingerprints."""

import numpy as np
import pytest

from data.splits import LazyExamples, Splits, chunks, fingerprint, part_of

EXAMPLES = [{"text": str(number), "label": str(number % 2)} for number in range(50)]


def test_a_fingerprint_sees_every_value():
    def splits(value):
        return Splits([{"image": np.array([1, value], "uint8"), "label": "a"}], [], [])

    assert fingerprint(splits(2)) == fingerprint(splits(2))
    assert fingerprint(splits(2))["sha256"] != fingerprint(splits(3))["sha256"]
    assert fingerprint(splits(2))["train"] == 1


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("Train", "train"),
        ("VALIDATION", "valid"),
        ("dev", "valid"),
        ("val", "valid"),
        ("my-reviews.dev.tok.clean", "valid"),
        ("tst2013", "test"),
        ("newstest2014", "test"),
        ("devtest", "test"),
        ("train-00000-of-00002.parquet", "train"),
        ("trainset.csv", "train"),
        ("TestData.tsv", "test"),
        ("training_data", "train"),
        ("contest", None),
        ("testimonials", None),
        ("training_and_test", None),
        ("reviews", None),
        ("", None),
    ],
)
def test_whole_words_of_a_name_tell_the_part(name, part):
    assert part_of(name) == part


def test_chunks_hold_all_items_in_order_and_are_made_as_they_are_asked_for():
    assert list(chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(chunks([], 2)) == []
    source = iter(range(100))
    assert next(chunks(source, 3)) == [0, 1, 2]
    assert next(source) == 3


def test_examples_are_made_when_they_are_asked_for_and_once():
    made = []
    later = LazyExamples(lambda: made.append(1) or EXAMPLES[:3])
    assert made == []
    assert (len(later), later[1], list(later), later[:2]) == (3, EXAMPLES[1], EXAMPLES[:3], EXAMPLES[:2])
    assert made == [1]


def test_a_fingerprint_does_not_depend_on_where_files_lie(tmp_path):
    one, other, third = (
        fingerprint(Splits([{"image": folder / name, "captions": ["a"]}], [], []))
        for folder, name in ((tmp_path, "a.png"), (tmp_path / "b", "a.png"), (tmp_path, "c.png"))
    )
    assert one == other
    assert one != third

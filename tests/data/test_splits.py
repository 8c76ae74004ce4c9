"""Splits are cut by seed, and never overlap."""

import numpy as np
import pytest

from data.splits import DataError, LazyExamples, Splits, check_labels, fingerprint, holdout_split

EXAMPLES = [{"text": str(number), "label": str(number % 2)} for number in range(50)]


def test_a_part_is_held_out_by_seed():
    rest, held = holdout_split(EXAMPLES, 0.2, seed=3)
    assert len(held) == 10
    assert sorted(e["text"] for e in [*rest, *held]) == sorted(e["text"] for e in EXAMPLES)
    assert (rest, held) == holdout_split(EXAMPLES, 0.2, seed=3)
    assert held != holdout_split(EXAMPLES, 0.2, seed=4)[1]


@pytest.mark.parametrize("share", [0.001, 0.999])
def test_no_part_is_ever_empty(share):
    assert all(holdout_split(EXAMPLES[:2], share, seed=0))


def test_one_example_is_too_few():
    with pytest.raises(DataError, match="1 training examples"):
        holdout_split(EXAMPLES[:1], 0.5, seed=0)


def test_a_limit_cuts_every_split():
    splits = Splits(EXAMPLES[:30], EXAMPLES[30:33], EXAMPLES[33:])
    assert [len(split) for split in splits.with_limit(5)] == [5, 3, 5]
    assert splits.with_limit(None) == splits


def test_a_fingerprint_sees_every_value():
    def splits(value):
        return Splits([{"image": np.array([1, value], "uint8"), "label": "a"}], [], [])

    assert fingerprint(splits(2)) == fingerprint(splits(2))
    assert fingerprint(splits(2))["sha256"] != fingerprint(splits(3))["sha256"]
    assert fingerprint(splits(2))["train"] == 1


def labelled(*labels):
    return [{"label": label} for label in labels]


@pytest.mark.parametrize(
    ("splits", "said"),
    [
        (Splits(labelled("a", "a"), labelled("a"), labelled("a")), "one class only, 'a'"),
        (Splits(labelled("a", "b"), labelled("a"), labelled("c")), "'c' is among the test examples and not"),
        (Splits(labelled("a", "b"), labelled("c"), labelled("a")), "'c' is among the validation examples and not"),
    ],
)
def test_labels_that_cannot_be_learnt_are_refused(splits, said):
    with pytest.raises(DataError, match=said):
        check_labels(splits)


def test_a_class_without_test_examples_is_no_fault():
    check_labels(Splits(labelled("a", "b"), labelled("a"), labelled("a")))


def test_examples_are_made_when_they_are_asked_for_and_once():
    made = []
    later = LazyExamples(lambda: made.append(1) or EXAMPLES[:3])
    assert Splits(later, later, later).with_limit(None).train is later
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

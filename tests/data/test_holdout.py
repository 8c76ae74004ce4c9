"""Parts are drawn by seed, each class in proportion, and never overlap."""

import logging
from collections import Counter

import pytest

from data.holdout import (
    TEST_SEED,
    class_quotas,
    completed_splits,
    holdout_split,
    limited_examples,
    limited_splits,
    repeated_inputs,
    scored_examples,
)
from data.splits import DataError, LazyExamples, Splits

EXAMPLES = [{"text": str(number), "label": str(number % 2)} for number in range(50)]


def labelled(**counts):
    """Return sorted examples, so many of each class."""
    return [{"text": f"{label}{number}", "label": label} for label in counts for number in range(counts[label])]


def counts(examples):
    return dict(Counter(example["label"] for example in examples))


def texts(examples):
    return [example["text"] for example in examples]


def test_a_part_is_held_out_by_seed():
    rest, held = holdout_split(EXAMPLES, 0.2, seed=3)
    assert len(held) == 10
    assert sorted(texts([*rest, *held])) == sorted(texts(EXAMPLES))
    assert (rest, held) == holdout_split(EXAMPLES, 0.2, seed=3)
    assert held != holdout_split(EXAMPLES, 0.2, seed=4)[1]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.01, 0.1, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("sizes", [{"a": 10, "b": 10}, {"a": 97, "b": 3}, {"a": 1, "b": 1, "c": 8}, {"a": 2, "b": 2}])
def test_each_class_is_held_out_in_proportion_and_keeps_an_example(sizes, share, seed):
    rest, held = holdout_split(labelled(**sizes), share, seed)
    assert len({*texts(rest), *texts(held)}) == len(rest) + len(held) == sum(sizes.values())
    assert 1 <= len(held) <= max(round(share * sum(sizes.values())), 1)
    for label, size in sizes.items():
        assert counts(rest)[label] >= 1
        assert abs(counts(held).get(label, 0) - share * size) <= 1


@pytest.mark.parametrize("share", [0.001, 0.999])
def test_no_part_is_ever_empty(share):
    assert all(holdout_split([{"text": "a"}, {"text": "b"}], share, seed=0))
    assert all(holdout_split(range(2), share, seed=0))


def test_too_few_examples_are_refused():
    with pytest.raises(DataError, match="1 training examples are too few"):
        holdout_split(EXAMPLES[:1], 0.5, seed=0)
    with pytest.raises(DataError, match="Each class has one example only"):
        holdout_split(labelled(a=1, b=1, c=1), 0.5, seed=0)


def test_quotas_go_to_the_largest_remainders():
    assert class_quotas({"a": (6, 6), "b": (3, 3), "c": (1, 1)}, 4) == {"a": 2, "b": 1, "c": 1}
    assert class_quotas({"a": (50, 49), "b": (1, 0)}, 10) == {"a": 10, "b": 0}


@pytest.mark.parametrize("limit", [2, 3, 10, 59])
def test_a_limit_takes_each_class_of_a_sorted_set_in_proportion_and_in_order(limit):
    examples = labelled(a=40, b=20)
    found = limited_examples(examples, limit, seed=0)
    assert len(found) == limit
    assert texts(found) == [text for text in texts(examples) if text in texts(found)]
    assert abs(counts(found)["b"] - limit / 3) <= 1
    assert found == limited_examples(examples, limit, seed=0)


def test_a_limit_depends_on_the_seed_and_none_keeps_all():
    examples = labelled(a=40, b=20)
    assert limited_examples(examples, 10, seed=0) != limited_examples(examples, 10, seed=1)
    for limit in (None, 60, 100):
        assert limited_examples(examples, limit, seed=0) is examples


def test_a_limit_cuts_every_split():
    splits = Splits(EXAMPLES[:30], EXAMPLES[30:33], EXAMPLES[33:])
    assert [len(split) for split in limited_splits(splits, 5, 0)] == [5, 3, 5]
    assert limited_splits(splits, None, 0) == splits


def test_no_limit_leaves_examples_unmade():
    made = []
    later = LazyExamples(lambda: made.append(1) or EXAMPLES[:3])
    assert limited_splits(Splits(later, later, later), None, 0).train is later
    assert made == []


def test_missing_parts_are_drawn_from_the_training_part_and_said_with_their_seed(caplog):
    caplog.set_level(logging.INFO)
    splits = completed_splits(Splits(EXAMPLES, [], []), 0.25, 7, "a.csv")
    assert [len(split) for split in splits] == [30, 10, 10]
    assert len({*texts(splits.train), *texts(splits.valid), *texts(splits.test)}) == 50
    assert caplog.messages == [
        f"a.csv names no test part; 10 of 50 examples are kept for testing (seed {TEST_SEED}).",
        "a.csv names no validation part; 10 of 40 examples are kept for validation (seed 7).",
    ]
    other = completed_splits(Splits(EXAMPLES, [], []), 0.25, 8, "a.csv")
    assert other.test == splits.test
    assert other.valid != splits.valid


def test_given_parts_stay_as_they_are(caplog):
    caplog.set_level(logging.INFO)
    splits = Splits(EXAMPLES[:30], EXAMPLES[30:33], EXAMPLES[33:])
    assert completed_splits(splits, 0.2, 0, "a") == splits
    for alone in (Splits([], [], EXAMPLES), Splits([], EXAMPLES, [])):
        assert completed_splits(alone, 0.2, 0, "a") == alone
    assert not caplog.records


def test_what_is_scored_is_the_test_part_or_all(caplog):
    assert scored_examples(Splits([], [], EXAMPLES), "a") == EXAMPLES
    assert scored_examples(Splits(EXAMPLES[:9], EXAMPLES[9:], []), "a") == EXAMPLES
    assert not caplog.records
    assert scored_examples(Splits(EXAMPLES[:9], [], EXAMPLES[9:]), "a") == EXAMPLES[9:]
    assert caplog.messages == ["a: its test part is scored, 41 of 50 examples."]


def test_texts_of_the_training_part_are_counted_in_the_others():
    splits = Splits(
        [{"text": "A  film."}, {"text": "b"}], [{"text": "c"}], [{"text": "a film. "}, {"text": "B"}, {"text": "d"}]
    )
    assert repeated_inputs(splits, "text") == {"test": 2}
    assert repeated_inputs(splits._replace(valid=splits.train), "text") == {"valid": 2, "test": 2}
    assert repeated_inputs(Splits(splits.train, [], []), "text") == {}

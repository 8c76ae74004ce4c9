"""Labels of other data for the classes of a run."""

import pytest

from data.labels import relabelled_examples
from data.splits import DataError
from tasks.toolbox.labels import aligned_examples, balanced_weights, warn_of_unanswered_classes

CLASSES = ["neg", "pos"]


def aligned(labels, names=None, classes=CLASSES):
    examples = [{"label": label, "row": row} for row, label in enumerate(labels)]
    found = aligned_examples(relabelled_examples(examples, names or {}), classes)
    assert [example["row"] for example in found] == list(range(len(labels)))
    return [example["label"] for example in found]


def test_labels_are_matched_in_any_case_and_with_spaces():
    assert aligned([" POS", "Neg ", "pos", "neg"]) == ["pos", "neg", "pos", "neg"]
    assert aligned(["3.0", "4"], classes=["3", "4"]) == ["3", "4"]
    assert aligned(["a", "A"], classes=["A", "a"]) == ["a", "A"]


def test_labels_are_matched_by_their_beginning_with_a_notice(caplog):
    with caplog.at_level("WARNING", "tasks"):
        assert aligned(["positive", "Negative"]) == ["pos", "neg"]
    assert "'positive' as 'pos'" in caplog.text


@pytest.mark.parametrize(
    "labels",
    [["0", "1"], ["1"], ["pos", "neg", "unsup"], ["pos", "positive"], ["1", "2", "3", "4", "5"], ["good", "neg"]],
    ids=" ".join,
)
def test_alien_labels_are_refused_with_both_sets_and_the_way_out(labels):
    with pytest.raises(DataError, match=r"classes of the run are 'neg', 'pos'\..*--labels [a-z0-9]+=") as error:
        aligned(labels)
    assert all(repr(label) in str(error.value) for label in labels)


def test_labels_are_mapped_as_the_user_says():
    assert aligned(["1", "0", "1"], {"1": "pos", "0": "neg"}) == ["pos", "neg", "pos"]
    assert aligned(["1.0", "0.0"], {"1": "Pos", "0": "neg "}) == ["pos", "neg"]
    assert aligned(["good", "neg"], {"good": "pos"}) == ["pos", "neg"]
    several = {"1": "neg", "2": "neg", "4": "pos", "5": "pos"}
    assert aligned(["1", "2", "4", "5"], several) == ["neg", "neg", "pos", "pos"]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ({"1": "pos", "0": "bad"}, "labels of the data are 'bad', 'pos'; the classes of the run are 'neg', 'pos'"),
        ({"2": "neg"}, "no label '2', which --labels names; its labels are: 0, 1"),
        ({"1": "pos"}, "--labels 0=neg"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(names, sentence):
    with pytest.raises(DataError, match=sentence):
        aligned(["1", "0"], names)


def test_classes_that_are_never_answered_are_named(caplog):
    answers = [{"label": "a"}] * 4
    with caplog.at_level("WARNING", "tasks"):
        warn_of_unanswered_classes(answers, ["a"] * 4)
    assert not caplog.text
    with caplog.at_level("WARNING", "tasks"):
        warn_of_unanswered_classes(answers, list("abba"), "or wait")
        warn_of_unanswered_classes(answers, list("abca"))
    assert "Class 'b' is never answered" in caplog.text
    assert "or wait." in caplog.text
    assert "Classes 'b', 'c' are never answered" in caplog.text


def test_balanced_classes_weigh_the_same():
    labels = ["a"] * 8 + ["b"] * 2
    weights = dict(zip("ab", balanced_weights(labels, ["a", "b"]), strict=True))
    assert 8 * weights["a"] == 2 * weights["b"] == 5

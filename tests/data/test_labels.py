"""Labels are cleaned with a notice, and what cannot be learnt or compared is left out or refused."""

import pytest

from data.labels import check_labels, cleaned_labels, label_names, relabelled_splits
from data.splits import DataError, LazyExamples, Splits


def labelled(*labels):
    return [{"text": str(number), "label": label} for number, label in enumerate(labels)]


def labels(examples):
    return [example["label"] for example in examples]


def clean(train, valid=(), test=()):
    """Return the labels of each part after cleaning."""
    return [
        labels(part) for part in cleaned_labels(Splits(labelled(*train), labelled(*valid), labelled(*test)), "a.csv")
    ]


def test_labels_that_differ_by_blanks_or_case_become_the_most_frequent(caplog):
    written = ["positive ", "Positive", "positive", "positive", " neg", "NEG", "NEG", "very  good", "very good"]
    assert clean(written)[0] == ["positive"] * 4 + ["NEG"] * 3 + ["very good"] * 2
    assert caplog.messages == [
        "a.csv: labels read as others: 'positive ' as 'positive', 'Positive' as 'positive', ' neg' as 'NEG', "
        "'very  good' as 'very good'."
    ]


def test_the_parts_are_cleaned_alike():
    assert clean(["Pos", "neg", "neg"], ["pos"], ["POS ", "pos", "Neg"]) == [
        ["pos", "neg", "neg"],
        ["pos"],
        ["pos", "pos", "neg"],
    ]


def test_single_letters_stay_apart(caplog):
    assert clean(["A", "a", "B", "b "]) == [["A", "a", "B", "b"], [], []]
    assert caplog.messages == ["a.csv: labels read as others: 'b ' as 'b'."]


def test_whole_numbers_lose_their_fraction_unless_others_have_one(caplog):
    assert clean(["1.0", "0", "-1.0", "1"])[0] == ["1", "0", "-1", "1"]
    assert clean(["1.0", "0.5"])[0] == ["1.0", "0.5"]
    assert clean(["v1.0", "v2"])[0] == ["v1.0", "v2"]


def test_accents_written_in_two_ways_are_one_label():
    assert len({*label_names({"caf\u00e9": 2, "cafe\u0301": 1}).values()}) == 1


def test_clean_labels_need_no_notice(caplog):
    assert clean(["pos", "neg"], ["pos"], ["neg", "pos"]) == [["pos", "neg"], ["pos"], ["neg", "pos"]]
    assert not caplog.records


def test_many_changes_are_not_all_listed(caplog):
    clean([f"label {number} " for number in range(100)])
    assert caplog.messages[0].endswith("'label 4 ' as 'label 4' and 95 more.")


def test_examples_without_a_label_are_left_out_with_their_number(caplog):
    assert clean(["pos", "", " ", "neg"], [], ["pos", "neg", "\u00a0"]) == [["pos", "neg"], [], ["pos", "neg"]]
    assert caplog.messages == ["a.csv: 3 examples without a label are left out."]


def test_a_class_that_only_the_training_part_has_is_left_out_with_a_notice(caplog):
    assert clean(["pos", "neg", "unsup", "unsup"], [], ["pos", "neg"]) == [["pos", "neg"], [], ["pos", "neg"]]
    assert caplog.messages == ["a.csv: class 'unsup' is only in the training part; its 2 examples are left out."]


def test_no_class_is_left_out_where_there_is_nothing_to_compare_with_or_too_little(caplog):
    assert clean(["pos", "neg", "rare"])[0] == ["pos", "neg", "rare"]
    assert clean(["pos", "neg"], [], ["pos"])[0] == ["pos", "neg"]
    assert clean(["pos", "neg", "rare"], ["rare"], ["pos", "neg"])[0] == ["pos", "neg", "rare"]
    assert not caplog.records


def test_a_part_without_labels_is_not_used(caplog):
    assert clean(["0", "1"], ["1", "0"], ["-1", "-1", "-1"]) == [["0", "1"], ["1", "0"], []]
    assert caplog.messages == [
        "a.csv: all 3 test examples have the label '-1', which no training example has; they are not used."
    ]
    assert clean(["0", "1", "-1"], [], ["-1", "-1"])[2] == ["-1", "-1"]  # -1 can be a class


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((["a", "a"], ["a"], ["a"]), "one class only, 'a'"),
        ((["a", "b"], ["a"], ["c", "a"]), "'c' is among the test examples and not among the training examples: a, b"),
        ((["a", "b"], ["c"], ["a"]), "'c' is among the validation examples and not"),
    ],
)
def test_labels_that_cannot_be_learnt_are_refused(parts, said):
    with pytest.raises(DataError, match=said):
        check_labels(Splits(*(labelled(*part) for part in parts)))


def test_a_class_without_test_examples_is_no_fault_and_a_test_part_alone_passes():
    check_labels(Splits(labelled("a", "b"), labelled("a"), labelled("a")))
    check_labels(Splits([], [], labelled("a")))


def renamed(names, *parts):
    return [labels(part) for part in relabelled_splits(Splits(*(labelled(*part) for part in parts)), names)]


def test_labels_are_mapped_whatever_their_case_and_blanks():
    found = renamed({"Positive": "pos", "2": "pos"}, ["positive", "neg", "2.0"], ["POSITIVE "], [])
    assert found == [["pos", "neg", "pos"], ["pos"], []]


def test_a_name_without_label_is_refused_or_said(caplog):
    with pytest.raises(DataError, match=r"no label 'good', which --labels names; its labels are: neg, pos"):
        renamed({"good": "pos"}, ["pos", "neg"], [], [])
    assert renamed({"good": "pos", "bad": "neg"}, ["good", "bad"], ["good"], []) == [["pos", "neg"], ["pos"], []]
    assert caplog.messages == ["The data has no label 'bad', which --labels names; its labels are: good."]


def test_examples_that_are_made_later_are_mapped_later():
    made = []
    later = LazyExamples(lambda: made.append(1) or labelled("good"))
    found = relabelled_splits(Splits(later, [], labelled("good")), {"good": "pos"})
    assert made == []
    assert labels(found.train) == labels(found.test) == ["pos"]
    assert isinstance(found.test, list)
    same = Splits([], [], [])
    assert relabelled_splits(same, {}) is same

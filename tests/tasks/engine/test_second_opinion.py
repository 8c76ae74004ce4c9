"""What a run that ships says of labels: only where its classes are those of the data, and it has not seen them."""

import numpy as np

import tasks
from data.builtin import sets
from tasks.engine.second_opinion import MOST, report_scores, shipped_scores
from tasks.engine.task import Report

REVIEWS = [{"text": row["text"], "label": row["label"]} for row in sets.reviews()[1][:40]]
CLASSES = ["negative", "positive"]


def test_labels_of_another_name_are_those_of_the_run_and_the_answers_are_about_them():
    scores = shipped_scores(tasks.get("sentiment"), REVIEWS, CLASSES, "reviews.csv")
    assert scores.shape == (40, 2)
    np.testing.assert_allclose(np.exp(scores).sum(1), 1, atol=1e-5)
    right = [CLASSES[row.argmax()] == example["label"] for row, example in zip(scores, REVIEWS, strict=True)]
    assert np.mean(right) > 0.6


def test_a_run_is_not_asked_about_its_own_data_other_classes_or_more_than_it_can_answer_soon():
    task = tasks.get("sentiment")
    for data in ("imdb_reviews", "builtin", "opinions", "own.csv,builtin"):
        assert shipped_scores(task, REVIEWS, CLASSES, data) is None
    other = [row | {"label": "joy" if place % 2 else "anger"} for place, row in enumerate(REVIEWS)]
    assert shipped_scores(task, other, ["anger", "joy"], "moods.csv") is None
    assert shipped_scores(task, REVIEWS * (MOST // 40 + 1), CLASSES, "many.csv") is None


def test_answers_without_probabilities_have_no_scores():
    entry = {"input": "a", "answer": {"caption": "a dog"}, "reference": "a dog"}
    report = Report({}, [], {}, entry=lambda place: entry)
    assert report_scores(report, ["a dog"], ["a dog"]) is None
    assert report_scores(Report({}, [], {}), ["a"], ["a"]) is None

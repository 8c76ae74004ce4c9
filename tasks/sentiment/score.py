"""Scores of a split of texts: metrics, answers and figures."""

from collections.abc import Sequence

import numpy as np

from data.splits import Examples
from tasks.engine.config import JsonObject
from tasks.engine.task import Pipeline, Report
from tasks.sentiment.classify import class_probabilities
from tasks.sentiment.config import Config
from tasks.sentiment.reading import limits, warn_of_unknown_words
from tasks.toolbox import figures, metrics
from tasks.toolbox.joined import set_metrics
from tasks.toolbox.labels import aligned_examples, class_answers, mistakes, warn_of_unanswered_classes
from tasks.toolbox.measures import class_measures

MISTAKES = 50  # mistakes kept
OWN = ("accuracy", "accuracy_low", "accuracy_high", "f1")  # metrics that come first
GROUPS = ("set", "kind")  # fields of examples by which metrics are parted


def score(pipeline: Pipeline[Config], examples: Examples) -> Report:
    """Return accuracy and its interval, F1, area under the ROC curve, calibration error and confusion matrix.

    If the examples are of several sets, or of several kinds, accuracy and F1 of each follow: `accuracy_negation`.
    """
    codec, classes = pipeline.codec, pipeline.codec.classes
    examples = aligned_examples(examples, classes)
    texts = codec.readings(example["text"] for example in examples)
    warn_of_unknown_words(texts, "scored")
    rows = [text.tokens for text in texts]
    chances = class_probabilities(pipeline, rows)
    answers = class_answers(classes, chances)
    truth = [example["label"] for example in examples]
    warn_of_unanswered_classes(answers, truth, "or with --class-weights balanced")

    def metrics_of(places: Sequence[int]) -> JsonObject:
        own, given = [truth[place] for place in places], [answers[place]["label"] for place in places]
        return metrics.classification_metrics(own, given, classes)

    def short_metrics(places: Sequence[int]) -> JsonObject:
        found = metrics_of(places)
        return {name: found[name] for name in OWN}

    found = metrics_of(range(len(answers)))
    right = np.array([answer["label"] == label for answer, label in zip(answers, truth, strict=True)])
    reliability = metrics.reliability_rows(chances.max(1), right)
    own = {name: found[name] for name in OWN}
    own |= {"auc": metrics.ranking_area(truth, chances, classes), "ece": metrics.calibration_error(reliability)}
    for group in GROUPS:
        own |= set_metrics([example.get(group) for example in examples], short_metrics, [*own, *found])
    _, shown = mistakes(answers, truth, MISTAKES)

    def entry(place: int) -> JsonObject:
        answer = answers[place] | limits(texts[place])
        return {"input": examples[place]["text"], "answer": answer, "reference": truth[place]}

    return Report(
        metrics=own | found,
        answers=list(map(entry, shown)),
        figures={
            "confusion": lambda: figures.confusion_matrix(found["confusion"], list(found["classes"])),
            "roc": lambda: figures.roc_curve(truth, chances, classes),
            "reliability": lambda: figures.reliability_diagram(reliability),
            "lengths": lambda: figures.accuracy_by_length(list(map(len, rows)), right, "tokens"),
        },
        measures=lambda: class_measures(answers, truth),
        entry=entry,
    )

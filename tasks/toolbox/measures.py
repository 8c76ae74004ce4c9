"""Measures of the field: what is counted in each example, so that two runs can be compared on the same ones."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tasks.engine.config import JsonObject
from tasks.engine.measure import Measure, mean_measure
from tasks.toolbox.bleu import References, bleu_counts, bleu_scorer, bleu_value, chrf_scorer, reference_columns
from tasks.toolbox.metrics import cider_scores


def class_measures(answers: Sequence[JsonObject], truth: Sequence[str]) -> list[Measure]:
    """Return the accuracy, and the mean probability that was given to the true class.

    Example:
        >>> answers = [{"label": "a", "probabilities": {"a": 0.75, "b": 0.25}}] * 2
        >>> [measure.total for measure in class_measures(answers, ["a", "b"])]
        [0.5, 0.5]
    """
    pairs = list(zip(answers, truth, strict=True))
    return [
        mean_measure("accuracy", np.array([answer["label"] == label for answer, label in pairs]), span=1),
        mean_measure(
            "probability_of_truth", np.array([answer["probabilities"][label] for answer, label in pairs]), span=1
        ),
    ]


def translation_measures(
    answers: Sequence[str], truth: Sequence[References], language: str | None = None
) -> list[Measure]:
    """Return BLEU and chrF from the counts of sacreBLEU; arguments as for `translation_metrics`.

    Example:
        >>> bleu, chrf = translation_measures(["a dog runs home"], ["a dog runs home"])
        >>> round(bleu.total), round(chrf.total), bleu.counts.shape
        (100, 100, (1, 10))
    """
    found = []
    for name, metric in (("bleu", bleu_scorer(answers, language)), ("chrf", chrf_scorer())):
        counts = metric._extract_corpus_statistics(list(answers), reference_columns(truth))
        signature = str(metric.get_signature())
        value = each_sum(partial(corpus_score, metric))
        found.append(Measure(name=name, counts=np.array(counts, "int64"), value=value, span=100, signature=signature))
    return found


def corpus_score(metric: Any, sums: Sequence[float]) -> float:
    """Return the score of a metric of sacreBLEU for sums of its counts.

    Example:
        >>> corpus_score(chrf_scorer(), [5, 5, 5] * 6)
        100.0
    """
    return float(metric._compute_score_from_stats(sums).score)


def each_sum(score: Callable[[list[float]], float]) -> Callable[[np.ndarray], np.ndarray]:
    """Return the value of a measure that scores one list of sums at a time.

    Example:
        >>> import numpy as np
        >>> each_sum(max)(np.array([[1, 2], [4, 3]])).tolist()
        [2.0, 4.0]
    """

    def value(sums: np.ndarray) -> np.ndarray:
        rows = np.reshape(sums, (-1, sums.shape[-1])).tolist()
        return np.array([float(score(row)) for row in rows]).reshape(sums.shape[:-1])

    return value


def caption_measures(answers: Sequence[str], truth: Sequence[Sequence[str]]) -> list[Measure]:
    """Return CIDEr and BLEU-4 of captions, counted as by `caption_metrics`.

    CIDEr weighs words by all references together, so its score of a picture is taken as it is.

    Example:
        >>> cider, bleu = caption_measures(["a dog runs home"] * 2, [["a dog runs home"], ["a cat"]])
        >>> cider.counts.shape, bleu.name
        ((2, 2), 'bleu_4')
    """
    from data.texts.text import caption_words

    said = [" ".join(caption_words(answer)) for answer in answers]
    given = {row: [" ".join(caption_words(one)) for one in each] for row, each in enumerate(truth)}
    scores = cider_scores(given, {row: [answer] for row, answer in enumerate(said)})
    _, counts = bleu_counts(said, list(given.values()))
    bleu = Measure(name="bleu_4", counts=counts, value=percent_bleu, span=100)
    return [mean_measure("cider", 100 * scores, span=1000), bleu]


def percent_bleu(sums: np.ndarray) -> np.ndarray:
    """Return BLEU-4 times 100 for sums of counts.

    Example:
        >>> import numpy as np
        >>> float(percent_bleu(np.array([4, 4, 4, 3, 2, 1, 4, 3, 2, 1])).round())
        100.0
    """
    return 100 * bleu_value(sums)

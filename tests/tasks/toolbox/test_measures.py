"""Tests of measures: sums over examples give the metric of the library, on any choice of them."""

import numpy as np
import pytest
from sacrebleu import BLEU, CHRF

from data.builtin import sets
from tasks.toolbox.measures import caption_measures, class_measures, translation_measures
from tasks.toolbox.metrics import caption_metrics

TRUTH = [row["de"] for row in sets.pairs()[1][:150]]
ANSWERS = [" ".join(text.split()[: 3 + place % 5]) for place, text in enumerate(TRUTH)]


@pytest.mark.parametrize(("place", "scorer"), [(0, BLEU()), (1, CHRF())], ids=["bleu", "chrf"])
def test_sums_of_any_examples_give_the_score_of_sacrebleu(place, scorer):
    measure = translation_measures(ANSWERS, TRUTH, "de")[place]
    for seed in range(3):
        rows = np.random.default_rng(seed).integers(len(TRUTH), size=120)
        wanted = scorer.corpus_score([ANSWERS[row] for row in rows], [[TRUTH[row] for row in rows]]).score
        assert measure.value(measure.counts[rows].sum(0)) == pytest.approx(wanted)


def test_a_measure_says_how_it_is_counted():
    german, chinese = (translation_measures(ANSWERS, TRUTH, language)[0].signature for language in ("de", "zh"))
    assert "tok:13a" in german
    assert "tok:zh" in chinese


def test_captions_are_measured_as_they_are_scored():
    truth = [[text, text.lower() + " again"] for text in TRUTH[:20]]
    found = caption_metrics(ANSWERS[:20], truth, resamples=10)
    for measure in caption_measures(ANSWERS[:20], truth):
        assert measure.total == pytest.approx(found[measure.name])


def test_classes_are_right_or_wrong_and_probabilities_are_not():
    answers = [{"label": "a", "probabilities": {"a": 0.8, "b": 0.2}}] * 3
    assert [measure.is_share for measure in class_measures(answers, ["a", "b", "a"])] == [True, False]

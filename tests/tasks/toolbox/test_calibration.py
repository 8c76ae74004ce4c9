"""Weights of branches that make probabilities mean what they say."""

import numpy as np
import pytest

from tasks.toolbox import calibration


def drawn(logits, seed=0):
    """Return labels drawn from the softmax of logits."""
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return (chances.cumsum(1) > np.random.default_rng(seed).random((len(logits), 1))).argmax(1)


def test_the_temperature_of_scores_that_are_too_sure_is_found():
    logits = np.random.default_rng(1).normal(size=(20_000, 3))
    labels = drawn(logits)
    assert calibration.branch_weights(4 * logits[:, None], labels) == pytest.approx([0.25], abs=0.01)


def test_each_branch_gets_the_weight_it_deserves():
    random = np.random.default_rng(2)
    one, other = random.normal(size=(2, 20_000, 2))
    noise = random.normal(size=(20_000, 2))
    labels = drawn(0.5 * one + 2 * other)
    weights = calibration.branch_weights(np.stack([one, other, noise], 1), labels)
    assert weights == pytest.approx([0.5, 2, 0], abs=0.1)
    assert (weights > 0).all()


def test_probabilities_add_up_and_stay_finite():
    scores = np.array([[[1e4, -1e4], [0, 0]]], "float32")
    found = calibration.calibrated_probabilities(scores, np.array([1.0, 1.0]))
    np.testing.assert_allclose(found, [[1, 0]])
    np.testing.assert_allclose(calibration.calibrated_probabilities(scores[:, 1:], np.array([7.0])), [[0.5, 0.5]])

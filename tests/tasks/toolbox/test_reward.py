"""CIDEr-D of captions as tokens."""

import numpy as np
import pytest

from tasks.toolbox.metrics import cider_scores
from tasks.toolbox.reward import CiderReward

END = 3


@pytest.fixture(scope="module")
def references():
    """Return three captions, as tokens with their end, of each of 40 pictures."""
    draws = np.random.default_rng(0)
    return [[[*draws.integers(4, 16, draws.integers(3, 9)).tolist(), END] for _ in range(3)] for _ in range(40)]


def padded(rows, width=12):
    return np.array([[row + [0] * (width - len(row)) for row in part] for part in rows])


def words(row):
    return " ".join(f"w{token}" for token in row)


def test_rewards_are_the_scores_of_the_reference_implementation(references):
    draws = np.random.default_rng(1)
    said = [[*draws.permutation(part[0][:-1]).tolist(), *part[1][2:]] for part in references]
    truth = {place: [words(row) for row in part] for place, part in enumerate(references)}
    expected = cider_scores(truth, {place: [words(row)] for place, row in enumerate(said)})
    found = CiderReward.learn(references)(padded([[row] for row in said], 16), padded(references))
    assert found.shape == (40, 1)
    assert expected.std() > 0.1
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-5)


def test_a_caption_that_breaks_off_or_goes_on_has_less(references):
    reward = CiderReward.learn(references)
    whole = references[0][0]
    rows = [whole, whole[:-1], [*whole[:-1], 5, 5, 5, END], [END]]
    best, broken, longer, none = reward(padded([rows]), padded([[whole]]))[0]
    assert best == pytest.approx(10)
    assert best > broken > none
    assert best > longer
    assert reward(padded([[[]]]), padded([[whole]])).tolist() == [[0]]


def test_rows_without_tokens_are_no_references(references):
    reward = CiderReward.learn(references)
    one, two = (reward(padded([[references[0][1]]]), padded([rows])) for rows in (references[0], [*references[0], []]))
    assert one == two


def test_an_n_gram_of_no_training_caption_weighs_most():
    reward = CiderReward.learn([[[4, 5, END]], [[4, 6, END]], [[4, 7, END]]])
    common, rare, unseen = (reward.weighted([token]).weights[0][(token,)] for token in (4, 5, 99))
    assert common == 0
    assert rare == unseen == pytest.approx(np.log(3))

"""Tests of differences: numbers by hand, false alarms at their level, and what seeds and examples decide."""

from math import comb

import numpy as np
import pytest

from tasks.engine.measure import Measure, mean_measure
from tasks.engine.significance import (
    bootstrap_difference,
    deciding_examples,
    difference,
    gains,
    seed_spread,
    share_difference,
    verdict,
)


def shares(right, wrong, better, worse):
    """Return the outcomes of two systems, given how many examples both, neither and one alone answer rightly."""
    pairs = [(1, 1)] * right + [(0, 0)] * wrong + [(0, 1)] * better + [(1, 0)] * worse
    one, other = np.array(pairs).T
    return mean_measure("accuracy", one), mean_measure("accuracy", other)


def test_mcnemar_is_the_binomial_of_the_examples_where_one_alone_is_right():
    one, other = shares(80, 8, 10, 2)
    found = difference([one], [other])
    assert found.test == "McNemar's exact test"
    assert found.p == pytest.approx(2 * sum(comb(12, count) for count in range(3)) / 2**12)
    assert found.value == pytest.approx(0.08)
    assert 0 < found.low < 0.08
    assert found.high == pytest.approx(0.08 + 1.96 * (0.12 - 0.08**2) ** 0.5 / 10)  # wider than the exact end, 0.115


def test_the_interval_of_shares_leaves_out_zero_where_the_test_is_below_five_percent():
    random = np.random.default_rng(0)
    for _ in range(200):
        better, worse = random.integers(0, 30, size=2)
        found = share_difference(*(each.counts[:, 0] for each in shares(50, 10, better, worse)))
        assert (found.low > 0 or found.high < 0) == (found.p < 0.05)


def test_equal_answers_have_an_interval_that_more_examples_narrow():
    few, many = (difference([one], [other]) for one, other in (shares(20, 0, 0, 0), shares(2000, 0, 0, 0)))
    assert few.p == many.p == 1
    assert few.high > 0.1 > many.high > 0
    assert deciding_examples(many, 2000) is None


def test_the_bootstrap_of_a_mean_has_the_width_of_its_standard_error():
    random = np.random.default_rng(0)
    one, gain = random.normal(30, 5, 400), random.normal(0.2, 1, 400)
    found = difference([mean_measure("psnr", one)], [mean_measure("psnr", one + gain)])
    assert found.value == pytest.approx(gain.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * gain.std() / 20, rel=0.1)
    assert found == difference([mean_measure("psnr", one)], [mean_measure("psnr", one + gain)])  # it is seeded


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["shares", "numbers"])
def test_equal_systems_are_told_apart_in_about_one_of_twenty_trials(kind):
    random, alarms = np.random.default_rng(3), 0
    for seed in range(300):
        pair = random.normal(size=(2, 200)) + random.normal(size=200)
        values = pair > 0 if kind == "shares" else pair
        found = difference(*([mean_measure("m", row)] for row in values), seed)
        alarms += found.p < 0.05
    assert 5 <= alarms <= 28  # 0.5 % of equal trials would be outside


def test_seeds_that_differ_widen_the_interval_and_no_number_of_examples_helps():
    random = np.random.default_rng(0)
    base = random.normal(size=500)
    sides = [[mean_measure("m", base + random.normal(0, 0.01, 500) + level) for level in each] for each in
             ((0.0, 0.5, 1.0), (0.2, 0.7, 1.2))]  # fmt: skip
    found, alone = difference(*sides), difference(sides[0][:1], sides[1][:1])
    assert found.test == "paired bootstrap over examples and seeds"
    assert seed_spread(*sides) == (pytest.approx(0.5 * (2 / 3) ** 0.5, rel=0.01), 4)
    assert alone.low > 0.15
    assert found.low < -0.5 < 0.2 < found.high
    assert deciding_examples(found, 500) is None


def test_equal_recipes_with_three_seeds_a_side_are_seldom_told_apart():
    random, alarms = np.random.default_rng(0), 0
    for seed in range(100):
        base = random.normal(size=100)
        runs = [mean_measure("m", base + random.normal(0, 0.3) + random.normal(0, 0.3, 100)) for _ in range(6)]
        alarms += bootstrap_difference(runs[:3], runs[3:], seed).p < 0.05
    assert alarms <= 12


def test_the_deciding_number_finds_the_difference_in_four_of_five_trials():
    random = np.random.default_rng(0)
    gain = random.normal(0.1, 1, 4000)
    gain += 0.1 - gain.mean()
    found = difference([mean_measure("m", np.zeros(4000))], [mean_measure("m", gain)])
    count = deciding_examples(found, 4000)
    trials = [
        difference([mean_measure("m", np.zeros(count))], [mean_measure("m", random.choice(gain, count))], seed).p < 0.05
        for seed in range(100)
    ]
    assert 68 <= sum(trials) <= 92


def test_a_gain_is_what_the_metric_changes_with_the_answer_of_the_other():
    one = Measure(name="f", counts=np.array([[1, 2], [3, 4]]), value=lambda sums: sums[..., 0] / sums[..., 1])
    other = Measure(name="f", counts=np.array([[1, 2], [4, 4]]), value=one.value)
    assert gains([one], [other]).tolist() == pytest.approx([0, 5 / 6 - 4 / 6])


def test_a_verdict_needs_the_whole_interval():
    found = share_difference(*(each.counts[:, 0] for each in shares(50, 0, 0, 20)))
    assert verdict(found, 0.0) == "worse"
    assert verdict(found, -found.high + 0.01) == "undecided"
    assert verdict(found._replace(low=0.01, high=0.1), 0.0) == "better"


def test_the_interval_of_shares_holds_where_all_differences_go_one_way():
    one, other = np.ones(2000), np.ones(2000)
    other[:12] = 0
    found = share_difference(one, other)
    assert found.low < -0.0090 < found.value < found.high < 0


def test_the_interval_of_several_seeds_ends_where_the_metric_does():
    values = [np.repeat([1.0, 0.0], [part, 20 - part]) for part in (0, 20, 20, 20)]
    free, ended = (
        difference(*([mean_measure("accuracy", each, span) for each in side] for side in (values[:2], values[2:])))
        for span in (np.inf, 1.0)
    )
    assert free.low < -1 < 1 < free.high
    assert (ended.low, ended.high) == (-1, 1)
    assert ended.p == free.p

"""Whether two systems differ on the same examples: McNemar's exact test and the paired bootstrap."""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import numpy as np

from tasks.engine.config import JsonObject
from tasks.engine.measure import Measure

RESAMPLES = 1000
POWER = 1.96 + 0.8416  # standard errors: a test at 5 % finds such a difference in 80 % of trials


class Difference(NamedTuple):
    """The difference of a metric, B minus A, with its 95 % interval.

    Attributes:
        test: Name of the test, with what it draws.
        of_examples: Variance of the difference that comes from the choice of examples.
        of_seeds: Variance that comes from the seeds of the trainings.
    """

    test: str
    value: float
    low: float
    high: float
    p: float
    of_examples: float
    of_seeds: float


def difference(one: Sequence[Measure], other: Sequence[Measure], seed: int = 0) -> Difference:
    """Return the difference between two sides, each with the measure of one or more runs on the same examples.

    Shares of one run a side are compared by McNemar's exact test, everything else by the paired bootstrap.
    """
    if len(one) == len(other) == 1 and one[0].is_share and other[0].is_share:
        return share_difference(one[0].counts[:, 0], other[0].counts[:, 0])
    return bootstrap_difference(one, other, seed)


def share_difference(one: np.ndarray, other: np.ndarray) -> Difference:
    """Return the difference of two shares, by McNemar's exact test.

    The interval is that of the share of B among the examples where one side alone is right (Clopper and Pearson), times
    the share of such examples, and at least the usual 1.96 standard errors, since that share varies too. It leaves out
    zero exactly where p is below 5 %.

    References: McNemar, 1947, https://doi.org/10.1007/BF02295996; Clopper and Pearson, 1934,
    https://doi.org/10.1093/biomet/26.4.404.
    """
    from scipy.stats import binomtest

    total, better, worse = len(one), int((other > one).sum()), int((other < one).sum())
    differing, value = better + worse, (better - worse) / total
    variance = (differing - total * value**2) / total**2
    if not differing:
        most = 1 - 0.025 ** (1 / total)  # largest share of differing examples that shows none in 39 of 40 samples
        return Difference("McNemar's exact test", 0.0, -most, most, 1.0, variance, 0.0)
    test = binomtest(better, differing)
    ends = test.proportion_ci(confidence_level=0.95, method="exact")
    low, high = ((2 * float(end) - 1) * differing / total for end in (ends.low, ends.high))
    half = 1.96 * variance**0.5  # the number of differing examples varies too
    low, high = max(min(low, value - half), -1.0), min(max(high, value + half), 1.0)
    return Difference("McNemar's exact test", value, low, high, float(test.pvalue), variance, 0.0)


def bootstrap_difference(one: Sequence[Measure], other: Sequence[Measure], seed: int = 0) -> Difference:
    """Return the difference of the mean metrics of two sides, by the paired bootstrap.

    Every resample draws the examples for all runs together. With several runs of a side it adds a draw of the error of
    the means over seeds: Student's t with the spread of all runs about the means of their sides. The interval
    ends where the metric does.

    References: Koehn, 2004, https://aclanthology.org/W04-3250; Student, 1908, https://doi.org/10.1093/biomet/6.1.1.
    """
    random = np.random.default_rng(seed)
    found = resampled_differences(one, other, random)
    spread, freedom = seed_spread(one, other)
    drawn = found + spread * random.standard_t(freedom, RESAMPLES) if freedom else found
    low, high = np.percentile(drawn, [2.5, 97.5]).clip(-one[0].span, one[0].span)  # what the metric can reach
    tail = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    value = mean_total(other) - mean_total(one)
    p = min(1.0, 2 * (tail + 1) / (RESAMPLES + 1))
    seeds = " and seeds" if freedom else ""
    name = f"paired bootstrap over examples{seeds}"
    return Difference(name, value, float(low), float(high), p, float(found.var()), spread**2)


def resampled_differences(one: Sequence[Measure], other: Sequence[Measure], random: np.random.Generator) -> np.ndarray:
    """Return the difference of the mean metrics in each resample of the examples, `(resamples,)`."""
    total = len(one[0].counts)
    sums: list[list[np.ndarray]] = [[] for _ in (*one, *other)]
    for _ in range(RESAMPLES):
        times = np.bincount(random.integers(total, size=total), minlength=total)
        for found, measure in zip(sums, (*one, *other), strict=True):
            found.append(times @ measure.counts)
    values = [measure.value(np.stack(rows)) for measure, rows in zip((*one, *other), sums, strict=True)]
    return np.asarray(np.mean(values[len(one) :], 0) - np.mean(values[: len(one)], 0))


def seed_spread(one: Sequence[Measure], other: Sequence[Measure]) -> tuple[float, int]:
    """Return the standard error of the difference that comes from seeds, and its degrees of freedom.

    The spread of a metric over seeds is taken to be the same on both sides; one run a side shows none.
    """
    freedom = len(one) + len(other) - 2
    if not freedom:
        return 0.0, 0
    squares = sum(float(np.var([each.total for each in side])) * len(side) for side in (one, other))
    return float(np.sqrt(squares / freedom * (1 / len(one) + 1 / len(other)))), freedom


def mean_total(side: Sequence[Measure]) -> float:
    """Return the mean of a metric over the runs of a side."""
    return float(np.mean([measure.total for measure in side]))


def deciding_examples(found: Difference, examples: int) -> int | None:
    """Return the number of examples on which a true difference of this size is found in 80 % of trials.

    It is `None` where there is no difference, or where the seeds alone blur it.
    """
    left = (found.value / POWER) ** 2 - found.of_seeds
    return max(ceil(found.of_examples * examples / left), 2) if left > 0 else None


def gains(one: Sequence[Measure], other: Sequence[Measure]) -> np.ndarray:
    """Return for each example what the metric of A gains if A answers it as B does, the mean over runs."""
    before, after = (np.mean([measure.counts for measure in side], 0) for side in (one, other))
    change = after - before  # (examples, counts)
    rows = np.flatnonzero(change.any(1))
    found = np.zeros(len(change))
    for measure in one:
        found[rows] += (measure.value(measure.counts.sum(0) + change[rows]) - measure.total) / len(one)
    return found


def verdict(found: Difference, margin: float) -> str:
    """Return `worse` if the whole interval lies below minus the margin, `better` if above zero, or else `undecided`.

    Example:
        >>> verdict(Difference("", -3.0, -4.0, -2.0, 0.01, 0.0, 0.0), margin=1.0)
        'worse'
    """
    return "worse" if found.high < -margin else "better" if found.low > 0 else "undecided"


def summary(name: str, one: Sequence[Measure], other: Sequence[Measure], found: Difference) -> JsonObject:
    """Return what is said of a metric, as JSON types."""
    return {
        "metric": name,
        "a": mean_total(one),
        "b": mean_total(other),
        "difference": found.value,
        "low": found.low,
        "high": found.high,
        "p": found.p,
        "test": found.test,
        "deciding_examples": deciding_examples(found, len(one[0].counts)),
    }

"""A metric as sums over examples, from which two runs are compared on the same examples. NumPy only."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A metric that follows from the sum of what is counted in each example; a larger value is better.

    Attributes:
        name: Name of the metric, as in the metrics of a report.
        counts: What is counted in each example, `(examples, counts)`.
        value: Return the metric for sums of counts, `(..., counts)` to `(...)`.
        span: Difference of the largest and the smallest value that the metric can have.
        signature: How it is counted, where there are several ways; measures of other signatures are not compared.
    """

    name: str
    counts: np.ndarray
    value: Callable[[np.ndarray], np.ndarray]
    span: float = inf
    signature: str = ""

    @property
    def total(self) -> float:
        """The metric on all examples."""
        return float(self.value(self.counts.sum(0)))

    @property
    def is_share(self) -> bool:
        """Return whether each example is right or wrong, and the metric is the share of the right ones."""
        return self.value is mean_value and bool(np.isin(self.counts[:, 0], (0, 1)).all())


def mean_measure(name: str, values: np.ndarray, span: float = inf) -> Measure:
    """Return the measure that is the mean of a number of each example, `(examples,)`; `span` is that of a number."""
    column = np.asarray(values, "float64")
    return Measure(name=name, counts=np.stack([column, np.ones_like(column)], 1), value=mean_value, span=span)


def mean_value(sums: np.ndarray) -> np.ndarray:
    """Return the means for sums of values and of ones, `(..., 2)`."""
    return np.asarray(sums[..., 0] / sums[..., 1])

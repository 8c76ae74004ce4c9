"""Weights for the scores of a network's branches, so that its probabilities match its accuracy."""

import numpy as np


def calibrated_probabilities(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the softmax of a weighted sum of scores.

    Args:
        scores: Scores of the classes by each branch, `(examples, branches, classes)`.
        weights: `(branches,)`.

    Returns:
        `(examples, classes)`; each row adds up to 1.

    Example:
        >>> import numpy as np
        >>> calibrated_probabilities(np.array([[[0.0, 0.0]]]), np.array([2.0])).tolist()
        [[0.5, 0.5]]
    """
    mixed = np.einsum("ebc,b->ec", scores.astype("float64"), weights)
    powers = np.exp(mixed - mixed.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def branch_weights(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the positive weights of the branches that make the labels most probable.

    With one branch this is temperature scaling: its weight is one over the temperature. Fit it on examples
    that the network was not trained on.

    Args:
        scores: `(examples, branches, classes)`.
        labels: Class numbers `(examples,)`.

    Reference: Guo et al., 2017, https://arxiv.org/abs/1706.04599, section 4.2.

    Example:
        >>> import numpy as np
        >>> scores = np.array([[[4.0, 0.0]], [[4.0, 0.0]], [[0.0, 4.0]], [[4.0, 0.0]]])
        >>> bool(branch_weights(scores, np.array([0, 0, 1, 1]))[0] < 1)  # too confident: three of four are right
        True
    """
    from scipy.optimize import minimize

    rows = np.arange(len(labels))

    def loss(weights: np.ndarray) -> float:
        return float(-np.log(calibrated_probabilities(scores, weights)[rows, labels] + 1e-12).mean())

    branches = scores.shape[1]
    start = np.full(branches, 1 / branches)
    return minimize(loss, start, method="L-BFGS-B", bounds=[(1e-3, 1e3)] * branches).x

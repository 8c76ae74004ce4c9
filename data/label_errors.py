"""Labels that are probably wrong, by the confidence of a quick model that has not seen them."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from data.splits import chunks

BLOCK = 3000  # pictures that are classified by each other
CELLS, ANGLES = 8, 9  # of a picture, a side; of its edges
FOLDS = 5
LIKELY = 0.5  # chance of being wrong from which a label is reported
SCALES = np.geomspace(0.2, 20, 60)  # of scores
SHARES = np.geomspace(1e-4, 0.4, 60)  # of wrong labels
LEAST = 5  # examples that a class needs


class Doubts(NamedTuple):
    """What a quick model finds of labels.

    Attributes:
        chances: Chance of each label to be wrong.
        suggestions: The class that the model gives instead.
        share: Estimated share of wrong labels, with its 95 % interval.
        accuracy: Share of the labels that the model gives too; the lower, the less it can tell.
    """

    chances: np.ndarray
    suggestions: list[str]
    share: tuple[float, float, float]
    accuracy: float


def label_doubts(inputs: Sequence[str] | np.ndarray, labels: Sequence[str], other: np.ndarray | None = None) -> Doubts:
    """Return the doubts about the labels of texts, or of grey pictures `(pictures, 32, 32)`, uint8.

    Each example is classified by a model that was trained on others. One share of all labels is taken to be wrong, and
    one factor scales the scores of the model. Both numbers are those of the largest likelihood. So a label is doubted
    where the model is surer of another class than its other errors explain. A weak model finds little.

    Args:
        other: Scores `(examples, classes)` of another model that has not seen the labels, for the classes in their
            order. They count instead where they agree with more labels.

    Reference: Northcutt et al., 2021, https://doi.org/10.1613/jair.1.12125 (confidence out of fold).
    """
    classes, numbers = np.unique(np.asarray(labels), return_inverse=True)
    scores = picture_scores(inputs, numbers) if isinstance(inputs, np.ndarray) else text_scores(inputs, numbers)
    if other is not None and (other.argmax(1) == numbers).mean() > (scores.argmax(1) == numbers).mean():
        scores = other
    chances, share = wrong_chances(scores, numbers)
    found = scores.argmax(1)
    other = np.where(found == numbers, -1, found)
    suggestions = [str(classes[place]) if place >= 0 else "" for place in other]
    return Doubts(chances, suggestions, share, float((found == numbers).mean()))


def text_scores(texts: Sequence[str], labels: np.ndarray) -> np.ndarray:
    """Return log-probabilities of the classes of each text, `(texts, classes)`, by n-grams of words, out of fold."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    reader = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, min_df=2, max_df=0.5, max_features=500_000, token_pattern=r"(?u)\w+"
    )
    scores = np.zeros((len(texts), labels.max() + 1))
    try:
        features: Any = reader.fit_transform(texts)
    except ValueError:  # no word stands in two texts
        return scores
    for rest, held in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(labels, labels):
        for number in range(1 if scores.shape[1] == 2 else 0, scores.shape[1]):
            model = LogisticRegression(C=10.0, solver="liblinear", max_iter=1000, random_state=0)
            model.fit(features[rest], labels[rest] == number)
            scores[held, number] = model.decision_function(features[held])
    return scores


def picture_scores(pictures: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return a score of each class for each picture, `(pictures, classes)`, by all others of its block.

    It is the leave-one-out answer of kernel ridge regression on the edges of the pictures.
    """
    scores = np.zeros((len(pictures), labels.max() + 1))
    order = np.random.default_rng(0).permutation(len(pictures))
    for rows in map(np.array, chunks(order.tolist(), BLOCK)):
        features, wanted = edge_features(pictures[rows]), np.eye(scores.shape[1])[labels[rows]]
        squares = (features**2).sum(1)
        distances = squares[:, None] + squares - 2 * features @ features.T
        inverse = np.linalg.inv(np.exp(-distances / 20) + 0.3 * np.eye(len(rows)))
        scores[rows] = wanted - inverse @ wanted / np.diag(inverse)[:, None]
    return 4 * scores


def edge_features(pictures: np.ndarray) -> np.ndarray:
    """Return histograms of the directions of edges in 8 x 8 cells, of equal contrast in blocks of four cells.

    Input shape: `(pictures, 32, 32)`. Output shape: `(pictures, 7 * 7 * 36)`.

    Reference: Dalal and Triggs, 2005, https://doi.org/10.1109/CVPR.2005.177.
    """
    levels = pictures.astype("float32") / 255
    down, across = np.gradient(levels, axis=(1, 2))
    size, angle = np.hypot(down, across), np.arctan2(down, across) % np.pi / np.pi * ANGLES
    lower, part = np.floor(angle).astype(int) % ANGLES, angle % 1
    weights = np.stack(
        [size * ((lower == n) * (1 - part) + ((lower + 1) % ANGLES == n) * part) for n in range(ANGLES)], -1
    )
    side = pictures.shape[1] // CELLS
    cells = weights.reshape(-1, CELLS, side, CELLS, side, ANGLES).sum((2, 4))  # (pictures, 8, 8, angles)
    last = CELLS - 1
    blocks = np.concatenate([cells[:, i : last + i, j : last + j] for i in (0, 1) for j in (0, 1)], -1)
    blocks = blocks / np.sqrt((blocks**2).sum(-1, keepdims=True) + 0.01)
    return np.asarray(blocks.reshape(len(pictures), -1))


def wrong_chances(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, tuple[float, float, float]]:
    """Return the chance of each label to be wrong, and the share of wrong ones with its 95 % interval.

    Args:
        scores: Of the classes, as a softmax reads them up to one factor, `(examples, classes)`.
        labels: Numbers of classes, `(examples,)`.
    """
    others = scores.shape[1] - 1
    fitted = [truth_chances(scores * scale, labels) for scale in SCALES]
    likelihood = np.array([[label_likelihood(chances, share, others) for share in SHARES] for chances in fitted])
    scale, best = np.unravel_index(likelihood.argmax(), likelihood.shape)
    profile, share, given = likelihood.max(0), SHARES[best], fitted[int(scale)]
    inside = SHARES[profile >= profile.max() - 1.92]  # half the 95 % point of chi-squared
    wrong = share / others * (1 - given)
    low = 0.0 if inside[0] == SHARES[0] else float(inside[0])
    return wrong / (wrong + (1 - share) * given), (float(share), low, float(inside[-1]))


def truth_chances(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the softmax at the labels."""
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(powers[np.arange(len(labels)), labels] / powers.sum(1))


def label_likelihood(chances: np.ndarray, share: float, others: int) -> float:
    """Return the log-likelihood of labels of which a share was given at random among the other classes."""
    return float(np.log((1 - share) * chances + share / others * (1 - chances) + 1e-300).sum())


def suspects(doubts: Doubts) -> Iterator[int]:
    """Yield the places of labels that are rather wrong than right, the most probable first."""
    for place in np.argsort(-doubts.chances, kind="stable"):
        if doubts.chances[place] >= LIKELY and doubts.suggestions[place]:
            yield int(place)

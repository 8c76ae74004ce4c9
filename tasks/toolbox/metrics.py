"""The metrics of the field; each library is imported only when it is used."""

import json
from collections.abc import Callable, Mapping, Sequence
from shutil import which

import numpy as np

from tasks.engine.config import JsonObject, SettingError
from tasks.toolbox.bleu import References, bleu_counts, bleu_scorer, bleu_value, chrf_scorer, reference_columns

WINDOW = 11  # side in pixels of the window of SSIM
PERFECT = 100.0  # dB, the PSNR of equal pictures, which would be infinite


def classification_metrics(truth: Sequence[str], answers: Sequence[str], classes: Sequence[str]) -> JsonObject:
    """Return the metrics of a classifier, as JSON types.

    Args:
        truth: The class of each example.
        answers: The class that was answered for it.
        classes: All classes, in the order of the rows and columns of the confusion matrix.

    Returns:
        `accuracy` with its 95 % interval `accuracy_low` to `accuracy_high`; `f1`, the mean over the
        classes; `errors`, how many answers were wrong; for each of `classes` its `precision`, `recall`,
        `f1` and number of `examples`; `confusion`, true classes down and answers across.

    Example:
        >>> found = classification_metrics(["a", "b"], ["a", "a"], ["a", "b"])
        >>> found["accuracy"], found["confusion"]
        (0.5, [[1, 0], [1, 0]])
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    right = sum(one == other for one, other in zip(truth, answers, strict=True))
    low, high = share_interval(right, len(truth))
    table = np.stack(precision_recall_fscore_support(truth, answers, labels=list(classes), zero_division=0), 1)
    return {
        "accuracy": right / len(truth),
        "accuracy_low": low,
        "accuracy_high": high,
        "f1": float(table[:, 2].mean()),
        "errors": len(truth) - right,
        "classes": {
            name: {"precision": float(p), "recall": float(r), "f1": float(f), "examples": int(n)}
            for name, (p, r, f, n) in zip(classes, table, strict=True)
        },
        "confusion": confusion_matrix(truth, answers, labels=list(classes)).tolist(),
    }


def share_interval(right: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share.

    Reference: Wilson, 1927, https://doi.org/10.1080/01621459.1927.10502953.

    Example:
        >>> [round(end, 3) for end in share_interval(90, 100)]
        [0.826, 0.945]
    """
    from scipy.stats import binomtest

    interval = binomtest(right, total).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)


def ranking_area(truth: Sequence[str], probabilities: np.ndarray, classes: Sequence[str]) -> float | None:
    """Return the area under the ROC curve, the mean over the classes of each against all others.

    Args:
        probabilities: `(examples, classes)`.
        classes: At least two; those that no example has, or all have, are left out.

    Returns:
        An area in [0, 1], 0.5 for guessing; `None` where no class can be told from another.

    Example:
        >>> import numpy as np
        >>> ranking_area(["a", "b"], np.array([[0.9, 0.1], [0.2, 0.8]]), ["a", "b"])
        1.0
    """
    from sklearn.metrics import roc_auc_score

    named = np.asarray(truth)[:, None] == np.asarray(classes)  # (examples, classes)
    areas = [
        roc_auc_score(named[:, column], probabilities[:, column])
        for column in range(len(classes))
        if 0 < named[:, column].sum() < len(truth)
    ]
    return float(np.mean(areas)) if areas else None


def roc_points(truth: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of false alarms and the share of hits at every threshold.

    Example:
        >>> import numpy as np
        >>> alarms, hits = roc_points(np.array([True, False]), np.array([0.9, 0.1]))
        >>> hits.tolist()
        [0.0, 1.0, 1.0]
    """
    from sklearn.metrics import roc_curve

    alarms, hits, _ = roc_curve(truth, scores)
    return alarms, hits


def reliability_rows(confidence: np.ndarray, right: np.ndarray, bins: int = 15) -> list[dict[str, float]]:
    """Return, for equal ranges of confidence in [0, 1], mean `confidence`, `accuracy` and number of `examples`.

    Ranges without examples are left out.

    Example:
        >>> import numpy as np
        >>> reliability_rows(np.array([0.9, 0.9]), np.array([True, False]))
        [{'confidence': 0.9, 'accuracy': 0.5, 'examples': 2}]
    """
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        {
            "confidence": float(confidence[places == place].mean()),
            "accuracy": float(right[places == place].mean()),
            "examples": int((places == place).sum()),
        }
        for place in np.unique(places)
    ]


def calibration_error(rows: Sequence[dict[str, float]]) -> float:
    """Return the expected calibration error: how far accuracy is from confidence, in the mean over examples.

    Reference: Guo et al., 2017, https://arxiv.org/abs/1706.04599.

    Example:
        >>> round(calibration_error([{"confidence": 0.9, "accuracy": 0.8, "examples": 10}]), 3)
        0.1
    """
    total = sum(row["examples"] for row in rows)
    return sum(row["examples"] / total * abs(row["accuracy"] - row["confidence"]) for row in rows)


def translation_metrics(
    answers: Sequence[str], truth: Sequence[References], resamples: int = 1000, language: str | None = None
) -> JsonObject:
    """Return the metrics of translations, as JSON types.

    Args:
        answers: Translations as a reader sees them, in capitals and small letters, not cut into words.
        truth: A reference for each, or several; at least one.
        resamples: Samples of the sentences that the 95 % intervals are drawn from.
        language: Code of the language of the translations, such as `de` or `zh_cn`; BLEU counts its words, or its
            characters, as `bleu_tokenizer` says.

    Returns:
        `bleu` and `chrf` in [0, 100], each with its interval and its `signature`, which says how it is counted;
        `bleu_one_reference`, with the first alone, if some have several; `bleu_lowercased`; `length_ratio`, the words
        answered for each word of the references, or `None`.

    References: Papineni et al., 2002, https://doi.org/10.3115/1073083.1073135 (BLEU); Popovic, 2015,
    https://doi.org/10.18653/v1/W15-3049 (chrF); Post, 2018, https://arxiv.org/abs/1804.08771 (how to count);
    Koehn, 2004, https://aclanthology.org/W04-3250 (intervals).

    Example:
        >>> round(translation_metrics(["a dog runs home"] * 2, ["a dog runs home"] * 2, resamples=10)["bleu"])
        100
    """
    found: JsonObject = {}
    references = reference_columns(truth)
    for name, metric in (("bleu", bleu_scorer(answers, language)), ("chrf", chrf_scorer())):
        score = metric.corpus_score(list(answers), references, n_bootstrap=resamples)
        signature = str(metric.get_signature())
        told = json.loads(score.format(width=4, signature=signature, is_json=True))  # the interval is in the JSON alone
        middle, half = float(told.get("confidence_mean", score.score)), float(told.get("confidence_var", 0))
        found |= {name: score.score, f"{name}_low": max(middle - half, 0.0), f"{name}_high": min(middle + half, 100.0)}
        found[f"{name}_signature"] = signature
    counted = bleu_scorer(answers, language, lowercase=True).corpus_score(list(answers), references)
    if len(references) > 1:
        found["bleu_one_reference"] = bleu_scorer(answers, language).corpus_score(list(answers), references[:1]).score
    return found | {
        "bleu_lowercased": counted.score,
        "length_ratio": counted.sys_len / counted.ref_len if counted.ref_len else None,
    }


def caption_metrics(
    answers: Sequence[str], truth: Sequence[Sequence[str]], *, meteor: bool = False, resamples: int = 1000
) -> JsonObject:
    """Return the metrics of captions against several references each, as JSON types.

    The scorers are COCO's own (`pycocoevalcap`), all numbers times 100. What is said is cut into words first, in lower
    case and without marks.

    Args:
        truth: For each picture its references, at least one.
        meteor: Whether to count METEOR as well; it takes Java, and about 20 ms a picture.
        resamples: Samples of the pictures that the 95 % intervals are drawn from.

    Returns:
        `cider`, `bleu_4` to `bleu_1`, `rouge_l`, the first two and the last with intervals, and `meteor` where it is
        counted; `distinct`, how many different captions there are for a hundred pictures; `words`, how many different
        ones are used; `length`, how many a caption has.

    References: Vedantam et al., 2015, https://arxiv.org/abs/1411.5726 (CIDEr, here CIDEr-D); Papineni et al., 2002,
    https://doi.org/10.3115/1073083.1073135 (BLEU); Lin, 2004, https://aclanthology.org/W04-1013 (ROUGE-L); Denkowski
    and Lavie, 2014, https://doi.org/10.3115/v1/W14-3348 (METEOR); Chen et al., 2015,
    https://arxiv.org/abs/1504.00325 (how to count).

    Example:
        >>> found = caption_metrics(["a dog", "a cat"], [["a dog"], ["a cat"]], resamples=10)
        >>> round(found["bleu_1"])
        100
    """
    from pycocoevalcap.rouge.rouge import Rouge

    from data.texts.text import caption_words

    said = [" ".join(caption_words(answer)) for answer in answers]
    given = {row: [" ".join(caption_words(one)) for one in each] for row, each in enumerate(truth)}
    found = {row: [answer] for row, answer in enumerate(said)}
    bleu, counts = bleu_counts(said, list(given.values()))
    low, high = bleu_interval(counts, resamples)
    each = {"cider": cider_scores(given, found), "rouge_l": Rouge().compute_score(given, found)[1]}
    spans = {name: mean_interval(np.asarray(scores), resamples) for name, scores in each.items()}
    means = {
        name: {name: 100 * np.mean(each[name]), f"{name}_low": 100 * span[0], f"{name}_high": 100 * span[1]}
        for name, span in spans.items()
    }
    used = {word for answer in said for word in answer.split()}
    numbers = {
        **means["cider"],
        "bleu_4": 100 * bleu[3],
        "bleu_4_low": 100 * low,
        "bleu_4_high": 100 * high,
        **{f"bleu_{order}": 100 * bleu[order - 1] for order in (3, 2, 1)},
        **means["rouge_l"],
        **({"meteor": 100 * meteor_score(given, found)} if meteor else {}),
        "distinct": 100 * len(set(said)) / len(said),
        "length": np.mean([len(answer.split()) for answer in said]),
    }
    return {name: float(value) for name, value in numbers.items()} | {"words": len(used)}


def cider_scores(truth: Mapping[int, list[str]], answers: Mapping[int, list[str]]) -> np.ndarray:
    """Return CIDEr-D of each caption, in [0, 10]; 0 where no reference has a word.

    Example:
        >>> cider_scores({0: [""]}, {0: ["a dog"]}).tolist()
        [0.0]
    """
    from pycocoevalcap.cider.cider import Cider

    if not any(reference for each in truth.values() for reference in each):
        return np.zeros(len(answers))
    return np.asarray(Cider().compute_score(truth, answers)[1])


def bleu_interval(counts: np.ndarray, resamples: int) -> tuple[float, float]:
    """Return the 95 % interval of BLEU-4 from what `bleu_counts` counted in each caption, by bootstrap samples.

    Example:
        >>> [round(end, 3) for end in bleu_interval(np.array([[4, 4, 4, 3, 2, 1, 4, 3, 2, 1]] * 3), 10)]
        [1.0, 1.0]
    """
    picked = np.random.default_rng(0).integers(len(counts), size=(resamples, len(counts)))
    sums = np.stack([counts[rows].sum(0) for rows in picked])  # (resamples, 10)
    low, high = np.percentile(bleu_value(sums), [2.5, 97.5])
    return float(low), float(high)


def meteor_score(truth: Mapping[int, list[str]], answers: Mapping[int, list[str]]) -> float:
    """Return METEOR, in [0, 1].

    It takes Java, which needs seconds to start; the example is not run for this reason.

    Raises:
        SettingError: There is no Java.

    Example:
        >>> meteor_score({0: ["a dog"]}, {0: ["a dog"]})  # doctest: +SKIP
        1.0
    """
    from pycocoevalcap.meteor.meteor import Meteor

    if which("java") is None:
        raise SettingError("`meteor` takes Java, and there is no `java` on the search path; leave it out.")
    scorer = Meteor()
    process = scorer.meteor_p
    try:
        return float(scorer.compute_score(truth, answers)[0])
    finally:
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()
        process.kill()
        process.wait()


def psnr(answer: np.ndarray, truth: np.ndarray, border: int = 0) -> float:
    """Return the peak signal-to-noise ratio of a picture in decibels, at most 100.

    Args:
        answer: Levels in [0, 255], of the shape of `truth`.
        border: Pixels at each side that do not count.

    Example:
        >>> import numpy as np
        >>> round(psnr(np.full((4, 4), 10), np.zeros((4, 4))), 2)
        28.13
    """
    inside = slice(border, -border or None)
    error = np.mean(np.square(answer.astype("float64") - truth)[inside, inside])
    return PERFECT if error == 0 else min(PERFECT, float(10 * np.log10(255**2 / error)))


def ssim(answer: np.ndarray, truth: np.ndarray, border: int = 0) -> float:
    """Return the structural similarity of two pictures `(height, width)` with levels in [0, 255], at most 1.

    Args:
        border: Pixels at each side that do not count; at least `WINDOW` pixels a side must be left.

    Reference: Wang et al., 2004, https://doi.org/10.1109/TIP.2003.819861, with its window of 11 pixels.

    Example:
        >>> import numpy as np
        >>> picture = np.arange(256.0).reshape(16, 16)
        >>> ssim(picture, picture)
        1.0
    """
    from skimage.metrics import structural_similarity

    one, other = (
        picture.astype("float64")[border : len(picture) - border, border : picture.shape[1] - border]
        for picture in (answer, truth)
    )
    window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    measure: Callable[..., float] = structural_similarity  # it has no types
    return float(measure(one, other, data_range=255, **window))


def mean_interval(values: Sequence[float] | np.ndarray, resamples: int = 1000) -> tuple[float, float]:
    """Return the 95 % interval of a mean over examples, from bootstrap samples that are always the same.

    Example:
        >>> mean_interval([1.0, 1.0, 1.0])
        (1.0, 1.0)
    """
    picked = np.random.default_rng(0).integers(len(values), size=(resamples, len(values)))
    low, high = np.percentile(np.asarray(values)[picked].mean(1), [2.5, 97.5])
    return float(low), float(high)

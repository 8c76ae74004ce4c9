"""How BLEU and chrF are counted in a language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from sacrebleu import BLEU, CHRF

FEW = 100  # sentences
References: TypeAlias = str | Sequence[str]  # of one sentence: one of them, or several
CHINESE = frozenset({"zh", "zho", "chi", "cmn", "yue", "wuu", "lzh", "chinese", "mandarin", "cantonese"})
JAPANESE = frozenset({"ja", "jp", "jpn", "japanese"})
CHARACTERS = frozenset(
    {"ko", "kor", "korean", "th", "tha", "thai", "lo", "lao", "km", "khm", "khmer", "my", "mya", "bur", "burmese"}
    | {"bo", "bod", "tib", "tibetan", "dz", "dzo", "dzongkha"}
)


def bleu_scorer(answers: Sequence[str], language: str | None = None, *, lowercase: bool = False) -> BLEU:
    """Return the metric BLEU for translations into a language.

    It counts one to four words in a row. In less than 100 sentences, or where none has four words, it leaves out the
    numbers that do not occur (effective order); its signature then has `eff:yes`.

    Args:
        answers: The translations to score.
        language: As for `bleu_tokenizer`.

    Example:
        >>> scorer = bleu_scorer(["\u72d7\u5728\u8dd1"], "zh")
        >>> round(scorer.corpus_score(["\u72d7\u5728\u8dd1"], [["\u72d7\u5728\u8dd1"]]).score)
        100
        >>> str(scorer.get_signature()).split("|")[2:4]
        ['eff:yes', 'tok:zh']
    """
    from sacrebleu import BLEU

    tokenizer = bleu_tokenizer(language)
    fours = len(answers) >= FEW and BLEU(tokenize=tokenizer).corpus_score(list(answers), [list(answers)]).totals[3]
    return BLEU(lowercase=lowercase, tokenize=tokenizer, effective_order=not fours)


def bleu_tokenizer(language: str | None) -> str:
    """Return the name of the tokenizer that BLEU is counted with in a language; the usual one is `13a`.

    Characters are counted in languages without spaces, and in Korean. Japanese is cut into words by MeCab where it is
    installed.

    Args:
        language: Its code of two or three letters, perhaps with a region or a script, or its English name.

    Example:
        >>> bleu_tokenizer("zh_cn"), bleu_tokenizer("tha"), bleu_tokenizer("de")
        ('zh', 'char', '13a')
    """
    code = re.split(r"[^a-z]", (language or "").strip().lower())[0]
    if code in JAPANESE and all(map(find_spec, ("MeCab", "ipadic"))):
        return "ja-mecab"
    return "zh" if code in CHINESE else "char" if code in CHARACTERS | JAPANESE else "13a"


def reference_columns(truth: Sequence[References]) -> list[list[Any]]:
    """Return the references of each sentence as sacreBLEU takes them: all first ones, all second ones, and so on.

    Example:
        >>> reference_columns(["a dog", ["a cat", "one cat"]])
        [['a dog', 'a cat'], [None, 'one cat']]
    """
    rows = [[own] if isinstance(own, str) else list(own) for own in truth]
    return [list(column) for column in zip_longest(*rows)]


def chrf_scorer() -> CHRF:
    """Return the metric chrF.

    The library's own fails where a bootstrap sample has empty answers only, as it mixes kinds of numbers.

    Example:
        >>> chrf_scorer().corpus_score(["a dog"], [["a dog"]]).score
        100.0
    """
    from sacrebleu import CHRF

    class Metric(CHRF):
        def _compute_f_score(self, statistics: list[int]) -> float:
            return float(super()._compute_f_score(statistics))

    return Metric()


def bleu_counts(answers: Sequence[str], truth: Sequence[Sequence[str]]) -> tuple[list[float], np.ndarray]:
    """Return BLEU-1 to 4 in [0, 1] as COCO counts them, and what is counted in each answer.

    Args:
        answers: Texts of words between spaces.
        truth: For each its references, at least one.

    Returns:
        The scores; and for each answer its length, that of the nearest reference, the matches of one to four words in a
        row, and how many there are of each: `(answers, 10)`.

    Example:
        >>> scores, counts = bleu_counts(["a dog runs home"], [["a dog runs"]])
        >>> counts.tolist()
        [[4, 3, 3, 2, 1, 0, 4, 3, 2, 1]]
    """
    from pycocoevalcap.bleu.bleu_scorer import BleuScorer

    scorer = BleuScorer(n=4)
    for answer, references in zip(answers, truth, strict=True):
        scorer += (answer, references)
    scores, _ = scorer.compute_score(option="closest", verbose=0)
    return scores, np.array([[*lengths(one), *one["correct"], *one["guess"]] for one in scorer.ctest])


def lengths(counted: dict[str, Any]) -> tuple[int, int]:
    """Return the length of an answer, and that of the reference of the nearest length, the shorter of two.

    Example:
        >>> lengths({"testlen": 4, "reflen": [5, 3, 9]})
        (4, 3)
    """
    own = counted["testlen"]
    return own, min(counted["reflen"], key=lambda length: (abs(length - own), length))


def bleu_value(sums: np.ndarray) -> np.ndarray:
    """Return BLEU-4 in [0, 1] for sums of what `bleu_counts` counted, `(..., 10)`.

    Example:
        >>> float(bleu_value(np.array([4, 4, 4, 3, 2, 1, 4, 3, 2, 1])).round(3))
        1.0
    """
    precision = np.exp(np.log((sums[..., 2:6] + 1e-15) / (sums[..., 6:] + 1e-9)).mean(-1))
    ratio = sums[..., 1] / np.maximum(sums[..., 0], 1)
    return np.asarray(precision * np.exp(np.minimum(1 - ratio, 0)) * (sums[..., 6] > 0))

"""How BLEU and chrF are counted in a language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sacrebleu import BLEU, CHRF

FEW = 100  # sentences
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

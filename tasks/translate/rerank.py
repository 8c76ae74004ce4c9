"""The order of translations by a run that translates the other way: those come first that the source follows from.

Reference: Yee, Dauphin and Auli, 2019, https://arxiv.org/abs/1908.05731.
"""

from collections.abc import Sequence

import numpy as np

from data.texts.text import PAD, padded_batch
from data.texts.vocabulary import END
from tasks.engine import runs
from tasks.engine.config import SettingError
from tasks.engine.load import other_run
from tasks.engine.network import check_tokens
from tasks.engine.task import Pipeline
from tasks.toolbox.search import Hypothesis, length_divisor
from tasks.translate.clauses import Clause, Tokens
from tasks.translate.config import Config
from tasks.translate.decode import beam_hypotheses, forced_steps

BATCH = 256  # pairs that are scored at a time


def best_hypotheses(pipeline: Pipeline[Config], clauses: Sequence[Clause]) -> list[list[Hypothesis]]:
    """Return the best translations of parts of sentences, with `rerank` in the order that both runs give them.

    Raises:
        SettingError: The other run does not translate the other way.
    """
    found = beam_hypotheses(pipeline, [clause.tokens for clause in clauses])
    if not pipeline.config.rerank or not clauses:
        return found
    back = reverse_pipeline(pipeline)
    codec, config = back.codec, pipeline.config
    pairs = [
        (codec.numbers(pipeline.codec.pieces.text(one.tokens)), codec.numbers(clause.text))
        for clause, each in zip(clauses, found, strict=True)
        for one in each
    ]
    others = iter(config.rerank_weight * forced_scores(back, pairs))
    ranked = [sorted(((one.score + next(others), one) for one in each), key=lambda pair: -pair[0]) for each in found]
    return [[one for _, one in each[: config.n_best]] for each in ranked]


def reverse_pipeline(pipeline: Pipeline[Config]) -> Pipeline[Config]:
    """Return the pipeline of the run that `rerank` names.

    Raises:
        SettingError: It does not translate the other way.
    """
    assert pipeline.config.rerank
    run = runs.named_run(pipeline.task.name, pipeline.config.rerank)
    back = other_run(pipeline, run, source=None, target=None, rerank=None)
    own, other = pipeline.codec.languages, back.codec.languages
    if other != own[::-1]:
        raise SettingError(
            f"`rerank` takes a run from {own[1]!r} to {own[0]!r}; {str(run)!r} is from {other[0]!r} to {other[1]!r}."
        )
    return back


def forced_scores(pipeline: Pipeline[Config], pairs: Sequence[tuple[Tokens, Tokens]]) -> np.ndarray:
    """Return the log-probability of each given translation, divided as that of a hypothesis is, `(pairs,)`.

    Args:
        pairs: A sentence and its translation, as sub-words.
    """
    found = np.empty(len(pairs))
    order = sorted(range(len(pairs)), key=lambda place: (len(pairs[place][1]), len(pairs[place][0])))
    for first in range(0, len(order), BATCH):
        places = order[first : first + BATCH]
        rows, targets = zip(*(pairs[place] for place in places), strict=True)
        following = padded_batch([[*tokens, END] for tokens in targets], 1 + max(map(len, targets)))
        total = np.zeros(len(places))
        for words, (scores, _) in zip(following.T, forced_steps(pipeline, rows, targets), strict=True):
            check_tokens(scores, pipeline.codec.pieces.size, pipeline.run)
            total += np.where(words == PAD, 0.0, scores[np.arange(len(words)), words])
        divisors = [length_divisor(len(tokens) + 1, pipeline.config.length_penalty) for tokens in targets]
        found[places] = total / divisors
    return found

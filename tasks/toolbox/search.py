"""Search for the most probable sequences, greedily or with a beam, over any step function. NumPy only."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

Network = Callable[..., tuple[np.ndarray, ...]]  # the name of a signature and its arrays, to its outputs
State = tuple[np.ndarray, ...]  # arrays whose first axis is that of the rows
Step = Callable[[np.ndarray, State], tuple[np.ndarray, State]]  # last tokens (rows,) to scores (rows, vocabulary)
Candidates = tuple[np.ndarray, np.ndarray, np.ndarray]  # log-probabilities, rows and tokens, (live, candidates) each
Finished = list[list["Hypothesis"]]
NEVER = -np.inf
BLOCK = 64  # tokens whose best one says whether any of them can be a candidate


class Hypothesis(NamedTuple):
    """A complete sequence and its score.

    Example:
        >>> Hypothesis([5, 6], -0.7).tokens
        [5, 6]
    """

    tokens: list[int]  # without start and end
    score: float  # its log-probability, divided by `length_divisor`


class Beams(NamedTuple):
    """The sequences that are still being written, in one group of `width` rows for each live source.

    Example:
        >>> first_beams(2, start=1, width=3).tokens.shape
        (2, 3, 1)
    """

    owners: np.ndarray  # (live,): the source of each group
    tokens: np.ndarray  # (live, width, time), the start among them
    totals: np.ndarray  # (live, width): log-probabilities


def length_divisor(length: float, length_penalty: float) -> float:
    """Return the divisor of the log-probability of a sequence: 1 for one token, more for longer ones.

    Args:
        length: Tokens of the sequence, its end among them.
        length_penalty: How much longer sequences are favoured, at least 0; 0 is not at all.

    Reference: Wu et al., 2016, https://arxiv.org/abs/1609.08144, equation 14.

    Example:
        >>> length_divisor(1, 0.7), round(length_divisor(7, 1.0), 2)
        (1.0, 2.0)
    """
    return ((5 + length) / 6) ** length_penalty


def search(
    step: Step,
    state: State,
    *,
    batch: int,
    start: int,
    end: int,
    max_length: int,
    width: int = 1,
    length_penalty: float = 1.0,
    min_length: int = 0,
    no_repeat_ngram: int = 0,
    best: int = 1,
) -> Finished:
    """Return the best sequences for each of several sources.

    Every source has `width` rows, one for each sequence that is still being written. A sequence that ends
    among the first `width` candidates is finished. A source with `width` finished sequences is done. Rows of sources
    that are done are dropped once they are half of all.

    Args:
        step: Takes the last token of each row and the state; returns the log-probabilities of the next token
            and the new state.
        state: Arrays with a first axis of `batch` rows, one for each source.
        batch: Number of sources.
        start: Token that every sequence begins with.
        end: Token that ends a sequence.
        max_length: Most tokens of a sequence, its end not counted, at least 1; longer ones are ended there.
        width: Sequences kept for each source, at least 1; 1 is greedy search.
        length_penalty: As for `length_divisor`.
        min_length: Fewest tokens of a sequence, its end not counted.
        no_repeat_ngram: No run of this many tokens occurs twice in a sequence; 0 allows it.
        best: Sequences to return for each source, at most `width`.

    Returns:
        For each source its hypotheses, best first; fewer than `best` if there are no more.

    Example:
        >>> scores = np.log(np.array([[0.1, 0.6, 0.3]]))  # of the end and two words, at every step
        >>> def step(last, state):
        ...     return np.repeat(scores, len(last), axis=0), state
        >>> ((best,),) = search(step, (np.zeros(1),), batch=1, start=1, end=0, max_length=3)
        >>> best.tokens
        [1, 1, 1]
    """
    finished: Finished = [[] for _ in range(batch)]
    beams = first_beams(batch, start, width)
    state = tuple(np.repeat(array, width, axis=0) for array in state)
    for time in range(max_length + 1):
        if not len(beams.owners):
            break
        scores, state = step(beams.tokens[:, :, -1].reshape(-1), state)
        written = beams.tokens.reshape(-1, time + 1)  # (live * width, time)
        scores = permitted_scores(scores, written, end, time, max_length, min_length, no_repeat_ngram)
        candidates = beam_candidates(scores, beams.totals)
        add_finished(finished, beams, candidates, end, length_penalty)
        beams, rows = extended_beams(beams, candidates, end)
        beams, picks = unfinished_beams(beams, rows, finished)
        state = tuple(array[picks] for array in state)
    return [sorted(found, key=lambda one: -one.score)[:best] for found in finished]


def first_beams(batch: int, start: int, width: int) -> Beams:
    """Return beams that hold the start alone; all but the first row of a source are impossible, since they are equal.

    Example:
        >>> first_beams(1, start=1, width=2).totals.tolist()
        [[0.0, -inf]]
    """
    totals = np.full((batch, width), NEVER)
    totals[:, 0] = 0.0
    return Beams(np.arange(batch), np.full((batch, width, 1), start), totals)


def add_finished(finished: Finished, beams: Beams, candidates: Candidates, end: int, length_penalty: float) -> None:
    """Add the candidates that end a sequence to the hypotheses of its source, up to `width` for each source.

    Only the first `width` candidates of a source count.

    Example:
        >>> finished = [[]]
        >>> candidates = np.array([[-0.5, -0.9]]), np.array([[0, 0]]), np.array([[0, 2]])
        >>> add_finished(finished, first_beams(1, start=1, width=1), candidates, end=0, length_penalty=0.0)
        >>> finished
        [[Hypothesis(tokens=[], score=-0.5)]]
    """
    values, rows, words = candidates
    _, width, length = beams.tokens.shape  # the start is counted, as the end will be
    for group, rank in np.argwhere((words[:, :width] == end) & (values[:, :width] > NEVER)):
        own = finished[beams.owners[group]]
        if len(own) < width:
            tokens = beams.tokens[group, rows[group, rank], 1:].tolist()
            own.append(Hypothesis(tokens, float(values[group, rank]) / length_divisor(length, length_penalty)))


def extended_beams(beams: Beams, candidates: Candidates, end: int) -> tuple[Beams, np.ndarray]:
    """Return the beams with one more token, and the row `(live, width)` of its group that each row goes on from.

    The best candidates that do not end are taken; rows without a candidate become impossible.

    Example:
        >>> candidates = np.array([[-0.5, -0.9]]), np.array([[0, 0]]), np.array([[0, 2]])
        >>> beams, rows = extended_beams(first_beams(1, start=1, width=1), candidates, end=0)
        >>> beams.tokens.tolist(), beams.totals.tolist(), rows.tolist()
        ([[[1, 2]]], [[-0.9]], [[0]])
    """
    width = beams.totals.shape[1]
    ends = candidates[2] == end
    order = np.argsort(ends, axis=1, kind="stable")[:, :width]  # those that do not end come first
    order = order[:, np.minimum(np.arange(width), order.shape[1] - 1)]
    groups = np.arange(len(order))[:, None]
    values, rows, words = (array[groups, order] for array in candidates)
    possible = np.arange(width) < (~ends).sum(1, keepdims=True)
    tokens = np.concatenate([beams.tokens[groups, rows], words[:, :, None]], axis=2)
    return Beams(beams.owners, tokens, np.where(possible, values, NEVER)), rows


def unfinished_beams(beams: Beams, rows: np.ndarray, finished: Finished) -> tuple[Beams, np.ndarray]:
    """Return the beams without finished sources once these are half of them, and which rows of the state go on.

    A source is finished when it has `width` hypotheses, or when nothing can go on. Until it leaves, its rows are
    impossible.

    Args:
        rows: The row of its group that each row goes on from, `(live, width)`.

    Example:
        >>> beams, finished = first_beams(2, start=1, width=1), [[Hypothesis([], -0.5)], []]
        >>> beams, picks = unfinished_beams(beams, np.array([[0], [0]]), finished)
        >>> beams.owners.tolist(), picks.tolist()
        ([1], [1])
    """
    width = beams.totals.shape[1]
    live = np.array([len(finished[owner]) < width for owner in beams.owners]) & (beams.totals > NEVER).any(1)
    beams = beams._replace(totals=np.where(live[:, None], beams.totals, NEVER))
    groups = np.arange(len(live))
    if live.sum() <= len(live) / 2:
        beams, groups, rows = Beams(*(array[live] for array in beams)), groups[live], rows[live]
    return beams, (groups[:, None] * width + rows).reshape(-1)


def beam_candidates(scores: np.ndarray, totals: np.ndarray) -> Candidates:
    """Return the best next tokens for each source: twice as many as it has rows, since half may be ends.

    Args:
        scores: Log-probabilities of the next token, `(live * width, vocabulary)`.
        totals: Those of the sequences so far, `(live, width)`.

    Returns:
        For each candidate, best first, its log-probability, the row that it goes on from and its token, each
        `(live, candidates)`.

    Example:
        >>> scores, totals = np.log(np.array([[0.1, 0.9]])), np.zeros((1, 1))
        >>> _, rows, words = beam_candidates(scores, totals)
        >>> words.tolist()
        [[1, 0]]
    """
    (live, width), size = totals.shape, scores.shape[1]
    block, count = min(BLOCK, size), min(2 * width, width * size)
    starts, groups = np.arange(0, size, block), np.arange(live)[:, None]
    best = np.maximum.reduceat(scores, starts, axis=1).reshape(live, width, -1) + totals[:, :, None]
    places = largest_places(best.reshape(live, -1), min(count, width * len(starts)))  # blocks with candidates
    words = (places[:, :, None] % len(starts) * block + np.arange(block)).reshape(live, -1)
    rows, there = np.repeat(places // len(starts), block, axis=1), words < size  # the last block may be shorter
    words = np.minimum(words, size - 1)
    values = np.where(there, scores[groups * width + rows, words] + totals[groups, rows], NEVER)
    order = largest_places(values, count)
    return values[groups, order], rows[groups, order], words[groups, order]


def largest_places(values: np.ndarray, count: int) -> np.ndarray:
    """Return the places of the `count` largest values of each row, largest first.

    Example:
        >>> largest_places(np.array([[3.0, 1.0, 2.0]]), 2).tolist()
        [[0, 2]]
    """
    places = np.argpartition(values, -count, axis=1)[:, -count:]
    places.sort(axis=1)
    rows = np.arange(len(values))[:, None]
    return places[rows, np.argsort(-values[rows, places], axis=1, kind="stable")]


def permitted_scores(
    scores: np.ndarray, tokens: np.ndarray, end: int, time: int, max_length: int, min_length: int, no_repeat_ngram: int
) -> np.ndarray:
    """Return log-probabilities that are minus infinity for tokens that must not come next.

    Example:
        >>> scores = permitted_scores(np.zeros((1, 3)), np.array([[0]]), 0, 0, 5, 1, 0)  # one token at least
        >>> scores.tolist()
        [[-inf, 0.0, 0.0]]
    """
    if time < min_length:
        scores[:, end] = NEVER
    if time == max_length:  # nothing but the end
        scores = np.where(np.arange(scores.shape[1]) == end, scores, NEVER)
    elif 0 < no_repeat_ngram <= time:
        places = time - no_repeat_ngram + 1  # runs of tokens in each row
        same = np.ones((len(tokens), places), bool)  # whether a run begins as the next one would
        for step in range(no_repeat_ngram - 1):
            same &= tokens[:, 1 + step : 1 + step + places] == tokens[:, None, places + 1 + step]
        rows, found = np.nonzero(same)
        scores[rows, tokens[rows, found + no_repeat_ngram]] = NEVER
    return scores


def memory_step(network: Network, memory: State) -> Step:
    """Return a step function over the signature `step` of a network that attends to a memory.

    The first array of its state says which source each row is of; the signature gets the last tokens, the memory of
    those sources, and the other states. It gives log-probabilities, attention and new states.

    Args:
        memory: Arrays with a first axis of sources; they are reordered only when rows change their sources.

    Example:
        >>> def network(signature, last, memory, state):
        ...     return np.zeros((len(last), 3)), memory, state + 1
        >>> step = memory_step(network, (np.ones((1, 4)),))
        >>> scores, (_, state) = step(np.array([1]), (np.array([0]), np.zeros((1, 2))))
        >>> scores.shape, state.tolist()
        ((1, 3), [[1.0, 1.0]])
    """
    before, own = np.empty(0, int), memory

    def step(last: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        nonlocal before, own
        owners, *states = state
        if not np.array_equal(owners, before):
            before, own = owners, tuple(array[owners] for array in memory)
        scores, _, *after = network("step", last.astype("int32"), *own, *states)
        return scores, (owners, *after)

    return step


def ensemble_step(steps: Sequence[Step]) -> Step:
    """Return a step function that averages the probabilities of several, for example of two views of a picture.

    Its state is the states of all, one after the other, with equally many arrays each.

    Example:
        >>> def step(last, state):
        ...     return np.log(np.array([[0.25, 0.75]])), state
        >>> scores, _ = ensemble_step([step, step])(np.array([0]), (np.zeros(1), np.zeros(1)))
        >>> np.exp(scores).round(2).tolist()
        [[0.25, 0.75]]
    """

    def step(last: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        size = len(state) // len(steps)
        found = [one(last, state[place * size : (place + 1) * size]) for place, one in enumerate(steps)]
        scores = np.logaddexp.reduce([scores for scores, _ in found]) - np.log(len(found))
        return scores.astype(found[0][0].dtype), tuple(array for _, after in found for array in after)

    return step

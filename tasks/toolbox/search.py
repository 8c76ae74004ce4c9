"""Searching for the most probable sequences, greedily or with a beam, over any step function. NumPy only."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

Network = Callable[..., tuple[np.ndarray, ...]]  # the name of a signature and its arrays, to its outputs
State = tuple[np.ndarray, ...]  # arrays whose first axis is that of the rows
Step = Callable[
    [np.ndarray, State], tuple[np.ndarray, State]
]  # last tokens (rows,) to log-probabilities (rows, vocabulary)
Finished = list[list["Hypothesis"]]
NEVER = -np.inf


class Hypothesis(NamedTuple):
    """A sequence that was found.

    Example:
        >>> Hypothesis([5, 6], -0.7).tokens
        [5, 6]
    """

    tokens: list[int]  # without start and end
    score: float  # its log-probability, divided by the penalty of its length


def length_divisor(length: float, length_penalty: float) -> float:
    """Return what the log-probability of a sequence is divided by: 1 for one token, more for longer ones.

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
    """Return the best sequences found for each of several sources.

    Every source has `width` rows, one for each sequence that is still being written. A sequence that ends
    among the first `width` candidates is finished; a source with `width` finished sequences is done, and its rows
    leave the work once they are half of it.

    Args:
        step: Takes the last token of each row and the state; returns the log-probabilities of the next token
            and the new state.
        state: Arrays with a first axis of `batch` rows, one for each source.
        batch: Number of sources.
        start: Token that every sequence begins with.
        end: Token that ends a sequence.
        max_length: Most tokens of a sequence, its end not counted, at least 1; one that gets so long is ended there.
        width: Sequences kept for each source, at least 1; 1 is greedy search.
        length_penalty: As for `penalty`.
        min_length: Fewest tokens of a sequence, its end not counted.
        no_repeat_ngram: No run of this many tokens stands twice in a sequence; 0 allows it.
        best: Sequences to return for each source, at most `width`.

    Returns:
        For each source its hypotheses, best first; there may be fewer than `best` where there are no more.

    Example:
        >>> scores = np.log(np.array([[0.1, 0.6, 0.3]]))  # of the end and two words, whatever was written
        >>> def step(last, state):
        ...     return np.repeat(scores, len(last), axis=0), state
        >>> ((best,),) = search(step, (np.zeros(1),), batch=1, start=1, end=0, max_length=3)
        >>> best.tokens
        [1, 1, 1]
    """
    finished: Finished = [[] for _ in range(batch)]
    owners = np.arange(batch)  # (live,): the source of each group of rows
    state = tuple(np.repeat(array, width, axis=0) for array in state)
    tokens = np.full((batch, width, 1), start)  # (live, width, time)
    totals = np.full((batch, width), NEVER)
    totals[:, 0] = 0.0  # at first all rows are the same
    for time in range(max_length + 1):
        if not len(owners):
            break
        scores, state = step(tokens[:, :, -1].reshape(-1), state)
        scores = permitted_scores(
            scores, tokens.reshape(-1, time + 1), end, time, max_length, min_length, no_repeat_ngram
        )
        values, rows, words = beam_candidates(scores, totals)
        ends = words == end
        for group, rank in np.argwhere(ends[:, :width] & (values[:, :width] > NEVER)):
            sequence = tokens[group, rows[group, rank], 1:].tolist()
            score = float(values[group, rank]) / length_divisor(time + 1, length_penalty)
            if len(finished[owners[group]]) < width:
                finished[owners[group]].append(Hypothesis(sequence, score))
        goes = np.argsort(ends, axis=1, kind="stable")[:, :width]  # the best candidates that do not end
        goes = np.pad(goes, ((0, 0), (0, width - goes.shape[1])), mode="edge")
        known = np.arange(width) < (~ends).sum(1, keepdims=True)
        totals = np.where(known, np.take_along_axis(values, goes, 1), NEVER)
        rows, words = np.take_along_axis(rows, goes, 1), np.take_along_axis(words, goes, 1)
        tokens = np.concatenate([np.take_along_axis(tokens, rows[:, :, None], 1), words[:, :, None]], axis=2)
        live = np.array([len(finished[owner]) < width for owner in owners]) & (totals > NEVER).any(1)
        totals[~live] = NEVER
        groups = np.arange(len(owners))
        if live.sum() <= len(owners) / 2:
            groups, owners, tokens, totals = groups[live], owners[live], tokens[live], totals[live]
            rows = rows[live]
        picks = (groups[:, None] * width + rows).reshape(-1)
        state = tuple(array[picks] for array in state)
    return [sorted(found, key=lambda one: -one.score)[:best] for found in finished]


def beam_candidates(scores: np.ndarray, totals: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the best ways to go on for each source: twice as many as it has rows, since half of them may be ends.

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
    live, width = totals.shape
    words = largest_places(scores, min(2 * width, scores.shape[1]))  # (live * width, best of a row)
    sums = totals.reshape(-1, 1) + np.take_along_axis(scores, words, 1)
    best = words.shape[1]
    order = largest_places(sums.reshape(live, -1), min(2 * width, width * best))
    values, words = (np.take_along_axis(array.reshape(live, -1), order, 1) for array in (sums, words))
    return values, order // best, words


def largest_places(values: np.ndarray, count: int) -> np.ndarray:
    """Return the places of the `count` largest values of each row, largest first; of equals the first of them.

    Example:
        >>> largest_places(np.array([[3.0, 1.0, 2.0]]), 2).tolist()
        [[0, 2]]
    """
    places = np.argpartition(values, -count, axis=1)[:, -count:]
    places.sort(axis=1)
    order = np.argsort(-np.take_along_axis(values, places, 1), axis=1, kind="stable")
    return np.take_along_axis(places, order, 1)


def permitted_scores(
    scores: np.ndarray, tokens: np.ndarray, end: int, time: int, max_length: int, min_length: int, no_repeat_ngram: int
) -> np.ndarray:
    """Return log-probabilities in which what may not come next is never.

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
        runs = np.lib.stride_tricks.sliding_window_view(
            tokens[:, 1:], no_repeat_ngram, axis=1
        )  # (rows, places, no_repeat_ngram)
        last = tokens[:, tokens.shape[1] - no_repeat_ngram + 1 :]
        rows, places = np.nonzero((runs[:, :, :-1] == last[:, None]).all(2))
        scores[rows, runs[rows, places, -1]] = NEVER
    return scores


def memory_step(network: Network, memory: State) -> Step:
    """Return a step function over the signature `step` of a network that looks at a memory.

    The first array of its state says which source each row is of; the signature gets the last tokens, the memory of
    those sources, and the other states. It gives log-probabilities, attention and new states.

    Args:
        memory: Arrays with a first axis of sources; they are not sorted anew as long as the rows keep their sources.

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
    """Return a step function that gives the mean of the probabilities that several give, as of views of one thing.

    Its state is their states, one after the other, each with as many arrays.

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

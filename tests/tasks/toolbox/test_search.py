"""Greedy and beam search, against every sequence there is."""

from itertools import product

import numpy as np
import pytest

from tasks.toolbox.search import (
    BLOCK,
    NEVER,
    Hypothesis,
    beam_candidates,
    ensemble_step,
    largest_places,
    length_divisor,
    memory_step,
    search,
)

START, END, WORDS, LONGEST = 0, 1, 4, 4


def table(seed):
    """Return log-probabilities of the next token by last token and time, `(WORDS, LONGEST + 2, WORDS)`."""
    scores = 2 * np.random.default_rng(seed).normal(size=(WORDS, LONGEST + 2, WORDS))
    return scores - np.log(np.exp(scores).sum(-1, keepdims=True))


def found(tables, **settings):
    """Return what the search finds, one source for each table."""
    stacked, rows = np.stack(tables), []

    def step(last, state):
        source, time = state
        rows.append(len(last))
        return stacked[source, last, time], (source, time + 1)

    state = (np.arange(len(tables)), np.zeros(len(tables), int))
    given = {"start": START, "end": END, "max_length": LONGEST} | settings
    return search(step, state, batch=len(tables), **given), rows


def everything(scores, length_penalty=1.0, min_length=0, no_repeat_ngram=0):
    """Return all sequences of one source, best first."""
    sequences = [
        list(tokens) for length in range(min_length, LONGEST + 1) for tokens in product([0, 2, 3], repeat=length)
    ]
    scored = []
    for tokens in sequences:
        runs = [tuple(tokens[place : place + no_repeat_ngram]) for place in range(len(tokens) - no_repeat_ngram + 1)]
        if no_repeat_ngram and len(set(runs)) < len(runs):
            continue
        path = [START, *tokens, END]
        total = sum(scores[path[time], time, path[time + 1]] for time in range(len(path) - 1))
        scored.append(Hypothesis(tokens, total / length_divisor(len(path) - 1, length_penalty)))
    return sorted(scored, key=lambda one: -one.score)


TABLES = [table(seed) for seed in range(20)]


@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1.0, 2.0])
@pytest.mark.parametrize(("min_length", "no_repeat_ngram"), [(0, 0), (2, 0), (0, 1), (0, 2)])
def test_a_beam_as_wide_as_the_space_finds_the_optimum(length_penalty, min_length, no_repeat_ngram):
    answers, _ = found(
        TABLES, width=150, length_penalty=length_penalty, best=5, min_length=min_length, no_repeat_ngram=no_repeat_ngram
    )
    for scores, own in zip(TABLES, answers, strict=True):
        expected = everything(scores, length_penalty, min_length, no_repeat_ngram)[:5]
        assert [one.tokens for one in own] == [one.tokens for one in expected]
        np.testing.assert_allclose([one.score for one in own], [one.score for one in expected])


def test_a_beam_of_one_is_greedy():
    answers, _ = found(TABLES, width=1)
    for scores, (own,) in zip(TABLES, answers, strict=True):
        path = [START]
        while len(path) <= LONGEST and (best := int(scores[path[-1], len(path) - 1].argmax())) != END:
            path.append(best)
        assert own.tokens == path[1:]


def test_a_source_is_searched_as_if_it_were_alone():
    together, _ = found(TABLES, width=3, best=3)
    for scores, own in zip(TABLES, together, strict=True):
        assert found([scores], width=3, best=3)[0] == [own]


def test_finished_sources_leave_the_work():
    quick, slow = table(0), table(1)
    quick[:, :, END], slow[:, :LONGEST, END] = 0.0, -50.0
    answers, rows = found([quick, quick, quick, slow], width=2)
    assert rows[0] == 8
    assert rows[-1] == 2
    assert [len(own.tokens) for (own,) in answers] == [0, 0, 0, LONGEST]


def test_lengths_keep_within_their_limits():
    for (own,) in found(TABLES, width=3, min_length=2, max_length=3)[0]:
        assert 2 <= len(own.tokens) <= 3
    lengths = [
        [len(own.tokens) for (own,) in found(TABLES, width=9, length_penalty=length_penalty)[0]]
        for length_penalty in (0.0, 3.0)
    ]
    assert sum(lengths[0]) < sum(lengths[1])


def test_no_run_of_tokens_stands_twice():
    loop = np.full((WORDS, LONGEST + 2, WORDS), -5.0)
    loop[:, :, 2] = -0.1
    assert found([loop], width=1)[0][0][0].tokens == [2, 2, 2, 2]
    (own,) = found([loop], width=1, no_repeat_ngram=2)[0][0]
    pairs = list(zip(own.tokens, own.tokens[1:], strict=False))
    assert len(set(pairs)) == len(pairs)


def test_there_may_be_fewer_sequences_than_asked_for():
    one_way = np.full((WORDS, LONGEST + 2, WORDS), -np.inf)
    one_way[:, 0, 2] = one_way[:, 1, END] = 0.0
    assert found([one_way], width=5, best=5)[0] == [[Hypothesis([2], 0.0)]]


def test_of_equals_the_first_is_the_largest():
    values = np.array([[1.0, 3.0, 3.0, 2.0], [4.0, 0.0, 4.0, 5.0]])
    np.testing.assert_array_equal(largest_places(values, 3), [[1, 2, 3], [3, 0, 2]])
    assert length_divisor(1, 0.7) == 1.0
    assert length_divisor(7, 1.0) == 2.0


def test_each_row_looks_at_the_memory_of_its_own_source():
    memory, seen = np.array([[10.0], [20.0]]), []

    def network(signature, last, looked, state):
        assert signature == "step"
        seen.append(looked[:, 0].tolist())
        return np.zeros((len(last), WORDS)), np.zeros((len(last), 1)), state + 1

    step = memory_step(network, (memory,))
    _, state = step(np.zeros(3), (np.array([0, 1, 1]), np.zeros((3, 2))))
    step(np.zeros(2), tuple(array[[2, 0]] for array in state))
    assert seen == [[10, 20, 20], [20, 10]]
    assert state[1].tolist() == [[1, 1]] * 3


def test_the_mean_of_several_steps_is_that_of_their_probabilities():
    random = np.random.default_rng(0)
    tables = [np.log(random.dirichlet(np.ones(5), (3, 5))).astype("float32") for _ in range(2)]

    def stepping(table):
        return lambda last, state: (table[state[0], last], (state[0], state[1] + 1))

    last, rows = np.array([1, 4, 0]), np.arange(3)
    scores, state = ensemble_step([stepping(table) for table in tables])(last, (rows, rows, rows, rows + 5))
    mean = np.log(np.mean([np.exp(table[rows, last]) for table in tables], 0))
    np.testing.assert_allclose(scores, mean, rtol=1e-5)
    assert scores.dtype == np.float32
    for found, wanted in zip(state, (rows, rows + 1, rows, rows + 6), strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("size", [1, 5, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 2, 1000])
@pytest.mark.parametrize("width", [1, 3, 8])
def test_the_candidates_are_the_best_of_all_tokens_of_all_rows(size, width):
    random = np.random.default_rng(size)
    scores = random.normal(size=(2 * width, size)).astype("float32")
    scores[random.random(scores.shape) < 0.2] = NEVER
    totals = random.normal(size=(2, width))
    totals[0, 1:] = NEVER
    values, rows, words = beam_candidates(scores, totals)
    for group in range(2):
        every = scores[group * width : (group + 1) * width] + totals[group, :, None]
        expected = np.sort(every.reshape(-1))[::-1][: 2 * width]
        np.testing.assert_array_equal(values[group], expected)
        possible = values[group] > NEVER
        np.testing.assert_array_equal(every[rows[group], words[group]][possible], expected[possible])
        assert len({*zip(rows[group][possible], words[group][possible], strict=True)}) == possible.sum()

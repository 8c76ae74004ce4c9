"""Batches depend on seed and epoch alone."""

import subprocess
import sys
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from data.batches import Batches, equal_cost_cuts

ROOT = Path(__file__).parents[2]
EXAMPLES = [{"x": number} for number in range(10)]


def encode(examples, random=None):
    x = np.array([[example["x"]] for example in examples], "float32")
    return x if random is None else x + random.uniform(0, 0.5, x.shape).astype("float32"), x[:, 0]


def encoder(encode=encode, **hooks):
    """Return what batches ask of a codec: `encode`, and hooks that are as in `Codec` unless given."""
    defaults = {"vary": lambda example, random: example, "turns": lambda example: 1}
    return SimpleNamespace(encode=encode, **defaults | {"bucket": lambda example: 0, "cost": lambda bucket: 1} | hooks)


def rows(batches, epoch=0):
    return np.concatenate([y for _, y in batches.epoch(epoch)])


def test_without_a_seed_the_examples_stay_in_order_and_as_they_are():
    batches = Batches(EXAMPLES, encoder(), 4)
    assert [len(y) for _, y in batches.epoch()] == [4, 4, 2]
    np.testing.assert_array_equal(rows(batches), range(10))
    np.testing.assert_array_equal(np.concatenate([x for x, _ in batches.epoch()])[:, 0], range(10))


def test_every_epoch_has_an_order_of_its_own_that_comes_back():
    batches = Batches(EXAMPLES, encoder(), 4, seed=1)
    assert sorted(rows(batches, 0)) == sorted(rows(batches, 1)) == list(range(10))
    assert list(rows(batches, 0)) != list(rows(batches, 1))
    np.testing.assert_array_equal(rows(batches, 1), rows(Batches(EXAMPLES, encoder(), 4, seed=1), 1))
    for (x, _), (again, _) in zip(batches.epoch(1), batches.epoch(1), strict=True):
        np.testing.assert_array_equal(x, again)


def test_an_example_has_as_many_turns_as_it_asks_for():
    batches = Batches(EXAMPLES[:4], encoder(turns=lambda example: example["x"]), 3, seed=1)
    assert len(batches) == 2
    assert sorted(rows(batches, 0)) == sorted(rows(batches, 1)) == [1, 2, 2, 3, 3, 3]
    assert list(rows(batches, 0)) != list(rows(batches, 1))


@pytest.mark.parametrize(("size", "count"), [(1, 10), (4, 3), (10, 1), (64, 1)])
def test_the_length_is_the_number_of_batches(size, count):
    batches = Batches(EXAMPLES, encoder(), size)
    assert len(batches) == count == len(list(batches.epoch()))


def test_fit_reads_batches_of_any_length():
    def widening(examples, random=None):
        width = 3 + len(examples) % 3
        return np.ones((len(examples), width), "float32"), np.ones((len(examples), 1), "float32")

    inputs = keras.Input((None,))
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.GlobalAveragePooling1D()(inputs[..., None])))
    model.compile(loss="mse", optimizer="sgd")
    batches = Batches(EXAMPLES, encoder(widening), 4, seed=0)
    history = model.fit(batches.epoch_data(0), shuffle=False, verbose=0)
    assert len(history.history["loss"]) == 1
    assert np.isfinite(model.evaluate(batches.epoch_data(1), verbose=0))


def bucketed(seed=None, size=4):
    lengths = [3, 9, 1, 8, 2, 9, 7, 1, 2, 9]
    examples = [{"x": number, "length": length} for number, length in enumerate(lengths)]
    return lengths, Batches(
        examples, encoder(bucket=lambda example: 5 if example["length"] <= 5 else 10), size, seed=seed
    )


@pytest.mark.parametrize("seed", [None, 3])
def test_buckets_meet_in_one_batch_at_most(seed):
    lengths, batches = bucketed(seed)
    seen = [[lengths[int(row)] for row in y] for _, y in batches.epoch(2)]
    assert sorted(length for batch in seen for length in batch) == sorted(lengths)
    assert sorted(map(len, seen)) == [2, 4, 4]
    assert sum(min(batch) <= 5 < max(batch) for batch in seen) <= 1
    assert len(batches) == 3


def test_batches_of_different_buckets_come_in_random_order():
    _, batches = bucketed(seed=0, size=1)
    orders = {tuple(int(y[0]) for _, y in batches.epoch(epoch)) for epoch in range(5)}
    assert len(orders) == 5
    again = bucketed(seed=0, size=1)[1]
    np.testing.assert_array_equal(rows(batches, 3), rows(again, 3))


def test_batches_of_equal_cost_hold_fewer_of_the_dear():
    examples = [{"x": number, "width": 10 if number % 2 else 30} for number in range(80)]
    settings = {"bucket": lambda example: example["width"], "cost": lambda bucket: bucket}
    batches = Batches(examples, encoder(**settings), 8, seed=0)
    found = [[examples[int(x)]["width"] for x in y] for _, y in batches.epoch()]
    assert len(found) == len(batches) == 10
    assert sorted(chain(*found)) == [10] * 40 + [30] * 40
    assert all(130 <= sum(widths) <= 190 for widths in found)
    assert {len(widths) for widths in found if set(widths) == {30}} <= {5, 6}
    assert {len(widths) for widths in found if set(widths) == {10}} <= {15, 16, 17}


@pytest.mark.parametrize("costs", [[1] * 7, [100, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 100], [5, 1, 9, 2, 2, 8, 1]])
@pytest.mark.parametrize("count", [1, 2, 5, 7])
def test_no_batch_is_empty(costs, count):
    parts = np.split(np.arange(7), equal_cost_cuts(np.array(costs), count))
    assert len(parts) == count
    assert all(len(part) for part in parts)


def test_examples_vary_with_the_epoch_and_come_back():
    def vary(example, random):
        return {"x": example["x"] + random.integers(1, 5) * 100}

    batches = Batches(EXAMPLES, encoder(vary=vary), 4, seed=2)
    assert sorted(rows(batches, 0) % 100) == list(range(10))
    assert list(rows(batches, 0)) == list(rows(batches, 0))
    assert set(rows(batches, 0)) != set(rows(batches, 1))
    assert list(rows(Batches(EXAMPLES, encoder(vary=vary), 4))) == list(range(10))


def test_sequences_may_differ_in_length_in_any_number_of_axes():
    rows = [{"n": n} for n in range(1, 7)]

    def encode(examples, random=None):
        longest = max(example["n"] for example in examples)
        return np.ones((len(examples), 2, longest), "int32"), np.ones(len(examples), "float32")

    shapes = [tuple(x.shape) for x, _ in Batches(rows, encoder(encode), 2).epoch_data()]
    assert shapes == [(2, 2, 2), (2, 2, 4), (2, 2, 6)]


@pytest.mark.slow
def test_memory_that_a_step_frees_stays_with_the_process():
    code = (
        "import ctypes, resource, numpy as np\n"
        "from data.batches import Batches, keep_memory\n"
        "libc = ctypes.CDLL(None)\n"
        "def faults():\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    for size in (40_000_000, 30_000_000) * 5:\n"
        "        np.ones(size // 8)\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before\n"
        "libc.mallopt(-1, 128 << 10)\n"
        "trimmed = faults()\n"
        "keep_memory()\n"
        "faults()\n"
        "print(trimmed, faults())\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    trimmed, kept = map(int, result.stdout.split())
    assert kept < trimmed / 10

"""The table of words and pairs."""

import zlib
from base64 import b64encode

import numpy as np
import pytest

from data.texts.ngrams import CHUNK, WORDS, NgramTable, ngram_keys


def test_each_word_and_pair_has_a_place_of_its_own_and_their_order_counts():
    table = NgramTable.learn([[7, 8, 7, 8, 9], [8, 9, 7]], most=100, least=1)
    found = table.places([7, 8, 7, 8, 9])
    assert len(found) == 6  # 7 8 9, 78 87 89
    assert found.dtype == np.int32
    assert (np.diff(found) > 0).all()
    assert found.min() >= 1
    assert len(table) == 7  # and 97
    assert table.places([9, 8]).tolist() == table.places([8])[:1].tolist() + table.places([9])[:1].tolist()
    assert table.places([10]).tolist() == []


def test_texts_are_counted_once_each_and_what_few_have_is_left_out():
    rows = [[5, 5, 5, 5], [6, 5], [6, 9]]
    assert NgramTable.learn(rows, 100, 2).keys.tolist() == [5, 6]
    assert NgramTable.learn(rows, 1, 1).keys.tolist() in ([5], [6])
    assert len(NgramTable.learn(rows, 100, 4)) == 0
    assert NgramTable.learn(rows, 100, 4).places([5]).tolist() == []


def test_counting_in_chunks_is_counting_at_once():
    draws = np.random.default_rng(0)
    rows = [draws.integers(1, 30, 5) for _ in range(CHUNK + 50)]
    keys, counts = np.unique(np.concatenate([ngram_keys(row) for row in rows]), return_counts=True)
    np.testing.assert_array_equal(NgramTable.learn(rows, 10**6, 20).keys, keys[counts >= 20])
    most = NgramTable.learn(rows, 40, 1).keys
    assert counts[np.isin(keys, most)].min() >= counts[~np.isin(keys, most)].max()


@pytest.mark.parametrize("count", [0, 1, 500])
def test_a_table_is_restored_from_its_text(count):
    keys = np.unique(np.random.default_rng(0).integers(1, WORDS**2, count))
    table = NgramTable(keys.astype("int64"))
    np.testing.assert_array_equal(NgramTable.restore(table.state(), 500).keys, keys)


def packed(*steps):
    planes = np.array(steps, "<u8").view("uint8").reshape(-1, 8).T
    return b64encode(zlib.compress(planes.tobytes())).decode()


@pytest.mark.parametrize(
    "text",
    [
        "!",
        "AAAA",
        b64encode(zlib.compress(b"123")).decode(),
        b64encode(zlib.compress(bytes(80))[:-3]).decode(),
        b64encode(zlib.compress(bytes(8 << 20))).decode(),
        packed(1, 0),
        packed(1 << 40),
        packed((1 << 40) - 1, 1),
        packed(*[1] * 11),
    ],
)
def test_a_damaged_table_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011
        NgramTable.restore(text, 10)

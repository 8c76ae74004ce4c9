"""Recurrences written out step by step give what the loop gives."""

import keras
import numpy as np
import pytest

from layers.onnx.unrolled import recurrent_layers, unrolled_recurrences
from layers.recurrent import RecurrentStack

KINDS = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM, "rnn": keras.layers.SimpleRNN}


def answers(model, tokens):
    """Return what a model gives with a loop, and written out."""
    looped = keras.tree.flatten(model(tokens, training=False))
    with unrolled_recurrences(model):
        written = keras.tree.flatten(model(tokens, training=False))
    return [np.asarray(keras.ops.convert_to_numpy(one)) for one in looped], [
        np.asarray(keras.ops.convert_to_numpy(one)) for one in written
    ]


def padded_tokens():
    tokens = np.random.default_rng(0).integers(1, 20, (3, 7)).astype("int32")
    tokens[1, 4:] = tokens[2, 1:] = 0
    return tokens


@pytest.mark.parametrize("cell", KINDS)
@pytest.mark.parametrize("settings", [{}, {"depth": 2, "return_sequences": True}, {"bidirectional": True}])
def test_padded_sequences_are_read_as_by_the_loop(cell, settings):
    tokens = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(20, 4, mask_zero=True)(tokens)
    model = keras.Model(tokens, RecurrentStack(3, cell, **settings)(vectors))
    for one, other in zip(*answers(model, padded_tokens()), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert all("inner_loop" not in vars(layer) for layer in recurrent_layers(model))


@pytest.mark.parametrize("cell", KINDS)
def test_padded_steps_of_both_directions_are_zeros(cell):
    tokens = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(20, 4, mask_zero=True)(tokens)
    both = keras.layers.Bidirectional(KINDS[cell](3, return_sequences=True))
    (looped,), (written,) = answers(keras.Model(tokens, both(vectors)), padded_tokens())
    np.testing.assert_allclose(looped, written, atol=1e-6)
    assert not written[1, 4:].any()
    assert written[1, :4].all()


@pytest.mark.parametrize("cell", KINDS)
def test_steps_backwards_come_in_the_order_of_the_loop(cell):
    x = keras.Input((5, 4))
    model = keras.Model(x, KINDS[cell](3, return_sequences=True, return_state=True, go_backwards=True)(x))
    values = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
    for one, other in zip(*answers(model, values), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)

"""Numbers computed by hand, or by another implementation."""

import keras
import numpy as np
import pytest
from scipy.signal import correlate

from layers.convolution import ConvolutionBlock, ResidualBlock
from layers.deconvolution import Bilinear, DeconvolutionBlock, EvenPhases, interpolation_weights
from layers.dense import DenseBlock
from layers.pooling import SequencePooling
from layers.recurrent import RecurrentStack


def outputs(layer, x):
    return keras.ops.convert_to_numpy(layer(np.asarray(x, "float32")))


def test_dense_by_hand():
    layer = DenseBlock(2)
    layer.build((None, 3))
    layer.set_weights([np.array([[1, 2], [0, -1], [3, 0]]), np.array([0.5, -10])])
    np.testing.assert_allclose(outputs(layer, [[1, 2, -1], [2, 0, 1]]), [[0, 0], [5.5, 0]])


def test_layer_normalization_by_hand():
    layer = DenseBlock(2, activation="linear", normalization="layer")
    layer.build((None, 2))
    layer.set_weights([np.eye(2), np.zeros(2), np.ones(2), np.zeros(2)])
    np.testing.assert_allclose(outputs(layer, [[1, 3]]), [[-1, 1]], atol=1e-3)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize(("padding", "mode"), [("valid", "valid"), ("same", "same")])
def test_convolution_equals_scipy(dimensions, padding, mode):
    random = np.random.default_rng(dimensions)
    x, kernel = random.normal(size=(7,) * dimensions), random.normal(size=(3,) * dimensions)
    layer = ConvolutionBlock(1, 3, dimensions=dimensions, padding=padding, activation="linear")
    layer.build((None, *x.shape, 1))
    layer.set_weights([kernel[..., None, None], np.array([0.25])])
    np.testing.assert_allclose(
        outputs(layer, x[None, ..., None])[0, ..., 0], correlate(x, kernel, mode) + 0.25, atol=1e-5
    )


def test_dilation_and_pooling_by_hand():
    layer = ConvolutionBlock(1, 2, dimensions=1, padding="valid", dilation=2, activation="linear", pooling="max")
    layer.build((None, 6, 1))
    layer.set_weights([np.array([1.0, 10.0])[:, None, None], np.zeros(1)])
    # x[t] + 10 x[t + 2] = 31, 42, 53, 64; the larger of each two
    np.testing.assert_allclose(outputs(layer, [[[1], [2], [3], [4], [5], [6]]])[0, :, 0], [42, 64])


def test_transposed_convolution_by_hand():
    layer = DeconvolutionBlock(1, 2, strides=2)
    layer.build((None, 2, 2, 1))
    layer.set_weights([np.array([[1.0, 2.0], [3.0, 4.0]])[..., None, None], np.array([0.5])])
    want = np.kron([[1, 2], [3, 4]], [[1, 2], [3, 4]]) + 0.5
    np.testing.assert_allclose(outputs(layer, np.array([[1, 2], [3, 4]])[None, ..., None])[0, ..., 0], want)


def test_the_tent_by_hand():
    np.testing.assert_allclose(interpolation_weights(4, 2), [0.25, 0.75, 0.75, 0.25])
    np.testing.assert_allclose(interpolation_weights(6, 3), np.array([1, 3, 5, 5, 3, 1]) / 6)
    np.testing.assert_allclose(interpolation_weights(2, 2), [1, 1])


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize(("kernel_size", "strides"), [(2, 2), (4, 2), (6, 2), (3, 3), (6, 3), (4, 4), (8, 4)])
def test_a_flat_input_stays_flat_inside(dimensions, kernel_size, strides):
    layer = DeconvolutionBlock(2, kernel_size, dimensions=dimensions, strides=strides)
    y = outputs(layer, np.full((1, *(8,) * dimensions, 2), 0.7))
    inside = y[(0, *(slice(kernel_size, -kernel_size),) * dimensions)]
    assert inside.size
    np.testing.assert_allclose(inside, 0.7, rtol=1e-6)


def test_a_bilinear_start_is_linear_interpolation():
    layer = DeconvolutionBlock(1, 4, dimensions=1, strides=2)
    x = np.array([3.0, 5.0, 4.0, 8.0])
    want = np.interp((np.arange(8) - 0.5) / 2, np.arange(4), x)
    np.testing.assert_allclose(outputs(layer, x[None, :, None])[0, 1:-1, 0], want[1:-1], rtol=1e-6)


@pytest.mark.parametrize(("inputs", "outs"), [(1, 3), (3, 1), (4, 2), (2, 2)])
def test_a_bilinear_start_keeps_a_flat_level_over_any_channels(inputs, outs):
    kernel = keras.ops.convert_to_numpy(Bilinear(2)((4, outs, inputs)))
    np.testing.assert_allclose(kernel.sum((0, 2)), 2)  # each of the two phases adds up to 1


def test_even_phases_by_hand():
    kernel = np.array([1.0, 2.0, 3.0, 6.0])[:, None, None]  # phases 1, 3 and 2, 6: sums 4 and 8
    even = keras.ops.convert_to_numpy(EvenPhases(2)(keras.ops.convert_to_tensor(kernel)))
    np.testing.assert_allclose(even[:, 0, 0], [2, 1, 4, 5])  # both 6, which is their mean
    np.testing.assert_allclose(keras.ops.convert_to_numpy(EvenPhases(2)(even)), even)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize(("kernel_size", "strides"), [(4, 2), (6, 3)])
def test_a_flat_input_stays_flat_after_training_where_it_is_to(dimensions, kernel_size, strides):
    spread = {}
    for even in (False, True):
        keras.utils.set_random_seed(0)
        layer = DeconvolutionBlock(2, kernel_size, dimensions=dimensions, strides=strides, even=even)
        model = keras.Sequential([keras.Input((*(8,) * dimensions, 2)), layer])
        model.compile("sgd", "mse")
        random = np.random.default_rng(0)
        x = random.normal(size=(4, *(8,) * dimensions, 2))
        model.train_on_batch(x, random.normal(size=(4, *(8 * strides,) * dimensions, 2)) * 9)
        y = outputs(layer, np.full((1, *(8,) * dimensions, 2), 0.7))
        inside = y[(0, *(slice(kernel_size, -kernel_size),) * dimensions)].reshape(-1, 2)
        spread[even] = float(np.ptp(inside, axis=0).max())
    assert spread[True] < 1e-6 < spread[False]


def test_a_residual_block_by_hand():
    layer = ResidualBlock(1, 1, convolutions=2)
    layer.build((None, 1, 3, 1))
    layer.set_weights([np.full((1, 1, 1, 1), 2.0), np.ones(1), np.full((1, 1, 1, 1), -3.0), np.zeros(1)])
    x = np.array([1.0, -0.25, -4.0])
    np.testing.assert_allclose(outputs(layer, x[None, None, :, None])[0, 0, :, 0], x - 3 * np.maximum(2 * x + 1, 0))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, kernel, recurrent, bias):
    state = carry = np.zeros(recurrent.shape[0])
    for step in x:
        i, f, c, o = np.split(step @ kernel + state @ recurrent + bias, 4)
        carry = sigmoid(f) * carry + sigmoid(i) * np.tanh(c)
        state = sigmoid(o) * np.tanh(carry)
        yield state


def gru(x, kernel, recurrent, bias):
    state = np.zeros(recurrent.shape[0])
    for step in x:
        (z, r, h), (rz, rr, rh) = np.split(step @ kernel + bias[0], 3), np.split(state @ recurrent + bias[1], 3)
        update = sigmoid(z + rz)
        state = update * state + (1 - update) * np.tanh(h + sigmoid(r + rr) * rh)
        yield state


def rnn(x, kernel, recurrent, bias):
    state = np.zeros(recurrent.shape[0])
    for step in x:
        state = np.tanh(step @ kernel + state @ recurrent + bias)
        yield state


@pytest.mark.parametrize(("cell", "reference"), [("lstm", lstm), ("gru", gru), ("rnn", rnn)])
def test_a_recurrent_layer_equals_its_equations(cell, reference):
    random = np.random.default_rng(0)
    layer = RecurrentStack(3, cell, return_sequences=True)
    layer.build((None, 5, 2))
    weights = [random.normal(size=weight.shape) for weight in layer.get_weights()]
    layer.set_weights(weights)
    x = random.normal(size=(5, 2))
    np.testing.assert_allclose(outputs(layer, x[None])[0], list(reference(x, *weights)), atol=1e-5)


def test_both_directions_meet_in_the_final_state():
    layer = RecurrentStack(2, "rnn", bidirectional=True)
    layer.build((None, 4, 1))
    weights = [np.random.default_rng(0).normal(size=weight.shape) for weight in layer.get_weights()]
    layer.set_weights(weights)
    x = np.array([[0.1], [0.5], [-0.3], [0.9]])
    want = [*list(rnn(x, *weights[:3]))[-1], *list(rnn(x[::-1], *weights[3:]))[-1]]
    np.testing.assert_allclose(outputs(layer, x[None])[0], want, atol=1e-5)


@pytest.mark.parametrize("segment", [1, 2, 5, 7])
def test_a_segment_is_read_as_if_it_stood_alone(segment):
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    whole = RecurrentStack(4, "gru", bidirectional=True, return_sequences=True)
    cut = RecurrentStack(4, "gru", bidirectional=True, return_sequences=True, segment=segment)
    alone = [np.asarray(whole(x[:, start : start + segment])) for start in range(0, 5, segment)]
    cut.build(x.shape)
    cut.set_weights(whole.get_weights())
    np.testing.assert_allclose(np.asarray(cut(x)), np.concatenate(alone, 1), atol=1e-6)


def test_pooling_by_hand():
    x = np.array([[[1.0, -5.0], [3.0, -2.0], [99.0, 99.0]]], "float32")
    mask = np.array([[True, True, False]])
    np.testing.assert_allclose(SequencePooling("max+mean")(x, mask=mask), [[3, -2, 2, -3.5]])
    attention = SequencePooling("attention")
    attention.build(x.shape)
    attention.set_weights([np.zeros((2, 2)), np.zeros(2), np.zeros((2, 1))])
    np.testing.assert_allclose(attention(x, mask=mask), [[2, -3.5]], atol=1e-6)
    attention.set_weights([np.array([[1.0, 0], [0, 0]]), np.zeros(2), np.array([[2.0], [0]])])
    weights = np.exp(2 * np.tanh([1.0, 3.0]))
    expected = (weights[:, None] * x[0, :2]).sum(0) / weights.sum()
    np.testing.assert_allclose(np.asarray(attention(x, mask=mask))[0], expected, atol=1e-5)

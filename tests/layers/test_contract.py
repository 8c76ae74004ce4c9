"""What every layer of the package promises."""

import keras
import numpy as np
import pytest

from layers.block import Block
from layers.convolution import ConvolutionBlock, ResidualBlock
from layers.deconvolution import DeconvolutionBlock
from layers.dense import DenseBlock
from layers.pooling import SequencePooling
from layers.recurrent import RecurrentStack

CASES = {
    "dense": (lambda: DenseBlock(3), (5,)),
    "dense of sequences": (lambda: DenseBlock(3, activation="tanh", normalization="layer", dropout=0.1), (4, 5)),
    "dense with batch norm": (lambda: DenseBlock(3, normalization="batch"), (5,)),
    "convolution 1": (lambda: ConvolutionBlock(3, 3, dimensions=1, padding="causal", dilation=2), (7, 2)),
    "convolution 2": (lambda: ConvolutionBlock(4, 3, normalization="batch", dropout=0.1, pooling="max"), (7, 5, 2)),
    "convolution 2, strided": (
        lambda: ConvolutionBlock(4, 2, strides=2, padding="valid", activation="gelu"),
        (7, 5, 2),
    ),
    "convolution 3": (
        lambda: ConvolutionBlock(2, 2, dimensions=3, normalization="layer", pooling="average", pooling_size=3),
        (5, 4, 3, 2),
    ),
    "deconvolution 1": (lambda: DeconvolutionBlock(3, 4, dimensions=1, strides=2, padding="valid"), (5, 2)),
    "deconvolution 2": (lambda: DeconvolutionBlock(3, 6, strides=3, activation="relu", dropout=0.1), (3, 5, 3)),
    "deconvolution 2, kept even": (lambda: DeconvolutionBlock(2, 6, strides=2, even=True), (4, 3, 2)),
    "residual 1": (lambda: ResidualBlock(2, dimensions=1, convolutions=3), (6, 2)),
    "residual 2": (lambda: ResidualBlock(3, 3, activation="gelu"), (5, 4, 3)),
    "deconvolution 3": (
        lambda: DeconvolutionBlock(2, 2, dimensions=3, strides=2, start="glorot_uniform"),
        (2, 3, 1, 2),
    ),
    "lstm": (lambda: RecurrentStack(3, "lstm"), (4, 2)),
    "gru, both ways": (lambda: RecurrentStack(3, "gru", bidirectional=True, return_sequences=True), (4, 2)),
    "rnn, deep": (lambda: RecurrentStack(3, "rnn", depth=2, dropout=0.1, recurrent_dropout=0.1), (5, 2)),
    "lstm, deep, both ways": (lambda: RecurrentStack(2, depth=2, bidirectional=True, return_sequences=True), (4, 2)),
    "gru in segments": (
        lambda: RecurrentStack(3, "gru", bidirectional=True, return_sequences=True, segment=2),
        (5, 2),
    ),
    "lstm in segments, deep": (lambda: RecurrentStack(2, depth=2, return_sequences=True, segment=9), (5, 2)),
    "pooling": (lambda: SequencePooling("max+mean"), (4, 3)),
    "pooling by attention": (lambda: SequencePooling("attention"), (4, 3)),
}
BLOCKS = [name for name, (make, _) in CASES.items() if isinstance(make(), Block)]
MASKED = [name for name, (make, shape) in CASES.items() if len(shape) == 2]


@pytest.fixture(params=CASES)
def case(request):
    make, shape = CASES[request.param]
    keras.utils.set_random_seed(0)
    return make(), shape


def example(shape, batch=3, seed=0):
    return np.random.default_rng(seed).normal(size=(batch, *shape)).astype("float32")


def outputs(layer, x, **call):
    return keras.ops.convert_to_numpy(layer(x, **call))


def test_a_config_makes_the_same_layer_again(case):
    layer, _ = case
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


def test_a_saved_model_answers_as_before(case, tmp_path):
    layer, shape = case
    inputs = keras.Input(shape)
    model = keras.Model(inputs, layer(inputs))
    x = example(shape)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(outputs(again, x), outputs(model, x), atol=1e-6)


@pytest.mark.parametrize("batch", [1, 3])
def test_the_shape_rule_is_the_real_shape(case, batch):
    layer, shape = case
    predicted = layer.compute_output_shape((batch, *shape))
    assert outputs(layer, example(shape, batch)).shape == tuple(predicted)
    assert layer.compute_output_shape((batch, *shape)) == predicted


def test_one_training_step_moves_every_weight(case):
    layer, shape = case
    inputs = keras.Input(shape)
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(layer(inputs))))
    # A rate that cannot diverge: beside weights of 1e10, a bias loses its whole step to rounding.
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
    before = [np.array(weight) for weight in model.get_weights()]
    x = example(shape, 16)
    model.fit(x, example((1,), 16, seed=1), batch_size=8, epochs=3, verbose=0)
    for weight, old in zip(model.weights, before, strict=True):
        assert not np.array_equal(keras.ops.convert_to_numpy(weight), old), weight.path


@pytest.mark.parametrize("case", BLOCKS, indirect=True)
def test_parts_compute_in_the_number_format_of_the_block(case):
    layer, shape = case
    half = type(layer).from_config(layer.get_config() | {"dtype": "mixed_bfloat16"})
    half.build((None, *shape))
    assert {part.compute_dtype for part in half.parts} == {"bfloat16"}


@pytest.mark.parametrize("name", MASKED)
def test_masked_padding_never_changes_an_answer(name):
    make, shape = CASES[name]
    inputs = keras.Input((None, shape[-1]))
    layer = make()
    model = keras.Model(inputs, layer(keras.layers.Masking()(inputs)))
    x = example(shape)
    padded = np.concatenate([x, np.zeros((3, 3, shape[-1]), "float32")], axis=1)
    one, other = outputs(model, x), outputs(model, padded)
    if one.ndim == 3:
        mask = keras.ops.convert_to_tensor(padded.any(-1))
        kept = np.array(keras.ops.convert_to_numpy(layer.compute_mask(padded, mask)))
        assert kept.shape == other.shape[:2]
        length = kept.sum(1).min()
        assert length >= shape[0] - 2
        assert kept[:, :length].all()
        one, other = one[:, :length], other[:, :length]
    np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("make", [CASES["convolution 1"][0], CASES["deconvolution 1"][0]])
def test_what_stands_at_masked_steps_is_read_as_zeros(make):
    layer, mask = make(), np.array([[True, True, True, False, False]])
    x = example((5, 2), 1)
    zeros, noise = np.where(mask[..., None], x, 0), np.where(mask[..., None], x, 99)
    np.testing.assert_array_equal(outputs(layer, zeros), outputs(layer, noise, mask=mask))


def test_dropout_acts_in_training_only():
    layer = DenseBlock(64, dropout=0.5)
    x = np.ones((4, 8), "float32")
    np.testing.assert_array_equal(outputs(layer, x), outputs(layer, x))
    assert (outputs(layer, x, training=True) != outputs(layer, x, training=True)).any()


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: DenseBlock(0), "units=0"),
        (lambda: DenseBlock(2.5), "units=2.5"),
        (lambda: DenseBlock(2, dropout=1.0), "dropout=1.0"),
        (lambda: DenseBlock(2, normalization="bach"), "'bach'"),
        (lambda: ConvolutionBlock(2, dimensions=4), "dimensions=4"),
        (lambda: ConvolutionBlock(2, padding="causal"), "padding='causal'"),
        (lambda: ConvolutionBlock(2, strides=2, dilation=2), "dilation=2"),
        (lambda: ConvolutionBlock(2, pooling="min"), "pooling='min'"),
        (lambda: ConvolutionBlock(2, kernel_size=0), "kernel_size=0"),
        (lambda: DeconvolutionBlock(2, 3, strides=2), "kernel_size=3 and strides=2"),
        (lambda: DeconvolutionBlock(2, start="zeros"), "start='zeros'"),
        (lambda: ResidualBlock(2, convolutions=0), "convolutions=0"),
        (lambda: ResidualBlock(2)(np.zeros((1, 4, 4, 3))), "filters=2 and 3"),
        (lambda: RecurrentStack(2, "lstn"), "cell='lstn'"),
        (lambda: RecurrentStack(2, depth=0), "depth=0"),
        (lambda: RecurrentStack(2, segment=3), "segment=3"),
        (lambda: RecurrentStack(2, return_sequences=True, segment=0), "segment=0"),
        (lambda: SequencePooling("max+min"), "'min'"),
        (lambda: RecurrentStack(2, recurrent_dropout=-0.1), "recurrent_dropout=-0.1"),
    ],
)
def test_a_wrong_argument_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()

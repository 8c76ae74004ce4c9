"""Networks of our layers answer in ONNX Runtime as in Keras."""

import subprocess
import sys

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from keras import layers as kl
from keras import ops

from layers.attention import Attention
from layers.block import Block
from layers.convolution import ConvolutionBlock, ResidualBlock
from layers.decoder import DecoderStep, RecurrentDecoder
from layers.deconvolution import DeconvolutionBlock
from layers.dense import DenseBlock
from layers.embedding import TiedEmbedding
from layers.encoder import GridEncoder
from layers.onnx.network import onnx_model
from layers.pooling import SequencePooling
from layers.recurrent import RecurrentStack

TIME = (None, 3)
PICTURE = (None, None, 4)
LAYERS = {
    "dense": (lambda: DenseBlock(3), (5,)),
    "dense of sequences": (lambda: DenseBlock(3, activation="tanh", normalization="layer"), TIME),
    "dense with batch norm": (lambda: DenseBlock(3, normalization="batch", dropout=0.2), (5,)),
    "dense with batch norm, of sequences": (lambda: DenseBlock(3, normalization="batch"), TIME),
    "convolution 1, causal": (lambda: ConvolutionBlock(3, 3, dimensions=1, padding="causal", dilation=2), TIME),
    "convolution 1, strided": (lambda: ConvolutionBlock(3, 3, dimensions=1, strides=2), TIME),
    "convolution 2": (lambda: ConvolutionBlock(4, 3, normalization="batch", dropout=0.1, pooling="max"), PICTURE),
    "convolution 2, dilated": (lambda: ConvolutionBlock(4, 3, dilation=2, activation="silu"), PICTURE),
    "convolution 2, strided": (lambda: ConvolutionBlock(4, 2, strides=2, activation="gelu"), PICTURE),
    "convolution 2, strided, odd": (lambda: ConvolutionBlock(4, 3, strides=2, activation="elu"), (7, 10, 2)),
    "convolution 2, normed": (
        lambda: ConvolutionBlock(4, 2, normalization="layer", pooling="average", activation="sigmoid"),
        PICTURE,
    ),
    "convolution 3": (lambda: ConvolutionBlock(2, 2, dimensions=3, normalization="batch"), (5, 4, 3, 2)),
    "residual 1": (lambda: ResidualBlock(3, dimensions=1, convolutions=3), TIME),
    "residual 2": (lambda: ResidualBlock(4, 3, activation="leaky_relu"), PICTURE),
    "deconvolution 1": (lambda: DeconvolutionBlock(3, 4, dimensions=1, padding="valid"), TIME),
    "deconvolution 2": (lambda: DeconvolutionBlock(3, 6, strides=3, activation="relu"), PICTURE),
    "deconvolution 2, wide": (lambda: DeconvolutionBlock(2, 9, strides=3, start="glorot_uniform"), PICTURE),
    "deconvolution 3": (
        lambda: DeconvolutionBlock(2, 2, dimensions=3, strides=2, start="glorot_uniform"),
        (2, 3, 1, 2),
    ),
    "lstm": (lambda: RecurrentStack(3, "lstm"), TIME),
    "lstm, deep, both ways": (lambda: RecurrentStack(4, depth=2, bidirectional=True, return_sequences=True), TIME),
    "gru": (lambda: RecurrentStack(3, "gru", return_sequences=True), TIME),
    "gru, both ways": (lambda: RecurrentStack(3, "gru", bidirectional=True, dropout=0.1), TIME),
    "rnn, deep": (lambda: RecurrentStack(3, "rnn", depth=2, return_sequences=True), TIME),
    "rnn, both ways": (lambda: RecurrentStack(3, "rnn", bidirectional=True), TIME),
    "gru in segments": (
        lambda: RecurrentStack(3, "gru", bidirectional=True, return_sequences=True, segment=4),
        TIME,
    ),
    "lstm in segments, deep": (lambda: RecurrentStack(2, depth=2, return_sequences=True, segment=5), TIME),
    "pooling": (lambda: SequencePooling("max+mean"), TIME),
    "pooling by attention": (lambda: SequencePooling("attention"), TIME),
    "encoder from scratch": (lambda: GridEncoder("scratch", 32, filters=(4, 6, 8)), (32, 32, 3)),
    "prelu": (lambda: kl.PReLU(shared_axes=[1, 2]), PICTURE),
    "prelu after a convolution": (
        lambda: keras.Sequential([kl.Conv2D(4, 3, padding="same"), kl.PReLU(shared_axes=[1, 2])]),
        PICTURE,
    ),
    "lstm without activation": (lambda: kl.LSTM(3, activation="relu", use_bias=False), TIME),
    "gru of old": (lambda: kl.GRU(3, reset_after=False), TIME),
    "gru backwards": (lambda: kl.GRU(3, go_backwards=True), TIME),
    "depthwise convolution": (lambda: kl.DepthwiseConv2D(3, depth_multiplier=2, strides=2), (7, 6, 4)),
    "rescaling": (lambda: kl.Rescaling(0.5, offset=-1.0), PICTURE),
}
SEQUENCES = [name for name, (_, shape) in LAYERS.items() if shape == TIME]
OPERATIONS = {
    "an element": lambda x: x[:, 1],
    "the last": lambda x: x[:, -1],
    "a cut with steps": lambda x: x[:, 1:-1, ::2],
    "a cut backwards": lambda x: x[..., ::-1],
    "new axes": lambda x: x[:, None, :, 0, None],
    "axes": lambda x: ops.transpose(x, (0, 2, 1)),
    "rows": lambda x: ops.take(x, ops.convert_to_tensor([2, 0]), axis=-1),
    "halves": lambda x: ops.split(x, 2, axis=-1)[1],
    "parts": lambda x: ops.concatenate(ops.split(x, [1, 3], axis=-1)[::-1], axis=-1),
    "layers": lambda x: ops.stack([x, x + 1], axis=1),
    "repeated": lambda x: ops.repeat(x, 3, axis=1),
    "a border": lambda x: ops.pad(x, [[0, 0], [1, 2], [0, 1]], constant_values=7.0),
    "one axis less": lambda x: ops.squeeze(ops.mean(x, axis=1, keepdims=True), axis=1),
    "limits": lambda x: ops.clip(x, -0.5, 0.25),
    "sums": lambda x: ops.sum(x, axis=(1, 2)) + ops.mean(x, axis=-1)[:, 0] + ops.max(x) - ops.min(x, axis=2)[:, 0],
    "kept axes": lambda x: x - ops.mean(x, axis=1, keepdims=True),
    "logic": lambda x: ops.where(
        ops.logical_and(x > 0, ops.logical_not(x >= 1)), ops.ones_like(x), ops.zeros_like(x) - x
    ),
    "comparisons": lambda x: ops.cast(ops.equal(x, 0), "float32") + ops.cast(ops.less(x, 0.1), "float32"),
    "powers": lambda x: ops.sqrt(ops.exp(-ops.abs(x))) ** 2.0 / (1.0 + ops.maximum(x, ops.minimum(x * 2, 0.5)) ** 2),
    "activations": lambda x: ops.selu(x) + ops.softplus(x) * ops.softsign(x) - ops.hard_sigmoid(x) + ops.relu6(9 * x),
    "more activations": lambda x: ops.hard_silu(x) + ops.gelu(x, approximate=True) + ops.gelu(x, approximate=False),
    "probabilities": lambda x: ops.softmax(x, axis=1) + ops.log_softmax(x),
    "products": lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))),
    "whole numbers": lambda x: ops.cast(x * 3, "int32") + 1,
    "one open size": lambda x: ops.reshape(x, (-1, 2, 2)),
}


def randomized(network):
    """Return a network with random weights; the variances of normalizations are positive."""
    random = np.random.default_rng(0)
    for weight in network.weights:
        values = random.normal(size=weight.shape) * min(1.0, (2 / max(np.prod(weight.shape[:-1]), 1)) ** 0.5)
        weight.assign(1 + abs(values) if "variance" in weight.path else values)
    return network


def session(network, storage="float32"):
    model = onnx_model(network, storage)
    onnx.checker.check_model(model, full_check=True)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def answers(runtime, arrays):
    return runtime.run(None, dict(zip([value.name for value in runtime.get_inputs()], arrays, strict=True)))


def check_equal(network, runtime, *arrays):
    expected = keras.tree.flatten(network(list(arrays) if len(arrays) > 1 else arrays[0]))
    for one, other in zip(expected, answers(runtime, arrays), strict=True):
        one = np.array(keras.ops.convert_to_numpy(one))  # noqa: PLW2901
        assert one.shape == other.shape
        np.testing.assert_allclose(other, one, atol=1e-5 * max(1, abs(one).max()))


def network_of(name):
    make, shape = LAYERS[name]
    inputs = keras.Input(shape)
    return randomized(keras.Model(inputs, make()(inputs)))


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_answers_as_in_keras_for_open_sizes_and_any_batch(name):
    network = network_of(name)
    runtime = session(network)
    shape = network.input_shape[1:]
    for batch, sizes in [(1, (5, 8)), (3, (4, 7)), (2, (13, 6))]:
        check_equal(network, runtime, numbers(batch, *(size or sizes[axis] for axis, size in enumerate(shape))))


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")  # of one step
@pytest.mark.parametrize("name", SEQUENCES)
def test_a_sequence_of_one_step_is_read(name):
    network = network_of(name)
    check_equal(network, session(network), numbers(2, 1, 3))


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_computes_as_in_keras(name):
    inputs = keras.Input((None, 4))
    network = keras.Model(inputs, OPERATIONS[name](inputs))
    check_equal(network, session(network), numbers(3, 5, 4))


def takes_mask(layer):
    return layer.supports_masking or isinstance(layer, Block)


@pytest.mark.parametrize("name", [name for name in SEQUENCES if takes_mask(LAYERS[name][0]())])
def test_masked_steps_are_those_of_keras_and_padding_never_changes_an_answer(name):
    make, _ = LAYERS[name]
    tokens = keras.Input((None,), dtype="int32")
    vectors = kl.Embedding(9, 3, mask_zero=True)(tokens)
    network = randomized(keras.Model(tokens, make()(vectors)))
    runtime = session(network)
    short = np.array([[3, 1, 4, 1, 5, 2, 6], [2, 7, 1, 8, 0, 0, 0], [6, 0, 0, 0, 0, 0, 0]], "int32")
    check_equal(network, runtime, short)
    long = np.pad(short, [[0, 0], [0, 6]])
    check_equal(network, runtime, long)
    (one,), (other,) = answers(runtime, [short]), answers(runtime, [long])
    if one.ndim == 2:
        np.testing.assert_allclose(one, other, atol=1e-6)
    else:
        np.testing.assert_allclose(one[0, :2], other[0, :2], atol=1e-6)


@pytest.mark.parametrize("kind", [kl.GRU, kl.LSTM, kl.SimpleRNN])
@pytest.mark.parametrize("both", [True, False])
def test_a_recurrence_starts_from_given_states_and_gives_its_last_ones(kind, both):
    x = keras.Input(TIME)
    layer = kind(4, return_sequences=True, return_state=True)
    states = [keras.Input((4,)) for _ in range((2 if kind is kl.LSTM else 1) * (2 if both else 1))]
    outputs = (kl.Bidirectional(layer) if both else layer)(x, initial_state=states)
    network = randomized(keras.Model([x, *states], outputs))
    check_equal(network, session(network), numbers(2, 5, 3), *(numbers(2, 4, seed=n) for n in range(len(states))))


@pytest.mark.parametrize("kind", ["multiplicative", "additive"])
def test_attention_of_several_heads_sees_what_is_there(kind):
    queries, memory, there = keras.Input(TIME), keras.Input((None, 5)), keras.Input((None,), dtype="bool")
    network = randomized(keras.Model([queries, memory, there], Attention(6, kind, heads=2)(queries, memory, there)))
    runtime = session(network)
    seen = np.array([[True, True, False], [True, False, False]])
    check_equal(network, runtime, numbers(2, 4, 3), numbers(2, 3, 5), seen)
    one, other = (
        answers(runtime, [numbers(2, 4, 3), np.where(seen[..., None], numbers(2, 3, 5), far), seen])[0]
        for far in (np.float32(0), np.float32(9))
    )
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
@pytest.mark.parametrize("gated", [True, False])
def test_a_decoder_goes_step_by_step(cell, gated):
    decoder = RecurrentDecoder(4, 3, cell, heads=2, gated=gated)
    decoder.build((None, None, 5), (None, None, 6))
    memory, there, last = keras.Input((None, 6)), keras.Input((None,), dtype="bool"), keras.Input((5,))
    keys, values = keras.Input((None, 4)), keras.Input((None, 4))
    states = [keras.Input((4,)) for _ in range(2 * decoder.states)]
    encode = keras.Model([memory, there], decoder.memory_state(memory, there))
    step = keras.Model([last, there, keys, values, *states], DecoderStep(decoder)(last, keys, values, there, states))
    randomized(step)
    seen = np.array([[True, True, False], [True, False, False]])
    check_equal(encode, session(encode), numbers(2, 3, 6), seen)
    given = [numbers(2, 4, seed=number) for number in range(len(states))]
    check_equal(step, session(step), numbers(2, 5), seen, numbers(2, 3, 4), numbers(2, 3, 4, seed=1), *given)


@pytest.mark.parametrize("network", ["mobilenet", "mobilenetv2", "efficientnetlite0", "efficientnetb0", "resnet50"])
def test_an_encoder_that_knows_imagenet_answers_as_in_keras(network):
    image = keras.Input((32, 32, 3), dtype="uint8")
    encoder = keras.Model(image, GridEncoder(network, 32)(image))
    runtime = session(encoder)
    check_equal(encoder, runtime, np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), "uint8"))


def tied(width=16, size=200):
    tokens = keras.Input((None,), dtype="int32")
    embedding = TiedEmbedding(size, width)
    return randomized(keras.Model(tokens, ops.log_softmax(embedding(embedding(tokens), use="score"))))


@pytest.mark.parametrize(("storage", "size"), [("float32", 4), ("float16", 2), ("int8", 1)])
def test_a_tied_table_is_stored_once_in_the_format_asked_for(storage, size):
    network = tied()
    model = onnx_model(network, storage)
    assert [weight.dims for weight in model.graph.initializer if np.prod(weight.dims) > 1000] == [[200, 16]]
    assert len(model.SerializeToString()) < 200 * 16 * size + 3000
    tokens = np.array([[5, 199, 0]], "int32")
    expected, given = np.array(network(tokens)), answers(session(network, storage), [tokens])[0]
    np.testing.assert_allclose(given, expected, atol={4: 1e-5, 2: 0.1, 1: 0.3}[size])


@pytest.mark.parametrize("name", ["wide convolution", "wide gru", "narrow table"])
def test_bytes_are_within_half_a_step_of_the_largest_weight_of_their_channel(name):
    make, shape = {
        "wide convolution": (lambda: ConvolutionBlock(64, 3, normalization="batch"), (5, 5, 8)),
        "wide gru": (lambda: RecurrentStack(24, "gru", bidirectional=True), TIME),
        "narrow table": (lambda: kl.Embedding(600, 2), (None,)),
    }[name]
    inputs = keras.Input(shape, dtype="int32" if name == "narrow table" else "float32")
    network = randomized(keras.Model(inputs, make()(inputs)))
    batch = np.array([[3, 599]], "int32") if name == "narrow table" else numbers(2, *(size or 6 for size in shape))
    (expected,), (given,) = answers(session(network), [batch]), answers(session(network, "int8"), [batch])
    assert 0 < abs(given - expected).max() < 0.02 * abs(expected).max()


def test_normalizations_and_biases_are_folded_and_dropout_is_left_out():
    image = keras.Input((9, 9, 1))
    x = ConvolutionBlock(4, 3, normalization="batch", dropout=0.5, pooling="max")(image)
    x = ConvolutionBlock(4, 3, dropout=0.5)(x)
    model = onnx_model(keras.Model(image, kl.GlobalAveragePooling2D()(x)))
    kinds = [node.op_type for node in model.graph.node]
    assert kinds == ["Transpose", "Conv", "Relu", "MaxPool", "Conv", "Relu", "ReduceMean", "Identity"]


def test_inputs_keep_their_names_types_and_order():
    two, one = keras.Input((None,), dtype="int32", name="two"), keras.Input((3,), dtype="uint8", name="one")
    runtime = session(keras.Model([two, one], [ops.cast(one, "float32"), two + 1, two + 1]))
    assert [(value.name, value.type) for value in runtime.get_inputs()] == [
        ("two", "tensor(int32)"),
        ("one", "tensor(uint8)"),
    ]
    first, *others = answers(runtime, [np.array([[1, 2]], "int32"), np.array([[7, 8, 9]], "uint8")])
    assert first.tolist() == [[7, 8, 9]]
    assert [other.tolist() for other in others] == [[[2, 3]]] * 2


class Sized(keras.layers.Layer):
    def call(self, x):
        return x * (ops.shape(x)[1] % 2)

    def compute_output_shape(self, shape):
        return shape


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda x: ops.cumsum(x, axis=1), "operation 'Cumsum'"),
        (lambda x: Sized()(x) + 0, "layer 'Sized'"),
        (lambda x: kl.Bidirectional(kl.GRU(2), merge_mode="sum")(x) + 0, "'sum'"),
        (lambda x: kl.GRU(2, activation="swish")(x) + 0, "'silu'"),
        (lambda x: kl.GRU(2, return_sequences=True, go_backwards=True)(x) + 0, "in reverse"),
        (lambda x: RecurrentDecoder(2, 2)(x, x), "layer 'RecurrentDecoder'"),
        (lambda x: ops.softmax(x, axis=(1, 2)), "several axes"),
    ],
)
def test_what_has_no_translation_is_named(make, named):
    x = keras.Input(TIME)
    with pytest.raises(ValueError, match=named):
        onnx_model(keras.Model(x, make(x)))


@pytest.mark.slow
def test_a_network_of_another_backend_is_written_without_tensorflow():
    code = """
import sys; sys.modules["tensorflow"] = None  # cannot be imported
import keras, numpy as np, onnxruntime
from layers.convolution import ConvolutionBlock
from layers.onnx.network import onnx_model
from layers.recurrent import RecurrentStack
tokens = keras.Input((None,), dtype="int32")
x = keras.layers.Embedding(9, 4, mask_zero=True)(tokens)
x = RecurrentStack(4, "gru", bidirectional=True, return_sequences=True, segment=3)(x)
network = keras.Model(tokens, ConvolutionBlock(5, 3, dimensions=1, normalization="batch")(x))
runtime = onnxruntime.InferenceSession(onnx_model(network).SerializeToString())
batch = np.array([[1, 2, 3, 4, 5], [6, 7, 0, 0, 0]], "int32")
(given,) = runtime.run(None, {tokens.name: batch})
assert keras.backend.backend() == "jax"
print(abs(given - np.asarray(network(batch))).max())
"""
    environment = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PYTHONPATH": "."}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) < 1e-5

"""Attention, the decoder and the tied embedding: by hand, whole against steps, saved and restored."""

import keras
import numpy as np
import pytest

from layers.attention import Attention
from layers.decoder import DecoderStep, RecurrentDecoder
from layers.embedding import TiedEmbedding

DECODERS = {
    "gru": {},
    "lstm, additive": {"cell": "lstm", "attention": "additive"},
    "rnn, four heads, gated": {"cell": "rnn", "heads": 4, "gated": True, "dropout": 0.3},
}


def array(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def numpy(outputs):
    return [np.asarray(keras.ops.convert_to_numpy(output)) for output in outputs]


@pytest.mark.parametrize("settings", DECODERS.values(), ids=DECODERS)
def test_several_sequences_of_a_memory_are_read_as_if_each_had_it_alone(settings):
    decoder = RecurrentDecoder(8, 6, **settings)
    inputs, memory = array(3, 2, 5, 4), array(3, 7, 9, seed=1)
    there = np.arange(7) < np.array([[7], [4], [6]])
    together = decoder(inputs, memory, there=there)
    assert together.shape == (3, 2, 5, 6) == decoder.compute_output_shape(inputs.shape, memory.shape)
    for number in range(2):
        alone = decoder(inputs[:, number], memory, there=there)
        np.testing.assert_allclose(*numpy([together[:, number], alone]), atol=1e-5)


def test_multiplicative_attention_by_hand():
    layer = Attention(2)
    layer.build((1, 1, 2), (1, 3, 2))
    layer.set_weights([np.eye(2), np.eye(2), np.diag([1.0, 10.0])])
    memory = np.array([[[2.0, 0.0], [0.0, 1.0], [5.0, 5.0]]], "float32")
    query = np.array([[[2**0.5, 0.0]]], "float32")  # scores 2, 0 and, hidden, 5
    context, weights = numpy(layer(query, memory, there=np.array([[True, True, False]])))
    share = np.exp(2) / (np.exp(2) + 1)
    np.testing.assert_allclose(weights, [[[share, 1 - share, 0]]], rtol=1e-5)
    np.testing.assert_allclose(context, [[[2 * share, 10 * (1 - share)]]], rtol=1e-5)


def test_additive_attention_by_hand():
    layer = Attention(1, "additive")
    layer.build((1, 1, 1), (1, 2, 1))
    values = {"query": [[[1.0]], [0.5]], "key": [[[1.0]]], "value": [[[1.0]]]}
    for name, weights in values.items():
        getattr(layer, name).set_weights([np.array(weight) for weight in weights])
    layer.weigh.assign([3.0])
    _, weights = numpy(layer(np.array([[[0.5]]], "float32"), np.array([[[1.0], [-1.0]]], "float32")))
    scores = 3 * np.tanh(np.array([0.5 + 0.5 + 1, 0.5 + 0.5 - 1]))
    np.testing.assert_allclose(weights[0, 0], np.exp(scores) / np.exp(scores).sum(), rtol=1e-5)


@pytest.mark.parametrize("kind", ["multiplicative", "additive"])
@pytest.mark.parametrize("heads", [1, 2])
def test_attention_looks_only_where_it_may(kind, heads):
    layer = Attention(4, kind, heads=heads)
    queries, memory = array(2, 3, 5), array(2, 6, 7, seed=1)
    there = np.array([[True] * 4 + [False] * 2, [True] * 6])
    context, weights = numpy(layer(queries, memory, there=there))
    assert context.shape == (2, 3, 4)
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)
    assert (weights[0, :, 4:] == 0).all()
    memory[0, 4:] = 99
    np.testing.assert_allclose(numpy(layer(queries, memory, there=there))[0], context, atol=1e-6)
    shapes = layer.compute_output_shape(queries.shape, memory.shape)
    assert shapes == (context.shape, weights.shape)


@pytest.fixture(params=DECODERS)
def decoder(request):
    return RecurrentDecoder(8, 5, **DECODERS[request.param])


def test_steps_give_what_the_whole_sequence_gives(decoder):
    inputs, memory = array(3, 6, 4), array(3, 5, 7, seed=1)
    there = np.array([[True] * 5, [True] * 3 + [False] * 2, [True] + [False] * 4])
    whole = numpy([decoder(inputs, memory, there=there)])[0]
    assert whole.shape == decoder.compute_output_shape(inputs.shape, memory.shape) == (3, 6, 5)
    keys, values, *states = decoder.memory_state(memory, there)
    step = DecoderStep(decoder)
    for time in range(6):
        output, weights, *states = step(inputs[:, time], keys, values, there, states)
        np.testing.assert_allclose(numpy([output])[0], whole[:, time], atol=1e-5)
        np.testing.assert_allclose(numpy([weights])[0].sum(-1), 1, rtol=1e-5)


def test_a_decoder_does_not_look_ahead_nor_at_padding(decoder):
    inputs, memory = array(2, 6, 4), array(2, 5, 7, seed=1)
    there = np.array([[True] * 3 + [False] * 2] * 2)
    before = numpy([decoder(inputs, memory, there=there)])[0]
    inputs[:, 4:], memory[:, 3:] = 7, -7
    after = numpy([decoder(inputs, memory, there=there)])[0]
    np.testing.assert_allclose(before[:, :4], after[:, :4], atol=1e-6)
    assert not np.allclose(before[:, 4:], after[:, 4:])


def test_a_saved_decoder_answers_as_before_and_learns_with_every_weight(decoder, tmp_path):
    inputs, memory = keras.Input((None, 4)), keras.Input((None, 7))
    model = keras.Model([inputs, memory], decoder(inputs, memory))
    x = [array(8, 6, 4), array(8, 5, 7, seed=1)]
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(*numpy([model(x), again(x)]), atol=1e-6)
    model.compile(optimizer=keras.optimizers.SGD(0.5), loss="mse")
    old = model.get_weights()
    model.fit(x, array(8, 6, 5, seed=2), epochs=3, batch_size=4, verbose=0)
    for weight, before in zip(model.weights, old, strict=True):
        assert not np.array_equal(keras.ops.convert_to_numpy(weight), before), weight.path


def test_a_tied_embedding_scores_with_the_vectors_that_it_gives():
    layer = TiedEmbedding(6, 3, 0.2)
    tokens = np.array([[1, 5]], "int32")
    (vectors,) = numpy([layer(tokens)])
    table = np.asarray(layer.get_weights()[0])
    np.testing.assert_allclose(vectors, table[tokens] * 3**0.5, rtol=1e-5)
    hidden = array(1, 2, 3)
    (scores,) = numpy([layer(hidden, use="score")])
    np.testing.assert_allclose(scores, hidden @ table.T, rtol=1e-4, atol=1e-6)
    (loss,) = numpy([layer(hidden, use="loss", labels=tokens)])
    wanted = 0.8 * np.eye(6)[tokens] + 0.2 / 6
    logs = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    np.testing.assert_allclose(loss, -(wanted * logs).sum(-1), rtol=1e-4)


def test_a_tied_embedding_is_saved_once(tmp_path):
    tokens = keras.Input((None,), dtype="int32")
    embedding = TiedEmbedding(6, 3, 0.1)
    model = keras.Model(tokens, embedding(embedding(tokens), use="loss", labels=tokens))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.count_params() == model.count_params() == 18
    x = np.array([[1, 2, 5]], "int32")
    np.testing.assert_allclose(*numpy([model(x), again(x)]), rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Attention(0), "units=0"),
        (lambda: Attention(4, "divided"), "'divided'"),
        (lambda: Attention(4, heads=3), "heads=3"),
        (lambda: RecurrentDecoder(4, 2, "lstn"), "'lstn'"),
        (lambda: RecurrentDecoder(4, 0), "width=0"),
        (lambda: RecurrentDecoder(4, 2, dropout=1.0), "dropout=1.0"),
        (lambda: TiedEmbedding(4, 2, 1.0), "smoothing=1.0"),
    ],
)
def test_a_wrong_argument_is_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()

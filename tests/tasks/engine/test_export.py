"""The signatures of every task answer in ONNX Runtime as in Keras."""

import keras
import numpy as np
import onnx
import pytest

import tasks
from layers.recurrent import RecurrentStack
from tasks.engine import export
from tasks.engine.load import keras_model, keras_part
from tasks.engine.members import RunError
from tasks.engine.network import ComparedNetwork, KerasNetwork, OnnxNetwork

OTHERS = {  # settings beyond those of the presets
    ("mnist", "other"): {"normalization": "layer", "pooling": "average", "activation": "gelu", "features": "flat"},
    ("sentiment", "other"): {"segment": 0, "pooling": "last", "depth": 2, "bidirectional": False},
    ("sentiment", "attention"): {"cell": "lstm", "segment": 7, "pooling": "attention"},
    ("translate", "other"): {"cell": "lstm", "attention": "additive", "heads": 2, "depth": 2},
    ("caption", "scratch"): {"encoder": "scratch", "size": 64, "cell": "rnn", "encoder_weights": "none"},
    ("upscale", "other"): {"scale": 4, "body": "residual", "activation": "leaky_relu", "depth": 2},
    ("upscale", "three"): {"scale": 3, "activation": "silu"},
}
NETWORKS = [(task, preset) for task in tasks.names() for preset in tasks.presets(task)] + [*OTHERS]
SMALL = {"sentiment": {"vocabulary": 600}, "translate": {"vocabulary": 600}}
SIZES = {"upscale": [(1, 1), (2, 9), (1, 31)]}
LENGTHS = [(1, 1), (3, 13), (2, 61)]


def keras_network(name, preset):
    """Return the signatures of a task with random weights, and a codec that has learnt from the embedded data."""
    task = tasks.get(name)
    given = OTHERS.get((name, preset)) or tasks.presets(name)[preset]
    config = tasks.configure(name, data="builtin", **SMALL.get(name, {}) | given)
    codec = task.codec.learn(config, task.load(config).train[:40])
    config = codec.settled(config)
    keras.utils.set_random_seed(0)
    return KerasNetwork(keras_part(task).signatures(keras_part(task).build(config, codec)))


def array(tensor, batch, length, random):
    """Return an input for a signature; sequences but the first are padded."""
    shape = [size or (length if axis else batch) for axis, size in enumerate(tensor.shape)]
    if tensor.dtype in ("int32", "bool"):
        values = random.integers(1, 30, shape).astype(tensor.dtype)
        for row in values[1:] if values.ndim > 1 else []:
            row[random.integers(1, length + 1) :] = 0
        return values
    return (random.integers(0, 256, shape) if tensor.dtype == "uint8" else random.normal(size=shape)).astype(
        tensor.dtype
    )


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")  # of one step
@pytest.mark.parametrize(("name", "preset"), NETWORKS, ids=["-".join(pair) for pair in NETWORKS])
def test_every_signature_of_every_preset_answers_as_in_keras(name, preset, tmp_path):
    network = keras_network(name, preset)
    export.write(network.models, tmp_path, "float32")
    compared = ComparedNetwork(network, OnnxNetwork(tmp_path / "onnx"))
    random = np.random.default_rng(0)
    for signature, model in network.models.items():
        for batch, length in SIZES.get(name, LENGTHS):
            outputs = compared(signature, *(array(tensor, batch, length, random) for tensor in model.inputs))
            assert len(outputs) == len(model.outputs)
    assert compared.difference < 1e-5


@pytest.mark.parametrize("rows", [1, 63, 64, 101])
def test_the_rows_of_a_large_batch_get_the_answers_that_they_get_alone(rows, tmp_path, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    one, other = keras.Input((None,), dtype="int32"), keras.Input((2,))
    states = RecurrentStack(4, "gru")(keras.layers.Embedding(30, 3, mask_zero=True)(one))
    model = keras.Model([one, other], [states, other + 1])
    export.write({"read": model}, tmp_path, "float32")
    network, random = OnnxNetwork(tmp_path / "onnx"), np.random.default_rng(0)
    inputs = [array(tensor, rows, 9, random) for tensor in model.inputs]
    outputs = network("read", *inputs)
    alone = [network("read", *(values[row : row + 1] for values in inputs)) for row in range(rows)]
    for output, expected in zip(outputs, zip(*alone, strict=True), strict=True):
        np.testing.assert_allclose(output, np.concatenate(expected), atol=1e-6)


@pytest.mark.parametrize(("allowed", "stored"), [(1.0, "int8"), (0.0, "float16")])
def test_bytes_are_stored_if_the_score_on_validation_examples_allows_it(allowed, stored, tmp_path, monkeypatch, caplog):
    measured = export.main_score

    def lower_score(pipeline, valid, storage):
        name, value = measured(pipeline, valid, storage)
        return name, value - 0.1 * (storage == "int8")

    monkeypatch.setattr(export, "main_score", lower_score)
    settings = {"data": "builtin", "limit": 48, "epochs": 1, "average": 0, "filters": (8, 16), "score": False}
    run = tmp_path / "run"
    with caplog.at_level("INFO", logger="tasks"):
        trained = tasks.train("mnist", run, storage="int8", storage_loss=allowed, **settings)
    for weight in keras_model(trained).get_weights():
        np.testing.assert_array_equal(weight, weight.astype("float16"))  # in `model.keras` too
    file = onnx.load(run / "onnx" / "classify.onnx")
    large = {weight.data_type for weight in file.graph.initializer if np.prod(weight.dims) >= 1024}
    assert large == {{"int8": onnx.TensorProto.INT8, "float16": onnx.TensorProto.FLOAT16}[stored]}
    assert f"so {stored} is stored." in caplog.text


def test_a_network_with_another_shape_is_refused_and_not_broadcast():
    compared = ComparedNetwork(lambda name, x: (x,), lambda name, x: (x[None],))
    with pytest.raises(RunError, match=r"'double' gives \(1, 2, 3\) where \(2, 3\) is expected"):
        compared("double", np.ones((2, 3)))
    same = ComparedNetwork(lambda name, x: (x,), lambda name, x: (x + 0.25,))
    same("double", np.ones((2, 3)))
    assert same.difference == 0.25

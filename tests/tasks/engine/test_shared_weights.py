"""Published runs keep large weights once, and answer the same with Keras."""

import io
import json
import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest

import layers
import tasks
from tasks.engine import archives, runs, upkeep
from tasks.engine.bundle import write_bundle
from tasks.engine.checksums import run_checksums
from tasks.engine.export import write
from tasks.engine.members import RunError
from tasks.engine.network import OnnxNetwork
from tasks.engine.shared_weights import PLACES, Place
from tasks.engine.sharing import share_weights
from tasks.engine.weights import inference_model, load_weights, save


def recurrent(cell, bidirectional):
    words = keras.Input((None,), dtype="int32")
    x = layers.RecurrentStack(24, cell, depth=2, bidirectional=bidirectional)(keras.layers.Embedding(90, 16)(words))
    return keras.Model(words, keras.layers.Dense(64)(x))


def convolutions():
    picture = keras.Input((8, 8, 3))
    x = layers.ConvolutionBlock(40, 5, normalization="batch")(picture)
    x = keras.layers.DepthwiseConv2D(6)(x)
    x = layers.DeconvolutionBlock(8, 4, strides=2)(x)
    return keras.Model(picture, x)


def folded():
    picture = keras.Input((8, 8, 3))
    x = layers.ConvolutionBlock(40, 5)(picture)
    x = layers.ConvolutionBlock(48, 3, normalization="batch")(x)
    x = keras.layers.DepthwiseConv2D(5, use_bias=False)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Conv2D(64, 1, use_bias=False)(x)
    return keras.Model(picture, keras.layers.BatchNormalization()(x))


def narrow():
    words = keras.Input((None,), dtype="int32")
    x = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(3000, 2)(words))
    return keras.Model(words, x)


NETWORKS = {
    "gru": (lambda: recurrent("gru", True), 10),
    "lstm": (lambda: recurrent("lstm", False), 6),
    "lstm of both directions": (lambda: recurrent("lstm", True), 10),
    "simple": (lambda: recurrent("rnn", True), 2),
    "convolutions": (convolutions, 1),
    "normalizations": (folded, 4),
    "narrow table": (narrow, 1),
}


def trained(build):
    """Return a network whose weights, statistics included, are not as they begin, and fit into float16."""
    model, draws = build(), np.random.default_rng(0)
    found = [abs(draws.normal(0.1, 0.2, weight.shape)) for weight in model.get_weights()]
    model.set_weights([weight.astype("float16").astype("float32") for weight in found])
    return model


def inputs(model):
    shape = [5, *(6 if size is None else size for size in model.input.shape[1:])]
    draws = np.random.default_rng(1)
    if model.input.dtype == "int32":
        return draws.integers(1, 90, shape).astype("int32")
    return draws.random(shape).astype("float32")


@pytest.mark.parametrize("storage", ["float32", "float16", "int8"])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_weights_that_are_read_are_those_that_answer(name, storage, tmp_path):
    build, count = NETWORKS[name]
    model = trained(build)
    save(inference_model(model), tmp_path / "model.keras", half=storage != "float32")
    write({"answer": model}, tmp_path, storage)
    before = (tmp_path / "model.keras").stat().st_size
    exact = build()
    load_weights(inference_model(exact), tmp_path / "model.keras")

    if name == "normalizations" and storage == "float32":
        count = 1  # the others are kept folded, and have no scale
    assert share_weights(tmp_path) >= count
    assert share_weights(tmp_path) == 0
    assert (tmp_path / "model.keras").stat().st_size < before
    archives.check_keras_file(tmp_path / "model.keras", model.count_params())
    assert archives.most_weights(tmp_path / "model.keras") >= model.count_params()
    again = build()
    load_weights(inference_model(again), tmp_path / "model.keras")
    for one, other in zip(again.get_weights(), exact.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=0 if storage != "int8" else 0.6 / 127 * abs(other).max())
    x = inputs(model)
    answers = OnnxNetwork(tmp_path / "onnx")("answer", x)[0]
    is_fitted = storage == "int8" and name in ("convolutions", "normalizations")
    near = 1e-3 if is_fitted else 1e-5  # such a scale is read from a weight that was rounded to float16
    np.testing.assert_allclose(again.predict(x, verbose=0), answers, rtol=near, atol=near * abs(answers).max())


SHIPPED = [run for name in tasks.names() for run in runs.pretrained_runs(name)]


@pytest.mark.parametrize("run", SHIPPED, ids=lambda run: f"{run.parts[-3]}/{run.name}")
def test_a_shipped_run_keeps_large_weights_once(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    assert share_weights(copy) == 0


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Return a run whose weights are kept once, with its settings."""
    run = tmp_path_factory.mktemp("shared") / "run"
    tasks.train("translate", run, data="builtin", epochs=1, limit=32, units=24, embedding=16, storage="int8")
    assert share_weights(run)
    facts = json.loads((run / "environment.json").read_text())
    (run / "environment.json").write_text(json.dumps(facts | {"checksums": run_checksums(run)}))
    return run


def settled(place, **changes):
    """Return a fault: rows of places with other values."""
    return lambda rows: {name: list(Place.of(row)._replace(**changes)) for name, row in rows.items()}


FAULTS = {
    "no object": lambda rows: [],
    "a row of another form": lambda rows: {name: ["encode.onnx", 0] for name in rows},
    "a file elsewhere": settled("file", file="../../x.onnx"),
    "a file that is missing": settled("file", file="other.onnx"),
    "a negative offset": settled("offset", offset=-4),
    "an offset behind the end": settled("offset", offset=1 << 40),
    "a size that is huge": settled("shape", shape=(1 << 62, 2), at=-1, axes=(0, 1), gates=()),
    "sizes that are not there": settled("shape", shape=(64, 3), at=-1, axes=(0, 1), gates=()),
    "objects for numbers": settled("kind", kind="O"),
    "axes twice": settled("axes", axes=(0, 0), at=-1),
    "a place that is not there": settled("at", at=99),
    "gates that are no order": settled("gates", gates=(0, 5)),
    "a weight that is not there": lambda rows: {f"{name}/x": row for name, row in rows.items()},
    "many rows for the same bytes": lambda rows: rows | {f"x/{n}": next(iter(rows.values())) for n in range(3000)},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_places_of_a_stranger_are_refused(fault, shared, tmp_path):
    run = shutil.copytree(shared, tmp_path / "run")
    with zipfile.ZipFile(run / "model.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    rows = FAULTS[fault](json.loads(members[PLACES]))
    rewrite(run, members | {PLACES: json.dumps(rows).encode()})
    check_refused(run)


def rewrite(run, members):
    with zipfile.ZipFile(run / "model.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    facts = json.loads((run / "environment.json").read_text())
    facts.pop("checksums", None)
    (run / "environment.json").write_text(json.dumps(facts))


def check_refused(run):
    with pytest.raises(RunError, match=r"is damaged|is an incomplete run"):
        tasks.load("translate", run, engine="keras")
    assert upkeep.verified_summary("translate", run)["state"] == "damaged"
    assert len(tasks.load("translate", run).predict(["A dog runs."])) == 1  # the ONNX files answer without it


def test_keras_alone_says_where_the_weights_are(shared):
    with pytest.raises(
        TypeError, match=r"large weights are in onnx/ .* `export --format keras` writes a file with them"
    ):
        keras.saving.load_model(shared / "model.keras")


@pytest.mark.parametrize("config", [b"{}", b"[1]", b"no JSON"])
def test_another_description_of_the_network_is_refused(config, shared, tmp_path):
    run = shutil.copytree(shared, tmp_path / "run")
    with zipfile.ZipFile(run / "model.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    rewrite(run, members | {"config.json": config})
    check_refused(run)


def test_a_scale_that_would_blow_a_weight_up_is_refused(shared, tmp_path):
    run = shutil.copytree(shared, tmp_path / "run")
    with zipfile.ZipFile(run / "model.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name, content = next(iter(json.loads(members[PLACES]))), io.BytesIO(members["model.weights.h5"])
    with h5py.File(content, "r+") as file:
        del file[name]
        file[name] = np.ones((500, 1, 1), "float32")
    rewrite(run, members | {"model.weights.h5": content.getvalue()})
    check_refused(run)


def test_an_onnx_file_that_is_lost_or_changed_is_named(shared, tmp_path):
    run = shutil.copytree(shared, tmp_path / "run")
    path = run / "onnx/encode.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"encode.onnx' is damaged: its check sum"):
        tasks.load("translate", run, engine="keras")
    path.unlink()
    with pytest.raises(RunError, match=r"it has no onnx/encode.onnx, which holds weights of model.keras"):
        tasks.load("translate", run, engine="keras")


def test_a_shared_run_is_trained_on_bundled_exported_and_verified(shared, tmp_path):
    settings = {"data": "builtin", "epochs": 1, "limit": 16, "units": 24, "embedding": 16}
    tasks.train("translate", tmp_path / "next", init_from=str(shared), score=False, **settings)
    write_bundle("translate", shared, tmp_path / "a.zip")
    asked = ["A dog runs.", "I love you."]
    one, other = (tasks.load("translate", run, engine="keras").predict(asked) for run in (shared, tmp_path / "a.zip"))
    assert one == other
    tasks.export("translate", tmp_path / "keras", "keras", run=shared)
    whole = keras.saving.load_model(next((tmp_path / "keras").glob("*.keras")))
    assert all(np.isfinite(weight).all() for weight in whole.get_weights())
    assert upkeep.verified_summary("translate", shared)["verified"]

"""Every task is exported to every format, answers there as in Keras, and nothing half-written is left."""

import errno
import json
import os
import shutil
import subprocess
import sys
import unicodedata
from importlib import import_module
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import tasks
from data.packages import MissingPackageError
from data.splits import DataError, UnavailableError
from tasks.engine import runs, weights
from tasks.engine.bundle import write_bundle
from tasks.engine.config import SettingError
from tasks.engine.exporting import comparison, formats, script, writers
from tasks.engine.exporting.comparison import DifferenceError, RuntimeNetwork
from tasks.engine.exporting.formats import FORMATS
from tasks.engine.files import WriteError, write_json
from tasks.engine.load import keras_part
from tasks.engine.members import RunError
from tasks.engine.terminal import exit_code
from tasks.sentiment import exported
from tasks.sentiment.codec import read_words

pytestmark = pytest.mark.slow
SMALL = {
    "mnist": {"filters": (4, 8)},
    "sentiment": {"vocabulary": 600, "units": 8, "embedding": 8, "tokens": "pieces", "segment": 0, "ngrams": 1024},
    "translate": {"vocabulary": 600, "units": 16, "embedding": 16, "cell": "lstm"},
    "caption": {"encoder": "scratch", "size": 32, "encoder_weights": "none", "filters": (4, 8), "units": 8},
    "upscale": {"filters": 8, "squeeze": 4, "depth": 1},
}
GREEDY = {
    "translate": {"beam": 1, "no_repeat_ngram": 0, "min_length": 0},
    "caption": {"beam": 1, "no_repeat_ngram": 0, "min_length": 0, "ensemble": False},
}
KEPT = {  # of an answer of `predict`, what the program gives too
    "mnist": ("label", "probability"),
    "sentiment": ("label", "probability"),
    "translate": ("translation",),
    "caption": ("caption",),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a function of a task that makes a run with random weights, once."""
    found = {}

    def run_of(name):
        if name not in found:
            found[name] = tmp_path_factory.mktemp("runs") / name
            make_run(name, found[name])
        return found[name]

    return run_of


def make_run(name, run):
    """Make a run whose network has random weights."""
    task = tasks.get(name)
    config = tasks.configure(name, data="builtin", **SMALL[name])
    codec = task.codec.learn(config, task.load(config).train[:200])
    config = codec.settled(config)
    keras.utils.set_random_seed(0)
    model = keras_part(task).build(config, codec)
    run.mkdir()
    runs.write_config(run, name, config.state())
    write_json(run / "codec.json", codec.state())
    weights.save(weights.inference_model(model), run / "model.keras")


def input_of(name, folder):
    """Return an input of a task as its program takes it."""
    example = tasks.get(name).load(tasks.configure(name, data="builtin")).test[0]
    if name in ("sentiment", "translate"):
        return "A man rides a horse." if name == "translate" else "A fine film, I like it."
    if name == "caption":
        pixels = np.random.default_rng(0).integers(0, 256, (48, 40, 3)).astype("uint8")
    else:
        pixels = np.asarray(example["image"])[:40, :50] if name == "upscale" else example["image"]
    Image.fromarray(pixels.squeeze()).save(folder / "picture.png")
    return str(folder / "picture.png")


def check_answer(name, found, given, run):
    """Check that a program answers as `predict` does."""
    pipeline = tasks.load(name, run, engine="keras", **GREEDY.get(name, {}))
    (expected,) = pipeline.predict([given])
    if name == "upscale":
        pixels = np.asarray(Image.open(found["file"])).astype(int)
        assert np.abs(pixels - expected["image"].squeeze()).max() <= 1  # whole levels: a tie may be rounded either way
        assert (found["width"], found["height"]) == (expected["width"], expected["height"])
        return
    for key in KEPT[name]:
        assert found[key] == (pytest.approx(expected[key], abs=1e-4) if key == "probability" else expected[key])


PLAIN = [(name, form) for name in tasks.names() for form in ("onnx", "openvino", "keras")]
FORMS = [*PLAIN, ("sentiment", "litert"), ("translate", "litert"), ("translate", "saved_model")]
tensorflow = pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="TensorFlow alone writes the format")
FORMS = [one for one in FORMS if keras.config.backend() == "tensorflow" or not FORMATS[one[1]].tensorflow]


@pytest.mark.filterwarnings("ignore")  # of the libraries
@pytest.mark.parametrize(("name", "form"), FORMS, ids=["-".join(pair) for pair in FORMS])
def test_a_run_answers_in_another_runtime_as_in_keras(name, form, made, tmp_path):
    run, out = made(name), tmp_path / "out"
    found = tasks.export(name, out, form, run=run, **({"steps": 40} if form == "litert" else {}))
    (row,) = found["formats"]
    about = json.loads((out / "signature.json").read_text())
    models = tasks.load(name, run, engine="keras").network.models
    assert row["signatures"].keys() == about["signatures"].keys() == models.keys()
    beside = ("README.md", "run.py", "signature.json", "codec.json")
    networks = [path for path in out.rglob("*") if path.is_file() and not {*path.parts} & {*beside, "layers"}]
    assert row["bytes"] == sum(path.stat().st_size for path in networks)
    for signature, each in about["signatures"].items():
        assert row["signatures"][signature]["difference"] == each["largest_difference"] <= comparison.LARGEST
        assert [one["name"] for one in each["inputs"]] == [one.name for one in models[signature].inputs]
        assert all(one["meaning"] for one in [*each["inputs"], *each["outputs"]])
        assert f"| `{signature}` | {each['largest_difference']:.1e} |" in (out / "README.md").read_text()
    given = input_of(name, tmp_path)
    answer = import_module(f"tasks.{name}.exported").answer
    check_answer(name, answer(RuntimeNetwork(out, form), out, given), given, run)
    assert json.loads((out / "codec.json").read_text()) == json.loads((run / "codec.json").read_text())


@pytest.mark.parametrize("name", tasks.names())
def test_the_program_answers_alone(name, made, tmp_path):
    out = tmp_path / "out"
    tasks.export(name, out, "onnx", run=made(name))
    given = input_of(name, tmp_path)
    show = "import runpy, sys; runpy.run_path(sys.argv.pop(1), run_name='__main__'); print(sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", show, out / "run.py", given],
        capture_output=True, text=True, cwd=tmp_path, check=True, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    answer, modules = done.stdout.splitlines()
    check_answer(name, json.loads(answer), given, made(name))
    assert "'onnxruntime'" in modules
    assert not any(f"'{other}'" in modules for other in ("tasks", "data", "layers", "keras", "tensorflow"))


@pytest.mark.parametrize("given", ["", " \t\n", "\u200b", "\ufeff \u00ad"])
@pytest.mark.parametrize("name", ["sentiment", "translate"])
def test_a_text_without_words_is_refused_by_the_program_as_by_predict(name, given, made, tmp_path):
    run, answer = made(name), import_module(f"tasks.{name}.exported").answer
    codec = tasks.load(name, run, engine="keras").codec
    shutil.copy(run / "codec.json", tmp_path)
    write_json(tmp_path / "signature.json", {"settings": {}, "steps": None})
    with pytest.raises(DataError) as expected:
        codec.read(given)
    with pytest.raises(ValueError, match="is empty; give at least one word") as found:
        answer(None, tmp_path, given)
    assert str(found.value) == str(expected.value)


def test_the_program_ends_with_one_sentence_at_a_text_without_words(made, tmp_path):
    tasks.export("translate", tmp_path / "out", "onnx", run=made("translate"))
    words = [sys.executable, tmp_path / "out/run.py", "A man.", "", "A dog."]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
    assert done.stderr == "The text '' is empty; give at least one word.\n"


def painted(folder, mode, size, ground, ink=None):
    """Return the path of a picture, with a stroke of ink if one is given."""
    image = Image.new(mode, size, ground)
    if ink is not None:
        image.paste(ink, (size[0] // 2 - 2, 6, size[0] // 2 + 2, size[1] - 6))
    image.save(folder / "picture.png")
    return str(folder / "picture.png")


@pytest.fixture(scope="module")
def digits(made, tmp_path_factory):
    """Return a function of a picture file, to what the program for digits and what `predict` answer."""
    out = tmp_path_factory.mktemp("digits") / "out"
    tasks.export("mnist", out, "onnx", run=made("mnist"))
    network, answer = RuntimeNetwork(out, "onnx"), import_module("tasks.mnist.exported").answer
    pipeline = tasks.load("mnist", made("mnist"), engine="keras")
    return lambda given: (answer(network, out, given), pipeline.predict([given])[0])


@pytest.mark.parametrize("size", [(28, 28), (60, 40), (20, 20)])
@pytest.mark.parametrize("ground", ["white", "black", (90, 90, 90), (250, 250, 250, 0)])
def test_a_blank_picture_has_no_label_in_the_program_either(ground, size, digits, tmp_path):
    found, expected = digits(painted(tmp_path, "RGBA", size, ground))
    assert found.keys() == expected.keys()
    assert (found["label"], found["probability"]) == (expected["label"], expected["probability"]) == (None, None)


@pytest.mark.parametrize(
    ("ground", "ink"),
    [
        ((0, 0, 0, 0), (0, 0, 0, 255)),
        ((0, 0, 0, 0), (255, 255, 255, 255)),
        ((100, 100, 100, 255), (0, 0, 0, 255)),
        ((150, 150, 150, 255), (255, 255, 255, 255)),
    ],
)
def test_ink_on_a_transparent_or_grey_ground_is_read_as_in_predict(ground, ink, digits, tmp_path):
    found, expected = digits(painted(tmp_path, "RGBA", (30, 30), ground, ink))
    assert found["label"] == expected["label"]
    assert found["probability"] == pytest.approx(expected["probability"], abs=0.01)


@pytest.mark.parametrize("name", ["caption", "upscale"])
def test_transparency_is_white_in_the_program(name, made, tmp_path):
    given, seen = painted(tmp_path, "RGBA", (32, 32), (0, 0, 0, 0), (200, 30, 30, 255)), []
    out = tmp_path / "out"
    tasks.export(name, out, "onnx", run=made(name))
    network, answer = RuntimeNetwork(out, "onnx"), import_module(f"tasks.{name}.exported").answer
    answer(lambda signature, *arrays: seen.append(arrays) or network(signature, *arrays), out, given)
    expected = np.full((32, 32, 3), 255, "uint8")
    expected[6:26, 14:18] = (200, 30, 30)
    if name == "caption":
        assert np.array_equal(seen[0][0][0], expected)
    else:
        luma = (16 + expected @ (np.array([65.481, 128.553, 24.966]) / 255)) / 255
        assert np.allclose(seen[0][0][0, 48:-48, 48:-48, 0], luma, atol=1e-4)


@pytest.mark.parametrize(
    "text",
    [
        "Don't, it's 3.5!",
        "यह फ़िल्म बहुत अच्छी है।",
        "หนังเรื่องนี้ดีมาก",
        "סֶרֶט נֶהֱדָר!",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "e\u0301te\u0301 n\u0303",
    ],
    ids=["English", "Hindi", "Thai", "Hebrew", "Persian", "decomposed"],
)
def test_words_of_other_scripts_are_cut_in_the_program_as_in_training(text):
    found = exported.cut_words(unicodedata.normalize("NFC", text))
    assert found == read_words(text)
    assert len(found) < len(text) / 2


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", tasks.names())
def test_each_program_is_short_and_can_be_compiled(name, form):
    text = script.program(name, form)
    compile(text, "run.py", "exec")
    assert len(text.splitlines()) < 100
    assert text.count("\nfrom collections.abc") == 1


def test_files_of_keras_are_read_without_the_project(made, tmp_path):
    out = tmp_path / "out"
    tasks.export("translate", out, "keras", run=made("translate"))
    done = subprocess.run(
        [sys.executable, out / "run.py", "A man."], capture_output=True, text=True, cwd=tmp_path, check=True,
        env={"PATH": os.environ["PATH"], "KERAS_BACKEND": keras.config.backend()},
    )  # fmt: skip
    assert "translation" in json.loads(done.stdout.splitlines()[-1])
    assert not list(out.rglob("onnx*")) + list(out.rglob("__pycache__/unrolled*"))


def test_several_formats_go_into_folders_and_a_benchmark_has_a_row_for_each(made, tmp_path):
    out = tmp_path / "out"
    found = tasks.export("mnist", out, "onnx", "keras", run=made("mnist"), benchmark=True, data="builtin", limit=20)
    assert {path.name for path in out.iterdir()} == {"onnx", "keras"}
    assert [row["format"] for row in found["formats"]] == ["(this Keras)", "onnx", "keras"]
    scored = tasks.evaluate("mnist", made("mnist"), data="builtin", limit=20, engine="keras").summary
    for row in found["formats"]:
        assert (row["metric"], row["examples"]) == ("accuracy", 20)
        assert row["score"] == scored["metrics"]["accuracy"]
        assert row["milliseconds"]["classify"].keys() == {"1", "32"}
        assert all(value > 0 for value in row["milliseconds"]["classify"].values())


def test_a_bundle_is_exported_and_timed_as_its_run(tmp_path):
    write_bundle("mnist", Path("small"), tmp_path / "a.zip")
    found = [
        tasks.export("mnist", tmp_path / f"{place}", "onnx", run=run, benchmark=True, data="builtin", limit=20)
        for place, run in enumerate(("small", tmp_path / "a.zip"))
    ]
    kept = ("format", "bytes", "signatures", "metric", "score")
    one, other = ([[row[name] for name in kept] for row in each["formats"]] for each in found)
    assert one == other


def parts(folder):
    return [path.name for path in folder.iterdir() if path.name != "picture.png"]


@pytest.mark.parametrize("form", ["onnx", "openvino"])
def test_weights_are_written_in_the_number_format_of_model_keras(form, made, tmp_path, monkeypatch):
    write, said = writers.WRITERS[form], []
    monkeypatch.setitem(writers.WRITERS, form, lambda *given: said.append(given[2]) or write(*given))
    rows = []
    for storage in ("float32", "int8"):  # an older version halved model.keras for float16 alone
        run = shutil.copytree(made("mnist"), tmp_path / storage)
        config = json.loads((run / "config.json").read_text())
        config["settings"]["storage"] = storage
        (run / "config.json").write_text(json.dumps(config))
        rows += tasks.export("mnist", tmp_path / f"{storage}-out", form, run=run)["formats"]
    assert said == ["float32", "float32"]
    assert [row["signatures"]["classify"]["difference"] <= comparison.LARGEST for row in rows] == [True, True]


def test_another_answer_than_that_of_keras_is_refused_and_nothing_is_left(made, tmp_path, monkeypatch):
    def worse(models, folder, storage, steps):
        writers.write_onnx(models, folder, "int8", steps)

    monkeypatch.setitem(writers.WRITERS, "onnx", worse)
    with pytest.raises(DifferenceError, match=r"The signature 'encode' in the format 'onnx' differs by .* Nothing"):
        tasks.export("translate", tmp_path / "out", "onnx", run=made("translate"))
    assert parts(tmp_path) == []
    assert exit_code(DifferenceError()) == 70


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_export_that_is_stopped_leaves_nothing(error, made, tmp_path, monkeypatch):
    def stop(models, folder, storage, steps):
        writers.write_onnx(models, folder, storage, steps)
        raise error

    monkeypatch.setitem(writers.WRITERS, "onnx", stop)
    with pytest.raises(error):
        tasks.export("mnist", tmp_path / "out", "onnx", run=made("mnist"))
    assert parts(tmp_path) == []


def test_a_directory_with_something_in_it_is_refused(made, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="not an empty directory") as caught:
        tasks.export("mnist", tmp_path / "full", "onnx", run=made("mnist"))
    assert exit_code(caught.value) == 73
    assert parts(tmp_path / "full") == ["mine.txt"]
    (tmp_path / "empty").mkdir()
    tasks.export("mnist", tmp_path / "empty", "onnx", run=made("mnist"))
    assert "run.py" in parts(tmp_path / "empty")


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("/proc/new", "'/proc/new' cannot be written: its folder does not exist, or takes no new files"),
        ("mine.txt/new", "'mine.txt/new' cannot be written: its folder is a file"),
    ],
)
def test_a_directory_that_cannot_be_made_is_named_before_the_work(out, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.txt").touch()
    monkeypatch.setattr("tasks.engine.exporting.export.load", lambda *given: pytest.fail("a run is loaded"))
    with pytest.raises(WriteError, match=said):
        tasks.export("mnist", out, "onnx")
    assert parts(tmp_path) == ["mine.txt"]


@pytest.mark.parametrize("name", [None, "classify.onnx"])
def test_a_full_disk_is_said_of_the_directory_that_was_asked_for(name, made, tmp_path, monkeypatch):
    def stop(models, folder, storage, steps):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), *([str(folder / name)] if name else []))

    monkeypatch.setitem(writers.WRITERS, "onnx", stop)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WriteError, match=r"^'out' cannot be written: no space is left"):
        tasks.export("mnist", "out", "onnx", run=made("mnist"))
    assert parts(tmp_path) == []


@pytest.mark.parametrize(
    ("names", "steps", "said"),
    [
        ([], None, "No format is given; name one or more of: onnx, "),
        (["onxn"], None, "No format is named 'onxn'.*Did you mean 'onnx'"),
        (["onnx", "onnx"], None, "given twice"),
        (["onnx"], 5, "`--steps` is for `--format litert`"),
    ],
)
def test_formats_that_cannot_be_are_refused(names, steps, said):
    with pytest.raises(SettingError, match=said):
        formats.check_formats(names, steps)


def test_a_missing_library_is_one_sentence_that_says_what_to_install(monkeypatch):
    monkeypatch.setattr("data.packages.is_installed", lambda module: False)
    with pytest.raises(
        MissingPackageError, match="The format 'openvino' takes openvino; install it with: pip install openvino"
    ) as error:
        formats.check_formats(["openvino"], None)
    assert exit_code(error.value) == 69


def test_another_backend_is_named(monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(UnavailableError, match="Keras runs on 'jax'; set KERAS_BACKEND=tensorflow"):
        formats.check_formats(["saved_model"], None)


def test_a_damaged_run_is_refused(made, tmp_path):
    run = shutil.copytree(made("mnist"), tmp_path / "run")
    (run / "model.keras").write_bytes((run / "model.keras").read_bytes()[:500])
    with pytest.raises(RunError, match=r"model\.keras"):
        tasks.export("mnist", tmp_path / "out", "onnx", run=run)
    assert not (tmp_path / "out").exists()


def test_inputs_beyond_the_steps_are_cut_and_counted(caplog):
    about = {
        "steps": 2,
        "signatures": {"read": {"inputs": [{"shape": [None, "steps"]}], "outputs": [{"shape": [None, "steps"]}]}},
    }
    network = comparison.ShortNetwork(lambda signature, x: (x + 1,), about)
    (found,) = network("read", np.array([[1, 2, 3], [1, 0, 0]], "int32"))
    assert found.tolist() == [[2, 3, 0], [2, 1, 0]]
    network.say_cut()
    assert "1 of 2 inputs are longer than 2 steps" in caplog.text


@tensorflow
@pytest.mark.filterwarnings("ignore")  # of the libraries
def test_a_benchmark_counts_the_inputs_that_it_scores(made, tmp_path, caplog):
    which = {"run": made("sentiment"), "data": "builtin", "limit": 20, "benchmark": True}
    tasks.export("sentiment", tmp_path / "out", "litert", steps=5, **which)
    said = [record.message for record in caplog.records if "are longer than 5 steps" in record.message]
    assert [line.split(" are ")[0] for line in said] == ["8 of 8 inputs", "20 of 20 inputs"]


def test_every_signature_of_every_task_is_described():
    for name in tasks.names():
        part = keras_part(tasks.get(name))
        assert part.arrays
        assert all(each.inputs and each.outputs for each in part.arrays.values())

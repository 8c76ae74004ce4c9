"""Runs made by somebody else: each fault is refused in one sentence, and nothing outside is touched."""

import base64
import contextlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import click
import h5py
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import cli
from tasks.engine import terminal
from tasks.engine.runs import TASKS

ROOT = Path(__file__).parents[2]
SHIPPED = {
    "mnist": TASKS / "mnist/pretrained/small",
    "upscale": TASKS / "upscale/pretrained/small-x2",
    "translate": TASKS / "translate/pretrained/small",
    "sentiment": TASKS / "sentiment/pretrained/hybrid",
}
ANSWER = {
    "mnist": ["predict", "mnist", str(TASKS / "mnist/example.png")],
    "translate": ["predict", "translate", "A dog runs."],
    "sentiment": ["predict", "sentiment", "A lovely film."],
}
KERAS = [*ANSWER["mnist"], "--engine", "keras"]
RESUME = ["train", "mnist", "--resume"]
START = ["train", "mnist", "--data", "builtin", "--limit", "32", "--epochs", "1"]


def result(words):
    """Run a command in this process, and return its exit code, its output and its error as the terminal shows it."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            cli.commands.main(list(map(str, words)), standalone_mode=False)
        except click.ClickException as error:
            return error.exit_code, out.getvalue(), error.format_message()
        except Exception as error:
            return terminal.exit_code(error), out.getvalue(), terminal.sentence(error)
    return 0, out.getvalue(), ""


def text(name, content):
    """Return a fault that puts other content into a file."""
    return lambda run, canary: (run / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def settings(**values):
    """Return a fault that changes settings of the run."""

    def change(run, canary):
        edit(run / "config.json", lambda config: config["settings"].update(values))

    return change


def facts(**values):
    """Return a fault that changes `environment.json`."""
    return lambda run, canary: edit(run / "environment.json", lambda found: found.update(values))


def codec(**values):
    """Return a fault that changes the codec of a run without check sums; `None` removes a field."""

    def change(run, canary):
        unsummed(run)
        edit(run / "codec.json", lambda state: [state.pop(n) if v is None else state.update({n: v}) for n, v in pairs])

    pairs = list(values.items())
    return change


def edit(path, change):
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def unsummed(run):
    edit(run / "environment.json", lambda found: found.pop("checksums", None))


def link(name):
    """Return a fault that puts a link to the canary, or to a file in it, in place of a member."""

    def change(run, canary):
        path = run / name
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.parent.mkdir(exist_ok=True)
        is_folder = name in ("onnx", "checkpoint", "figures")
        path.symlink_to(canary if is_folder else canary / "model-1.keras")

    return change


def pipe(name):
    def change(run, canary):
        (run / name).unlink(missing_ok=True)
        os.mkfifo(run / name)

    return change


def plug(name):
    def change(run, canary):
        (run / name).unlink()
        with contextlib.chdir(run), socket.socket(socket.AF_UNIX) as one:
            one.bind(name)

    return change


def folder(name):
    def change(run, canary):
        (run / name).unlink()
        (run / name).mkdir()

    return change


def sparse(name, size):
    """Return a fault that makes a file of zeros, which takes no room on the disk."""
    return lambda run, canary: os.truncate(run / name, size)


def cut(name, share):
    def change(run, canary):
        unsummed(run)
        os.truncate(run / name, int((run / name).stat().st_size * share))

    return change


def flipped(name):
    def change(run, canary):
        content = bytearray((run / name).read_bytes())
        content[len(content) // 2] ^= 255
        (run / name).write_bytes(content)

    return change


def other(name, task):
    """Return a fault that takes a file of a run of another task."""

    def change(run, canary):
        unsummed(run)
        path = SHIPPED[task] / name
        shutil.copy(path if path.exists() else next((SHIPPED[task] / "onnx").glob("*.onnx")), run / name)

    return change


def archive(change):
    """Return a fault that writes the members of `model.keras` anew."""

    def rewrite(run, canary):
        unsummed(run)
        with zipfile.ZipFile(run / "model.keras") as source:
            members = {name: source.read(name) for name in source.namelist()}
        with zipfile.ZipFile(run / "model.keras", "w", zipfile.ZIP_DEFLATED) as target:
            for name, content in change(members, canary):
                target.writestr(name, content)

    return rewrite


def weights(change):
    """Return a fault that changes the file of weights in `model.keras`."""

    def members(found, canary):
        content = io.BytesIO(found["model.weights.h5"])
        with h5py.File(content, "r+") as file:
            change(file, canary)
        return [*(found | {"model.weights.h5": content.getvalue()}).items()]

    return archive(members)


def arrays(file):
    found = []
    file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    return found


def not_finite(file, canary):
    file[arrays(file)[0]][...] = np.nan


def outside(file, canary):
    name = arrays(file)[0]
    del file[name]
    file[name] = h5py.ExternalLink(str(canary / "model-1.keras"), "/x")


def soft(file, canary):
    name = arrays(file)[0]
    del file[name]
    file[name] = h5py.SoftLink("/other")


def raw(file, canary):
    name = arrays(file)[0]
    shape = file[name].shape
    del file[name]
    file.create_dataset(name, shape, "float32", external=[(str(canary / "model-1.keras"), 0, h5py.h5f.UNLIMITED)])


def padded(file, canary):
    """Add an array of 60 MB that a zip packs to less than a fiftieth, since it is nearly all zeros."""
    values = np.zeros(15_000_000, "float32")
    values[::600] = np.random.default_rng(0).normal(size=25_000)
    file.create_dataset("padded", data=values)


def packed(file, canary):
    file.create_dataset("packed", data=np.zeros(1_000_000, "float32"), compression="gzip")


def many_weights(change):
    """Return a fault that adds weights to a run, which says of itself that it has so many."""

    def both(run, canary):
        weights(change)(run, canary)
        facts(parameters=10**9)(run, canary)

    return both


def onnx_weights(run, canary):
    unsummed(run)
    path = run / "onnx/classify.onnx"
    model = onnx.load(path)
    weight = max(model.graph.initializer, key=lambda one: len(one.raw_data))
    weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) * np.float32("nan"), weight.name))
    onnx.save(model, path)


def onnx_outside(run, canary):
    unsummed(run)
    path = run / "onnx/classify.onnx"
    model = onnx.load(path)
    weight = max(model.graph.initializer, key=lambda one: len(one.raw_data))
    weight.ClearField("raw_data")
    weight.data_location = onnx.TensorProto.EXTERNAL
    weight.external_data.add(key="location", value=str(canary / "model-1.keras"))
    path.write_bytes(model.SerializeToString())


def damaged_pieces(run, canary):
    state = json.loads((run / "codec.json").read_text())
    model = bytearray(base64.b64decode(state["pieces"]))
    model[len(model) // 2] ^= 1  # sentencepiece loads it
    (run / "codec.json").write_text(json.dumps(state | {"pieces": base64.b64encode(model).decode()}))


def without_sums(fault):
    """Return a fault of a run that keeps no check sums, as those of older versions."""

    def change(run, canary):
        unsummed(run)
        fault(run, canary)

    return change


DEEP = "[" * 100_000 + "]" * 100_000
FAULTS = {  # name: (fault, exit code, command)
    **{f"{name} is a link": (link(name), 65, "mnist") for name in ("config.json", "codec.json", "environment.json")},
    **{f"{name} is a link": (link(name), 65, "mnist") for name in ("metrics.json", "history.csv", "README.md")},
    **{f"{name} is a link": (link(name), 65, "mnist") for name in ("answers.jsonl", "model.keras", "onnx", "figures")},
    "a link in onnx": (link("onnx/classify.onnx"), 65, "mnist"),
    "a link in checkpoint": (link("checkpoint/model-1.keras"), 65, "mnist"),
    "checkpoint is a link, resumed": (link("checkpoint"), 65, RESUME),
    "onnx is a link, resumed": (link("onnx"), 65, RESUME),
    "figures is a link, resumed": (link("figures"), 65, RESUME),
    "codec.json is a pipe": (pipe("codec.json"), 65, "mnist"),
    "environment.json is a pipe": (pipe("environment.json"), 65, "mnist"),
    "checkpoint is a pipe": (pipe("checkpoint"), 65, "mnist"),
    "metrics.json is a socket": (plug("metrics.json"), 65, "mnist"),
    "config.json is a folder": (folder("config.json"), 65, "mnist"),
    "config.json is empty": (text("config.json", ""), 65, "mnist"),
    "config.json is cut": (cut("config.json", 0.5), 65, "mnist"),
    "config.json is a list": (text("config.json", "[1]"), 65, "mnist"),
    "config.json is deep": (text("config.json", DEEP), 65, "mnist"),
    "config.json is in Latin-1": (text("config.json", b'{"task": "\xe9"}'), 65, "mnist"),
    "config.json has other settings": (text("config.json", '{"format": 3, "settings": [1]}'), 65, "mnist"),
    "config.json of no version": (text("config.json", '{"format": true, "settings": {}}'), 65, "mnist"),
    "config.json has a surrogate": (text("config.json", '{"format": "\\ud800", "settings": {}}'), 65, "mnist"),
    "config.json has a huge number": (text("config.json", '{"a": ' + "9" * 5000 + "}"), 65, "mnist"),
    "config.json is huge": (sparse("config.json", 1 << 33), 65, "mnist"),
    "a setting is unknown": (settings(shell="rm"), 65, "mnist"),
    "a setting has another type": (settings(filters="20"), 65, "mnist"),
    "a setting is not a number": (settings(dropout=float("nan")), 65, "mnist"),
    "a setting is too large": (settings(units=[10**9]), 65, KERAS),
    "a batch is too large": (settings(batch_size=10**12), 65, "mnist"),
    "a list is too long": (settings(units=[1] * 1000), 65, "mnist"),
    "the network does not fit": (settings(units=[16_384] * 12), 65, KERAS),
    "environment.json is empty": (text("environment.json", ""), 65, "mnist"),
    "environment.json is a list": (text("environment.json", "[]"), 65, "mnist"),
    "environment.json has no data": (text("environment.json", "{}"), 65, "mnist"),
    "environment.json is deep": (text("environment.json", '{"data": ' + DEEP + "}"), 65, "mnist"),
    "check sums are a list": (facts(checksums=[1]), 65, "mnist"),
    "check sums are numbers": (facts(checksums={"codec.json": 1}), 65, "mnist"),
    "check sums are of other files": (facts(checksums={"codec.json": "0" * 64}), 65, "mnist"),
    "parameters are a text": (facts(parameters="1"), 65, "mnist"),
    "codec.json is empty": (text("codec.json", ""), 65, "mnist"),
    "codec.json has other spaces": (text("codec.json", '{"classes": ["0"], "framed": true}'), 65, "mnist"),
    "codec.json is huge": (sparse("codec.json", 1 << 33), 65, "mnist"),
    "codec.json has many lists": (without_sums(text("codec.json", "[[],[]" * 200_000)), 65, "mnist"),
    "codec.json is a list": (without_sums(text("codec.json", "[]")), 65, "mnist"),
    "the codec lacks a field": (codec(framed=None), 65, "mnist"),
    "classes are a text": (codec(classes="0123456789"), 65, "mnist"),
    "classes are numbers": (codec(classes=list(range(10))), 65, "mnist"),
    "classes are there twice": (codec(classes=["0"] * 10), 65, "mnist"),
    "classes are too few": (codec(classes=["0", "1"]), 65, "mnist"),
    "framed is a number": (codec(framed=3), 65, "mnist"),
    "words are a text": (codec(vocabulary="abc"), 65, "sentiment"),
    "widths are negative": (codec(widths=[-1]), 65, "sentiment"),
    "widths are huge": (codec(widths=[10**9]), 65, "sentiment"),
    "widths are empty": (codec(widths=[]), 65, "sentiment"),
    "branches are too many": (codec(weights=[0.5] * 100), 65, "sentiment"),
    "sub-words are not base64": (codec(pieces="!!!"), 65, "translate"),
    "sub-words are empty": (codec(pieces=""), 65, "translate"),
    "sub-words are another model": (codec(pieces=base64.b64encode(b"model" * 99).decode()), 65, "translate"),
    "sub-words are damaged": (damaged_pieces, 65, "translate"),
    "flags of sub-words are short": (codec(unseen="AA=="), 65, "translate"),
    "limits have other names": (codec(limits={"other": 1.0}), 65, "translate"),
    "the languages are a list": (codec(source=["en"]), 65, "translate"),
    "onnx is cut": (cut("onnx/classify.onnx", 0.5), 65, "mnist"),
    "onnx is empty": (cut("onnx/classify.onnx", 0), 65, "mnist"),
    "onnx has a flipped byte": (flipped("onnx/classify.onnx"), 65, "mnist"),
    "onnx is huge": (sparse("onnx/classify.onnx", 1 << 33), 65, "mnist"),
    "onnx is of another task": (other("onnx/classify.onnx", "upscale"), 65, "mnist"),
    "onnx has weights that are not finite": (onnx_weights, 65, "mnist"),
    "onnx names another file": (onnx_outside, 65, "mnist"),
    "model.keras is cut": (cut("model.keras", 0.5), 65, KERAS),
    "model.keras is empty": (cut("model.keras", 0), 65, KERAS),
    "model.keras has a flipped byte": (flipped("model.keras"), 65, KERAS),
    "model.keras is huge": (without_sums(sparse("model.keras", 1 << 33)), 65, KERAS),
    "model.keras is of another task": (other("model.keras", "upscale"), 65, KERAS),
    "model.keras has another member": (archive(lambda found, canary: [*found.items(), ("../x", b"x")]), 65, KERAS),
    "model.keras is a bomb": (
        archive(lambda found, canary: [*(found | {"model.weights.h5": bytes(1 << 25)}).items()]), 65, KERAS
    ),
    "model.keras has weights that are not finite": (weights(not_finite), 65, KERAS),
    "model.keras has a link to a file": (weights(outside), 65, KERAS),
    "model.keras has a soft link": (weights(soft), 65, KERAS),
    "model.keras has data outside": (weights(raw), 65, KERAS),
    "to start from: codec.json is empty": (text("codec.json", ""), 65, START),
    "to start from: model.keras is cut": (cut("model.keras", 0.5), 65, START),
    "to start from: checkpoint is a link": (link("checkpoint"), 65, START),
    "history.csv is not a table": (text("history.csv", b"\xff\xfe\x00"), 65, "verify"),
    "history.csv has NaN": (text("history.csv", "epoch,val_loss\n1,nan\n"), 65, "verify"),
    "history.csv has other columns": (text("history.csv", "a,b\n1,2\n"), 65, "verify"),
    "history.csv has more values": (text("history.csv", "epoch,val_loss\n1,2,3\n"), 65, "verify"),
    "history.csv has a giant field": (text("history.csv", "epoch,val_loss\n1," + "9" * 200_000 + "\n"), 65, "verify"),
    "history.csv has too many rows": (text("history.csv", "epoch,val_loss\n" + "1,2\n" * 10_001), 65, "verify"),
    "history.csv has too many columns": (
        text("history.csv", ",".join(f"a{n}" for n in range(101)) + "\n" + ",".join("1" * 101)), 65, "verify"
    ),
    "metrics.json is cut": (text("metrics.json", '{"task": "mnist"'), 65, "verify"),
    "metrics.json has other keys": (text("metrics.json", "{}"), 65, "verify"),
    "metrics.json has NaN": (text("metrics.json", '{"metrics": {"accuracy": NaN}}'), 65, "verify"),
    "a file that answers is missing": (lambda run, canary: (run / "model.keras").unlink(), 65, "verify"),
    "weights are not finite, verified": (weights(not_finite), 65, "verify"),
    "weights are far too many, as the run says": (many_weights(padded), 65, "verify"),
    "weights are packed in their file, as the run says": (many_weights(packed), 65, "verify"),
}  # fmt: skip


def words_for(command, run):
    if command == "verify":
        return ["runs", "--verify", run]
    if command is START:
        return [*START, "--init-from", run, "--run", run.parent / "new"]
    return [*(ANSWER[command] if isinstance(command, str) else command), "--run", run]


def snapshot(top):
    return {
        str(path): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() and not path.is_symlink() else None)
        for path in sorted(top.rglob("*"))
    }


@pytest.fixture
def canary(tmp_path):
    """Return a folder that no command may touch."""
    place = tmp_path / "canary"
    place.mkdir()
    for name in ("model-1.keras", "kept-1.keras", "state.json", "classify.onnx"):
        (place / name).write_bytes(bytes(range(256)) * 64)
    return place


@pytest.mark.parametrize("name", FAULTS)
def test_a_hostile_run_is_refused_in_one_sentence_and_touches_nothing(name, tmp_path, canary, monkeypatch):
    fault, code, command = FAULTS[name]
    task = command if str(command) in ANSWER else "mnist"
    run = shutil.copytree(SHIPPED[task], tmp_path / "hostile")
    fault(run, canary)
    if command is RESUME:
        (run / "metrics.json").unlink()
    monkeypatch.chdir(tmp_path)
    before, inside = snapshot(canary), set(os.listdir(tmp_path))
    found, out, said = result(words_for(command, run))
    assert (found, snapshot(canary)) == (code, before), said
    assert set(os.listdir(tmp_path)) == inside
    said = said if command != "verify" else out
    assert "hostile" in said
    assert said.count("\n") <= (command == "verify")
    assert "bug" not in said


def test_a_run_writes_no_file_that_its_settings_name(tmp_path):
    run = shutil.copytree(SHIPPED["translate"], tmp_path / "run")
    settings(alignment_file=str(tmp_path / "drawn.png"))(run, tmp_path)
    code, out, _ = result([*ANSWER["translate"], "--run", run])
    assert code == 0
    assert not (tmp_path / "drawn.png").exists()
    assert "alignment_file" not in json.loads(out)["answer"]


def test_odd_runs_stop_neither_the_list_nor_the_search_for_the_newest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["config.json is deep", "config.json is a link", "config.json has other settings", "onnx is a link"]
    place = tmp_path / "canary"
    place.mkdir()
    (place / "model-1.keras").write_text("{}")
    for number, name in enumerate(names):
        run = shutil.copytree(SHIPPED["upscale"], Path("runs/upscale") / str(number))
        FAULTS[name][0](run, place)
    code, out, _ = result(["runs", "upscale", "--json"])
    states = [json.loads(line)["state"] for line in out.splitlines()]
    assert (code, states.count("damaged"), states.count("finished")) == (0, 4, 6)
    shutil.copy(ROOT / "tasks/mnist/example.png", "a.png")
    code, out, said = result(["predict", "upscale", "a.png", "--scale", "3"])
    assert (code, json.loads(out)["answer"]["image"]) == (0, "a-x3.png"), said


GOOD = "good"
CHOSEN = [
    *("codec.json is huge", "config.json is deep", "environment.json is deep", "codec.json has many lists"),
    *("onnx is huge", "onnx is empty", "onnx has a flipped byte", "classes are too few", "check sums are a list"),
    *("codec.json is a pipe", "onnx is a link", "config.json is huge"),
]


def cost(run):
    """Return the exit code, the seconds and the megabytes of a command in a fresh process."""
    code = (
        "import subprocess, resource, sys, time; start = time.perf_counter()\n"
        "done = subprocess.run(sys.argv[1:], capture_output=True, timeout=60)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(done.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)"
    )
    words = [sys.executable, str(ROOT / "cli.py"), *ANSWER["mnist"], "--run", str(run)]
    out = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
    ).stdout.split()
    return int(out[0]), float(out[1]), float(out[2])


def test_a_hostile_run_costs_little_more_than_a_good_one(tmp_path, canary):
    code, seconds, megabytes = cost(SHIPPED["mnist"])
    assert code == 0
    start = time.monotonic()
    for name in CHOSEN:
        run = shutil.copytree(SHIPPED["mnist"], tmp_path / "run")
        FAULTS[name][0](run, canary)
        found = cost(run)
        assert found[0] == 65, name
        assert found[1] < seconds + 1, name
        assert found[2] < megabytes + 200, name
        shutil.rmtree(run)
    assert time.monotonic() - start < 20 * len(CHOSEN)


def test_only_runs_are_pruned_and_only_if_they_are_free(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = Path("runs/mnist")
    for name in ("finished", "stopped", "locked", "mixed"):
        shutil.copytree(SHIPPED["mnist"], place / name)
    for name in ("stopped", "locked", "mixed"):
        (place / name / "metrics.json").unlink()
    (place / "mixed" / "thesis.txt").write_text("mine")
    (place / "other").mkdir()
    elsewhere = shutil.copytree(place / "stopped", tmp_path / "elsewhere")
    (place / "linked").symlink_to(elsewhere)
    from tasks.engine import runs

    with runs.lock(place / "locked"):
        code, out, _ = result(["runs", "--prune", "--yes"])
    assert code == 0
    assert out.startswith("runs/mnist/stopped  not finished")
    assert sorted(path.name for path in place.iterdir()) == ["finished", "linked", "locked", "mixed", "other"]
    assert (elsewhere / "config.json").is_file()
    assert result(["runs", "--prune", "--older-than", "soon"])[0] == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--seed", str(2**64)], 2),
        (["--learning-rate", "inf"], 2),
        (["--learning-rate", "nan"], 2),
        (["--config", "list.json"], 2),
        (["--config", "deep.json"], 2),
        (["--config", "deep.toml"], 2),
        (["--config", "/dev/zero"], 65),
    ],
)
def test_misuse_of_settings_is_refused(words, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.json").write_text('{"settings": [1]}')
    (tmp_path / "deep.json").write_text(DEEP)
    (tmp_path / "deep.toml").write_text("a = " + DEEP)
    found, _, said = result(["train", "mnist", "--data", "builtin", *words])
    assert found == code, said
    assert not (tmp_path / "runs").exists()

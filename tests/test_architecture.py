"""The dependency rules of the project, checked on the source and in fresh processes."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.engine.exporting.formats import FORMATS

ROOT = Path(__file__).parent.parent
OWN = {"cli", "tasks", "layers", "data", "benchmarks"}
ROOMS = ("layers", "data", "tasks")
MAY_IMPORT = {  # a room, and those rooms of ours that it may import
    "cli": {"tasks", "tasks.engine", "tasks.serving"},
    "layers": {"layers"},
    "data": {"data"},
    "tasks": {"tasks", "tasks.engine"},
    "tasks.engine": {"tasks.engine", "data", "layers.onnx"},
    "tasks.serving": {"tasks", "tasks.serving", "tasks.engine", "data"},
    "tasks.toolbox": {"tasks.toolbox", "tasks.engine.config", "tasks.engine.measure", "data"},
    "task": {"own", "tasks.engine", "tasks.toolbox", "data", "layers"},
}
PARTS = ("engine", "serving", "toolbox")  # rooms within `tasks` that are no tasks
FROM_CONTENT = {"load_model", "model_from_json", "from_config", "deserialize", "deserialize_keras_object", "pickle"}
SOURCES = [ROOT / "cli.py", *(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))]
STDLIB = {
    ROOT / "cli.py",
    ROOT / "tasks/__init__.py",
    ROOT / "tasks/engine/config.py",
    *(
        ROOT / f"tasks/engine/{name}.py"
        for name in (
            "checksums",
            "distribution",
            "fields",
            "files",
            "formats",
            "group",
            "members",
            "options",
            "pace",
            "places",
            "progress",
            "records",
            "sealed",
            "interval",
            "signals",
            "strict_json",
            "summaries",
            "terminal",
        )
    ),
    ROOT / "tasks/engine/exporting/formats.py",
    *(ROOT / f"tasks/engine/tuning/{name}.py" for name in ("plan", "space")),
    ROOT / "tasks/toolbox/settings.py",
    *ROOT.glob("tasks/*/__init__.py"),
    *ROOT.glob("tasks/*/config.py"),
}
CLICK = {ROOT / "cli.py", ROOT / "tasks/engine/options.py"}
KERAS = {
    *ROOT.glob("layers/**/*.py"),
    *ROOT.glob("tasks/[!e]*/network.py"),
    ROOT / "data/batches.py",
    ROOT / "tasks/caption/encoder.py",
    ROOT / "tasks/caption/self_critical.py",
    *(
        ROOT / f"tasks/engine/{name}.py"
        for name in (
            "bar",
            "checkpoint",
            "devices",
            "divergence",
            "environment",
            "export",
            "fitting",
            "paced",
            "schedule",
            "speed",
            "training",
            "weights",
        )
    ),
    *(ROOT / f"tasks/engine/exporting/{name}.py" for name in ("script", "tensorflow_files", "writers")),
}
RUNTIMES = {path: path.stem for path in ROOT.glob("tasks/engine/exporting/runtimes/[!_]*.py")}  # copied, with NumPy
NUMPY = {"numpy", "PIL", "typing_extensions", "sentencepiece", "onnxruntime", "sacrebleu"}
SERVER = {"fastapi", "starlette", "uvicorn"}
HEAVY = {"keras", "tensorflow", "jax", "torch", "tensorflow_datasets", "sklearn", "scipy", "matplotlib"}
ONNX = {
    ROOT / path
    for path in (
        *("layers/onnx/file.py", "layers/onnx/network.py"),
        *("tasks/engine/archives.py", "tasks/engine/sharing.py"),
    )
}
TENSORFLOW = {
    ROOT / "data/batches.py",
    ROOT / "data/catalogue.py",
    ROOT / "tasks/caption/self_critical.py",
    ROOT / "tasks/engine/devices.py",
    ROOT / "tasks/engine/exporting/tensorflow_files.py",
    ROOT / "tasks/engine/exporting/runtimes/saved_model.py",
}
COPIED = [*RUNTIMES, *ROOT.glob("tasks/*/exported.py")]  # into exported folders


def name_of(path):
    return str(path.relative_to(ROOT))


def imports(path, *, top_level):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(place):
    """Return the room of a source file, as `MAY_IMPORT` names it."""
    if place.parts[0] != "tasks":
        return place.parts[0].removesuffix(".py")
    if len(place.parts) == 2:
        return "tasks"
    return f"tasks.{place.parts[1]}" if place.parts[1] in PARTS else "task"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_arrows(path):
    place = path.relative_to(ROOT)
    room = room_of(place)
    rooms = {f"tasks.{place.parts[1]}" if name == "own" else name for name in MAY_IMPORT[room]}
    for name in imports(path, top_level=False):
        parts = name.split(".")
        if parts[0] in OWN:
            inner = parts[0] != "tasks" or len(parts) == 1 or parts[1] in PARTS
            allowed = any(
                name == one or name.startswith(f"{one}.") for one in rooms - ({"tasks"} if not inner else set())
            )
            assert allowed, f"{place} must not import {name}"


def test_no_file_imports_one_that_imports_it():
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in SOURCES}
    arrows = {
        name: {other for other in names if any(one == other or one.startswith(f"{other}.") for one in imported)}
        - {name}
        for name, path in names.items()
        for imported in [set(imports(path, top_level=False))]
    }
    leaves = {name for name in arrows if not name.endswith("__init__")}
    while found := {name for name in leaves if not arrows[name] & leaves}:
        leaves -= found
    assert not leaves, f"in a circle: {sorted(leaves)}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_zones(path):
    roots = {name.split(".")[0] for name in imports(path, top_level=True)} - OWN
    third_party = roots - sys.stdlib_module_names
    if path in STDLIB:
        assert third_party <= ({"click"} if path in CLICK else set())
    elif path in RUNTIMES:
        assert third_party <= {"numpy", FORMATS[RUNTIMES[path]].library}
    elif path not in KERAS:
        assert third_party <= NUMPY | (SERVER if room_of(path.relative_to(ROOT)) == "tasks.serving" else set())
        names = set(imports(path, top_level=True))
        assert not any(name.startswith(("data.batches", "layers")) for name in names), "pulls in Keras"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_only_few_files_name_tensorflow(path):
    names = {name.split(".")[0] for name in imports(path, top_level=False)}
    assert path in TENSORFLOW or not names & {"tensorflow", "tensorflow_datasets"}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_only_the_writer_and_the_verifier_of_onnx_files_name_onnx(path):
    assert path in ONNX or "onnx" not in {name.split(".")[0] for name in imports(path, top_level=False)}


def loaded_after(code, *words):
    """Return the heavy modules that a fresh process has loaded after some code."""
    show = (
        f"import sys, json; sys.argv = {['cli.py', *words]!r}\n{code}\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(json.loads(result.stdout.splitlines()[-1])) & (HEAVY | NUMPY | SERVER)


RUN_COMMAND = "import cli\ntry:\n    cli.main()\nexcept SystemExit:\n    pass"


def test_importing_tasks_loads_nothing_heavy():
    assert loaded_after("import tasks; [tasks.config_class(n) for n in tasks.names()]") == set()


LIGHT = [
    "--help",
    "tasks",
    "train mnist --help",
    "tune mnist --help",
    "predict upscale --help",
    "compare --help",
    "check --help",
    "report --help",
    "bundle --help",
    "serve --help",
    "export mnist --help",
]


@pytest.mark.parametrize("words", [words.split() for words in LIGHT], ids=LIGHT)
def test_help_loads_nothing_heavy(words):
    assert loaded_after(RUN_COMMAND, *words) == set()


@pytest.mark.parametrize(
    "words",
    [
        "mnist --format ONNX",
        "mnist --format onnx --format onnx",
        "mnist --format onnx --steps 5",
        "mnist --format keras",
    ],
)
def test_an_export_that_cannot_be_is_refused_before_keras_is_loaded(words):
    out = "tasks" if words.endswith("keras") else "tasks/new"
    assert not loaded_after(RUN_COMMAND, "export", *words.split(), "--out", out) & HEAVY


def test_every_task_is_held_to_what_all_promise():
    files = {path.stem.removeprefix("test_contract_") for path in (ROOT / "tests/tasks").glob("test_contract_*.py")}
    assert files == {path.parent.name for path in ROOT.glob("tasks/*/pipeline.py")}


def test_every_package_is_in_the_distribution():
    rooms = {path.parent.relative_to(ROOT).parts[0] for path in SOURCES if path.name == "__init__.py"}
    assert rooms == set(ROOMS)
    assert all((path.parent / "__init__.py").is_file() for path in SOURCES if path.parent != ROOT)


@pytest.mark.parametrize("path", COPIED, ids=name_of)
def test_what_is_copied_into_exported_folders_imports_nothing_of_ours(path):
    assert not {name.split(".")[0] for name in imports(path, top_level=False)} & OWN


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name != "keras.py"], ids=name_of)
def test_no_network_is_made_from_what_a_file_says(path):  # but what an export has just written
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    assert not FROM_CONTENT & (used | {name.rpartition(".")[2] for name in imports(path, top_level=False)})


@pytest.mark.parametrize("path", [path for path in SOURCES if "engine" in path.parts], ids=name_of)
def test_the_engine_asks_for_no_hook_by_name(path):
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    asked = [ast.unparse(call) for call in calls if getattr(call.func, "id", "") in ("hasattr", "getattr")]
    allowed = ("os,", "exit_code", "self, field.name", "__name__", "base_exc", "inner_optimizer")  # of libraries
    assert all(any(part in one for part in allowed) for one in asked), asked

"""Public things show how they are used: every one has an example, and the examples run."""

import ast
import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TASKS = "tasks/__init__.py"
SHOWN = [TASKS, *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("tasks/toolbox/[!_]*.py")))]
SHOWN += [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("layers/[!_]*.py"))]
MORE = ["tasks/engine/config.py", "tasks/engine/publish.py", "data/sources.py"]
MORE += [f"layers/onnx/{name}.py" for name in ("convolution", "graph", "network", "recurrent", "unrolled")]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def module_of(path):
    return import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))


@pytest.mark.parametrize("path", [pytest.param(TASKS, marks=pytest.mark.slow), *SHOWN[1:], *MORE])
def test_the_examples_run(path, tmp_path, monkeypatch):
    module = module_of(path)
    monkeypatch.chdir(tmp_path)
    results = doctest.testmod(module, extraglobs={"folder": tmp_path}, optionflags=FLAGS)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("path", SHOWN)
def test_every_public_thing_has_an_example(path):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    things = [node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    things = [thing for thing in things if not thing.name.startswith("_")]
    assert not [thing.name for thing in things if ">>> " not in (ast.get_docstring(thing) or "")]

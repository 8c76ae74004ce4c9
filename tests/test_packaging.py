"""The wheel is enclosed in one package; `tests/wheel.py` builds and installs it."""

import ast
import base64
import hashlib
from pathlib import Path
from zipfile import ZipFile

import pytest

import setup

ROOT = Path(__file__).parent.parent
OWN = ["cli", "data", "layers", "tasks"]
SOURCES = [ROOT / "cli.py", *(path for name in OWN for path in sorted((ROOT / name).rglob("*.py")))]
WHEEL = {
    "cli.py": b"import tasks\n",
    "tasks/__init__.py": b"",
    "tasks/table.tsv": b"import tasks\n",
    "x-1.dist-info/WHEEL": b"Wheel-Version: 1.0\n",
    "x-1.dist-info/entry_points.txt": b"[console_scripts]\nfourlayers = cli:main\n",
    "x-1.dist-info/top_level.txt": b"cli\ntasks\n",
    "x-1.dist-info/RECORD": b"old",
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import tasks", "import fourlayers.tasks as tasks"),
        ("import tasks as suite", "import fourlayers.tasks as suite"),
        ("import os, tasks, cli", "import os, fourlayers.tasks as tasks, fourlayers.cli as cli"),
        ("import tasks.engine.runs as runs", "import fourlayers.tasks.engine.runs as runs"),
        ("from tasks import load", "from fourlayers.tasks import load"),
        ("from  data.texts import (\n    text,\n)", "from fourlayers. data.texts import (\n    text,\n)"),
        ("x = 'ß'; from data import x", "x = 'ß'; from fourlayers.data import x"),
        ("if x:\n    import data  # why", "if x:\n    import fourlayers.data as data  # why"),
        ("def f():\r\n    from layers.dense import A\r\n", "def f():\r\n    from fourlayers.layers.dense import A\r\n"),
    ],
)
def test_imports_of_our_modules_come_from_the_package(source, expected):
    assert setup.rewritten_module(source.encode(), OWN).decode() == expected
    ast.parse(expected)


@pytest.mark.parametrize(
    "source",
    [
        "import database, skimage.data, tasks_of_others",
        "from skimage.data import camera\nfrom database import tasks",
        "from . import data\nfrom .data import x\nfrom ..tasks import y",
        "data = tasks.data  # import data\ntext = '''\nimport data\nfrom tasks import x\n'''",
        "",
    ],
)
def test_all_else_stays(source):
    assert setup.rewritten_module(source.encode(), OWN).decode() == source


def test_an_import_without_an_equivalent_is_refused():
    with pytest.raises(ValueError, match=r"Line 2: write `from tasks\.engine import runs`"):
        setup.rewritten_module(b"import os\nimport tasks.engine.runs", OWN)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_can_be_rewritten(path):
    source = path.read_bytes()
    rewritten = setup.rewritten_module(source, OWN)
    assert rewritten.count(b"\n") == source.count(b"\n")
    for node in ast.walk(ast.parse(rewritten)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
        assert not any(name.partition(".")[0] in OWN for name in names)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_named_by_a_text_is_named_relative_to_its_package(path):
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            first = ast.unparse(node.args[0]).lstrip("f'\"")
            assert first.partition(".")[0] not in OWN, ast.unparse(node)


def test_a_wheel_has_one_package(tmp_path):
    wheel = tmp_path / "x-1-py3-none-any.whl"
    with ZipFile(wheel, "w") as archive:
        for name, content in WHEEL.items():
            archive.writestr(name, content)
    setup.enclose(wheel)
    with ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert {name.partition("/")[0] for name in files} == {"fourlayers", "x-1.dist-info"}
    assert files["fourlayers/cli.py"] == b"import fourlayers.tasks as tasks\n"
    assert files["fourlayers/tasks/table.tsv"] == WHEEL["tasks/table.tsv"]
    assert files["x-1.dist-info/entry_points.txt"] == b"[console_scripts]\nfourlayers = fourlayers.cli:main\n"
    assert files["x-1.dist-info/top_level.txt"] == b"fourlayers\n"


def test_a_wheel_lists_its_files_with_their_digests():
    files = setup.enclosed_files(WHEEL)
    rows = [row.split(",") for row in files["x-1.dist-info/RECORD"].decode().splitlines()]
    assert [name for name, _, _ in rows] == list(files)
    for name, digest, size in rows[:-1]:
        raw = base64.urlsafe_b64decode(digest.removeprefix("sha256=") + "=")
        assert (raw, int(size)) == (hashlib.sha256(files[name]).digest(), len(files[name]))
    assert rows[-1] == ["x-1.dist-info/RECORD", "", ""]

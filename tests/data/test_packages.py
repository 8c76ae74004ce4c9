"""Packages by extras: one table, one sentence, and lists of requirements that agree."""

import ast
import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

import tasks
from data import packages
from data.packages import EXTRAS, PACKAGES, MissingPackageError, check_packages, missing_packages, needed_for
from tasks.engine import terminal
from tasks.engine.load import keras_part

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OPTIONAL = PROJECT["optional-dependencies"]
OWN = {"cli", "data", "layers", "tasks"}
OTHERS = {"jax", "torch"}  # other backends, if Keras uses them


def name_of(requirement):
    return re.match(r"[\w-]+", requirement)[0]


def plain(extra):
    """Return the requirements of an extra that are not extras themselves."""
    return [one for one in OPTIONAL[extra] if name_of(one) != PROJECT["name"]]


def listed(file):
    lines = (ROOT / "requirements" / file).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_table_of_an_extra_is_that_of_the_project(extra):
    packages = {name_of(PACKAGES[module]) for module in EXTRAS[extra]}
    assert packages == {name_of(one) for one in plain(extra)}


LISTS = [("predict.txt", ["predict"]), ("evaluate.txt", ["evaluate", "figures"]), ("serve.txt", ["serve"])]


@pytest.mark.parametrize(("file", "extras"), LISTS)
def test_a_list_of_requirements_is_that_of_its_extras(file, extras):
    assert listed(file) == sorted(one for extra in extras for one in plain(extra))


def test_the_plain_install_has_all_but_what_is_asked_for_by_name():
    found, waiting = set(), [*PROJECT["dependencies"]]
    while waiting:
        requirement = waiting.pop()
        extras = re.search(r"\[(.*)\]", requirement)
        assert extras, "a dependency stands in an extra"
        for extra in set(extras[1].split(",")) - found:
            found.add(extra)
            waiting += [one for one in OPTIONAL[extra] if name_of(one) == PROJECT["name"]]
    assert found == {"predict", "evaluate", "figures", "export", "train", "parquet"}


def test_every_module_that_is_imported_stands_in_the_table():
    files = [ROOT / "cli.py", *(path for room in OWN - {"cli"} for path in (ROOT / room).rglob("*.py"))]
    names = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_bytes())):
            names |= {alias.name.partition(".")[0] for alias in node.names} if isinstance(node, ast.Import) else set()
            names |= {node.module.partition(".")[0]} if isinstance(node, ast.ImportFrom) and node.module else set()
    assert names - sys.stdlib_module_names - OWN - OTHERS <= PACKAGES.keys()


def test_a_use_names_all_packages_that_it_misses(monkeypatch):
    check_packages("`train`", *EXTRAS.keys() - {"xlsx", "heic", "openvino", "litert"})
    for module in ("sklearn", "skimage"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingPackageError) as caught:
        check_packages("Scoring", "evaluate")
    assert terminal.exit_code(caught.value) == 69
    assert terminal.sentence(caught.value) == (
        "Scoring takes 2 packages that are missing; install them with: pip install scikit-image scikit-learn."
    )


def name_backend(how, backend, folder, monkeypatch):
    """Name a backend of Keras in the environment, or in its file in the home of Keras or of the user."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("HOME", str(folder))
    if how == "environment":
        return monkeypatch.setenv("KERAS_BACKEND", backend)
    if how == "KERAS_HOME":
        monkeypatch.setenv("KERAS_HOME", str(folder / ".keras"))
        monkeypatch.setenv("HOME", "/")
    (folder / ".keras").mkdir()
    return (folder / ".keras" / "keras.json").write_text(json.dumps({"backend": backend}))


@pytest.mark.parametrize("how", ["environment", "KERAS_HOME", "HOME"])
def test_the_backend_that_is_named_is_asked_for(how, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.setattr(packages, "is_installed", lambda module: sys.modules.get(module, True) is not None)
    name_backend(how, "jax", tmp_path, monkeypatch)
    check_packages("`train`", "train")
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(MissingPackageError, match="takes jax; install it with: pip install jax") as caught:
        check_packages("`train`", "train")
    assert terminal.exit_code(caught.value) == 69
    assert terminal.exit_code(ModuleNotFoundError(name="jax")) == 69


@pytest.mark.parametrize("content", [None, "{", "[]", "{}"])
def test_tensorflow_is_asked_for_if_no_backend_is_named(content, tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    if content:
        (tmp_path / "keras.json").write_text(content)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(MissingPackageError, match="takes tensorflow; install it with: pip install tensorflow"):
        check_packages("`train`", "train")


def test_keras_answers_without_the_packages_of_training(monkeypatch):
    for module in ("tensorflow_datasets", "importlib_resources", "onnx"):
        monkeypatch.setitem(sys.modules, module, None)
    assert keras_part(tasks.get("mnist"))
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingPackageError, match=r"^Keras takes h5py; install it with: pip install h5py"):
        keras_part(tasks.get("mnist"))


def test_a_failed_import_of_a_known_package_is_not_a_bug():
    known, ours = ModuleNotFoundError(name="matplotlib.figure"), ModuleNotFoundError("No module", name="tasks.other")
    assert (terminal.exit_code(known), terminal.exit_code(ours)) == (69, 1)
    assert terminal.sentence(known) == "This command takes matplotlib; install it with: pip install matplotlib."
    assert missing_packages(ModuleNotFoundError("without a name")) == []


def test_other_failed_imports_stay(monkeypatch):
    with pytest.raises(ModuleNotFoundError, match="no_such_module"), needed_for("This"):
        import no_such_module  # noqa: F401
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with (
        pytest.raises(MissingPackageError, match=r"^This takes pyarrow; install it with: pip install pyarrow, or x\.$"),
        needed_for("This", ", or x"),
    ):
        import pyarrow  # noqa: F401


def test_a_package_of_several_modules_is_named_once(monkeypatch):
    monkeypatch.setattr("data.packages.is_installed", lambda module: False)
    with pytest.raises(MissingPackageError) as caught:
        check_packages("`serve`", "serve")
    assert str(caught.value).endswith("pip install fastapi httptools python-multipart starlette uvicorn uvloop.")
    assert "6 packages" in str(caught.value)

"""Check the wheel: build it, install it beside modules with the names of ours, and use every task.

Run as `make wheel-test`, from an environment that has the dependencies; the index of packages must be reachable, as
building needs setuptools. Prints a line for each check, and ends with a traceback at the first that fails.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

ROOT = Path(__file__).parent.parent
MODULES = ("cli.py", "data", "layers", "tasks")
LARGEST = 60_000_000  # bytes
THEIRS = 'raise RuntimeError(f"{__name__} of the user was imported")\n'
PHOTO = "skimage/data/chelsea.png"
INPUTS = {  # an input of each task, options and the answer's field
    "mnist": ("digit.png", (), "label"),
    "upscale": ("photo.png", ("--scale", "2", "--out", "enlarged"), "image"),
    "caption": ("photo.png", (), "caption"),
    "sentiment": ("A lovely film, I enjoyed every minute.", (), "label"),
    "translate": ("A dog runs.", (), "translation"),
}
IMPORTS = """
import sys, fourlayers
from fourlayers import tasks, layers
assert not {"cli", "data", "layers", "tasks"} & sys.modules.keys()
print(fourlayers.__version__, *tasks.names())
"""
MODELS = """
from pathlib import Path
import keras
from fourlayers import layers, tasks
from fourlayers.tasks.engine.shared_weights import whole_file
paths = sorted(Path(tasks.__file__).parent.glob("*/pretrained/*/model.keras"))
models = []
for path in paths:
    with whole_file(path) as place:  # that of a published run leaves large weights to its ONNX files
        models.append(keras.saving.load_model(place))
assert len(models) >= len(tasks.names())
print(len(models), "models")
"""
TRAINING = """
import json
from fourlayers import tasks
pipeline = tasks.train("mnist", data="builtin", limit=64, epochs=1)
facts = json.loads((pipeline.run / "environment.json").read_text())
assert (pipeline.run / "onnx" / "classify.onnx").is_file()
assert tasks.load("mnist", pipeline.run).predict(["digit.png"])
print(f"{pipeline.run} on {facts['backend']}, ONNX differs by {facts['onnx_difference']:.0e}")
"""
OTHER = """
import data, tasks
assert "second" in tasks.__file__
try:
    import data.first_only
except ModuleNotFoundError:
    print(tasks.__version__)
"""


def main() -> None:
    """Make all checks, in order."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        wheel = built_wheel(folder)
        report("wheel", wheel_summary(wheel))
        python = environment(folder / "installed", wheel)
        report("site-packages", ", ".join(installed_names(python)))
        user = user_folder(folder / "user", python)
        check_use(python, user)
        check_checkouts(folder, user)


def check_use(python: Path, user: Path) -> None:
    """Use the installed package in a folder whose own modules must not be imported."""
    apart = {"PYTHONPATH": str(user)}
    command = python.with_name("fourlayers")
    report("--version", output([command, "--version"], user, apart))
    for task in INPUTS:
        report(f"predict {task}", answer(command, task, user, apart))
    report("import", output([python, "-c", IMPORTS], user, apart))
    report("load_model", output([python, "-c", MODELS], user, apart))
    for backend in ("tensorflow", "jax"):
        report(f"train ({backend})", output([python, "-c", TRAINING], user, apart | {"KERAS_BACKEND": backend}))


def check_checkouts(folder: Path, user: Path) -> None:
    """Install one checkout as editable, and check that each checkout runs its own code alone, in any folder."""
    first, second = (checkout(folder / name, version) for name, version in (("first", "1.1.1"), ("second", "2.2.2")))
    (first / "data" / "first_only.py").touch()
    (second / "other.py").write_text(OTHER, encoding="utf-8")
    python = environment(folder / "editable", "--editable", first)
    cases: list[tuple[str, list[Path | str], Path]] = [
        ("1.1.1", [python.with_name("fourlayers"), "--version"], folder),
        ("1.1.1", [python, "-c", "import tasks; print(tasks.__version__)"], folder),
        ("1.1.1", [python, first / "cli.py", "--version"], user),
        ("2.2.2", [python, second / "cli.py", "--version"], user),
        ("2.2.2", [python, "cli.py", "--version"], second),
        ("2.2.2", [python, "-c", "import cli, tasks; print(tasks.__version__)"], second),
        ("2.2.2", [python, second / "other.py"], folder),
    ]
    for version, words, place in cases:
        assert version in output(words, place), words
    report("editable", "each checkout runs its own code alone")
    words = [python, first / "cli.py", "train", "mnist", "--data", "builtin", "--limit", "64", "--epochs", "1"]
    report("train (checkout, jax)", output(words, user, {"KERAS_BACKEND": "jax"}).splitlines()[0])


def built_wheel(folder: Path) -> Path:
    """Build the wheel of the checkout and return its path."""
    output([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT])
    (wheel,) = folder.glob("*.whl")
    return wheel


def wheel_summary(wheel: Path) -> str:
    """Return the size of a wheel, after checking it and that every file of ours is inside."""
    size = wheel.stat().st_size
    assert size < LARGEST, f"{size} bytes"
    names = set(ZipFile(wheel).namelist())
    files = [ROOT / "cli.py", *(path for name in MODULES for path in (ROOT / name).rglob("*") if path.is_file())]
    ours = {f"fourlayers/{path.relative_to(ROOT).as_posix()}" for path in files if path.parent.name != "__pycache__"}
    assert ours <= names, sorted(ours - names)
    return f"{size / 1e6:.1f} MB, {len(names)} files"


def environment(folder: Path, *what: Path | str) -> Path:
    """Make a virtual environment that sees our dependencies, install something, and return its interpreter.

    The dependencies come by a path file. Path files behind that path are not read, so that no editable install counts.
    """
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    (site_packages(python) / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    output([sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", *what])
    return python


def site_packages(python: Path) -> Path:
    """Return the folder of an environment's installed packages."""
    (folder,) = python.parent.parent.glob("lib/python*/site-packages")
    return folder


def installed_names(python: Path) -> list[str]:
    """Return what an environment holds, after checking that it is ours and nothing beside."""
    names = sorted(path.name for path in site_packages(python).iterdir() if path.name != "dependencies.pth")
    assert len(names) == 2, names
    assert all(name == "fourlayers" or (name[:11], name[-10:]) == ("fourlayers-", ".dist-info") for name in names), (
        names
    )
    return names


def user_folder(folder: Path, python: Path) -> Path:
    """Make a folder with inputs, and with modules that have the names of ours and must not be imported."""
    (folder / "data").mkdir(parents=True)
    for name in ("data/__init__.py", "tasks.py", "layers.py", "cli.py"):
        (folder / name).write_text(THEIRS, encoding="utf-8")
    shutil.copy(site_packages(python) / "fourlayers" / "tasks" / "mnist" / "example.png", folder / "digit.png")
    shutil.copy(Path(sysconfig.get_path("purelib")) / PHOTO, folder / "photo.png")
    return folder


def answer(command: Path, task: str, folder: Path, environ: dict[str, str]) -> str:
    """Return the main field of a task's answer to its input."""
    given, options, field = INPUTS[task]
    line = output([command, "predict", task, given, *options], folder, environ)
    text = str(json.loads(line)["answer"][field])
    assert text
    return text


def checkout(folder: Path, version: str) -> Path:
    """Copy the checkout without its pretrained runs, under another version."""
    folder.mkdir()
    for name in (*MODULES, "setup.py", "pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("pretrained", "__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    init = folder / "tasks" / "__init__.py"
    lines = init.read_text(encoding="utf-8").splitlines()
    init.write_text("\n".join(f'__version__ = "{version}"' if "__version__ =" in line else line for line in lines))
    return folder


def output(words: Sequence[Path | str], folder: Path = ROOT, environ: dict[str, str] | None = None) -> str:
    """Run a command in a folder and return its standard output; its errors are shown if it fails."""
    settings = os.environ | {"PYTHONPATH": ""} | (environ or {})
    result = subprocess.run(words, cwd=folder, env=settings, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, words))}\nended with {result.returncode}:\n{result.stdout}{result.stderr}")
    return result.stdout.strip()


def report(what: str, outcome: str) -> None:
    """Print the outcome of a check, with the seconds since the start."""
    print(f"{time.monotonic() - START:5.0f} s  {what:<21} {outcome}", flush=True)


START = time.monotonic()
if __name__ == "__main__":
    main()

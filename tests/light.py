"""Check the light install: make an environment with what answers need alone, and answer once with each task, offline.

Run as `make light-test`; the index of packages must be reachable. Prints a line for each check, and ends with a
traceback at the first that fails.
"""

import json
import os
import shutil
import subprocess
import venv
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import Request, urlopen

from tests.wheel import INPUTS, ROOT, answer, output, report, site_packages

LARGEST = 200_000_000  # bytes without the runs that ship
LARGEST_SERVER = 220_000_000  # with `serve`; uvloop alone takes 16 MB, and triples its rate
INSTALLERS = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence.pth")
OFFLINE = """
import socket
def refused(*words, **others):
    raise OSError("the check is offline")
socket.getaddrinfo = socket.socket.connect = refused
"""
HELP = (["--help"], ["train", "mnist", "--help"], ["tasks"], ["runs"], ["report", "small-x2", "--out", "page.html"])
NEEDS = {  # a command that needs more, and a package that its sentence must name
    "train mnist --data builtin --epochs 1": "keras",
    "train mnist --resume": "tensorflow",
    "tune mnist --data builtin": "optuna",
    "evaluate mnist --data builtin": "scikit-learn",
    "compare small-x2 small-x2-jpeg --data builtin": "scikit-image",
    "check builtin --task mnist": "scikit-learn",
    "runs --verify mnist": "h5py",
    "predict mnist digit.png --engine keras": "keras",
    "predict translate Hello. --alignment-file drawn.png": "matplotlib",
    "serve --port 0": "fastapi",
}


def main() -> None:
    """Make all checks, in order."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # commands keep the bytecode of what they import
    with TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        venv.create(folder / "light", with_pip=True, symlinks=True)
        python = folder / "light" / "bin" / "python"
        install(python, "-r", ROOT / "requirements" / "predict.txt")
        install(python, ROOT)
        report("installed", summary(python, "after installing"))
        offline = site_packages(python) / "sitecustomize.py"
        offline.write_text(OFFLINE, encoding="utf-8")
        user = folder / "user"
        user.mkdir()
        shutil.copy(ROOT / "tasks" / "mnist" / "example.png", user / "digit.png")
        shutil.copy(ROOT / "docs" / "mnist.png", user / "photo.png")
        command = python.with_name("fourlayers")
        for task in INPUTS:
            report(f"predict {task}", answer(command, task, user, {}))
        for words in HELP:
            assert output([command, *words], user) or words[0] == "report"
        report("needs no more", ", ".join(words[0] for words in HELP))
        for line, package in NEEDS.items():
            report(line.partition(" --")[0], refusal(command, line, package, user))
        report("used", summary(python, "with the bytecode of these commands"))
        offline.unlink()
        output([python, "-m", "pip", "install", "--quiet", "-r", ROOT / "requirements" / "serve.txt"])
        offline.write_text(OFFLINE, encoding="utf-8")
        report("serve", served_answer(command, user))
        report("used", summary(python, "with `serve`", LARGEST_SERVER))


def install(python: Path, *what: Path | str) -> None:
    """Install into an environment as docs/install.md says."""
    output([python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", *what])


def served_answer(command: Path, folder: Path) -> str:
    """Return the answer of a server to a text, after asking for its page; it is ended."""
    words: list[Path | str] = [command, "serve", "sentiment", "--port", "0", "--quiet"]
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            place = server.stdout.readline().split()[-1]
            with urlopen(place, timeout=60) as page:
                assert b"<html" in page.read()
            asked = Request(
                f"{place}/v1/sentiment", b'{"input": "A lovely film."}', {"Content-Type": "application/json"}
            )
            with urlopen(asked, timeout=60) as response:
                return json.dumps(json.load(response)["answers"])
        finally:
            server.terminate()
            assert server.wait(60) == 0


def refusal(command: Path, line: str, package: str, folder: Path) -> str:
    """Return the sentence of a command that needs a package, after checking it, and that nothing was made."""
    before = {path for path in folder.rglob("*") if path.is_file()}
    result = subprocess.run([command, *line.split()], cwd=folder, capture_output=True, text=True, check=False)
    said = result.stderr.splitlines()[-1]
    assert result.returncode == 69, f"{line}: {result.returncode} {result.stderr}"
    assert "install" in said, said
    assert package in said.partition("pip install ")[2], said
    assert {path for path in folder.rglob("*") if path.is_file()} == before, line
    return said


def summary(python: Path, when: str, most: int = LARGEST) -> str:
    """Return the sizes of an environment without and with the runs that ship, after checking them."""
    folder = site_packages(python)
    sizes = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    tools = sum(size for path, size in sizes.items() if path.relative_to(folder).parts[0].startswith(INSTALLERS))
    shipped = sum(size for path, size in sizes.items() if "pretrained" in path.parts)
    rest = sum(sizes.values()) - tools - shipped
    assert rest < most, f"{rest} bytes"
    return f"{rest / 1e6:.0f} MB {when}; runs that ship {shipped / 1e6:.0f} MB, pip and setuptools {tools / 1e6:.0f} MB"


if __name__ == "__main__":
    main()

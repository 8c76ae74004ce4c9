"""Try the steps of the Dockerfile without Docker: a folder is the image, and an environment its Python.

Run as `make docker-test`; the index of packages must be reachable. COPY copies what `.dockerignore` lets through. RUN
runs in a shell, with the paths of the folder in place of those of the image. Then the entry point answers. What only
Docker has, the base image and the user, is read and not made.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.wheel import ROOT, report

KNOWN = {"FROM", "COPY", "RUN", "USER", "WORKDIR", "ENTRYPOINT", "CMD"}
ROOT_ONLY = ("useradd",)  # programs that change the system


def steps(text: str) -> Iterator[tuple[str, str]]:
    """Yield the instructions of a Dockerfile, each with what follows it.

    Example:
        >>> list(steps("# x\\nFROM a\\nRUN b \\\\\\n  c\\n"))
        [('FROM', 'a'), ('RUN', 'b   c')]
    """
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            assert name in KNOWN, line
            yield name, rest.strip()


def is_sent(name: str, rules: list[str]) -> bool:
    """Return whether Docker gets a file of the checkout; the last rule that fits decides.

    Example:
        >>> is_sent("data/a.py", ["*", "!data"]), is_sent(".git/config", ["*", "!data"])
        (True, False)
    """
    sent = True
    for rule in rules:
        pattern = rule.lstrip("!")
        parts = Path(name).parts
        places = ["/".join(parts[: count + 1]) for count in range(len(parts))]
        if any(fnmatch(place, pattern) for place in (parts if pattern.startswith("**/") else places)) or (
            pattern.startswith("**/") and pattern[3:] in parts
        ):
            sent = rule.startswith("!")
    return sent


def context(folder: Path) -> list[str]:
    """Copy what Docker gets into a folder, and return the names of the files."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    names = [name for name in listed if is_sent(name, rules) and (ROOT / name).is_file()]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return names


def copy(words: list[str], source: Path, image: Path) -> None:
    """Make a COPY step."""
    *names, target = words
    place = image / target.lstrip("/")
    for name in names:
        if (source / name).is_dir():
            shutil.copytree(source / name, place, dirs_exist_ok=True)
        else:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, place)


def main() -> None:
    """Make all steps, in order, and let the entry point answer."""
    found = list(steps((ROOT / "Dockerfile").read_text(encoding="utf-8")))
    with TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        source, image = folder / "context", folder / "image"
        report("context", f"{len(context(source))} files")
        image.mkdir()
        venv.create(folder / "python", with_pip=True, symlinks=True)
        environ = os.environ | {"PATH": f"{folder / 'python' / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": ""}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)

        def run(command: str, place: Path) -> str:
            done = subprocess.run(
                ["sh", "-c", command], cwd=place, env=environ, capture_output=True, text=True, check=False
            )
            if done.returncode:
                sys.exit(f"{command}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
            return done.stdout

        for name, rest in found:
            if name == "COPY":
                copy(shlex.split(rest), source, image)
            elif name == "RUN" and shlex.split(rest)[0] not in ROOT_ONLY:
                run(rest.replace("/source", str(image / "source")), image)
            report(name, rest if name in ("COPY", "RUN") else f"{rest} (read)")
        settings = dict(found)
        assert settings["USER"] not in ("", "root", "0"), settings["USER"]
        entry = json.loads(settings["ENTRYPOINT"])
        shutil.rmtree(image)  # answers need nothing of the sources
        user = folder / "work"
        user.mkdir()
        assert "TASK" in run(shlex.join([*entry, *json.loads(settings["CMD"])]), user)
        answer = json.loads(run(shlex.join([*entry, "sentiment", "A lovely film."]), user))
        report("answer", answer["answer"]["label"])


if __name__ == "__main__":
    main()

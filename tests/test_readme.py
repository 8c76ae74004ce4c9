"""What the README shows is what happens: its Python sessions and its command lines run, and their answers agree."""

import doctest
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tasks
from data.builtin import sets

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
SHOWN = re.findall(r"^    \$ python cli\.py (.*)\n    (.*)$", README, flags=re.MULTILINE)
COMMANDS = re.findall(r"^    python cli\.py ((?:train|evaluate) .*?)(?: +#.*)?$", README, flags=re.MULTILINE)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with the files that the README names, as the current one."""
    (tmp_path / "tasks").symlink_to(ROOT / "tasks")
    photo = next(path for part in sets.photos() for path in part if path.suffix == ".jpg" and "rocket" in path.name)
    shutil.copy(photo, tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_python_sessions_run(folder):
    assert len(BLOCKS) == 2
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(optionflags=flags)
    for block in BLOCKS:
        runner.run(doctest.DocTestParser().get_doctest(block, {}, "README.md", None, 0))
    assert runner.summarize(verbose=False).failed == 0


@pytest.mark.parametrize(("words", "shown"), SHOWN, ids=[words.split()[1] for words, _ in SHOWN])
def test_a_command_line_answers_as_shown(folder, words, shown):
    command = [sys.executable, ROOT / "cli.py", *shlex.split(words)]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    pattern = ".*".join(map(re.escape, shown.split("...")))
    assert re.fullmatch(pattern, result.stdout.strip()), result.stdout


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_line_has_options_that_exist(words):
    verb, task, *options = shlex.split(words)
    command = [sys.executable, ROOT / "cli.py", verb, task, "--help"]
    help_text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert task in tasks.names()
    assert all(option in help_text for option in options if option.startswith("--"))


def test_each_task_has_a_command_line_with_its_answer():
    assert {words.split()[1] for words, _ in SHOWN} == set(tasks.names())
    assert len(COMMANDS) >= 7


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_a_link_leads_to_a_file(link):
    assert (ROOT / link).is_file()

"""What the README and the pages of the tasks show is what happens: sessions and commands run, and answers agree."""

import doctest
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import tasks
from data.builtin import sets

ROOT = Path(__file__).parent.parent
TOP = "README.md"
PAGES = {
    name: (ROOT / name).read_text(encoding="utf-8") for name in [TOP, *(f"tasks/{t}/{TOP}" for t in tasks.names())]
}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
LARGEST = 120_000  # bytes of a picture


def found(pattern: str) -> list[tuple[str, str]]:
    """Return each page with each match of a pattern on it."""
    return [(page, match) for page, text in PAGES.items() for match in re.findall(pattern, text, flags=re.MULTILINE)]


SHOWN = [(page, *match) for page, match in found(r"^    \$ python cli\.py (.*)\n    (.*)$")]
COMMANDS = found(r"^    (?:\$ |.*\| )?python cli\.py ((?:train|evaluate|predict) .*?)(?: +#.*)?$")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with the files that the pages name, as the current one."""
    (tmp_path / "tasks").symlink_to(ROOT / "tasks")
    photo = next(path for part in sets.photos() for path in part if "rocket" in path.name)
    shutil.copy(photo, tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@cache
def options_of(verb: str, task: str) -> frozenset[str]:
    """Return the options that a verb has for a task."""
    command = [sys.executable, ROOT / "cli.py", verb, task, "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return frozenset(re.findall(r"(?:^  | / )(--[a-z0-9-]+)", text, flags=re.MULTILINE))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_the_python_sessions_run(folder, page):
    blocks = re.findall(r"```python\n(.*?)```", PAGES[page], flags=re.DOTALL)
    session = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page, None, 0)
    assert session.examples
    assert doctest.DocTestRunner(optionflags=FLAGS).run(session).failed == 0


@pytest.mark.parametrize(("page", "words", "shown"), SHOWN)
def test_a_command_line_answers_as_shown(folder, page, words, shown):
    command = [sys.executable, ROOT / "cli.py", *shlex.split(words)]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    pattern = ".*".join(map(re.escape, shown.split("...")))
    assert re.fullmatch(pattern, result.stdout.strip()), result.stdout


@pytest.mark.parametrize(("page", "words"), COMMANDS)
def test_a_command_line_has_options_that_exist(page, words):
    verb, task, *rest = shlex.split(words)
    assert {word.partition("=")[0] for word in rest if word.startswith("--")} <= options_of(verb, task)


@pytest.mark.parametrize("task", tasks.names())
def test_a_page_names_only_options_that_exist(task):
    named = set(re.findall(r"`(--[a-z0-9-]+)", PAGES[f"tasks/{task}/{TOP}"]))
    assert named <= options_of("train", task) | options_of("evaluate", task) | options_of("predict", task)


def test_each_task_has_a_command_line_with_its_answer():
    for pages in ([TOP], set(PAGES) - {TOP}):
        assert {words.split()[1] for page, words, _ in SHOWN if page in pages} == set(tasks.names())
    assert len(COMMANDS) >= 30


@pytest.mark.parametrize(("page", "link"), sorted(set(found(r"\]\(([^)#:]+)\)"))))
def test_a_link_leads_to_a_file(page, link):
    target = ROOT / Path(page).parent / link
    assert target.is_file()
    assert target.suffix != ".png" or target.stat().st_size < LARGEST

"""Several processes answer as one does: the same bytes, notices and exit codes, whatever ends them on the way."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tasks
from data.tables import TableFormat
from tasks.engine import bulk, runs, workers
from tasks.engine.bulk_inputs import Request
from tasks.engine.config import SettingError
from tasks.engine.items import Item
from tasks.engine.members import RunError
from tests.loopback import enclosed, needs_enclosure

ROOT = Path(__file__).parents[3]
DIGIT = ROOT / "tasks/mnist/example.png"
MANIFEST = Path("out.jsonl.parts/manifest.json")


def command(*words, script=None):
    """Return a command line; with a script, one that runs after it, in the same process."""
    start = [str(ROOT / "cli.py")] if script is None else ["-c", f"{script}\nimport cli\ncli.run()"]
    return [sys.executable, *start, *map(str, words)]


def run(folder, *words, script=None, around=list):
    """Run a command in a folder, and return what is known of its end."""
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        around(command(*words, script=script)), capture_output=True, text=True, cwd=folder, env=env, check=False
    )


def table(path, rows):
    """Write a table with an id and a text in each row."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", "text"], *enumerate(rows)])


def pictures(folder, count, size=(28, 28)):
    """Make a folder of pictures, of which some are damaged or none at all."""
    random = np.random.default_rng(0)
    for number in range(count):
        (folder / f"{number % 3}").mkdir(parents=True, exist_ok=True)
        path = folder / f"{number % 3}/{number:03}.png"
        Image.fromarray(random.integers(0, 255, size, "uint8")).save(path)
        if number % 50 == 7:
            path.write_bytes(path.read_bytes()[:50])
    (folder / "notes.txt").write_text("not a picture")


def make_inputs(task, folder):
    """Make inputs of a task, good and bad ones, and return the words that name them."""
    if task == "sentiment":
        texts = [f"A {('dull', 'lovely')[number % 2]} film, number {number}." for number in range(700)]
        table(
            folder / "in.csv", ["" if n % 90 == 5 else "xyzzy qwv" if n % 90 == 6 else t for n, t in enumerate(texts)]
        )
        return ["--file", "in.csv", "--keep", "id"]
    if task == "translate":
        lines = [f"A dog {('runs', 'sits', '')[number % 3]}." for number in range(300)]
        (folder / "in.txt").write_bytes("\n".join(lines).encode() + b"\ncaf\xe9 au lait\n")
        return ["--file", "in.txt", "--beam", "1", "--plain"]
    if task == "caption":
        pictures(folder / "in", 9, (40, 40, 3))
        return ["in", "nowhere.png", "--beam", "1"]
    pictures(folder / "in", {"mnist": 300, "upscale": 20}[task])
    return ["in", "nowhere.png"]


def end(result):
    """Return the exit code of a command, and what it said, without the places of answers."""
    return result.returncode, result.stderr


@pytest.mark.parametrize("task", ["caption", "mnist", "sentiment", "translate"])
def test_two_processes_give_the_bytes_the_notices_and_the_exit_code_of_one(task, tmp_path):
    words = ["predict", task, *make_inputs(task, tmp_path)]
    one = run(tmp_path, *words)
    two = run(tmp_path, *words, "--workers", 2, "--out", "out.jsonl")
    assert one.returncode == 65
    assert end(two) == end(one)
    assert (tmp_path / "out.jsonl").read_text() == one.stdout
    assert not (tmp_path / "out.jsonl.parts").exists()


def test_the_screen_gets_the_same_lines(tmp_path):
    words = ["predict", "sentiment", *make_inputs("sentiment", tmp_path), "A last film."]
    one, two = run(tmp_path, *words), run(tmp_path, *words, "--workers", 2)
    assert (two.stdout, *end(two)) == (one.stdout, *end(one))


def answers_and_pictures(folder, result):
    """Return the answers of `upscale` without times, and the pictures in a folder."""
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    for row in rows:
        row.get("answer", {}).pop("seconds", None)
    made = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.png")}
    return json.loads(json.dumps(rows).replace(folder.name, "")), made


def test_two_processes_write_the_pictures_of_one(tmp_path):
    words = ["predict", "upscale", *make_inputs("upscale", tmp_path)]
    one = run(tmp_path, *words, "--out", "one")
    two = run(tmp_path, *words, "--out", "two", "--workers", 2)
    assert end(two) == end(one)
    assert answers_and_pictures(tmp_path / "two", two) == answers_and_pictures(tmp_path / "one", one)
    (tmp_path / "two/1/001.png").unlink()
    again = run(tmp_path, *words, "--out", "two", "--workers", 2, "--skip-existing")
    skipped = [json.loads(line).get("answer", {}).get("skipped", False) for line in again.stdout.splitlines()]
    assert (len(skipped), sum(skipped)) == (21, 18)
    assert answers_and_pictures(tmp_path / "two", two)[1] == answers_and_pictures(tmp_path / "one", one)[1]


def test_of_two_pictures_with_the_same_file_for_their_answers_the_second_is_an_error(tmp_path):
    for name in ("one", "two"):
        pictures(tmp_path / name, 1)
    result = run(tmp_path, "predict", "upscale", "one", "two", "--out", "made", "--workers", 2, "--quiet")
    first, second = map(json.loads, result.stdout.splitlines())
    assert first["answer"]["image"] == "made/0/000.png"
    assert second["error"] == "Its answer would have the file of that to 'one/0/000.png'; separate their folders."
    assert result.returncode == 65


PATCHED = """
import os, signal, sys, time
sys.path.insert(0, {root!r})
from tasks.engine import parts
parts.CHUNKS = 1
own = parts.Parts.add
def add(self, *found):
    if self.done.parts == 3:
        {then}
    own(self, *found)
parts.Parts.add = add
"""
WAIT = "open('waits', 'w').close(); time.sleep(300)"


def children(process):
    """Return the processes below a process."""
    found = [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return found + [below for one in found for below in children(one)]


def are_gone(processes):
    """Return whether processes end within some seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if not any(Path(f"/proc/{one}").exists() for one in processes):
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a folder with a table of many reviews, and what one process makes of it."""
    folder = tmp_path_factory.mktemp("whole")
    table(folder / "in.csv", ["" if number % 90 == 5 else f"A lovely film, {number}." for number in range(COUNT)])
    return folder, run(folder, "predict", "sentiment", "--file", "in.csv")


COUNT = 8000  # more chunks than wait in the processes when three parts are kept
WORDS = ["predict", "sentiment", "--file", "in.csv", "--workers", "2", "--out", "out.jsonl"]


def stopped(folder, number, group):
    """Start a command, stop it after three parts, and return its end, the seconds it took, and its processes."""
    script = PATCHED.format(root=str(ROOT), then=WAIT)
    process = subprocess.Popen(
        command(*WORDS, script=script), cwd=folder, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not (folder / "waits").exists() and process.poll() is None:
        time.sleep(0.01)
    below = children(process.pid)
    start = time.monotonic()
    (os.killpg if group else os.kill)(process.pid, number)
    _, stderr = process.communicate(timeout=60)
    (folder / "waits").unlink()
    return stderr, process.returncode, time.monotonic() - start, below


@pytest.mark.slow
@pytest.mark.parametrize(("number", "group"), [(signal.SIGKILL, False), (signal.SIGTERM, False), (signal.SIGINT, True)])
def test_a_stopped_command_leaves_no_process_and_goes_on_to_the_same_bytes(number, group, whole, tmp_path):
    folder, one = whole
    shutil.copy(folder / "in.csv", tmp_path)
    stderr, code, seconds, below = stopped(tmp_path, number, group)
    assert len(below) >= 2
    assert are_gone(below)
    assert seconds < 5
    if number == signal.SIGKILL:
        assert code == -number
    else:
        assert code == 128 + number
        last = stderr.splitlines()[-1]
        assert last.startswith("Error: Stopped; the answers to 768 inputs are kept in 'out.jsonl.parts', and `")
        assert last.endswith(f"{' '.join(WORDS)}` goes on.")
        assert "Traceback" not in stderr
    assert json.loads((tmp_path / MANIFEST).read_text())["done"]["inputs"] == 768
    two = run(tmp_path, *WORDS)
    assert (tmp_path / "out.jsonl").read_text() == one.stdout
    said = "Going on: the answers to 768 inputs are kept in 'out.jsonl.parts'.\n"
    assert (two.returncode, two.stderr.replace(said, "")) == end(one)
    assert said in two.stderr
    assert not (tmp_path / "out.jsonl.parts").exists()


def test_a_lost_process_ends_the_command_with_one_sentence_and_what_is_done_stays(whole, tmp_path):
    folder, one = whole
    shutil.copy(folder / "in.csv", tmp_path)
    kill = "import multiprocessing; [os.kill(one.pid, signal.SIGKILL) for one in multiprocessing.active_children()]"
    lost = run(tmp_path, *WORDS, script=PATCHED.format(root=str(ROOT), then=kill))
    assert lost.returncode == 71
    assert "Traceback" not in lost.stderr
    last = lost.stderr.splitlines()[-1]
    assert last.startswith("Error: A process that answered has ended, perhaps for want of memory; the answers to ")
    assert run(tmp_path, *WORDS).returncode == 65
    assert (tmp_path / "out.jsonl").read_text() == one.stdout


@pytest.fixture(scope="module")
def begun(whole, tmp_path_factory):
    """Return a folder with three parts of the answers."""
    folder = tmp_path_factory.mktemp("begun")
    shutil.copy(whole[0] / "in.csv", folder)
    script = PATCHED.format(root=str(ROOT), then="os._exit(9)")
    assert run(folder, *WORDS, script=script).returncode == 9
    return folder


@pytest.fixture
def copy(begun, tmp_path):
    """Return a folder of its own with three parts of the answers."""
    return shutil.copytree(begun, tmp_path / "copy")


def test_changed_inputs_are_refused(copy):
    text = (copy / "in.csv").read_text()
    (copy / "in.csv").write_text(text.replace("film, 700", "movie, 700"))
    result = run(copy, *WORDS)
    assert result.returncode == 2
    assert "The first 768 inputs are not those that have answers already" in result.stderr
    assert "goes on" not in result.stderr
    assert (copy / MANIFEST).exists()


def test_inputs_that_are_longer_now_go_on_after_the_answers_that_there_are(copy):
    with (copy / "in.csv").open("a") as file:
        file.write(f"{COUNT},One more film.\n")
    assert run(copy, *WORDS, "--quiet").returncode == 65
    lines = (copy / "out.jsonl").read_text().splitlines()
    assert len(lines) == COUNT + 1
    assert json.loads(lines[-1])["answer"]


@pytest.mark.parametrize("more", [["--plain"], ["--keep", "id"], ["--batch-size", "8"]])
def test_other_settings_are_refused(more, copy):
    result = run(copy, *WORDS, *more)
    assert result.returncode == 2
    assert f"holds answers of another command, which differs in its {more[0]};" in result.stderr


def test_damaged_parts_are_refused(copy):
    part = copy / "out.jsonl.parts/part-000001"
    part.write_bytes(part.read_bytes()[:-1])
    result = run(copy, *WORDS)
    assert result.returncode == 65
    assert "'out.jsonl.parts' is damaged; remove it to begin again." in result.stderr


def test_two_commands_do_not_write_the_same_parts(copy):
    with runs.lock(copy / "out.jsonl.parts"):
        result = run(copy, *WORDS)
    assert result.returncode == 75
    assert "give another --out" in result.stderr


@needs_enclosure
def test_a_cluster_goes_on_with_parts_to_the_same_bytes(whole, copy):
    two = run(copy, *WORDS, "--address", "local", around=lambda words: enclosed(*words))
    assert (copy / "out.jsonl").read_text() == whole[1].stdout
    assert (two.returncode, two.stderr.splitlines()[-1]) == (65, whole[1].stderr.splitlines()[-1])


@needs_enclosure
def test_a_cluster_answers_pictures_as_one_process_does(tmp_path):
    words = ["predict", "mnist", *make_inputs("mnist", tmp_path)]
    one = run(tmp_path, *words)
    two = run(tmp_path, *words, "--workers", 2, "--address", "local", around=lambda words: enclosed(*words))
    assert (two.returncode, two.stdout) == (one.returncode, one.stdout)
    assert all(line in two.stderr.splitlines() for line in one.stderr.splitlines())


@needs_enclosure
@pytest.mark.parametrize("address", ["auto", "127.0.0.1:1"])
def test_a_cluster_that_is_not_there_is_named(address, copy):
    result = run(copy, *WORDS, "--address", address, around=lambda words: enclosed(*words))
    assert result.returncode == 69
    assert f"finds no cluster of Ray at '{address}'" in result.stderr.splitlines()[-1]
    assert "RAY_AUTH_MODE=token if it asks for a token" in result.stderr.splitlines()[-1]


def test_no_more_is_read_than_a_few_chunks_for_each_process(tmp_path):
    pipeline, read = tasks.load("sentiment"), [0]

    def chunks():
        for number in range(40):
            read[0] += 1
            yield [Item(f"Film {number}.")] * 4

    order = workers.Order.of(pipeline, None, False)
    for number, found in enumerate(workers.answers_of_processes(order, chunks(), 2)):
        assert read[0] - number <= 2 * workers.AHEAD
        assert json.loads(found.lines[0])["input"] == f"Film {number}."
    assert read[0] == 40


def test_an_error_of_a_process_ends_the_command_as_one_of_this_process_does(tmp_path):
    run_copy = shutil.copytree(ROOT / "tasks/sentiment/pretrained/hybrid", tmp_path / "run")
    network = next((run_copy / "onnx").glob("*.onnx"))
    network.write_bytes(network.read_bytes()[:-9])
    words = ["predict", "sentiment", "A film.", "--run", "run"]
    one, two = run(tmp_path, *words), run(tmp_path, *words, "--workers", 1)
    assert end(two) == end(one)
    assert one.returncode == 65


def test_a_process_that_finds_another_run_refuses_it():
    order = workers.Order.of(tasks.load("sentiment"), None, False)
    with pytest.raises(RunError, match="is not the run of this command"):
        order._replace(sums={"codec.json": "0"}).pipeline()


def test_what_processes_cannot_do_is_refused(tmp_path):
    def refusal(task, request, **settings):
        with pytest.raises(SettingError) as caught:
            bulk.predict(tasks.load(task, **settings), request, bulk.Cluster(1))
        return str(caught.value)

    request = Request(["A dog."], None, TableFormat(), ())
    assert "takes no `-`" in refusal("sentiment", request._replace(words=["-"]))
    assert "`alignment_file` draws" in refusal("translate", request, alignment_file=tmp_path / "a.png")
    lonely = run(tmp_path, "predict", "sentiment", "A film.", "--address", "local")
    assert lonely.returncode == 2
    assert "give their number" in lonely.stderr

"""The page of runs: what it holds, that hostile files stay texts, and that it loads nothing."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from tasks.engine.answer_table import Scored, merged_rows
from tasks.engine.curves import Curve, chart
from tasks.engine.report import report
from tasks.engine.runs import RunError

ROOT = Path(__file__).parents[3]
BAD = "</title></script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202e"
SET = Scored("builtin", "test", 9)
VOID = {"meta", "img", "input"}


def write_run(folder, seed=1, said="A fine film", finished=True):
    """Write the files of a run that a page reads."""
    (folder / "figures").mkdir(parents=True)
    settings = {"data": "builtin", "epochs": 3, "seed": seed, "cell": said}
    (folder / "config.json").write_text(json.dumps({"format": 3, "task": "sentiment", "settings": settings}))
    facts = {"data": {"name": said, "train": 90}, "parameters": 1234, "command": said, "notices": [said], "cores": 2}
    (folder / "environment.json").write_text(json.dumps(facts))
    rows = ["epoch,loss,accuracy,val_loss,val_accuracy,seconds"]
    rows += [f"{epoch},{1 / epoch},0.5,{2 / epoch},0.4,30" for epoch in (1, 2, 3)]
    (folder / "history.csv").write_text("\n".join(rows) + "\n")
    answers = [
        {"input": said, "answer": {"label": label, "probability": chance}, "reference": "pos"}
        for label, chance in (("pos", 0.9), ("neg", 0.8), (said, 0.3))
    ]
    answers[1]["input"] = "Dull."
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers))
    Image.new("RGB", (4, 4), "red").save(folder / "figures" / "confusion.png")
    metrics = {"accuracy": 0.5 + seed / 10, "accuracy_low": 0.4, "accuracy_high": 0.9, "classes": {said: {"f1": 0.5}}}
    if finished:
        summary = {"data": "builtin", "split": "test", "examples": 9, "metrics": metrics}
        (folder / "metrics.json").write_text(json.dumps(summary))
    return folder


class Seen(HTMLParser):
    """The tags of a page, whether they are closed, and what they would load or do."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.loads, self.handlers, self.wrong = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href", "srcset", "action", "data")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def test_a_page_has_every_part_of_every_run(tmp_path):
    runs = [write_run(tmp_path / "one", 1), write_run(tmp_path / "two", 2)]
    text = report("sentiment", runs)
    for said in ("A fine film", "0.6000 (0.4000 to 0.9000)", "0.7000", "F1 of each class", "Dull.", "1234"):
        assert said in text
    seen = Seen(text)
    assert (seen.open, seen.wrong) == ([], [])
    assert seen.tags.count("svg") == 4  # loss and accuracy, over epochs and over minutes
    assert [load[:22] for load in seen.loads] == ["data:image/png;base64,"] * 2
    differing = text[text.index("<caption>Settings that differ") : text.index("<summary>All settings")]
    assert "seed" in differing
    assert "epochs" not in differing
    assert 'class="differs"' in text
    assert "nan" not in re.sub("<script.*", "", text, flags=re.DOTALL).lower().split("<svg")[1]


def test_hostile_files_stay_texts_and_nothing_is_loaded(tmp_path):
    text = report("sentiment", [write_run(tmp_path / "<b>&'\"", said=BAD)])
    seen = Seen(text)
    assert (seen.open, seen.wrong, seen.handlers) == ([], [], [])
    assert seen.tags.count("script") == 1
    assert [load[:22] for load in seen.loads] == ["data:image/png;base64,"]
    assert "alert(1)</script>" not in text
    assert "\u202e" not in text
    assert not re.search(r"https?://|@import|url\(", text)
    assert "default-src 'none'" in text


def test_the_page_fits_a_phone_and_the_dark(tmp_path):
    text = report("sentiment", [write_run(tmp_path / "one")])
    assert 'name="viewport" content="width=device-width' in text
    assert "prefers-color-scheme: dark" in text
    assert text.count("<table>") == text.count('<div class="wide" tabindex="0"')  # wide tables scroll by themselves
    assert "min(100%, 20rem)" in text


def test_worst_answers_are_first_and_one_input_of_two_runs_is_one_row():
    one = [{"input": "a", "answer": {"label": "x", "probability": 0.6}, "reference": "x"}]
    other = [
        {"input": "a", "answer": {"label": "y", "probability": 0.9}, "reference": "x"},
        {"input": "b", "answer": {"label": "x", "probability": 0.9}, "reference": "x"},
    ]
    rows = merged_rows([one, other], [SET, SET])
    assert [(row.input, sorted(row.answers)) for row in rows] == [("a", [0, 1]), ("b", [1])]
    assert rows[0].kinds() == "differ wrong"
    assert rows[1].kinds() == ""


@pytest.mark.parametrize(
    ("name", "other", "rows"),
    [
        ("1.jpg", SET, 1),
        ("1.jpg", SET._replace(data="mine"), 2),
        ("1.jpg", SET._replace(split="valid"), 2),
        ("1.jpg", SET._replace(examples=5), 1),
        ("example 3", SET, 1),
        ("example 3", SET._replace(examples=5), 2),
        ("example 3", SET._replace(data="mine"), 2),
        ("example 3 of many", SET._replace(examples=5), 1),
    ],
)
def test_inputs_of_one_name_in_different_data_are_different(name, other, rows):
    one = {"input": name, "answer": {"label": "x"}, "reference": "x"}
    assert len(merged_rows([[one], [one]], [SET, other])) == rows


def test_answers_without_references_are_sorted_by_their_number():
    rows = merged_rows(
        [[{"input": name, "answer": {"psnr": value}} for name, value in (("a", 30.0), ("b", 20.0))]], [SET]
    )
    assert [row.input for row in rows] == ["b", "a"]
    assert rows[0].kinds() == ""


@pytest.mark.parametrize("points", [[], [(1, 2.0)], [(1, float("nan"))], [(1, 5.0), (2, 5.0)]], ids=str)
def test_a_chart_of_any_points_is_whole(points):
    text = chart("loss", "epochs", [Curve("a", points, 7)])
    assert "nan" not in text
    assert Seen(text).open == []


def test_an_unfinished_run_is_shown_as_such(tmp_path):
    run = write_run(tmp_path / "one", finished=False)
    (run / "answers.jsonl").unlink()
    text = report("sentiment", [run])
    assert "not finished" in text
    assert "The runs keep no answers" in text


DAMAGE = {
    "config.json": "[]",
    "environment.json": "[1]",
    "metrics.json": '{"metrics": [1]}',
    "history.csv": "epoch,loss\n1,x\n",
    "answers.jsonl": '{"input": 1}\n',
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_named(name, tmp_path):
    run = write_run(tmp_path / "one")
    (run / name).write_text(DAMAGE[name])
    with pytest.raises(RunError, match=re.escape(name)):
        report("sentiment", [run])


def test_a_figure_that_is_not_a_picture_is_not_put_in(tmp_path):
    run = write_run(tmp_path / "one")
    (run / "figures" / "confusion.png").write_bytes(b"<svg onload=alert(1)>")
    text = report("sentiment", [run])
    assert "confusion.png of one is too large, or is not a PNG file." in text
    assert "data:image" not in text


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["one", "hybrid", "--out", "new.html"], 0, "The page is new.html."),
        (["one", "nothing", "--out", "new.html"], 66, "no run directory 'nothing'"),
        (["one", "--out", "there.html"], 73, "exists"),
        (["one", "--out", "no/new.html"], 73, "does not exist"),
        (["one", "small-x2", "--out", "new.html"], 2, "give runs of one task"),
        (["--out", "new.html"], 2, "RUN"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_command_line_writes_a_page_or_says_why_not(words, code, said, tmp_path):
    write_run(tmp_path / "one")
    (tmp_path / "there.html").write_text("mine")
    command = [sys.executable, str(ROOT / "cli.py"), "report", *words]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == code
    assert said in result.stderr
    assert (tmp_path / "new.html").exists() == (code == 0)
    assert (tmp_path / "there.html").read_text() == "mine"

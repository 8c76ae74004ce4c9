"""Checks of data from end to end: what each task's data shows, hostile contents, and the page."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tasks
from data.builtin import sets
from tasks.engine.check_page import check_page

ROOT = Path(__file__).parents[3]
BAD = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def run(*words, cwd):
    command = [sys.executable, str(ROOT / "cli.py"), "check", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def reviews(tmp_path):
    """Return a table of reviews with copies, contradictions, odd texts and markup."""
    rows = [(row["text"], row["label"]) for row in sets.reviews()[0][:120]]
    rows += [rows[0], (rows[2][0].upper() + "!", rows[2][1]), (rows[4][0], "positive"), (rows[4][0], "negative")]
    rows += [
        ("\u0421\u043e\u0431\u0430\u043a\u0430 \u0438\u0434\u0451\u0442 \u0434\u043e\u043c\u043e\u0439", "positive"),
        ("Caf\u00c3\u00a9 film", "positive"),
        (BAD, "positive"),
    ]
    lines = [json.dumps({"text": text, "label": label, "split": "train"}) for text, label in rows]
    lines += [json.dumps({"text": text, "label": label, "split": "test"}) for text, label in rows[:3]]
    (tmp_path / "reviews.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def test_a_table_of_texts_is_looked_through(reviews):
    result = run("reviews.jsonl", "--task", "sentiment", "--json", "--quiet", "--out", "page.html", cwd=reviews)
    assert (result.returncode, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert found["copies"]["exact"]["tested"] == 3
    assert found["copies"]["near"]["within"].get("train", 0) + len(found["copies"]["near"]["across"]) >= 1
    assert found["contradictions"]["count"] >= 1
    assert found["odd"]["foreign script"]["count"] == found["odd"]["damaged"]["count"] == 1
    assert found["parts"]["test"]["examples"] == 3
    assert any("3 inputs of the test part" in line for line in found["findings"])
    assert sum(part["examples"] for part in found["parts"].values()) >= 120


class Tags(HTMLParser):
    """The tags of a page, and what they would load."""

    def __init__(self):
        super().__init__()
        self.tags, self.loads = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href", "onerror", "onload", "onclick")]


def test_a_page_shows_hostile_texts_as_texts_and_loads_nothing(reviews):
    assert run("reviews.jsonl", "--task", "sentiment", "--quiet", "--out", "page.html", cwd=reviews).returncode == 0
    text = (reviews / "page.html").read_text(encoding="utf-8")
    seen = Tags()
    seen.feed(text)
    assert {"script", "img", "link", "iframe"}.isdisjoint(seen.tags)
    assert seen.loads == []
    assert not re.search(r"https?://", text)
    found = tasks.check_data("sentiment", str(reviews / "reviews.jsonl"))
    found["labels"]["suspects"] = [{"input": BAD, "label": BAD, "suggestion": BAD}]
    found["findings"], found["notices"], found["data"], found["odd"] = (
        [BAD],
        [BAD],
        BAD,
        {BAD: {"count": 1, "first": []}},
    )
    page = check_page(found)
    assert BAD not in page
    assert "<img" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 6


@pytest.mark.slow
def test_pictures_are_looked_through(tmp_path):
    examples = sets.digits()[0][:60]
    for number, example in enumerate(examples):
        (tmp_path / "d" / example["label"]).mkdir(parents=True, exist_ok=True)
        large = np.kron(example["image"], np.ones((8, 8), "uint8"))
        Image.fromarray(large).save(tmp_path / "d" / example["label"] / f"{number}.png")
    first = examples[0]["label"]
    (tmp_path / "d" / first / "copy.png").write_bytes((tmp_path / "d" / first / "0.png").read_bytes())
    Image.new("L", (64, 64)).save(tmp_path / "d" / first / "blank.png")
    found = tasks.check_data("mnist", str(tmp_path / "d"))
    exact = found["copies"]["exact"]
    assert sum(exact["within"].values()) + len(exact["across"]) == 1
    assert found["odd"]["blank"]["count"] == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nowhere.csv", "--task", "sentiment"], 66, "nowhere.csv"),
        (["builtin", "--task", "sentimnt"], 2, "Did you mean 'sentiment'?"),
        (["builtin"], 2, "task"),
        (["builtin", "--task", "mnist", "--set", "epochs"], 2, "must be like name=value"),
        (["builtin", "--task", "mnist", "--set", "epoch=3"], 2, "No setting is named 'epoch'"),
        (["builtin", "--task", "mnist", "--out", "there.html"], 73, "exists"),
        (["empty.csv", "--task", "sentiment"], 65, "empty.csv"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_checked_gets_one_sentence(words, code, said, tmp_path):
    (tmp_path / "there.html").write_text("mine")
    (tmp_path / "empty.csv").write_text("")
    result = run(*words, "--quiet", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (code, "")
    assert said in result.stderr
    assert result.stderr.startswith("Error: ") or "Usage" in result.stderr
    assert (tmp_path / "there.html").read_text() == "mine"


@pytest.mark.parametrize("name", tasks.names())
def test_the_embedded_data_of_every_task_can_be_checked(name):
    found = tasks.check_data(name, "builtin", limit=60)
    assert set(found["parts"]) == {"train", "valid", "test"}
    assert json.loads(json.dumps(found)) == found
    assert "<h2>What to look at</h2>" in check_page(found)


def test_blank_and_equal_pictures_are_looked_through(tmp_path):
    for number in range(16):
        (tmp_path / "d" / str(number % 2)).mkdir(parents=True, exist_ok=True)
        Image.new("L", (40, 40), number).save(tmp_path / "d" / str(number % 2) / f"{number}.png")
    found = tasks.check_data("mnist", str(tmp_path / "d"))
    assert found["odd"]["blank"]["count"] == 16
    assert found["copies"]["near"]["within"] == {}
    assert found["contradictions"]["count"] == 1
    assert "data:image/png;base64," in check_page(found)

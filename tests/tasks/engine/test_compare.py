"""Comparisons from end to end: two runs, their answers, exit codes, and runs that cannot be compared."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cli
import tasks
from tasks.engine import runs
from tasks.engine.checkpoint import digest
from tasks.engine.compare import check_reports, report_comparison
from tasks.engine.config import SettingError
from tasks.engine.evaluate import evaluate
from tasks.engine.task import Report

ROOT = Path(__file__).parents[3]
SHORT = {"data": "builtin", "preset": "tiny", "epochs": 1, "limit": 400, "score": False}
SHIPPED = ("small", "a1", "--task", "mnist", "--data", "builtin", "--quiet")  # by far the better one


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with runs: two seeds, and faulty ones."""
    place = tmp_path_factory.mktemp("runs")
    for name, seed in (("a1", 1), ("a2", 2)):
        tasks.train("mnist", place / name, seed=seed, **SHORT)
    shutil.copytree(place / "a1", place / "copy")
    shutil.copytree(place / "a2", place / "torn")
    (place / "torn" / "config.json").write_text("{")
    shutil.copytree(place / "a2", place / "blank")
    (place / "blank" / "codec.json").write_text("{}")
    shutil.copytree(place / "a2", place / "other")
    codec = json.loads((place / "other" / "codec.json").read_text())
    (place / "other" / "codec.json").write_text(json.dumps(codec | {"classes": list("abcdefghij")}))
    facts = json.loads((place / "other" / "environment.json").read_text())
    facts["checksums"]["codec.json"] = digest(place / "other" / "codec.json")
    (place / "other" / "environment.json").write_text(json.dumps(facts))
    shutil.copytree(place / "a2", place / "fewer")
    config = json.loads((place / "fewer" / "config.json").read_text())
    config["settings"]["limit"] = 50
    (place / "fewer" / "config.json").write_text(json.dumps(config))
    for number in range(2):
        (place / "one" / str(number)).mkdir(parents=True)
    shutil.copy(ROOT / "tasks/mnist/example.png", place / "one" / "0" / "0.png")
    (place / "one" / "1").rmdir()
    return place


def compare(folder, *words):
    """Return what the command line does, in this process."""
    shown = f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv = ['cli.py', 'compare', *{list(words)!r}]"
    code = f"{shown}\nimport cli\ncli.main()"
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_worse_run_is_told_with_its_exit_code_and_the_examples_that_tell(folder):
    result = compare(folder, *SHIPPED, "--json")
    found = json.loads(result.stdout)
    assert (result.returncode, result.stderr, found["verdict"]) == (4, "", "worse")
    assert (found["task"], found["examples"], found["b"]) == ("mnist", 359, ["a1"])
    accuracy, chance = found["measures"]
    assert accuracy["b"] - accuracy["a"] == pytest.approx(accuracy["difference"])
    assert accuracy["high"] < 0
    assert accuracy["p"] < 0.001
    assert accuracy["test"] == "McNemar's exact test"
    assert chance["test"] == "paired bootstrap over examples"
    first = found["worse"][0]
    assert first["answer"]["a"]["label"] == first["reference"] != first["answer"]["b"]["label"]


@pytest.mark.slow
def test_a_margin_allows_for_a_loss(folder):
    result = compare(folder, *SHIPPED, "--margin", "0.95")
    assert result.returncode == 0
    assert "It is not shown that B is worse by more than 0.95" in result.stdout
    assert compare(folder, "a1", "small", *SHIPPED[2:]).returncode == 0


@pytest.mark.slow
def test_several_seeds_are_one_side(folder):
    result = compare(folder, "a1,a2", *SHIPPED[:1], *SHIPPED[2:], "--metric", "probability_of_truth")
    assert result.stdout.splitlines()[1] == "  A: a1, a2"
    assert "paired bootstrap over examples and seeds" in result.stdout


FAULTS = {
    ("a1", "a1"): (2, "are the same run"),
    ("a1", "copy"): (2, "are the same run"),
    ("a1", "hybrid"): (2, "'a1' of mnist; 'hybrid' of sentiment; give runs of one task"),
    ("small", "small"): (2, "mnist or translate; say which with --task"),
    ("small-x2", "small-x3", "--data", "builtin"): (2, "scale of"),
    ("a1", "other"): (2, "classes of 'a1': ['0', '1'"),
    ("a1", "fewer"): (65, "read other examples: 'a1' 359 of builtin, 'fewer' 50 of builtin; name data"),
    ("a1", "a2", "--data", "one"): (65, "takes at least two examples, better hundreds; the data has 1"),
    ("a1", "nothing"): (66, "no run directory 'nothing'"),
    ("a1", "torn"): (65, "config.json' is damaged"),
    ("a1", "blank"): (65, "codec.json' is damaged"),
    ("a1", ","): (2, "name at least one run"),
    ("a1", "a2", "--metric", "bleu"): (2, "named 'bleu'; choose one of: accuracy"),
    ("a1", "a2", "--data", "nowhere/"): (66, "no file or folder 'nowhere'"),
    ("a1", "a2", "--margin", "-1"): (2, "margin"),
}


@pytest.mark.parametrize("words", FAULTS, ids=" ".join)
def test_runs_that_cannot_be_compared_get_one_sentence(words, folder, monkeypatch, capsys):
    code, said = FAULTS[words]
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["cli.py", "compare", *words, "--quiet"])
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as end:
        cli.main()
    shown = capsys.readouterr()
    assert (end.value.code, shown.out) == (code, "")
    assert said in shown.err
    assert len(shown.err.strip().splitlines()) == 1


def test_other_tokenization_is_refused():
    pipeline = tasks.load("translate", runs.pretrained_runs("translate")[0], data="builtin", limit=4, beam=1)
    assert pipeline.task.terms(pipeline) == {"languages": ["en", "de"]}
    report = evaluate(pipeline).report

    def measures():
        first, *rest = report.measures()
        return [type(first)(name="bleu", counts=first.counts, value=first.value, signature="tok:zh"), *rest]

    with pytest.raises(SettingError, match="count their metrics in different ways"):
        check_reports([report, report._replace(measures=measures)], "translate")


def test_a_task_that_counts_nothing_says_so():
    with pytest.raises(SettingError, match="'sixth' counts nothing in each example"):
        check_reports([Report({}, [], {})] * 2, "sixth")


def test_examples_that_both_answer_alike_are_not_shown():
    pipeline = tasks.load("mnist", runs.pretrained_runs("mnist")[0], data="builtin", limit=40)
    report = evaluate(pipeline).report
    found = report_comparison([[report], [report]])
    assert (found["verdict"], found["differing"], found["better"], found["worse"]) == ("undecided", 0, [], [])

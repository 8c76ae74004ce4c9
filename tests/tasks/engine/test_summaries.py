"""What the terminal shows of scores, runs, comparisons and checks of data."""

import json

import pytest

from tasks.engine import summaries

ABOUT = {"task": "mnist", "examples": 3, "split": "test", "data": "builtin"}


@pytest.mark.parametrize("metrics", [None, {}, {"accuracy": 0.5, "accuracy_low": "x", "accuracy_high": None}])
def test_scores_that_are_not_there_are_no_error(metrics, capsys):
    summaries.show_summary(ABOUT | {"metrics": metrics}, as_json=False)
    assert "mnist, 3 test examples of builtin" in capsys.readouterr().out


def test_control_characters_of_data_are_written_out(capsys):
    item = {
        "part": "train",
        "example": 1,
        "label": "p\x1b[31mos",
        "suggestion": "neg",
        "chance": 0.9,
        "input": "a\x9bb",
    }
    found = {
        "task": "sentiment",
        "data": "a\x1b]0;x\x07",
        "parts": {},
        "findings": ["\x1b[2J"],
        "labels": {"suspects": [item]},
    }
    summaries.show_check(found, as_json=False)
    summaries.show_check(found, as_json=True)
    shown = capsys.readouterr().out
    assert not {"\x1b", "\x9b", "\x07"} & set(shown)


def test_a_search_is_shown_with_what_it_gained(capsys):
    found = {
        "task": "mnist",
        "data": "builtin",
        "metric": "loss",
        "trials": {"complete": 3, "pruned": 5, "failed": 1, "unfinished": 0},
        "default": 0.25,
        "best": {"trial": 4, "value": 0.125, "settings": {"units": 64, "dropout": 0.12345}, "milliseconds": 1.234},
        "split": "test",
        "examples": 359,
        "metrics": {"accuracy": 0.5},
    }
    summaries.show_search(found, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "mnist, builtin: 3 complete, 5 pruned, 1 failed, 0 unfinished trials",
        "  validation loss 0.1250 (trial 4); without a search 0.2500",
        "  1.23 ms an answer",
    ]
    assert [line.split() for line in lines[3:5]] == [["units", "64"], ["dropout", "0.1235"]]
    assert "359 test examples of builtin" in lines[6]
    summaries.show_search(found | {"best": None}, as_json=False)
    assert len(capsys.readouterr().out.splitlines()) == 1
    summaries.show_search(found, as_json=True)
    assert json.loads(capsys.readouterr().out) == found

"""What the terminal shows of scores, runs, comparisons and checks of data."""

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

"""The state of a checkpoint: what agrees with itself and with its folder is read, all else is damage."""

import pytest

from tasks.engine.config import EPOCHS
from tasks.engine.progress import Progress, check_names, checked_state, folder_name, named_place

ROWS = [
    {"epoch": number, "loss": 0.5, "mae": 0.4, "val_loss": 0.6, "val_mae": 0.5, "step_size": 0.1, "seconds": 1.0}
    for number in (1, 2)
]
GOOD = {
    "epoch": 2, "step": 3, "seconds": 2.0, "begun": 0.5, "seeds": [[1, 2]], "sums": [1.0, [2.0]],
    "row": {"loss": 0.4, "mae": 0.3}, "history": ROWS, "rate": 0.5, "retries": 1, "first": 0.9, "checksums": {},
}  # fmt: skip
OLD = {"epoch": 2, "seconds": 2.0, "seeds": [], "history": [{"epoch": n, "loss": 1, "val_loss": 1} for n in (1, 2)]}


def last(**values):
    """Return a history whose last row has other values."""
    return {"history": [ROWS[0], ROWS[1] | values]}


def test_a_good_state_is_read():
    assert checked_state(GOOD, (2, 3)) == GOOD
    assert checked_state(OLD, (2, 0)) == OLD
    below = GOOD | {"first": -0.1}  # as of captions that are rewarded
    assert checked_state(below, (2, 3)) == below
    check_names(Progress(row=GOOD["row"], history=ROWS), {"loss", "mae"})


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": 1},
        {"step": 4},
        {"step": -3},
        {"retries": -1},
        {"retries": 21},
        {"retries": 0.5},
        {"rate": 0.0},
        {"rate": 2.0},
        {"rate": 1e-9},
        {"seconds": -1.0},
        {"begun": -1.0},
        {"row": {}},
        {"sums": []},
        {"history": ROWS[:1]},
        {"history": ROWS[::-1]},
        {"history": [*ROWS, ROWS[-1]]},
        last(zzz=1.0),
        last(epoch=3),
        last(seconds=-1.0),
        last(loss="0.5"),
    ],
    ids=str,
)
def test_a_state_that_does_not_agree_with_itself_or_its_folder_is_refused(changes):
    with pytest.raises(ValueError, match=r"^its "):
        checked_state(GOOD | changes, (2, 3))


@pytest.mark.parametrize(
    "progress",
    [
        Progress(history=[row | {"zzz": 1.0} for row in ROWS]),
        Progress(history=[{"epoch": 1, "loss": 1.0, "val_loss": 1.0, "seconds": 1.0}]),
        Progress(row={"loss": 1.0}),
        Progress(row={"mae": 1.0, "zzz": 1.0}),
    ],
    ids=str,
)
def test_rows_with_other_fields_than_those_of_the_training_are_refused(progress):
    with pytest.raises(ValueError, match="the fields of its"):
        check_names(progress, {"loss", "mae"})


@pytest.mark.parametrize(
    "name",
    ["99999-0000000", "10001-0000000", "00002-9999999999", "0000\u0662-0000000", "2-0", "00002-0000000-old", "a"],
)
def test_a_folder_with_a_name_that_no_training_gives_is_not_a_checkpoint(name):
    assert named_place(name) is None


@pytest.mark.parametrize("done", [(0, 0), (3, 120), (EPOCHS, 123_456_789)])
def test_the_name_of_a_folder_tells_its_epochs_and_steps(done):
    assert named_place(folder_name(*done)) == done

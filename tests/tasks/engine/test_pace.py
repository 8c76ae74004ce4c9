"""A training that keeps to a time, and what one would take."""

import json
import time
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

import cli
import tasks
from tasks.engine import rehearsal
from tasks.engine.config import SettingError
from tasks.engine.distribution import Distribution
from tasks.engine.pace import MARGIN, Pace, Speed
from tasks.engine.paced import PacedTraining
from tasks.engine.signals import ENDING

SMALL = {"data": "builtin", "limit": 120}


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr("tasks.engine.pace.time.monotonic", found)
    return found


def paced(clock, budget=100.0, after=10.0, spent=0.0, speed=None):
    found = Pace(budget, lambda: after, clock.now)
    found.begin(spent, speed or Speed(1.0, 4.0))
    return found


def test_the_share_goes_from_zero_to_one_by_the_clock(clock):
    pace = paced(clock)
    assert pace.share() == 0
    whole = pace.left()
    assert whole == pytest.approx(100 * (1 - MARGIN) - 10 - 4)
    clock.now += whole / 2
    assert pace.share() == pytest.approx(0.5)
    assert not pace.is_over()
    clock.now += whole / 2
    assert pace.share() == 1
    assert pace.is_over()


def test_a_training_that_goes_on_has_what_it_has_not_spent(clock):
    pace = paced(clock, spent=40.0)
    assert pace.left() == pytest.approx(97 - 10 - 4 - 40)
    assert pace.share() == pytest.approx(40 / 83)


def test_as_many_epochs_fit_as_end_in_time(clock):
    assert paced(clock).epochs(22.0) == pytest.approx(87 / 22)


def test_a_budget_without_time_for_a_training_is_refused(clock):
    with pytest.raises(SettingError, match=r"no time for a training.* 14 s alone"):
        paced(clock, budget=12.0)


def test_the_reserve_is_measured_again_once_the_network_has_learnt(clock):
    pace = paced(clock)
    pace.rehearse = lambda: 30.0
    pace.rehearse_again()
    assert pace.reserve == 10
    clock.now += 40
    pace.rehearse_again()
    assert pace.reserve == 20


def test_a_machine_that_becomes_slower_needs_more_time_for_what_comes_after(clock):
    pace = paced(clock, budget=1000.0)
    clock.now += 30
    pace.is_due()
    assert pace.reserve == 10  # the first step is compiled
    for _ in range(60):
        clock.now += 2.0
        pace.is_due()
    assert 19 < pace.reserve <= 20
    pace.pause()
    clock.now += 50
    pace.is_due()
    assert 19 < pace.reserve <= 20  # a validation, or the like
    for _ in range(600):
        clock.now += 0.1
        pace.is_due()
    assert pace.reserve == 5
    clock.now += 50
    pace.is_due()
    assert pace.reserve < 6  # a checkpoint


def test_the_step_size_is_put_right_now_and_then(clock):
    pace = paced(clock)
    assert not pace.is_due()
    clock.now += 1
    assert pace.is_due()
    assert not pace.is_due()


def test_times_of_some_examples_tell_that_of_all(monkeypatch):
    now = Clock()
    monkeypatch.setattr("tasks.engine.rehearsal.time.monotonic", now)

    def work(some):
        now.now += 2 + 0.1 * len(some)

    assert rehearsal.extrapolated(work, [*range(1000)]) == pytest.approx(2 + 100)
    assert rehearsal.extrapolated(work, [*range(20)]) == pytest.approx(4)
    assert rehearsal.extrapolated(work, []) == 0


@pytest.mark.parametrize("budget", ["", "10", "5 steps", "0s", "-1m", "soon"])
def test_a_budget_of_another_form_is_refused(budget):
    with pytest.raises(SettingError, match="budget"):
        tasks.configure("mnist", budget=budget)


def test_workers_keep_to_no_budget(tmp_path, monkeypatch):
    for name, value in {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "head"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match="clock of one process"):
        tasks.train("mnist", tmp_path / "run", budget="1m", spread=Distribution(strategy="workers"), **SMALL)
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR"):
        monkeypatch.delenv(name)
    with pytest.raises(SettingError, match="clock of one process"):
        tasks.train("mnist", tmp_path / "run", budget="1m", spread=Distribution(workers=2), **SMALL)
    assert not (tmp_path / "run").exists()


def test_epochs_and_a_budget_do_not_go_together(tmp_path):
    with pytest.raises(SettingError, match="`epochs` or `budget`"):
        tasks.train("mnist", tmp_path / "run", budget="1m", epochs=3, **SMALL)


@pytest.mark.parametrize(
    ("before", "done", "more", "after"),
    [
        ((10, 3), 2, 6.4, (8, 3)),  # epochs, and those of them that are averaged
        ((10, 3), 8, 3.6, (12, 5)),  # they have begun, and the machine has become faster
        ((10, 3), 9, 0.2, (10, 3)),
        ((20, 4), 8, 2.0, (10, 2)),  # they begin now
        ((5, 5), 2, 1.0, (3, 3)),
        ((5, 9), 0, 2.0, (2, 2)),
        ((10, 0), 9, 3.0, (12, 0)),
    ],
)
def test_weights_are_averaged_to_the_last_epoch_that_fits(before, done, more, after):
    config = tasks.configure("mnist", epochs=before[0], average=before[1])
    training = SimpleNamespace(config=config, progress=SimpleNamespace(epoch=done), epoch_seconds=lambda: 1.0)
    training.pace = SimpleNamespace(epochs=lambda seconds: more)
    PacedTraining.plan_epochs(training)
    assert (training.config.epochs, training.config.average) == after


@pytest.mark.slow
def test_a_training_ends_in_time_with_the_epochs_that_it_had(tmp_path, caplog):
    caplog.set_level("INFO", logger="tasks")
    begin = time.monotonic()
    pipeline = tasks.train("mnist", tmp_path / "run", "tiny", budget="20s", **SMALL)
    assert time.monotonic() - begin < 60  # the machine may be busy; the clock is kept exactly in other tests
    assert "A budget of 20 s: about" in caplog.text
    rows = (tmp_path / "run" / "history.csv").read_text().splitlines()[1:]
    settings = json.loads((tmp_path / "run" / "config.json").read_text())["settings"]
    assert settings["epochs"] == len(rows) == pipeline.config.epochs > 1
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["metrics"]
    longer = tasks.train("mnist", tmp_path / "run", resume=True, epochs=len(rows) + 1)  # its time is spent
    assert longer.config.budget is None
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == len(rows) + 2


@pytest.mark.slow
def test_a_budget_that_is_too_short_leaves_no_run(tmp_path):
    with pytest.raises(SettingError, match="no time for a training"):
        tasks.train("mnist", tmp_path / "run", "tiny", budget="1s", **SMALL)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", tasks.names())
def test_a_dry_run_tells_what_a_training_takes_and_keeps_nothing(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = tasks.dry_run(name, data="builtin", limit=40, epochs=7)
    assert found["examples"]["train"] == (8 if name == "upscale" else 40)
    assert found["epochs"] == 7
    assert found["parameters"] > 1000
    assert 0 < found["seconds_a_step"] < 60 * found["minutes"]
    assert found["memory_mb"] > 50
    assert found["disk_mb"] > found["parameters"] * 4 * 16 / 1e6
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow
def test_a_dry_run_says_how_many_epochs_fit_a_budget_and_names_nothing_that_goes_on(monkeypatch):
    monkeypatch.setattr(ENDING, "text", "before")
    found = tasks.dry_run("mnist", "tiny", budget="20m", **SMALL)
    assert found["epochs"] > 100
    assert found["minutes"] == pytest.approx(20, rel=0.05)
    assert ENDING.text == "Stopped."


@pytest.mark.slow
def test_a_dry_run_on_the_command_line(tmp_path):
    words = ["train", "mnist", "--preset", "tiny", "--data", "builtin", "--limit", "120", "--dry-run"]
    shown = CliRunner().invoke(cli.commands, words, catch_exceptions=False).output
    assert "nothing is kept" in shown
    assert "steps of" in shown
    with pytest.raises(SettingError, match="--dry-run"):
        CliRunner().invoke(cli.commands, [*words, "--run", str(tmp_path / "x")], catch_exceptions=False)

"""What a search decides: which trials begin, which go on, and which is the best; no network is trained here."""

import sqlite3

import optuna
import pytest

import tasks
from tasks.engine import runs
from tasks.engine.config import SettingError
from tasks.engine.terminal import WorkError
from tasks.engine.tuning import local, results
from tasks.engine.tuning.picture import search_picture
from tasks.engine.tuning.plan import Plan
from tasks.engine.tuning.search import Search
from tasks.engine.tuning.space import search_space

EPOCHS = 9
CONFIG = tasks.configure("mnist", data="builtin", epochs=EPOCHS, average=0)


def plan(trials=20, words=(), metric="loss", slow=None, config=CONFIG):
    return Plan(
        task="mnist",
        metric=metric,
        trials=trials,
        seed=0,
        settings=config.state(),
        chosen={"data": "builtin"},
        space=search_space(config, [], words),
        max_milliseconds=slow,
    )


def begun(folder, deadline=None, **how):
    return Search(plan(**how), CONFIG, folder, deadline)


def taught(search, trial, value, epochs=EPOCHS):
    """Take a trial through epochs with a loss that comes down to a value, and return the last decision."""
    for epoch in range(1, epochs + 1):
        loss = value + (EPOCHS - epoch) / 10
        decision = search.epoch(trial, {"epoch": epoch, "val_loss": loss, "val_accuracy": 1 - loss})
        if decision != "on":
            break
    return decision


def ended(search, trial, value, milliseconds=None):
    """Take a trial to its end, and return how it ended."""
    decision = taught(search, trial, value)
    if decision == "prune":
        search.prune(trial)
    elif decision == "on":
        search.complete(trial, {"loss": value, "accuracy": 1 - value}, milliseconds)
    return decision


def test_the_first_trial_has_the_settings_without_a_search(tmp_path):
    search = begun(tmp_path)
    first, second = search.begin(), search.begin()
    assert (first.number, first.config) == (0, CONFIG)
    assert second.config != CONFIG
    assert second.run == tmp_path / "trials/0001"


def test_the_first_trial_has_a_setting_that_is_outside_of_its_range(tmp_path):
    search = begun(tmp_path, words=["learning_rate=0.1..0.5"])
    assert search.begin().config.learning_rate == CONFIG.learning_rate
    assert 0.1 <= search.begin().config.learning_rate <= 0.5


def test_lists_are_searched_too(tmp_path):
    search = begun(tmp_path, words=["filters=4,8;8,16;20,40,72"])
    found = {search.begin().config.filters for _ in range(12)}
    assert found == {(4, 8), (8, 16), (20, 40, 72)}


def test_trials_that_fall_behind_are_pruned_and_the_first_never_is(tmp_path):
    search = begun(tmp_path, trials=12)
    values = [0.5, 0.4, 0.9, 0.8, 0.3, 0.7, 0.9, 0.8, 0.2, 0.7, 0.9, 0.8]
    decisions = [ended(search, search.begin(), value) for value in values]
    assert search.begin() is None
    counts = search.counts()
    assert (decisions[0], decisions[8]) == ("on", "on")
    assert counts["pruned"] == decisions.count("prune") >= 6
    assert counts["complete"] + counts["pruned"] == 12
    assert (search.best().number, search.best().value) == (8, 0.2)


def test_the_first_trial_is_not_pruned_where_others_are_ahead(tmp_path):
    search = begun(tmp_path)
    first = search.begin()
    for value in (0.1, 0.2, 0.3, 0.1):
        ended(search, search.begin(), value)
    assert ended(search, first, 0.9) == "on"
    assert results.default_value(search) == 0.9


@pytest.mark.slow
def test_a_larger_accuracy_is_better(tmp_path):
    search = begun(tmp_path, metric="accuracy")
    for value in (0.5, 0.4):
        ended(search, search.begin(), value)
    assert (search.best().number, search.best().value) == (1, 0.6)


def test_a_trial_under_way_goes_on_with_its_number_and_its_settings(tmp_path):
    search = begun(tmp_path)
    ended(search, search.begin(), 0.5)
    left = search.begin()
    taught(search, left, 0.4, epochs=1)
    again = begun(tmp_path)
    trial = again.begin()
    assert (trial.number, trial.config, trial.run) == (left.number, left.config, left.run)
    assert again.begin().number == 2
    assert taught(again, trial, 0.4) == "on"  # the first epoch comes again, and is not reported again
    again.complete(trial, {"loss": 0.4, "accuracy": 0.6}, None)
    assert [one.number for one in again.trials("COMPLETE")] == [0, 1]
    assert len(again.trials("COMPLETE")[1].intermediate_values) == EPOCHS


def test_a_search_that_goes_on_does_not_try_the_same_again(tmp_path):
    def settings(search):
        return search.begin().config

    search = begun(tmp_path)
    ended(search, search.begin(), 0.5)
    first = settings(search)
    search = begun(tmp_path)
    search.waiting.clear()
    assert settings(search) != first


def test_the_value_of_a_trial_is_that_of_the_epoch_that_is_kept(tmp_path):
    search = begun(tmp_path)
    trial = search.begin()
    for epoch, (loss, accuracy) in enumerate([(0.5, 0.6), (0.3, 0.7), (0.4, 0.9)], 1):
        search.epoch(trial, {"epoch": epoch, "val_loss": loss, "val_accuracy": accuracy})
    (own,) = search.trials("RUNNING")
    assert own.intermediate_values == {1: 0.5, 2: 0.3, 3: 0.3}


def test_the_value_of_a_trial_with_averages_is_the_last_one_until_they_begin(tmp_path):
    config = type(CONFIG).restore(CONFIG.state() | {"average": 2, "epochs": 5})
    search = Search(plan(config=config), config, tmp_path, None)
    trial = search.begin()
    for epoch, loss in enumerate([0.3, 0.4, 0.5, 0.6, 0.7], 1):
        search.epoch(trial, {"epoch": epoch, "val_loss": loss, "val_accuracy": 1 - loss})
    (own,) = search.trials("RUNNING")
    assert own.intermediate_values == {1: 0.3, 2: 0.4, 3: 0.5, 4: 0.6, 5: 0.6}


def test_a_trial_stops_when_the_time_is_up_and_stays(tmp_path, monkeypatch):
    search = begun(tmp_path, deadline=100.0)
    now = [0.0]
    monkeypatch.setattr("tasks.engine.tuning.search.time.monotonic", lambda: now[0])
    trial = search.begin()
    trial.began, now[0] = 0.0, 60.0
    assert ended(search, trial, 0.5) == "on"
    assert search.begin() is None  # it would take until 120
    assert search.reason == "another trial would not end in time"
    search.deadline = 130.0
    trial = search.begin()
    now[0] = 131.0
    assert taught(search, trial, 0.1) == "stop"
    assert search.begin() is None
    assert search.counts() == {"complete": 1, "pruned": 0, "failed": 0, "unfinished": 1}


def test_the_best_answers_fast_enough(tmp_path, caplog):
    search = begun(tmp_path, slow=2.0)
    for value, milliseconds in ((0.5, 1.5), (0.1, 2.5), (0.4, 2.0)):
        search.complete(search.begin(), {"loss": value}, milliseconds)
    assert search.best().number == 2
    assert search_picture(search).width > 500
    (tmp_path / "other").mkdir()
    slow = begun(tmp_path / "other", slow=1.0)
    slow.complete(slow.begin(), {"loss": 0.1}, 2.5)
    assert slow.best() is None
    results.say_none(slow)
    assert "No trial answers within 1 ms; the fastest takes 2.5 ms." in caplog.text


def test_settings_that_do_not_fit_fail_and_the_search_goes_on(tmp_path, caplog):
    config = tasks.configure("translate", data="builtin", heads=2)
    words = ["heads=2,3,5,7,11,13"]  # most do not divide `units`
    some = Plan(
        task="translate",
        metric="loss",
        trials=8,
        seed=0,
        settings=config.state(),
        chosen={},
        space=search_space(config, [], words),
        max_milliseconds=None,
    )
    search = Search(some, config, tmp_path, None)
    while trial := search.begin():
        search.complete(trial, {"loss": 1.0}, None)
    counts = search.counts()
    assert counts["failed"] >= 1
    assert counts["failed"] + counts["complete"] == 8
    assert "Its settings do not fit: `heads` must divide `units`" in caplog.text


def test_a_metric_that_is_not_measured_is_refused_and_nothing_is_left(tmp_path):
    folder = tmp_path / "search"
    folder.mkdir()
    search = begun(folder, metric="acuracy")
    with pytest.raises(SettingError, match="must be one of accuracy, loss; received 'acuracy'"):
        search.epoch(search.begin(), {"epoch": 1, "val_loss": 1.0, "val_accuracy": 0.5})
    results.remove_start(search)
    assert not folder.exists()


def test_a_search_with_epochs_is_not_removed(tmp_path):
    search = begun(tmp_path)
    taught(search, search.begin(), 0.5, epochs=1)
    results.remove_start(search)
    assert (tmp_path / "study.db").is_file()


def test_optuna_alone_opens_the_study(tmp_path):
    folder = tmp_path / "a folder with #odd? 100% name"
    folder.mkdir()
    search = begun(folder)
    ended(search, search.begin(), 0.5)
    creator = {"creator": lambda: sqlite3.connect(folder / "study.db", check_same_thread=False)}
    storage = optuna.storages.RDBStorage("sqlite://", engine_kwargs=creator)
    (summary,) = optuna.get_all_study_summaries(storage)
    assert (summary.study_name, summary.n_trials, summary.best_trial.value) == ("mnist", 1, 0.5)


def test_the_best_settings_are_taken_by_config(tmp_path):
    search = begun(tmp_path, words=["filters=4,8;8,16"])
    for value in (0.5, 0.4):
        ended(search, search.begin(), value)
    best = search.best()
    text = results.settings_file(search, best, results.searched_values(search, best))
    (tmp_path / "best.toml").write_text(text)
    found = tasks.configure("mnist", file=tmp_path / "best.toml")
    assert "without a search" in text.splitlines()[0]
    assert found.data == "builtin"
    for name in search.plan.space:
        assert found.state()[name] == pytest.approx(search.config.restore(found.state()).state()[name])
        own = best.params[name]
        assert own == (",".join(map(str, found.filters)) if name == "filters" else found.state()[name])


def test_a_search_that_another_process_has_is_refused(tmp_path):
    with (
        runs.lock(tmp_path),
        pytest.raises(runs.LockedError, match="begin another with --out"),
        results.locked(tmp_path),
    ):
        pass


def test_a_picture_of_a_search_without_trials_is_drawn(tmp_path):
    assert search_picture(begun(tmp_path)).width > 500


def test_a_plan_is_read_as_it_was_written(tmp_path):
    written = plan(words=["filters=4,8;8,16"], slow=1.5)
    written.write(tmp_path)
    read = Plan.read(tmp_path, "mnist")
    assert read.space == written.space
    assert type(CONFIG).restore(read.settings) == CONFIG
    with pytest.raises(SettingError, match="is a search for 'mnist', not for 'sentiment'"):
        Plan.read(tmp_path, "sentiment")
    with pytest.raises(FileNotFoundError, match="begin one with: tune mnist"):
        Plan.read(tmp_path / "other", "mnist")


def test_a_trial_whose_process_is_killed_has_failed_and_the_next_has_another(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(local, "CODE", "import os; os.kill(os.getpid(), 9); ")
    search = begun(tmp_path, trials=3)
    local.run_trials(search, 2, False, lambda trial, found: search.fail(trial, found["failure"]))
    assert search.counts() == {"complete": 0, "pruned": 0, "failed": 3, "unfinished": 0}
    assert "Trial 2 failed: Its process ended with signal SIGKILL; was there too little memory?" in caplog.text
    with pytest.raises(WorkError, match="All 3 trials failed; the last: Its process ended"):
        results.finished(tasks.get("mnist"), search, "tune mnist --resume")

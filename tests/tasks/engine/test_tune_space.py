"""Where a search looks: ranges that follow from the settings, and those that the user chooses."""

import dataclasses
import logging

import pytest

import tasks
from tasks.engine.config import SettingError, TaskConfig, budget_seconds, option
from tasks.engine.tuning.plan import Plan
from tasks.engine.tuning.space import Range, chosen_range, derived_range, search_space


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(TaskConfig):
    """Settings that are searched in each of the ways."""

    rate: float = option(0.5, "A number.", low=0.2, high=100.0, search="log")
    rows: int = option(7, "A whole number.", low=2, high=20, search="log")
    share: float = option(0.4, "A share.", low=0.0, high=0.6, search="linear")
    units: int = option(64, "A width.", low=1, high=100, search="size")
    depth: int = option(3, "A small width.", low=2, high=100, search="size")
    drop: float = option(0.0, "A share.", low=0.0, high=0.9, search=(0.1, 0.5, "linear"))
    nothing: float = option(0.0, "A number that is off.", low=0.0, search="log")
    pairs: bool = option(True, "A choice.", search="choices")
    fixed: float = option(1.0, "A number that is not searched.", low=0.0)


def fields():
    return {field.name: field for field in dataclasses.fields(Config)}


@pytest.mark.parametrize(
    ("name", "low", "high", "step", "log"),
    [
        ("rate", 0.2, 2.5, None, True),  # a fifth to five times, within the limits
        ("rows", 2, 20, None, True),
        ("share", 0.0, 0.6, None, False),  # 0 to twice, within the limits
        ("units", 32, 96, 8, False),  # half to twice in steps of an eighth, within the limits
        ("depth", 2, 6, 1, False),
        ("drop", 0.0, 0.5, None, False),  # its own ends, and the value that holds without a search
    ],
)
def test_a_range_follows_from_the_value_without_a_search(name, low, high, step, log):
    found = derived_range(Config(), fields()[name])
    assert (found.low, found.high, found.step, found.log) == (low, high, step, log)
    assert found.holds(getattr(Config(), name))


def test_a_setting_that_is_off_is_left_out_and_said(caplog):
    caplog.set_level(logging.INFO, "tasks")
    space = search_space(Config(), [], [])
    assert "nothing" not in space
    assert "fixed" not in space
    assert space["pairs"].choices == (False, True)
    assert "`nothing` is 0.0, and is not searched" in caplog.text


def test_given_settings_are_not_searched_unless_a_range_is_chosen():
    space = search_space(Config(units=32), ["units", "share"], ["units=16..48"])
    assert "share" not in space
    assert (space["units"].low, space["units"].high, space["units"].step) == (16, 48, 1)


@pytest.mark.parametrize(
    ("word", "choices", "log"),
    [
        ("learning-rate=1e-4..1e-2", (), True),
        ("fixed=1..20", (), True),  # a factor of ten
        ("fixed=1..2", (), False),
        ("dropout=0..0.5", (), False),
        ("activation=relu,silu", ("relu", "silu"), False),
        ("frame=true,false", (True, False), False),
        ("filters=8,16;20,40,72", ([8, 16], [20, 40, 72]), False),
    ],
)
def test_a_chosen_range_is_read(word, choices, log):
    config = Config() if word.startswith("fixed") else tasks.configure("mnist")
    _, found = chosen_range(config, word)
    assert (found.choices, found.log) == (choices, log)
    assert Range.restore(found.state()) == found


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("dropout", "must be like"),
        ("dropouts=0..1", "Did you mean 'dropout'"),
        ("dropout=0.5..0.2", "must be LOW..HIGH"),
        ("dropout=0..2", "`dropout` must be in"),
        ("dropout=0.1", "at least two values"),
        ("dropout=a,b", "must have numbers"),
        ("frame=yes,no", "must have true or false"),
        ("activation=relu..tanh", "must be numbers LOW..HIGH"),
        ("activation=relu,relux", "`activation` must be one of"),
        ("data=a,b", "is not searched"),
        ("seed=1..5", "is not searched"),
        ("valid=0.1..0.3", "is not searched"),
    ],
)
def test_a_range_that_cannot_be_used_is_refused(word, said):
    with pytest.raises(SettingError, match=said):
        chosen_range(tasks.configure("mnist"), word)


def test_a_range_chosen_twice_is_refused():
    with pytest.raises(SettingError, match="has 'dropout' twice"):
        search_space(tasks.configure("mnist"), [], ["dropout=0..0.1", "dropout=0..0.2"])


def test_a_search_of_nothing_is_refused():
    with pytest.raises(SettingError, match="nothing to search"):
        search_space(Config(), [field.name for field in dataclasses.fields(Config)], [])


def test_a_range_for_a_setting_that_may_change_what_is_measured_is_said(caplog):
    search_space(tasks.configure("sentiment"), [], ["vocabulary=1000..5000"])
    assert "`vocabulary` is not among the settings that are searched by default" in caplog.text


@pytest.mark.parametrize("task", tasks.names())
def test_each_task_has_a_space_that_holds_its_settings(task):
    for preset in tasks.presets(task):
        config = tasks.configure(task, preset, data="builtin")
        space = search_space(config, [], [])
        assert len(space) >= 5
        for name, found in space.items():
            assert found.holds(config.state()[name]), name
            for end in (found.low, found.high):
                type(config).restore(config.state() | {name: end})


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90.0), ("60m", 3600.0), ("1.5h", 5400.0), (None, None)])
def test_a_budget_is_a_time(text, seconds):
    assert budget_seconds(text) == seconds


@pytest.mark.parametrize("text", ["5 steps", "60", "soon"])
def test_a_budget_of_another_form_is_refused(text):
    with pytest.raises(SettingError, match="`budget` must be a time"):
        budget_seconds(text)


@pytest.mark.parametrize(("metric", "lower"), [("loss", True), ("accuracy", False), ("squared_error", True)])
def test_the_direction_of_a_metric_is_known_by_its_name(metric, lower):
    plan = Plan(task="mnist", metric=metric, trials=1, seed=0, settings={}, chosen={}, space={}, max_milliseconds=None)
    assert plan.is_lower_better is lower
    assert plan.is_better(1.0, 2.0) is lower

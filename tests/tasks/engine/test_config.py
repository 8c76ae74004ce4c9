"""Settings: types, ranges, files, precedence."""

import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal

import pytest

import tasks
from tasks.engine.config import SettingError, TaskConfig, nearest, option, read_settings


@dataclass(frozen=True, kw_only=True)
class Config(TaskConfig):
    sizes: tuple[int, ...] = option((1, 2), "Sizes.", low=1, high=9)
    kind: Literal["one", "two"] = option("one", "Kind.")
    share: float = option(0.5, "Share.", low=0.0, high=1.0)
    where: Path | None = option(None, "Where.")
    keep: bool = option(True, "Keep.", when="predict")


def test_json_gives_the_same_config_again():
    config = Config(sizes=(3, 4), kind="two", share=1, where=Path("a/b"), keep=False, limit=5)
    assert Config.restore(json.loads(json.dumps(config.state()))) == config


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"epochs": 0}, r"`epochs` must be in \[1, 10000\]; received 0."),
        ({"epochs": 2.0}, "`epochs` must be int; received 2.0."),
        ({"epochs": True}, "`epochs` must be int; received True."),
        ({"share": 1.5}, r"`share` must be in \[0.0, 1.0\]; received 1.5."),
        ({"share": float("nan")}, "received nan"),
        ({"share": "0.5"}, "`share` must be float; received '0.5'."),
        ({"kind": "three"}, "`kind` must be one of one, two; received 'three'."),
        ({"sizes": [1, 10]}, r"`sizes` must be in \[1, 9\]; received 10."),
        ({"sizes": 3}, "`sizes` must be a list; received 3."),
        ({"keep": 1}, "`keep` must be bool; received 1."),
        ({"seed": None}, "`seed` must be int; received None."),
        ({"epoch": 3}, "No setting is named 'epoch'; choose one of: .* Did you mean 'epochs'?"),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence(settings, said):
    with pytest.raises(SettingError, match=said):
        Config.restore(settings)


def test_after_training_only_runtime_settings_change():
    config = Config()
    assert config.with_settings({"keep": False}) == Config(keep=False)
    assert config == Config()
    with pytest.raises(SettingError, match="`epochs` cannot change after training"):
        config.with_settings({"epochs": 3})


def test_defaults_then_preset_then_file_then_settings(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text("epochs = 7\nlearning-rate = 1e-3\n")
    default, preset = tasks.config_class("mnist")(), tasks.presets("mnist")["dense"]
    config = tasks.configure("mnist", "dense", file, epochs=8)
    assert config.batch_size == default.batch_size
    assert config.units == tuple(preset["units"])
    assert config.learning_rate == 1e-3
    assert preset.get("learning_rate") != 1e-3
    assert config.epochs == 8


def test_a_run_is_a_settings_file(tmp_path):
    (tmp_path / "config.json").write_text('{"format": 1, "task": "mnist", "settings": {"epochs": 7}}')
    assert read_settings(tmp_path / "config.json") == {"epochs": 7}


@pytest.mark.parametrize(("name", "text"), [("a.toml", "epochs 7"), ("a.json", "{"), ("b.json", "[1]")])
def test_a_damaged_settings_file_is_named(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(SettingError, match=name):
        read_settings(tmp_path / name)


def test_a_missing_settings_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no\.toml"):
        read_settings(tmp_path / "no.toml")


def test_the_nearest_name_is_offered():
    assert nearest("mnits", ["caption", "mnist"]) == "; choose one of: caption, mnist. Did you mean 'mnist'?"
    assert nearest("x", ["caption", "mnist"]) == "; choose one of: caption, mnist."


@pytest.mark.parametrize("call", [tasks.get, tasks.summary, tasks.presets, tasks.configure, tasks.load, tasks.train])
def test_an_unknown_task_is_refused(call):
    with pytest.raises(SettingError, match="No task is named 'sentimnt'"):
        call("sentimnt")


def test_an_unknown_preset_is_refused():
    with pytest.raises(SettingError, match=r"no preset 'smal'.*Did you mean 'small'\?"):
        tasks.configure("mnist", "smal")


def test_the_embedded_data_bring_settings_that_every_other_source_overrides(tmp_path):
    brought = import_module("tasks.sentiment.config").BUILTIN
    default = tasks.config_class("sentiment")()
    assert brought["epochs"] != default.epochs
    assert tasks.configure("sentiment", data="builtin").epochs == brought["epochs"]
    assert tasks.configure("sentiment").epochs == default.epochs
    assert tasks.configure("sentiment", data="builtin", epochs=3).epochs == 3
    (tmp_path / "own.toml").write_text('data = "builtin"\nepochs = 5\n')
    assert tasks.configure("sentiment", file=tmp_path / "own.toml").epochs == 5
    assert tasks.configure("sentiment", file=tmp_path / "own.toml").max_length == brought["max_length"]

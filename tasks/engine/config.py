"""Typed settings. Standard library only: the command line imports this for `--help`."""

import dataclasses
import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints


class SettingError(ValueError):
    """A setting, a name or a combination of them that cannot be used."""

    exit_code = 2


def option(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    runtime: bool = False,
    selects: bool = False,
) -> Any:
    """Return a dataclass field that is also a command-line option.

    Args:
        default: Value when none is given.
        help: One sentence, with the unit.
        low: Smallest value allowed, if any; of each element in a list.
        high: Largest value allowed, if any.
        runtime: Whether it may still change after training, as a beam width may.
        selects: Whether, given after training, it says which run is meant, as a scale does.
    """
    limits = {"help": help, "low": low, "high": high}
    return dataclasses.field(default=default, metadata=limits | {"runtime": runtime, "selects": selects})


@dataclass(frozen=True, kw_only=True)
class TaskConfig:
    """Settings that every task has; a value of the wrong type or out of range raises `SettingError`."""

    data: str = option("builtin", "Data: a TensorFlow Datasets name, a path to your own, or builtin.", runtime=True)
    data_dir: Path | None = option(None, "Folder of prepared TensorFlow Datasets.", runtime=True)
    limit: int | None = option(None, "Use at most this many examples of each split.", low=1, runtime=True)
    valid: float = option(0.1, "Share of the training examples kept for validation.", low=0.001, high=0.9)
    epochs: int = option(10, "Passes over the training examples.", low=1)
    batch_size: int = option(64, "Examples per gradient step.", low=1, runtime=True)
    learning_rate: float = option(1e-3, "Largest step size of the optimizer.", low=0.0)
    schedule: Literal["cosine", "linear", "constant"] = option("cosine", "How the step size falls after the warm-up.")
    warmup: float = option(0.0, "Share of the training in which the step size rises from zero.", low=0.0, high=0.9)
    average: int = option(0, "Keep the mean of the weights of this many last epochs; 0 does not.", low=0)
    precision: Literal["float32", "mixed_bfloat16"] = option("float32", "Number format of the training arithmetic.")
    storage: Literal["float32", "float16"] = option("float32", "Number format of the weights in the run's files.")
    seed: int = option(0, "Seed of every random choice.", low=0)
    engine: Literal["auto", "onnx", "keras"] = option("auto", "What computes answers; auto prefers ONNX.", runtime=True)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            check(field.name, getattr(self, field.name), kinds(type(self))[field.name], field.metadata)

    def state(self) -> dict[str, Any]:
        """Return the settings as JSON types."""
        return {name: str(v) if isinstance(v, Path) else v for name, v in dataclasses.asdict(self).items()}

    @classmethod
    def restore(cls, settings: Mapping[str, Any]) -> Self:
        """Return a config from JSON types."""
        known = kinds(cls)
        for name in settings:
            if name not in known:
                raise SettingError(f"No setting is named {name!r}{nearest(name, known)}")
        return cls(**{name: convert(value, known[name]) for name, value in settings.items()})

    def tuned(self, settings: Mapping[str, Any]) -> Self:
        """Return a config with other values for some runtime settings."""
        runtime = [field.name for field in dataclasses.fields(self) if field.metadata["runtime"]]
        for name in settings:
            if name not in runtime:
                raise SettingError(f"`{name}` cannot change after training{nearest(name, runtime)}")
        return type(self).restore(self.state() | dict(settings))


def kinds(config: type[TaskConfig]) -> dict[str, Any]:
    """Return the type of every setting of a config class."""
    hints = get_type_hints(config)
    return {field.name: hints[field.name] for field in dataclasses.fields(config)}


def selecting(config: type[TaskConfig], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of some settings that say which run is meant."""
    names = {field.name for field in dataclasses.fields(config) if field.metadata["selects"]}
    return {name: value for name, value in settings.items() if name in names}


def plain(kind: Any) -> Any:
    """Return a type without its `None`."""
    return next((part for part in get_args(kind) if part is not NoneType), kind) if NoneType in get_args(kind) else kind


def convert(value: Any, kind: Any) -> Any:
    """Return a JSON value as the type of its setting, where there is one way to do so."""
    kind = plain(kind)
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(value)
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind is float and type(value) is int:
        return float(value)
    return value


def check(name: str, value: Any, kind: Any, limits: Mapping[str, Any]) -> None:
    """Raise `SettingError` unless a value has the type and the range of its setting."""
    if value is None and NoneType in get_args(kind):
        return
    kind = plain(kind)
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise SettingError(f"`{name}` must be one of {', '.join(get_args(kind))}; received {value!r}.")
        return
    if get_origin(kind) is tuple:
        if not isinstance(value, tuple):
            raise SettingError(f"`{name}` must be a list; received {value!r}.")
        for element in value:
            check(name, element, get_args(kind)[0], limits)
        return
    if (
        type(value) is not kind
        and not (kind is float and type(value) is int)
        and not (kind is Path and isinstance(value, Path))
    ):
        raise SettingError(f"`{name}` must be {kind.__name__}; received {value!r}.")
    low, high = limits["low"], limits["high"]
    if (kind in (int, float) and not (low is None or value >= low)) or not (high is None or value <= high):
        span = f"at least {low}" if high is None else f"in [{low}, {high}]"
        raise SettingError(f"`{name}` must be {span}; received {value!r}.")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that refuses a name: the known names, and the nearest of them if any is near."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"; choose one of: {', '.join(known)}." + (f" Did you mean {near[0]!r}?" if near else "")


def read_settings(path: Path) -> dict[str, Any]:
    """Return the settings in a TOML or JSON file, or in the `config.json` of a run."""
    try:
        text = path.read_text(encoding="utf-8")
        settings = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"There is no settings file {str(path)!r}.") from error
    except ValueError as error:
        raise SettingError(f"{str(path)!r} is not readable as TOML or JSON settings: {error}.") from error
    if not isinstance(settings, dict):
        raise SettingError(f"{str(path)!r} must hold a table of settings; received a {type(settings).__name__}.")
    inner = settings.get("settings", settings)
    return {name.replace("-", "_"): value for name, value in inner.items()}

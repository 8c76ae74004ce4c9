"""Typed settings. Standard library only: the command line imports this for `--help`."""

import dataclasses
import inspect
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Literal, Self, TypeAlias, get_args, get_origin, get_type_hints

from tasks.engine import strict_json
from tasks.engine.interval import Interval
from tasks.engine.members import RunError, file_content

Json: TypeAlias = Any  # a value of JSON types
JsonObject = dict[str, Json]
Settings = Mapping[str, Json]  # values by name
MOST = 100  # elements of a list
EPOCHS = 10_000  # of a training, at most
RETRIES = 20  # of a training, at most
Kind: TypeAlias = object  # a type, as an annotation of a setting gives it


class SettingError(ValueError):
    """A setting, a name or a combination of them that cannot be used."""

    exit_code = 2


When = Literal["train", "select", "evaluate", "predict", "answer"]
Scale = Literal["log", "linear"]
Searched = Literal["log", "linear", "size", "choices"] | tuple[float, float, Scale]
OFFERED: Mapping[When, frozenset[str]] = {  # what a setting is for, and the verbs that offer it
    "train": frozenset({"train", "tune"}),
    "select": frozenset({"train", "tune", "evaluate", "predict", "export"}),
    "evaluate": frozenset({"train", "tune", "evaluate", "export"}),
    "predict": frozenset({"train", "tune", "evaluate", "predict"}),
    "answer": frozenset({"predict"}),
}


def option(
    default: Json,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    when: When = "train",
    inherited: bool = True,
    search: Searched | None = None,
) -> Any:
    """Return a dataclass field that is also a command-line option.

    Args:
        default: Value when none is given.
        help: One sentence, with the unit.
        low: Smallest value allowed, if any; of each element in a list.
        high: Largest value allowed, if any.
        when: What the setting is for. `"train"`: it is fixed by training. `"select"`: likewise, and giving it to
            `evaluate` or `predict` selects a run trained with that value. `"evaluate"`, `"predict"`: it may change
            after training, for that verb. `"answer"`: it concerns `predict` alone.
        inherited: Whether a training that starts from a run takes its value over.
        search: Where `tune` looks for a better value than the one it has without a search, within `low` and `high`.
            `"log"`: from a fifth to five times of it, on a logarithmic scale. `"linear"`: from 0 to twice of it.
            `"size"`: from half to twice of it, in steps of an eighth of it. `"choices"`: all that there are. Or
            `(lowest, highest, scale)`. `None`: nowhere, unless the user names values.

    A subclass changes the default alone by giving another value: `epochs: int = 7`.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True, kw_only=True)
        ... class Config(TaskConfig):
        ...     epochs: int = 7
        ...     beam: int = option(4, "Beams kept in the search; 1 is greedy.", low=1, when="predict")
        >>> Config(beam=2).epochs
        7
        >>> Config(beam=0)
        Traceback (most recent call last):
        tasks.engine.config.SettingError: `beam` must be at least 1; received 0.
    """
    about = {"help": help, "low": low, "high": high, "when": when, "inherited": inherited, "search": search}
    return dataclasses.field(default=default, metadata=about)


@dataclass(frozen=True, kw_only=True)
class TaskConfig:
    """Settings that every task has; a value of the wrong type or out of range raises `SettingError`."""

    data: str = option("builtin", "Data: a TensorFlow Datasets name, a path to your own, or builtin.", when="evaluate")
    data_dir: Path | None = option(None, "Folder of prepared TensorFlow Datasets.", when="evaluate")
    test: str | None = option(
        None, "What to test on instead: a path, or the name of a test part that the data has.", when="evaluate"
    )
    limit: int | None = option(
        None,
        "Use at most this many examples of each split, drawn by seed, each class in proportion.",
        low=1,
        high=2**31 - 1,
        when="evaluate",
    )
    columns: str | None = option(
        None,
        "Columns of a table, by name or number, such as text=review,label=2; usual names are found.",
        when="predict",
    )
    encoding: str | None = option(
        None, "Encoding of text files and tables; UTF-8, or what the file tells, if not given.", when="predict"
    )
    init_from: Path | None = option(
        None,
        "Run to start from, a directory or the name of one that ships: its settings of the network, its vocabulary and "
        "its weights.",
    )
    valid: float = option(0.1, "Share of the training examples kept for validation.", low=0.001, high=0.9)
    epochs: int = option(10, "Passes over the training examples.", low=1, high=EPOCHS)
    budget: str | None = option(
        None, "Time that a training takes with its scores, such as 10m; its epochs and its step size follow the clock."
    )
    batch_size: int = option(
        64, "Examples of average length per step.", low=1, high=65_536, when="predict", search="size"
    )
    learning_rate: float = option(1e-3, "Largest step size of the optimizer.", low=0.0, search="log")
    schedule: Literal["cosine", "linear", "constant"] = option("cosine", "How the step size falls after the warm-up.")
    warmup: float = option(0.0, "Share of the training in which the step size rises from zero.", low=0.0, high=0.9)
    average: int = option(
        0, "Keep the mean of the weights of this many last epochs; 0 does not.", low=0, high=1_000_000
    )
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = option(
        "float32", "Number format of the training arithmetic."
    )
    storage: Literal["float32", "float16", "int8"] = option(
        "float32", "Number format of the weights in the run's files; int8 is for the ONNX files alone, beside float16."
    )
    storage_loss: float = option(
        0.002, "Largest loss of the main validation score by int8; if it is larger, float16 is stored.", low=0.0
    )
    checkpoint_every: str = option(
        "2m", "How often a checkpoint is kept within an epoch: a time such as 30s or 2m, or a number such as 500 steps."
    )
    retries: int = option(
        1, "Times that a training whose loss diverges goes back to its last checkpoint, and on at half the step size.",
        low=0, high=RETRIES,
    )  # fmt: skip
    log: str | None = option(
        None, "Where the losses of each epoch go beside the run, by commas: tensorboard, mlflow.", when="train"
    )
    seed: int = option(0, "Seed of every random choice.", low=0, high=2**32 - 1)
    engine: Literal["auto", "onnx", "keras"] = option(
        "auto", "What computes answers; auto prefers ONNX.", when="predict"
    )

    def __init_subclass__(cls) -> None:
        """Give an inherited setting that has another default its help and its range."""
        inherited = {field.name: field.metadata for field in dataclasses.fields(cls)}
        for name in inspect.get_annotations(cls).keys() & inherited.keys():
            if not isinstance(default := cls.__dict__[name], dataclasses.Field):
                setattr(cls, name, dataclasses.field(default=default, metadata=inherited[name]))

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            check(field.name, getattr(self, field.name), setting_types(type(self))[field.name], field.metadata)
        self.column_names()
        try:
            Interval.of(self.checkpoint_every)
        except ValueError as error:
            raise SettingError(f"`checkpoint_every`: {error}.") from error
        budget_seconds(self.budget)

    def column_names(self) -> dict[str, str]:
        """Return the name or number of the column of each field that `columns` names."""
        return named_values("columns", self.columns)

    def state(self) -> JsonObject:
        """Return the settings as JSON types."""
        return {name: str(v) if isinstance(v, Path) else v for name, v in dataclasses.asdict(self).items()}

    @classmethod
    def restore(cls, settings: Settings) -> Self:
        """Return a config from JSON types."""
        expected = setting_types(cls)
        for name in settings:
            if name not in expected:
                raise SettingError(f"No setting is named {name!r}{nearest(name, expected)}")
        return cls(**{name: convert(value, expected[name]) for name, value in settings.items()})

    def with_settings(self, settings: Settings) -> Self:
        """Return a config with other values for some settings that may change after training."""
        free = [field.name for field in dataclasses.fields(self) if field.metadata["when"] not in ("train", "select")]
        for name in settings:
            if name not in free:
                raise SettingError(f"`{name}` cannot change after training{nearest(name, free)}")
        return type(self).restore(self.state() | dict(settings))


def inherited_settings(config: type[TaskConfig], settings: Settings) -> JsonObject:
    """Return those settings of a run that a training takes over which starts from it.

    They make its network and its codec, and how it answers. Those that every task has, such as data and epochs, are
    not among them, nor those that say so.
    """
    own = {field.name for field in dataclasses.fields(TaskConfig)}
    names = {
        field.name
        for field in dataclasses.fields(config)
        if field.metadata["when"] in ("train", "select", "predict") and field.metadata["inherited"]
    }
    return {name: value for name, value in settings.items() if name in names - own}


def answering_settings(config: TaskConfig) -> JsonObject:
    """Return the settings of a config that say how inputs are answered, as JSON types."""
    kinds = {field.name: field.metadata["when"] for field in dataclasses.fields(config)}
    return {name: value for name, value in config.state().items() if kinds[name] in ("predict", "answer")}


def offered_fields(config: type[TaskConfig], verb: str) -> list[dataclasses.Field[Any]]:
    """Return the fields of a config class that a verb of the command line offers, in their order."""
    return [field for field in dataclasses.fields(config) if verb in OFFERED[field.metadata["when"]]]


def setting_types(config: type[TaskConfig]) -> dict[str, Kind]:
    """Return the type of every setting of a config class."""
    hints = get_type_hints(config)
    return {field.name: hints[field.name] for field in dataclasses.fields(config)}


def selectors(config: type[TaskConfig], settings: Settings) -> JsonObject:
    """Return those of some settings that select a run."""
    names = {field.name for field in dataclasses.fields(config) if field.metadata["when"] == "select"}
    return {name: value for name, value in settings.items() if name in names}


def inner_type(kind: Kind) -> Kind:
    """Return a type without its `None`."""
    return next((part for part in get_args(kind) if part is not NoneType), kind) if NoneType in get_args(kind) else kind


def convert(value: Json, kind: Kind) -> Json:
    """Return a JSON value as the type of its setting, where there is one way to do so."""
    kind = inner_type(kind)
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(value)
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind is float and type(value) is int:
        return float(value)
    return value


def check(name: str, value: Json, kind: Kind, limits: Settings) -> None:
    """Raise `SettingError` unless a value has the type and the range of its setting."""
    if value is None and NoneType in get_args(kind):
        return
    kind = inner_type(kind)
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise SettingError(f"`{name}` must be one of {', '.join(get_args(kind))}; received {value!r}.")
        return
    if get_origin(kind) is tuple:
        if not isinstance(value, tuple):
            raise SettingError(f"`{name}` must be a list; received {value!r}.")
        if len(value) > MOST:
            raise SettingError(f"`{name}` must have at most {MOST} elements; received {len(value):,}.")
        for element in value:
            check(name, element, get_args(kind)[0], limits)
        return
    if (
        type(value) is not kind
        and not (kind is float and type(value) is int)
        and not (kind is Path and isinstance(value, Path))
    ):
        raise SettingError(f"`{name}` must be {getattr(kind, '__name__', kind)}; received {value!r}.")
    if kind is float and not math.isfinite(value):
        raise SettingError(f"`{name}` must be a finite number; received {value!r}.")
    low, high = limits["low"], limits["high"]
    if (kind in (int, float) and not (low is None or value >= low)) or not (high is None or value <= high):
        span = f"at least {low}" if high is None else f"in [{low}, {high}]"
        raise SettingError(f"`{name}` must be {span}; received {value!r}.")


def named_values(setting: str, text: str | None) -> dict[str, str]:
    """Return the values that a setting names, such as `text=review,label=2`.

    Raises:
        SettingError: It has another form, or names something twice.

    Example:
        >>> named_values("columns", "text=review,label=2")
        {'text': 'review', 'label': '2'}
    """
    pairs = [part.partition("=") for part in (text or "").split(",") if part.strip()]
    found = {name.strip(): value.strip() for name, _, value in pairs}
    if len(found) < len(pairs) or not all(name and value for name, value in found.items()):
        raise SettingError(f"`{setting}` must be like name=value,name=value; received {text!r}.")
    return found


def nearest(name: str, choices: Iterable[str]) -> str:
    """Return the end of a sentence that refuses a name: the choices, and the nearest of them if any is near."""
    choices = list(choices)
    import difflib

    near = difflib.get_close_matches(name, choices, n=1)
    return f"; choose one of: {', '.join(choices)}." + (f" Did you mean {near[0]!r}?" if near else "")


def parsed_toml(content: bytes) -> JsonObject:
    """Return what TOML in UTF-8 holds.

    Raises:
        ValueError: It is not TOML, or is nested too deep.
    """
    text = content.decode("utf-8")
    strict_json.check_depth(text)
    import tomllib

    return tomllib.loads(text)


def read_settings(path: Path) -> JsonObject:
    """Return the settings in a TOML or JSON file, or in the `config.json` of a run."""
    try:
        content = file_content(path, follow=True)
        settings = strict_json.parsed(content) if path.suffix == ".json" else parsed_toml(content)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"There is no settings file {str(path)!r}.") from error
    except RunError:
        raise
    except ValueError as error:
        raise SettingError(f"{str(path)!r} is not readable as TOML or JSON settings: {error}.") from error
    inner = settings.get("settings", settings) if isinstance(settings, dict) else settings
    if not isinstance(inner, dict):
        raise SettingError(f"{str(path)!r} must hold a table of settings; received a {type(inner).__name__}.")
    return {name.replace("-", "_"): value for name, value in inner.items()}


def budget_seconds(budget: str | None) -> float | None:
    """Return the seconds of a budget such as `60m`.

    Raises:
        SettingError: It has another form.

    Example:
        >>> budget_seconds("1.5h")
        5400.0
    """
    if budget is None:
        return None
    try:
        seconds = Interval.of(budget).seconds
    except ValueError:
        seconds = None
    if seconds is None:
        raise SettingError(f"`budget` must be a time such as 90s, 60m or 2h; received {budget!r}.")
    return seconds

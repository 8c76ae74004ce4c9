"""Where a search looks: the values that it may give each setting. Standard library only."""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Self, get_args, get_origin

from tasks.engine.config import (
    Json,
    JsonObject,
    Kind,
    SettingError,
    TaskConfig,
    check,
    convert,
    inner_type,
    nearest,
    setting_types,
)

NOT_SEARCHED = ("init_from", "valid", "seed", "checkpoint_every", "retries", "log", "storage", "storage_loss", "cache")
WIDE = 10  # ratio of the ends of a range from which on its scale is logarithmic
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
SPAN = re.compile(rf"\s*({NUMBER})\s*\.\.\s*({NUMBER})\s*", re.ASCII)
LOG = logging.getLogger("tasks")


@dataclass(frozen=True, kw_only=True)
class Range:
    """The values that a search may give a setting: choices, or all numbers between two ends.

    Attributes:
        step: Distance of whole numbers, counted from the lowest.
        log: If true, the scale is logarithmic.
        choices: The values, of JSON types; a range of numbers has none.
    """

    low: float = 0.0
    high: float = 0.0
    step: int | None = None
    log: bool = False
    choices: tuple[Json, ...] = ()

    def state(self) -> JsonObject:
        """Return the range as JSON types."""
        if self.choices:
            return {"choices": list(self.choices)}
        return {name: value for name, value in dataclasses.asdict(self).items() if name != "choices"}

    @classmethod
    def restore(cls, state: JsonObject) -> Self:
        """Return the range with this `state`."""
        return cls(**(state | {"choices": tuple(state["choices"])} if "choices" in state else state))

    def value(self, kept: Json) -> Json:
        """Return the value that Optuna keeps so; see `shown`."""
        return next((value for value in self.choices if shown(value) == kept), kept)

    def holds(self, value: Json) -> bool:
        """Return whether a value is in the range."""
        if self.choices:
            return shown(value) in map(shown, self.choices)
        if type(value) not in (int, float) or not self.low <= value <= self.high:
            return False
        return self.step is None or (value - self.low) % self.step == 0


def shown(value: Json) -> Json:
    """Return a value as Optuna keeps it, which knows no lists."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else value


def search_space(config: TaskConfig, fixed: Collection[str], words: Sequence[str]) -> dict[str, Range]:
    """Return where a search looks, by setting, in the order of the settings.

    Args:
        config: What holds without a search; the ranges of settings that say so are derived from it.
        fixed: Settings that the user has given, which stay as they are.
        words: Ranges that the user has chosen, such as `units=64..256` or `cell=gru,lstm`.

    Raises:
        SettingError: A range is of another form, out of the limits of its setting, or for one that cannot be searched.
    """
    own: dict[str, Range] = {}
    for word in words:
        name, found = chosen_range(config, word)
        if name in own:
            raise SettingError(f"`--search` has {name!r} twice; give one range.")
        own[name] = found
    space = dict[str, Range]()
    for field in dataclasses.fields(config):
        if field.name in own:
            space[field.name] = own[field.name]
            if field.metadata["search"] is None:
                LOG.warning(
                    "`%s` is not among the settings that are searched by default; see that it does not change what "
                    "is measured, as a vocabulary changes the loss.",
                    field.name,
                )
        elif field.metadata["search"] is not None and field.name not in fixed:
            found_range = derived_range(config, field)
            if found_range:
                space[field.name] = found_range
    if not space:
        raise SettingError("There is nothing to search, since all settings are given; name some with --search.")
    return space


def derived_range(config: TaskConfig, field: dataclasses.Field[Any]) -> Range | None:
    """Return the range of a setting that says how it is searched; `None`, with a notice, if it has no value yet.

    See `option` for the rule.
    """
    value, kind, scale = config.state()[field.name], kind_of(config, field.name), field.metadata["search"]
    if scale == "choices":
        return Range(choices=(False, True) if kind is bool else get_args(kind))
    if isinstance(scale, tuple):
        low, high = (min(scale[0], value), max(scale[1], value)) if value is not None else scale[:2]
        return Range(low=low, high=high, step=1 if kind is int and scale[2] != "log" else None, log=scale[2] == "log")
    if not value:
        LOG.info("`%s` is %s, and is not searched; `--search %s=LOW..HIGH` does.", field.name, value, field.name)
        return None
    if scale == "size":
        step = max(1, value // 8)
        low = value - step * min(round(value / 2) // step, (value - lowest(field)) // step)
        return Range(low=low, high=value + step * (min(value, highest(field) - value) // step), step=step)
    low, high = (value / 5, value * 5) if scale == "log" else (0.0, value * 2)
    low, high = max(low, lowest(field)), min(high, highest(field))
    if kind is int:
        low, high = math.ceil(low), math.floor(high)
    return Range(low=low, high=high, step=1 if kind is int and scale != "log" else None, log=scale == "log")


def lowest(field: dataclasses.Field[Any]) -> float:
    """Return the smallest value that a setting may have."""
    low = field.metadata["low"]
    return -math.inf if low is None else low


def highest(field: dataclasses.Field[Any]) -> float:
    """Return the largest value that a setting may have."""
    high = field.metadata["high"]
    return math.inf if high is None else high


def kind_of(config: TaskConfig, name: str) -> Kind:
    """Return the type of a setting, without its `None`."""
    return inner_type(setting_types(type(config))[name])


def chosen_range(config: TaskConfig, word: str) -> tuple[str, Range]:
    """Return the setting and the range that the user has chosen: `NAME=LOW..HIGH`, or `NAME=a,b,c`.

    The scale of `LOW..HIGH` is the setting's own. One that has none is searched on a logarithmic scale if the range
    spans a factor of ten or more. Choices of lists are separated by semicolons.

    Raises:
        SettingError: As for `search_space`.
    """
    given, equals, text = word.partition("=")
    name = given.strip().replace("-", "_")
    if not equals or not name or not text.strip():
        raise SettingError(f"`--search` must be like units=64..256 or cell=gru,lstm; received {word!r}.")
    fields = {field.name: field for field in dataclasses.fields(config)}
    if name not in fields:
        able = [field.name for field in fields.values() if may_search(field)]
        raise SettingError(f"No setting is named {name!r}{nearest(name, able)}")
    if not may_search(fields[name]):
        raise SettingError(f"`{name}` does not belong to a training, or changes what is measured; it is not searched.")
    kind = kind_of(config, name)
    ends = SPAN.fullmatch(text)
    if ".." in text and not (ends and kind in (int, float)):
        raise SettingError(f"`--search {name}` must be numbers LOW..HIGH, or choices a,b,c; received {text!r}.")
    values = [setting_value(name, kind, one) for one in (ends.groups() if ends else split_choices(kind, text))]
    for value in values:
        check(name, convert(value, kind), setting_types(type(config))[name], fields[name].metadata)
    if len(set(map(json.dumps, values))) < 2:
        raise SettingError(f"`--search {name}` must have at least two values; received {text!r}.")
    return name, (number_range(fields[name], kind, values) if ends else Range(choices=tuple(values)))


def may_search(field: dataclasses.Field[Any]) -> bool:
    """Return whether a setting belongs to a training, and leaves alone what is measured."""
    about = field.metadata
    return about["search"] is not None or (about["when"] == "train" and field.name not in NOT_SEARCHED)


def number_range(field: dataclasses.Field[Any], kind: Kind, ends: Sequence[float]) -> Range:
    """Return the range between two numbers.

    Raises:
        SettingError: The first is not below the second.
    """
    low, high = ends
    if low >= high:
        raise SettingError(f"`--search {field.name}` must be LOW..HIGH; received {low}..{high}.")
    scale = field.metadata["search"]
    own = scale[2] if isinstance(scale, tuple) else scale
    log = low > 0 and (own == "log" or (own is None and high >= WIDE * low))
    return Range(low=low, high=high, step=None if log or kind is not int else 1, log=log)


def split_choices(kind: Kind, text: str) -> list[str]:
    """Return the choices that a text names."""
    return [part.strip() for part in text.split(";" if get_origin(kind) is tuple else ",")]


def setting_value(name: str, kind: Kind, text: str) -> Json:
    """Return the value that a text names, of JSON types.

    Raises:
        SettingError: It is of another type.
    """
    try:
        if get_origin(kind) is tuple:
            return [int(part) for part in text.split(",") if part.strip()]
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        if kind is float:
            return float(text)
        return int(text) if kind is int else text
    except (ValueError, KeyError) as error:
        kinds: dict[Kind, str] = {int: "whole numbers", float: "numbers", bool: "true or false"}
        wanted = "lists of whole numbers, with semicolons between them" if get_origin(kind) is tuple else kinds[kind]
        raise SettingError(f"`--search {name}` must have {wanted}; received {text!r}.") from error

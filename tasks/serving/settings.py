"""Settings that a request may choose."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from tasks.engine.config import JsonObject, SettingError, TaskConfig, inner_type, nearest, offered_fields, setting_types
from tasks.engine.places import drawing_settings

KEPT = ("engine", "batch_size", "megapixels", "tile", "skip_existing")  # settings that are the server's own
DRAWN = "_file"  # ends the name of a setting that draws a picture of an answer
LARGEST = sys.float_info.max
SHOWN = 50  # characters of a value in a message
LEAST = 16  # a whole number may be at least so large
KINDS: dict[Any, str] = {bool: "boolean", int: "integer", float: "number"}


@dataclasses.dataclass(frozen=True)
class Choice:
    """A setting that a request may choose.

    Attributes:
        kind: `"boolean"`, `"integer"`, `"number"` or `"choice"`.
        field: Name of the setting; that of a picture ends in `_file`, and is only asked for by yes or no.
    """

    name: str
    kind: str
    field: str
    default: Any
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    help: str

    def state(self) -> JsonObject:
        """Return what a client needs to know of it, as JSON types."""
        about = {"name": self.name, "type": self.kind, "default": self.default, "help": self.help}
        if self.choices:
            return about | {"choices": list(self.choices)}
        return about if self.kind == "boolean" else about | {"low": self.low, "high": self.high}

    def value(self, given: Any) -> Any:
        """Return the value, of JSON types, of the setting that a request gives as JSON or as text.

        Raises:
            SettingError: It has another type, or is out of range.
        """
        if isinstance(given, str) and self.kind != "choice":
            given = from_text(self.name, given, self.kind)
        if self.kind == "choice":
            if given not in self.choices:
                raise SettingError(f"`{self.name}` must be one of {', '.join(self.choices)}; received {shown(given)}.")
            return given
        if self.kind == "boolean":
            if type(given) is not bool:
                raise SettingError(f"`{self.name}` must be true or false; received {shown(given)}.")
            return given if self.field == self.name else f"{self.name}.png" if given else None
        if type(given) is not int and not (self.kind == "number" and type(given) is float):
            raise SettingError(f"`{self.name}` must be a {'whole ' * (self.kind == 'integer')}number.")
        if not -LARGEST <= given <= LARGEST or not self.inside(given):  # a whole number may have no float
            raise SettingError(f"`{self.name}` must be in [{self.low}, {self.high}]; received {shown(given)}.")
        return float(given) if self.kind == "number" else given

    def inside(self, value: float) -> bool:
        """Return whether a number is in the range."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


def shown(value: Any) -> str:
    """Return a value as a message shows it, cut if it is long."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def from_text(name: str, text: str, kind: str) -> Any:
    """Return what a field of a form or of an address says.

    Raises:
        SettingError: It is not of this kind.
    """
    if kind == "boolean":
        found = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}.get(text.lower())
        if found is None:
            raise SettingError(f"`{name}` must be true or false; received {shown(text)}.")
        return found
    try:
        return int(text) if kind == "integer" else float(text)
    except ValueError as error:
        raise SettingError(f"`{name}` must be a number; received {shown(text)}.") from error


def choices(config: TaskConfig) -> dict[str, Choice]:
    """Return what a request may choose, by name: numbers, yes or no, one of several words, but nothing with a place.

    A whole number may be twice that of the run, and at least 16: a request must not ask for endless work.

    Args:
        config: Settings of the run.
    """
    found = {}
    types, values, drawn = setting_types(type(config)), config.state(), drawing_settings(type(config))
    for field in offered_fields(type(config), "predict"):
        about, kind = field.metadata, inner_type(types[field.name])
        name, default, high = field.name, values[field.name], about["high"]
        if about["when"] not in ("predict", "answer") or name in KEPT:
            continue
        if name in drawn:
            name, kind, default = name.removesuffix(DRAWN), bool, False
        if kind is int:
            most = max(LEAST, 2 * (default or 0))
            high = most if high is None else min(most, high)
        words = get_args(kind) if get_origin(kind) is Literal else ()
        if not words and kind not in KINDS:
            continue
        shape = "choice" if words else KINDS[kind]
        text = "Add the numbers of its picture to the answer." if name != field.name else about["help"]
        found[name] = Choice(name, shape, field.name, default, about["low"], high, words, text)
    return found


def chosen(given: Mapping[str, Any], offered: Mapping[str, Choice]) -> JsonObject:
    """Return the settings that a request chooses, by the names of their fields.

    Raises:
        SettingError: One is not offered, or has another type or range.
    """
    found = {}
    for name, value in given.items():
        if name not in offered:
            raise SettingError(f"No setting is named {name[:50]!r}{nearest(name[:50], offered)}")
        found[offered[name].field] = offered[name].value(value)
    return found

"""Fields of a JSON object with the types that they must have. Standard library only."""

from collections.abc import Mapping
from types import UnionType
from typing import Any, get_args, get_origin

from tasks.engine.config import Json, JsonObject, Kind


def checked_fields(value: Json, types: Mapping[str, Kind], optional: Mapping[str, Kind] | None = None) -> JsonObject:
    """Return a JSON object whose fields have these types; other fields are left out.

    Args:
        types: Type of each field, such as `int`, `list[str]` or `dict[str, float]`; a whole number is a float too.
        optional: Type of each field that may be missing.

    Raises:
        ValueError: It is not an object, lacks a field, or a field has another type.

    Example:
        >>> checked_fields({"epoch": 3, "seeds": [[1, 2]], "other": 0}, {"epoch": int, "seeds": list[list[int]]})
        {'epoch': 3, 'seeds': [[1, 2]]}
        >>> checked_fields({"epoch": "3"}, {"epoch": int})
        Traceback (most recent call last):
        ValueError: its 'epoch' is not a whole number
    """
    if not isinstance(value, dict):
        raise ValueError("it is not an object")
    missing = next((name for name in types if name not in value), None)
    if missing is not None:
        raise ValueError(f"it has no {missing!r}")
    found = {name: kind for name, kind in {**types, **(optional or {})}.items() if name in value}
    wrong = next((name for name, kind in found.items() if not fits(value[name], kind)), None)
    if wrong is not None:
        raise ValueError(f"its {wrong!r} is not {said(found[wrong])}")
    return {name: value[name] for name in found}


def checked_classes(names: list[str]) -> list[str]:
    """Return the names of classes, each of which is there once.

    Raises:
        ValueError: One is there twice, or there are none.
    """
    if not names or len(set(names)) < len(names):
        raise ValueError("its classes are not different names")
    return names


def checked_widths(widths: list[int], longest: int) -> list[int]:
    """Return padding widths, which increase and hold at most so many tokens.

    Raises:
        ValueError: They do not.
    """
    if not widths or widths != sorted({*widths}) or not 1 <= widths[0] <= widths[-1] <= longest:
        raise ValueError(f"its widths do not increase from 1 to at most {longest:,}")
    return widths


def fits(value: Json, kind: Kind) -> bool:
    """Return whether a JSON value has a type.

    Example:
        >>> fits([1, 2.5], list[float]), fits([True], list[int]), fits(None, str | None), fits({"a": 1}, dict)
        (True, False, True, True)
    """
    if isinstance(kind, UnionType):
        return any(fits(value, one) for one in get_args(kind))
    inner = get_args(kind)
    if get_origin(kind) is list:
        return isinstance(value, list) and all(fits(one, inner[0]) for one in value)
    if get_origin(kind) is dict:
        return isinstance(value, dict) and all(fits(one, inner[1]) for one in value.values())
    return type(value) is kind or (kind is float and type(value) is int) or (kind is type(None) and value is None)


def said(kind: Any) -> str:
    """Return a type in words."""
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", dict: "an object"}
    if isinstance(kind, UnionType):
        return " or ".join(said(one) for one in get_args(kind))
    inner = {list: "a list", dict: "an object"}.get(get_origin(kind), "")
    plain = names.get(kind, "null" if kind is type(None) else "a list")
    return f"{inner} in which each entry is {said(get_args(kind)[-1])}" if inner else plain

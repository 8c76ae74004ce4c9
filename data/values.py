"""Values of tables as text."""

import math
import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from data.limits import LimitError, limit, limit_refusal

Json: TypeAlias = Any  # a value of JSON types
SURROGATE = re.compile("[\ud800-\udfff]")  # half of a sign, as a cut emoji leaves it


class Listed(str):
    """A value that is a list in a table, as text with spaces between its values.

    Attributes:
        values: Each of them as text.
        plain: Whether none of them is an object or a list itself.
    """

    __slots__ = ("plain", "values")
    values: tuple[str, ...]
    plain: bool


def listed_value(values: Iterable[str]) -> Listed:
    """Return a list of a table as one text that keeps its values.

    Example:
        >>> listed_value(["a dog", "a cat"]), listed_value(["a dog", "a cat"]).values
        ('a dog a cat', ('a dog', 'a cat'))
    """
    kept = tuple(values)
    found = Listed(" ".join(kept))
    found.values, found.plain = kept, True
    return found


def whole_signs(text: str) -> str:
    """Return a text with a mark in place of each half of a sign."""
    return text if text.isascii() else SURROGATE.sub("\ufffd", text)


def value_text(value: Json, depth: int = 0) -> str:
    """Return a value of a table as text: nothing for a missing one, no fraction for a whole number; a list is `Listed`.

    Args:
        depth: Number of lists and objects around it.

    Raises:
        LimitError: There are too many of them.

    Example:
        >>> [value_text(value) for value in (None, float("nan"), 1.0, 0.5, True, "a")]
        ['', '', '1', '0.5', 'True', 'a']
    """
    if isinstance(value, str):
        return whole_signs(value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        check_depth(depth)
        found = listed_value([value_text(one, depth + 1) for one in value])
        found.plain = not any(isinstance(one, dict | list) for one in value)
        return found
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else whole_signs(str(value))


def check_depth(depth: int) -> None:
    """Raise `LimitError` if a value is inside too many others."""
    if depth >= limit("depth"):
        raise LimitError(limit_refusal("has lists or objects in each other", "depth"))


def record_values(row: Json) -> tuple[dict[str, str], str]:
    """Return the values of a JSON object as text, and what is wrong with it; those of inner ones are `outer/inner`."""
    if not isinstance(row, dict):
        return {}, "not a JSON object"
    try:
        return inner_values(row, 0), ""
    except LimitError as error:
        return {}, str(error)
    except RecursionError:
        return {}, limit_refusal("has lists or objects in each other", "depth")


def inner_values(row: dict[str, Json], depth: int) -> dict[str, str]:
    """Return the values of a JSON object, and of the objects in it, as text."""
    found: dict[str, str] = {}
    for key, value in row.items():
        name = whole_signs(str(key))
        if isinstance(value, dict):
            check_depth(depth)
            found |= {f"{name}/{inner}": text for inner, text in inner_values(value, depth + 1).items()}
        else:
            found[name] = value_text(value)
    return found

"""Values of tables as text."""

import math
import re
from collections.abc import Iterable
from typing import Any, TypeAlias

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


def value_text(value: Json) -> str:
    """Return a value of a table as text: nothing for a missing one, no fraction for a whole number; a list is `Listed`.

    Example:
        >>> [value_text(value) for value in (None, float("nan"), 1.0, 0.5, True, "a")]
        ['', '', '1', '0.5', 'True', 'a']
    """
    if isinstance(value, str):
        return value if value.isascii() else SURROGATE.sub("\ufffd", value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        found = listed_value(map(value_text, value))
        found.plain = not any(isinstance(one, dict | list) for one in value)
        return found
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def record_values(row: Json) -> tuple[dict[str, str], str]:
    """Return the values of a JSON object as text, and what is wrong with it; those of inner ones are `outer/inner`."""
    if not isinstance(row, dict):
        return {}, "not a JSON object"
    found: dict[str, str] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            found |= {f"{name}/{inner}": value for inner, value in record_values(value)[0].items()}
        else:
            found[str(name)] = value_text(value)
    return found, ""

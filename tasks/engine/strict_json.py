"""JSON of a stranger: what costs memory, or is not a value of JSON, is refused. Standard library only."""

import json
import math
import re
from itertools import accumulate
from typing import Any, NoReturn

DEEPEST = 32  # nesting of lists and objects
MOST = 100_000  # lists and objects
DIGITS = 20  # of a whole number
STRING = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)  # an open one reaches to the end: linear time
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parsed(content: bytes) -> Any:
    """Return the value that JSON in UTF-8 holds, also after a byte order mark.

    Raises:
        ValueError: It is not JSON, is nested more than 32 deep, holds more than 100,000 lists and objects, or a value
            that is not a finite number or not text.

    Example:
        >>> parsed(b'{"loss": 0.5}')
        {'loss': 0.5}
        >>> parsed(b'{"loss": NaN}')
        Traceback (most recent call last):
        ValueError: it holds NaN, which is not a number of JSON
    """
    text = content.decode("utf-8-sig")
    check_depth(text)
    value = json.loads(text, parse_constant=refuse_constant, parse_float=finite_number, parse_int=whole_number)
    if SURROGATE.search(text):
        json.dumps(value, ensure_ascii=False).encode()  # half of a pair is not text
    return value


def check_depth(text: str) -> None:
    """Raise `ValueError` if JSON or TOML is nested too deep, or holds too many lists and objects.

    Example:
        >>> check_depth('["[[["]')
        >>> check_depth("[" * 33)
        Traceback (most recent call last):
        ValueError: it is nested more than 32 deep
    """
    count = text.count("[") + text.count("{")
    if count <= DEEPEST:
        return
    if count > MOST:
        raise ValueError(f"it holds more than {MOST:,} lists and objects")
    marks = re.sub(r"[^][{}]", "", STRING.sub("", text))
    if max(accumulate(1 if mark in "[{" else -1 for mark in marks), default=0) > DEEPEST:
        raise ValueError(f"it is nested more than {DEEPEST} deep")


def refuse_constant(name: str) -> NoReturn:
    """Refuse `NaN`, `Infinity` and `-Infinity`."""
    raise ValueError(f"it holds {name}, which is not a number of JSON")


def finite_number(text: str) -> float:
    """Return a number, which is not too large."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"it holds the number {text[:DIGITS]}, which is too large")
    return number


def whole_number(text: str) -> int:
    """Return a whole number, which has at most 20 digits."""
    if len(text) > DIGITS:
        raise ValueError(f"it holds a whole number of {len(text):,} digits; at most {DIGITS} are read")
    return int(text)

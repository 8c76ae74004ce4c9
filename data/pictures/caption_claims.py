"""Names in files of captions, and the pictures that they mean."""

from collections.abc import Sequence
from typing import NamedTuple

from data.pictures.containers import Entry


class Claim(NamedTuple):
    """A name in a file of captions, and the picture that it means.

    Attributes:
        image: The name as it stands there.
        own: The name as a path by which equal names are known.
        entry: The picture.
        strength: How well it fits.
        split: Name of its part, or nothing.
        captions: Its captions without blanks at the ends; empty ones are left out.
    """

    image: str
    own: tuple[str, ...]
    entry: Entry
    strength: tuple[int, ...]
    split: str
    captions: Sequence[str]


class Found(NamedTuple):
    """What the names in a file of captions mean, and the names that mean no picture, or one of several."""

    claims: list[Claim]
    lost: list[str]
    unclear: list[str]

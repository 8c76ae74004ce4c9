"""The inputs of examples, as a check of data reads them: their contents, sizes, copies and oddities. NumPy only."""

from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from data import copies
from data.near_texts import near_texts
from data.pictures.copies import content_key, picture_name
from data.pictures.near_pictures import FLAT, SIDE, near_pictures, thumbnail
from data.splits import DataError, Example
from data.texts.odd_texts import odd_texts
from tasks.engine.config import JsonObject
from tasks.engine.task import Raw

LONGEST = 300  # characters of a text that a list shows


class Item(NamedTuple):
    """An example, and where it is."""

    part: str
    number: int
    example: Example

    def shown(self, field: str) -> JsonObject:
        """Return what a list says of it, as JSON types."""
        value = self.example.get("name", self.example[field])
        if isinstance(value, np.ndarray):
            value = f"{field} {self.number}"
        said = value if isinstance(value, str) else picture_name(value)
        return {"part": self.part, "example": self.number, "input": said[:LONGEST]} | (
            {"label": self.example["label"]} if "label" in self.example else {}
        )


class TextInputs:
    """The texts of examples."""

    measured = "characters"

    def __init__(self, items: Sequence[Item], field: str) -> None:
        self.items, self.field = items, field
        self.texts = [str(item.example[field]) for item in items]
        self.keys: list[Any] = list(self.texts)
        self.places = [(item.part, item.number) for item in items]
        self.sizes = np.array([len(text) for text in self.texts])
        self.inputs: Sequence[str] | np.ndarray = self.texts

    def shown(self, place: int) -> JsonObject:
        """Return what a list says of an example."""
        return self.items[place].shown(self.field)

    def exact(self) -> copies.Copies:
        """Return texts that are equal."""
        return copies.exact_copies(self.keys, self.places)

    def near(self) -> copies.Copies:
        """Return texts that are nearly equal, each different one once."""
        first = first_places(self.keys)
        pairs = near_texts([self.texts[place] for place in first])
        return copies.near_copies(pairs, [self.places[place] for place in first])

    def odd(self) -> dict[str, list[int]]:
        """Return the places of odd texts."""
        return odd_texts(self.texts)


class PictureInputs:
    """The pictures of examples, as thumbnails."""

    measured = "pixels of the shorter side"

    def __init__(self, items: Sequence[Item], field: str) -> None:
        self.items, self.field = items, field
        self.places = [(item.part, item.number) for item in items]
        self.damaged = list[int]()
        self.keys = list[Any]()
        found = list[tuple[np.ndarray, tuple[int, int], float]]()
        for place, item in enumerate(items):
            picture = self.picture(item.example, field)
            try:
                found.append(thumbnail(picture))
            except (DataError, OSError):
                self.damaged.append(place)
                found.append((np.zeros((SIDE, SIDE), "uint8"), (1, 1), 255.0))
            self.keys.append(content(picture, place))
        self.thumbnails = np.stack([small for small, _, _ in found])
        self.shapes = np.array([shape for _, shape, _ in found])
        self.spreads = np.array([spread for _, _, spread in found])
        self.sizes = self.shapes.min(1)
        self.inputs: Sequence[str] | np.ndarray = self.thumbnails
        self.names = [str(item.example.get("name", place)).partition(" at ")[0] for place, item in enumerate(items)]

    def picture(self, example: Example, field: str) -> Raw:
        """Return the picture of an example, in its full size if it has a smaller one too."""
        return example.get("truth", example[field])

    def shown(self, place: int) -> JsonObject:
        """Return what a list says of an example, with its thumbnail."""
        content = BytesIO()
        Image.fromarray(self.thumbnails[place]).save(content, "PNG")
        code = b64encode(content.getvalue()).decode()
        return {"picture": f"data:image/png;base64,{code}"} | self.items[place].shown(self.field)

    def exact(self) -> copies.Copies:
        """Return pictures whose files or pixels are equal."""
        return copies.exact_copies(self.keys, self.places)

    def near(self) -> copies.Copies:
        """Return pictures that look nearly equal, each different one once; sizes of one picture do not count."""
        damaged = set(self.damaged)
        first = [place for place in first_places(self.keys) if place not in damaged and self.spreads[place] >= FLAT]
        pairs = (
            pair
            for pair in near_pictures(self.thumbnails[first], self.shapes[first])
            if self.names[first[pair[0]]] != self.names[first[pair[1]]]
        )
        return copies.near_copies(pairs, [self.places[place] for place in first])

    def odd(self) -> dict[str, list[int]]:
        """Return the places of damaged and blank pictures."""
        blank = np.flatnonzero(self.spreads < FLAT).tolist()
        return {name: places for name, places in (("damaged", self.damaged), ("blank", blank)) if places}


def content(picture: Raw, place: int) -> Any:
    """Return a key of the content of a picture; one of its own if that cannot be read."""
    with suppress(DataError, OSError):
        return content_key(picture)
    return place


def first_places(keys: Sequence[Any]) -> list[int]:
    """Return the place of the first of each different key, in order."""
    found: dict[Any, int] = {}
    for place, key in enumerate(keys):
        found.setdefault(key, place)
    return list(found.values())

"""Scenes of coloured shapes and digits, drawn by this project, with captions and a test of their truth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
from PIL import Image

from data.splits import Example

SIZE = 64  # pixels of each side of a picture
SPAN = (17, 26)  # smallest and largest width of a thing, in pixels
COLOURS = {
    "red": (214, 40, 40),
    "green": (46, 160, 67),
    "blue": (45, 90, 220),
    "yellow": (240, 200, 30),
    "purple": (150, 60, 190),
    "white": (245, 245, 245),
}
SHAPES = ("circle", "square", "triangle", "star", "cross")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
THINGS = (*SHAPES, *DIGITS)
SIDES = {
    "above": (0, -1),
    "below": (0, 1),
    "left of": (-1, 0),
    "right of": (1, 0),
}  # position of the first of two things
OPPOSITE = {"above": "below", "below": "above", "left of": "right of", "right of": "left of"}
COUNTS = {"two": 2, "three": 3}
CAPTIONS = 5  # of each scene


class Thing(NamedTuple):
    """A coloured shape or digit."""

    colour: str
    kind: str

    def __str__(self) -> str:
        return f"{self.colour} {self.kind}"

    @property
    def plural(self) -> str:
        """The name of several of them."""
        return f"{self}{'es' if self.kind in ('cross', 'six') else 's'}"


class Scene(NamedTuple):
    """One thing, `number` equal things, or two things of which the first is on a `side` of the other."""

    thing: Thing
    number: int = 1
    side: str = ""
    other: Thing | None = None


def scenes(train: int, test: int, seed: int = 0) -> tuple[list[Example], list[Example]]:
    """Return scenes for training and for testing, each with an `image`, five `captions`, and the `scene` itself.

    * The image is uint8 `(64, 64, 3)`.
    * One pair of colour and kind in six never occurs in a scene for training.
    * Each scene for testing has at least one such pair, so its caption must be a new combination.
    """
    random = np.random.default_rng(seed)
    pairs = list(product(COLOURS, THINGS))
    unseen = [Thing(*pair) for number, pair in enumerate(pairs) if (number + number // len(THINGS)) % 6 == 0]
    seen = [Thing(*pair) for pair in pairs if Thing(*pair) not in unseen]
    return (
        [scene_example(random_scene(random, seen, seen), random) for _ in range(train)],
        [scene_example(random_scene(random, unseen, seen), random) for _ in range(test)],
    )


def random_scene(random: np.random.Generator, first: list[Thing], second: list[Thing]) -> Scene:
    """Return a scene with a thing of the first list, and mostly with another one of the second."""
    thing, other = (things[int(random.integers(len(things)))] for things in (first, second))
    draw = random.random()
    if draw < 0.2:
        return Scene(thing)
    if draw < 0.4 or other == thing:
        return Scene(thing, number=int(random.integers(2, 4)))
    side = list(SIDES)[int(random.integers(len(SIDES)))]
    return Scene(thing, side=side, other=other)


def scene_example(scene: Scene, random: np.random.Generator) -> Example:
    """Return a scene as an example."""
    said = list(scene_captions(scene))
    picks = random.permutation(len(said))[:CAPTIONS]
    return {"image": scene_picture(scene, random), "captions": [said[pick] for pick in picks], "scene": scene}


def scene_captions(scene: Scene) -> Iterator[str]:
    """Yield true captions of a scene, at least five."""
    if scene.other is None:
        counted = f"a {scene.thing}" if scene.number == 1 else f"{list(COUNTS)[scene.number - 2]} {scene.thing.plural}"
        verb = "is" if scene.number == 1 else "are"
        yield counted
        yield f"there {verb} {counted}"
        yield f"a picture of {counted}"
        yield f"{counted} on a dark ground"
        yield f"nothing but {counted}"
        return
    for one, side, two in (
        (scene.thing, scene.side, scene.other),
        (scene.other, OPPOSITE[scene.side], scene.thing),
    ):
        yield f"a {one} {side} a {two}"
        yield f"a {one} is {side} a {two}"
        yield f"there is a {one} {side} a {two}"


THING = rf"(?:{'|'.join(COLOURS)}) (?:{'|'.join(THINGS)})"
ALONE = re.compile(
    rf"(?:there (?:is|are) |a picture of |nothing but )?(?:a|(?P<count>{'|'.join(COUNTS)})) (?P<thing>{THING})(?:e?s)?"
    rf"(?: on a dark ground)?"
)
BOTH = re.compile(rf"(?:there is )?a (?P<one>{THING}) (?:is )?(?P<side>{'|'.join(SIDES)}) a (?P<two>{THING})")


def is_true(caption: str, scene: Scene) -> bool:
    """Return whether a caption, in lower case and without marks, describes a scene correctly and completely.

    Only sentences with the forms of `scene_captions` can be true.
    """
    if alone := ALONE.fullmatch(caption):
        said = Scene(thing_from_words(alone["thing"]), number=COUNTS.get(alone["count"], 1))
        return said == scene
    if both := BOTH.fullmatch(caption):
        one, side, two = thing_from_words(both["one"]), both["side"], thing_from_words(both["two"])
        return scene in (Scene(one, side=side, other=two), Scene(two, side=OPPOSITE[side], other=one))
    return False


def thing_from_words(words: str) -> Thing:
    """Return the thing that two words name."""
    return Thing(*words.split())


def scene_picture(scene: Scene, random: np.random.Generator) -> np.ndarray:
    """Return a picture of a scene, uint8 `(64, 64, 3)`, on a dark background with some noise."""
    level = int(random.integers(20, 60))
    image = Image.new("RGB", (SIZE, SIZE), (level, level, level))
    things = [scene.thing] * scene.number if scene.other is None else [scene.thing, scene.other]
    for thing, centre in zip(things, thing_centres(scene, random), strict=True):
        draw_thing(image, thing, centre, int(random.integers(*SPAN, endpoint=True)))
    noise = random.normal(0, 6, (SIZE, SIZE, 1))
    return np.clip(np.asarray(image) + noise, 0, 255).astype("uint8")


def thing_centres(scene: Scene, random: np.random.Generator) -> list[tuple[float, float]]:
    """Return the centre of each thing, in pixels from the left and from the top."""
    if scene.other is not None:
        across, down = SIDES[scene.side]
        shift = random.uniform(-10, 10, 2) * (down != 0, across != 0)  # along the other direction
        apart = random.uniform(14, 17)
        first = 32 + apart * across + shift[0], 32 + apart * down + shift[1]
        return [first, (64 - first[0], 64 - first[1])]
    if scene.number == 1:
        return [(random.uniform(16, 48), random.uniform(16, 48))]
    corners = [(16, 16), (48, 16), (16, 48), (48, 48)]
    picks = random.permutation(4)[: scene.number]
    return [(corners[pick][0] + random.uniform(-2, 2), corners[pick][1] + random.uniform(-2, 2)) for pick in picks]


def draw_thing(image: Image.Image, thing: Thing, centre: tuple[float, float], span: int) -> None:
    """Draw a thing with a width of `span` pixels around a point."""
    from PIL import ImageDraw, ImageFont

    draw, (x, y), half = ImageDraw.Draw(image), centre, span / 2
    colour = COLOURS[thing.colour]
    if thing.kind in DIGITS:
        font = ImageFont.load_default(size=span * 1.25)
        draw.text((x, y), str(DIGITS.index(thing.kind)), fill=colour, font=font, anchor="mm")
    elif thing.kind == "circle":
        draw.ellipse((x - half, y - half, x + half, y + half), fill=colour)
    else:
        draw.polygon([(x + half * across, y + half * down) for across, down in shape_outline(thing.kind)], fill=colour)


def shape_outline(kind: str) -> list[tuple[float, float]]:
    """Return the corners of a shape that lies in the square from -1 to 1."""
    if kind == "square":
        return [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]
    if kind == "triangle":
        return [(0, -1), (1, 0.9), (-1, 0.9)]
    if kind == "cross":
        arm = 0.32
        return [
            (-arm, -1), (arm, -1), (arm, -arm), (1, -arm), (1, arm), (arm, arm),
            (arm, 1), (-arm, 1), (-arm, arm), (-1, arm), (-1, -arm), (-arm, -arm),
        ]  # fmt: skip
    turns = np.arange(10) * np.pi / 5 - np.pi / 2
    return [
        (float(radius * np.cos(turn)), float(radius * np.sin(turn)))
        for turn, radius in zip(turns, [1.1, 0.45] * 5, strict=True)
    ]

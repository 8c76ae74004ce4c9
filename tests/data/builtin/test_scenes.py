"""Scenes drawn by the project: what may be said of them, and what is true."""

import numpy as np
import pytest

from data.builtin import sets
from data.builtin.scenes import CAPTIONS, OPPOSITE, SIDES, Scene, Thing, is_true, scene_captions, scene_picture, scenes

RED, BLUE = Thing("red", "circle"), Thing("blue", "six")
ABOVE = Scene(RED, side="above", other=BLUE)


def test_every_caption_of_every_scene_is_true_of_it():
    for part in scenes(300, 100):
        for example in part:
            assert len(set(example["captions"])) == CAPTIONS
            assert all(is_true(caption, example["scene"]) for caption in example["captions"])
            assert example["image"].shape == (64, 64, 3)
            assert example["image"].dtype == np.uint8


@pytest.mark.parametrize("scene", [Scene(BLUE), Scene(BLUE, number=3), Scene(RED, number=2), ABOVE], ids=str)
def test_all_that_may_be_said_is_understood(scene):
    said = list(scene_captions(scene))
    assert len(set(said)) >= CAPTIONS
    assert all(is_true(sentence, scene) for sentence in said)


def test_what_is_not_so_is_not_true():
    assert is_true("a red circle above a blue six", ABOVE)
    assert is_true("there is a blue six below a red circle", ABOVE)
    for caption in (
        "a red circle below a blue six",
        "a blue six above a red circle",
        "a red circle left of a blue six",
        "a red circle above a blue seven",
        "a blue circle above a red six",
        "a red circle",
        "a red circle above a blue six above a blue six",
        "red circle above blue six",
        "",
    ):
        assert not is_true(caption, ABOVE)
    assert is_true("three blue sixes", Scene(BLUE, number=3))
    assert not is_true("two blue sixes", Scene(BLUE, number=3))
    assert not is_true("a blue six", Scene(BLUE, number=2))


def test_every_scene_for_testing_has_a_pair_that_none_for_training_has():
    train, test = sets.scenes()
    seen = {thing for example in train for thing in (example["scene"].thing, example["scene"].other)}
    assert all({example["scene"].thing, example["scene"].other} - seen for example in test)
    known = {(thing.colour, thing.kind) for thing in seen if thing}
    for example in test:  # each colour and each kind by itself was seen
        thing = example["scene"].thing
        assert thing.colour in {colour for colour, _ in known}
        assert thing.kind in {kind for _, kind in known}


@pytest.mark.parametrize("side", SIDES)
def test_things_are_drawn_where_the_scene_says(side):
    scene = Scene(Thing("white", "square"), side=side, other=Thing("red", "circle"))
    image = scene_picture(scene, np.random.default_rng(0)).astype(int)
    white = np.argwhere(image.min(2) > 200).mean(0)
    red = np.argwhere((image[:, :, 0] > 150) & (image[:, :, 2] < 100)).mean(0)
    across, down = SIDES[side]
    assert (white[1] - red[1]) * across + (white[0] - red[0]) * down > 10
    assert SIDES[OPPOSITE[side]] == (-across, -down)


def test_scenes_are_the_same_each_time():
    (one, *_), _ = scenes(3, 1)
    (other, *_), _ = scenes(3, 1)
    assert one["captions"] == other["captions"]
    np.testing.assert_array_equal(one["image"], other["image"])

"""Hard-wrapped paragraphs are joined; verses, lists and lines that stand alone are not."""

import textwrap

import pytest

from data.texts.wrapping import joined_breaks

PROSE = (
    "When the old man came home in the evening, he saw that somebody had left the door of the small house open. He "
    "called for his dog, but nobody answered, and so he went around the house and looked into the garden. There the "
    "dog lay in the sun and slept, while two cats from next door ate out of its bowl."
)
GERMAN = (
    "Als der alte Mann am Abend nach Hause kam, sah er, dass jemand die Tür des kleinen Hauses offen gelassen hatte. "
    "Er rief nach seinem Hund, aber niemand antwortete, und so ging er um das Haus herum und schaute in den Garten. "
    "Dort lag der Hund in der Sonne und schlief, während zwei Katzen aus seiner Schüssel fraßen."
)


@pytest.mark.parametrize("width", range(50, 101, 3))
@pytest.mark.parametrize("text", [PROSE, GERMAN, f"{PROSE} {GERMAN}"])
def test_a_wrapped_paragraph_is_one(text, width):
    lines = textwrap.wrap(text, width)
    assert joined_breaks(lines) == [True] * (len(lines) - 1)


def test_paragraphs_stay_apart():
    lines = [*textwrap.wrap(PROSE, 72), "", *textwrap.wrap(GERMAN, 72)]
    found, place = joined_breaks(lines), lines.index("")
    assert [place for place, joined in enumerate(found) if not joined] == [place - 1, place]


def test_a_wrapped_chinese_paragraph_is_one():
    text = "今天早上老人回家的时候看见有人把小房子的门打开了他叫他的狗但是没有人回答所以他绕着房子走看了看花园" * 3
    lines = [text[start : start + 30] for start in range(0, len(text), 30)]
    assert joined_breaks(lines) == [True] * (len(lines) - 1)


@pytest.mark.parametrize(
    "text",
    [
        "Two roads diverged in a yellow wood,\nAnd sorry I could not travel both\nAnd be one traveler, long I stood",
        "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n"
        "Rough winds do shake the darling buds of May,\nAnd summer's lease hath all too short a date;",
        "so much depends\nupon\n\na red wheel\nbarrow",
        "Milk\nbread and butter\neggs from the farm",
        "- a man in a blue shirt is standing on a ladder cleaning a window\n- a group of people are in front of it",
        "a man in a blue shirt is standing on a ladder cleaning a window\na group of people are in front of an igloo",
        "A man in a blue shirt is standing on a ladder cleaning a window.\nA group of people are in front of an igloo.",
        "A man in a blue shirt is standing on a ladder cleaning a window\nA group of people are in front of an igloo",
        "John Smith\n12 High Street\nsome town in the north of England",
        "Dear Anna,\nthank you for your letter, which came here on Monday morning.\nYours, Ben",
        "1. first of all we take the milk out of the fridge in the kitchen\n2. then we pour it into a glass",
        "",
        "One line",
        "\n\n",
    ],
)
def test_verses_lists_and_lines_are_left_alone(text):
    lines = text.split("\n")
    assert not any(joined_breaks(lines))

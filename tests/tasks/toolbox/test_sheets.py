"""Sheets of pictures: letters, lines and shapes."""

import logging

import numpy as np
import pytest

from data.pictures.squares import shown_size, square_of
from tasks.toolbox import lettering, sheets
from tasks.toolbox.lettering import say_missing_letters, text_font, wrapped_lines

RUSSIAN = "\u0441\u043e\u0431\u0430\u043a\u0430 \u0431\u0435\u0436\u0438\u0442"
ARABIC = "\u0643\u0644\u0628 \u064a\u0631\u0643\u0636"
CHINESE = "\u4e00\u53ea\u72d7\u5728\u8349\u5730\u4e0a\u8dd1" * 9
BLACK = 60  # level of ink


@pytest.mark.parametrize("text", [RUSSIAN, ARABIC])
def test_letters_of_other_alphabets_are_drawn_and_not_boxes(text):
    font = text_font(text, 14)
    letters = [letter for letter in text if letter != " "]
    shapes = {np.asarray(font.getmask(letter)).tobytes() for letter in letters}
    assert len(shapes) >= len(set(letters)) - 1


def test_letters_that_no_font_has_are_said_once(caplog, monkeypatch):
    monkeypatch.setattr(lettering, "best_font", lambda letters: None)
    monkeypatch.setattr(lettering, "SAID", set())
    with caplog.at_level(logging.WARNING):
        say_missing_letters(["A dog \U00017000\U00017001", "\U00017000"])
        say_missing_letters(["\U00017000"])
    assert caplog.text.count("No font of this machine has 2 of the letters") == 1


@pytest.mark.parametrize("text", ["A dog runs over the wide green field in the sun", RUSSIAN * 5, CHINESE, "W" * 99])
def test_lines_fit_the_width_and_lose_nothing(text):
    font = text_font(text, 14)
    lines = wrapped_lines(text, font, 120)
    assert len(lines) > 1
    assert all(font.getlength(line) <= 120 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_mark_stays_with_its_letter():
    text = "e\u0301" * 40
    font = text_font(text, 14)
    assert all(line[0] == "e" for line in wrapped_lines(text, font, 50))


def test_pictures_keep_their_shape():
    wide = square_of(np.full((60, 60, 3), BLACK, "uint8"), 80, 20)
    assert shown_size(wide, 240) == (240, 60)
    sheet = np.asarray(sheets.captioned_sheet([(wide, ["a"])], columns=1))
    rows, columns = np.nonzero((sheet[:245] == BLACK).all(2))
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (60, 240)
    one = {"words": ["a", "</s>"], "weights": [[0.25] * 4] * 2, "name": "wide.jpg"}
    width, height = shown_size(wide, 150)
    panels = np.asarray(sheets.attention_sheet([(wide, one)]))
    rows, columns = np.nonzero((panels[:, :162] == BLACK).all(2)[: 6 + height + 2])
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (height, width) == (38, 150)
    assert len(panels) == height + 22 + 2 * 6, "no empty rows beside a wide picture"


def test_the_attention_to_a_dark_picture_can_be_seen():
    night = np.full((64, 64, 3), 12, "uint8")
    one = {"words": ["a"], "weights": [[1, 0, 0, 0]]}
    panel = np.asarray(sheets.attention_sheet([(night, one)]))[6:156, 162:312].astype(float)
    assert panel[:40, :40].mean() > 90
    assert panel[:40, :40].mean() > panel[-40:, -40:].mean() + 30


def test_long_captions_do_not_reach_into_the_next_picture():
    light = np.full((60, 60, 3), 255, "uint8")
    sheet = np.asarray(sheets.captioned_sheet([(light, ["WWWWWW " * 12]), (light, [""])], columns=2))
    assert (sheet[:, 252:] == 255).all()

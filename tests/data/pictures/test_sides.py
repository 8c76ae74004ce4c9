"""Captions that tell left from right."""

# ruff: noqa: RUF001 (letters of other scripts are meant)

import pytest

from data.pictures.sides import tells_sides

SIDED = """
a left-hand glove / the leftmost cup / LEFT / the lefthand side / an upper-right corner / a bottomleft sign / links_oben
links steht ein Hund / auf der linken Seite / rechts / un chien à gauche / à droite / a la izquierda / derecha
a sinistra / destra / à esquerda / direita / de linkerkant / till vänster / po lewej stronie / na pravé straně
слева / правая рука / 左边 / 右側に / 왼쪽 / ซ้าย
बाईं ओर / على اليسار / solda / sağında / di sebelah kiri
"""


@pytest.mark.parametrize("text", [text.strip() for line in SIDED.strip().splitlines() for text in line.split("/")])
def test_sides_are_found_in_any_language(text):
    assert tells_sides(text)


@pytest.mark.parametrize("text", ["a bright dog", "a solid rock", "a ball", "the parade", "eine Frau", "a lemon", ""])
def test_other_words_are_no_sides(text):
    assert not tells_sides(text)

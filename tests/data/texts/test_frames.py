"""Frames of texts: what is kept, what is read, and that nothing is lost."""

import itertools

import numpy as np
import pytest

from data.texts.frames import BREAK, Passage, merged_text, text_parts
from data.texts.text_items import text_items


def sentences(text, language="en"):
    return [part.text for part in text_parts(text, language) if isinstance(part, Passage)]


def whole(parts):
    """Return the text that parts came from."""
    return "".join(
        part
        if isinstance(part, str)
        else merged_text(part.text, 0, len(part.text), [mark for mark in part.marks if not BREAK.match(mark.text)])
        for part in parts
    )


FRAMES = [
    "<p>{}</p>", "- {}", "* {}", "\u2022 {}", "1. {}", "2) {}", "(a) {}", "(12) {}", "a) {}", "iv) {}", "> {}", ">> {}",
    "# {}", "### {}", '"{}"', "'{}'", "\u201e{}\u201c", "\u00ab {} \u00bb", "\u00bb{}\u00ab", "({})", "[{}]",
    "  {}  ", "\t{}\n", "\r\n{}\r\n", "{} \U0001f600", "\U0001f600 {}", "{} \u2764\ufe0f",
    "{} \U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea {}", "\u200b{}\ufeff", "&nbsp;{}",
    "{} https://example.org/a_b?c=d", "me@example.org {}", "**{}**", "<!-- note -->{}", "<b>{}</b>", "<br/>{}<br>",
    '<a href="x>y">{}</a>', "&quot;{}&quot;", "- [ ] {}", "> - 1. {}", "<ul><li>{}</li></ul>", "&lt;p&gt;{}&lt;/p&gt;",
    "=== {} ===", "| {} |", "\u2014 {}", "\u2460 {}", "{} :-)", "<script>let a = 'b c';</script>{}", "{{name}} {}",
]  # fmt: skip


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("text", ["A dog runs.", "Two dogs run in a park", "Él come.", "犬が走る。"])
def test_a_frame_is_kept_and_the_sentence_alone_is_read(frame, text):
    framed = frame.replace("{}", text)
    parts = text_parts(framed, "en")
    assert [part.text for part in parts if isinstance(part, Passage)] == [text]
    assert whole(parts) == framed
    assert not any(part.marks for part in parts if isinstance(part, Passage))


def test_frames_in_frames_are_kept_too():
    random = np.random.default_rng(0)
    pairs = itertools.product(FRAMES, repeat=2)
    for one, other in [pair for pair in pairs if random.random() < 0.2]:
        framed = one.replace("{}", other.replace("{}", "A dog runs."))
        assert whole(text_parts(framed, "en")) == framed


@pytest.mark.parametrize(
    ("text", "read", "marks"),
    [
        ("A <b>dog</b> runs.", "A dog runs.", ["<b>", "</b>"]),
        ("A dog \U0001f436 runs.", "A dog runs.", [" \U0001f436"]),
        ("A dog runs \U0001f436.", "A dog runs.", [" \U0001f436"]),
        ("See https://a.org/b. for more", "See. for more", [" https://a.org/b"]),
        ("I love [cats](http://x.y) most.", "I love cats most.", ["[", "](http://x.y)"]),
        ("Dear {name}, hello.", "Dear, hello.", [" {name}"]),
        ("A <i><b>big</b></i> dog", "A big dog", ["<i>", "<b>", "</b>", "</i>"]),
    ],
)
def test_what_stands_inside_a_sentence_is_a_mark(text, read, marks):
    (part,) = text_parts(text, "en")
    assert (part.text, [mark.text for mark in part.marks]) == (read, marks)
    assert whole([part]) == text


@pytest.mark.parametrize(
    "text",
    ["a < b", "5 <6 and 7> 3", "I <3 it", "x << y", "1 < 2 > 0", "if a <b then", "R&D and AT&T", "<>", "a & b; c"],
)
def test_a_less_than_sign_before_no_letter_is_a_sign(text):
    assert not any(item.kind in ("tag", "break") for item in text_items(text))


@pytest.mark.parametrize(
    "text",
    ["", " ", "\u200b", "\n\n\r\n", "123", "1. 2. 3.", "---", "\U0001f600", "<br>", "<p></p>", "&nbsp;", "3,50 €"],
)
def test_what_has_no_letter_is_copied(text):
    assert whole(text_parts(text, "en")) == text
    assert sentences(text) == []


def test_sentences_part_at_blocks_lines_and_marks():
    assert sentences("<p>One is. Two is.</p><p>Three<br>Four</p>") == ["One is.", "Two is.", "Three", "Four"]
    assert sentences("One\n\nTwo\r\nThree\u2028Four") == ["One", "Two", "Three", "Four"]
    assert sentences('He said: (It rains.) "We stay."') == ["He said: (It rains.)", "We stay."]
    assert sentences("A cat\tA dog") == ["A cat", "A dog"]


def test_a_german_date_is_not_the_number_of_a_list():
    assert sentences("3. Mai war ein Tag.", "de") == ["3. Mai war ein Tag."]
    assert sentences("3. Hunde laufen.", "de") == ["Hunde laufen."]


def test_a_line_break_inside_marked_up_text_is_like_a_space():
    text = "<p>A man\ngoes home.</p>\n<ul>\n<li>One</li>\n<li>Two</li>\n</ul>"
    assert sentences(text) == ["A man\ngoes home.", "One", "Two"]
    assert whole(text_parts(text, "en")) == text


def test_long_marked_up_texts_are_read_in_time():
    for text in (
        "<" * 5000,
        "<a " * 3000,
        '<a "' * 3000,
        "&lt;a" * 3000,
        "(" * 5000,
        "- " * 5000,
        "." * 5000,
        "<!--" * 2000,
    ):
        assert whole(text_parts(text, "en")) == text

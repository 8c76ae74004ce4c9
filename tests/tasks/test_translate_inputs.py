"""What the shipped translator does with texts as people have them: frames, case, length, guesses."""

import logging
import re
from pathlib import Path

import numpy as np
import pytest

import tasks
from data.batches import Batches
from data.splits import DataError
from data.texts.frames import Passage
from tasks.translate.clauses import clauses
from tasks.translate.codec import Codec
from tasks.translate.document import Document, Inset
from tasks.translate.insets import parting, text_with_insets
from tasks.translate.letter_case import cased, letter_case, sentence_case, usual_spelling

TEXTS = ["Two children play in the snow.", "A man in a blue shirt is standing on a ladder cleaning a window."]
WRAPPERS = [
    "<p>{}</p>", "- {}", "1. {}", "(a) {}", "> {}", "## {}", '"{}"', "\u201c{}\u201d", "  {}  ", "{}\n\n", "\r\n{}",
    "{} \U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467 {}", "{} \u2764\ufe0f\U0001f1e9\U0001f1ea", "**{}**",
    "\u200b\n{}", "{} https://example.org/?a=b", "<ul>\n<li>{}</li>\n</ul>", "<b>{}</b><!-- a -->", "12\n{}\n---",
]  # fmt: skip


@pytest.fixture(scope="module")
def shipped():
    return tasks.load("translate", Path(tasks.__file__).parent / "translate/pretrained/small")


@pytest.fixture(scope="module")
def plain(shipped):
    return [answer["translation"] for answer in shipped.predict(TEXTS)]


def translations(pipeline, *texts):
    return [answer["translation"] for answer in pipeline.predict(texts)]


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_frame_around_a_text_is_around_its_translation(shipped, plain, wrapper):
    assert translations(shipped, *(wrapper.replace("{}", text) for text in TEXTS)) == [
        wrapper.replace("{}", text) for text in plain
    ]


def test_capitals_and_titles_are_read_and_given_back(shipped, plain):
    upper = translations(shipped, *(text.upper() for text in TEXTS))
    assert upper == [text.upper() for text in plain]
    title = translations(shipped, "A Man Rides a Bike in the Snow.", "Two Children Play In The Snow.")
    assert title[0].startswith("Ein Mann Fährt ")
    assert title[0].endswith(" im Schnee.")
    assert [word.lower() for word in title[1].split()] == [word.lower() for word in plain[0].split()]
    assert all(word[0].isupper() for word in title[1].split())
    assert translations(shipped, "A DOG RUNS IN THE PARK.") == ["EIN HUND RENNT IM PARK."]


@pytest.mark.parametrize(
    ("text", "case"),
    [
        ("I LOVE YOU", "upper"), ("A DOG RUNS.", "upper"), ("HELLO!", "upper"), ("\u00c9T\u00c9 \u00c0 PARIS", "upper"),
        ("USA", "plain"), ("NASA!", "plain"), ("I", "plain"), ("I LOVE it", "plain"), ("NASA sends a man", "plain"),
        ("A Dog Runs in the Park", "title"), ("A Dog Runs", "title"), ("A dog runs", "plain"), ("a dog", "plain"),
        ("Tom and Mary", "plain"), ("A dog, Tom and Mary", "plain"), ("", "plain"), ("123", "plain"),
    ],
)  # fmt: skip
def test_the_case_of_a_sentence_is_told(text, case):
    def usual(word):
        return word if word.strip(",.") in ("Tom", "Mary") else word.lower()

    assert letter_case(text, "en", usual) == case


def test_the_case_of_a_sentence_is_taken_and_given_back():
    assert sentence_case("I SAW HIM, I'M SURE.", "upper", "en", str.lower) == "I saw him, I'm sure."
    assert sentence_case("'ICH BIN ES'", "upper", "de", str.lower) == "'Ich bin es'"
    assert cased("Straße im Park", "upper") == "STRASSE IM PARK"
    assert cased('ein "hund" im park', "title", frozenset({"im"})) == 'Ein "Hund" im Park'


def test_a_word_in_capitals_is_spelt_as_takes_fewest_sub_words():
    pieces = {"dog": 1, "Dog": 1, "tom": 2, "Tom": 1, "usa": 3, "Usa": 2, "USA": 1, "mary": 2, "Mary": 2, "MARY": 4}
    found = [usual_spelling(word, lambda one: pieces.get(one, 9)) for word in ("DOG", "TOM", "USA", "MARY", "Mary")]
    assert found == ["dog", "Tom", "USA", "mary", "Mary"]


def test_a_run_trained_on_capitals_reads_them():
    examples = [{"text": f"A DOG RUNS {number}", "translation": f"EIN HUND {number}"} for number in range(40)]
    codec = Codec.learn(tasks.configure("translate", data="builtin", vocabulary=512), examples)
    assert codec.cases == {"upper": 1.0, "title": 0.0}
    assert codec.document("A DOG RUNS").sentences[0].clauses[0].text == "A DOG RUNS"
    again = Codec.restore(codec.config, codec.state())
    assert again.state() == codec.state()
    old = {name: codec.state()[name] for name in ("source", "target", "sources", "targets", "pieces")}
    assert Codec.restore(codec.config, old).document("A DOG RUNS").sentences[0].case == "upper"


def test_tags_and_emoji_inside_a_sentence_go_where_their_words_go(shipped):
    found = translations(
        shipped,
        "A <b>black dog</b> runs in the <i>green park</i>.",
        "Two children \U0001f600 play in the snow.",
        "A man <b></b>and a <br/>woman",
    )
    assert found[0] == "Ein <b>schwarzer Hund</b> rennt im <i>grünen Park</i>."
    assert found[1] == "Zwei Kinder \U0001f600 spielen im Schnee."
    assert re.sub(r"[^<>/a-z]*(<[^>]*>)[^<]*", r"\1", found[2]).count("<") == 3


def test_nothing_that_stands_inside_a_sentence_is_lost(shipped):
    random = np.random.default_rng(0)
    things = ["<b>", "</b>", "<i>", "</i>", "\U0001f600", "https://a.org/b", "{name}", "`x y`", "me@a.org"]
    for _ in range(12):
        words = TEXTS[1].split()
        own = [things[number] for number in random.permutation(len(things))[:5]]
        for thing in own:
            words.insert(int(random.integers(1, len(words))), thing)
        (found,) = translations(shipped, " ".join(words))
        order = sorted(own, key=" ".join(words).index)
        places = [found.index(thing) for thing in order]
        assert places == sorted(places)


def test_insets_keep_their_order_and_their_space():
    insets = [(Inset("<b>", 0, 1, True), 3), (Inset("</b>", 0, 2, False), 8), (Inset(" :)", 0, 2, False), 8)]
    assert text_with_insets("Ein Hund rennt.", insets, str) == "Ein <b>Hund</b> :) rennt."
    assert text_with_insets("Ein Hund rennt.", [(Inset("\n", 0, 2, False), 8)], str.upper) == "EIN HUND\nRENNT."
    assert text_with_insets("", [(Inset(" :)", 0, 2, False), 8)], str) == ":) "
    assert [parting([0, 2, 1, 3, 0], place) for place in range(5)] == [0, 1, 1, 3, 5]


def test_wrapped_lines_are_one_sentence_and_stay_lines(shipped):
    lines = ["A man in a blue shirt is standing on a ladder cleaning a", "window, and a dog looks at him."]
    (found,) = translations(shipped, "\n".join(lines))
    assert found.count("\n") == 1
    assert found.replace("\n", " ") == translations(shipped, " ".join(lines))[0]


@pytest.mark.parametrize("text", ["12", "1.\n2.", "3,50 \u20ac", "...", "|", "\U0001f600", "https://example.org/a?b=1"])
def test_what_has_no_letter_is_copied(shipped, text):
    assert shipped.predict([text]) == [{"translation": text, "score": 0.0, "confident": True}]


@pytest.mark.parametrize("text", ["", " ", "\u200b\ufeff", "\n\n"])
def test_a_text_without_a_visible_sign_is_refused(shipped, text):
    with pytest.raises(DataError, match="is empty"):
        shipped.codec.read(text)


def test_entities_are_written_where_they_were_read(shipped):
    escaped, bare = translations(shipped, "<p>A man &amp; a dog.</p>", "A man &amp; a dog.")
    assert "&amp;" in escaped or "&" not in bare
    assert "&amp;" not in bare


def test_documents_and_raw_texts_get_the_same_answers(shipped):
    documents = [shipped.codec.read(text) for text in TEXTS]
    assert all(isinstance(document, Document) for document in documents)
    assert shipped.task.predict(shipped, documents) == shipped.predict(TEXTS)


def test_an_over_long_sentence_is_cut_and_all_of_it_translated(shipped, caplog):
    text = (
        ", and ".join(["a man in a red shirt sits on a bench", "two dogs run in the snow", "a woman reads"] * 4) + "."
    )
    with caplog.at_level(logging.WARNING, "tasks"):
        (answer,) = shipped.with_settings(n_best=2).predict([text])
    assert answer["cut"] == len(answer["sentences"]) > 2
    assert [message for message in caplog.messages if "part by part" in message] == [
        "1 of 1 texts have sentences longer than --max-length; these are translated part by part."
    ]
    assert answer["translation"].count("Hunde") >= 2
    assert "cut" not in shipped.predict([TEXTS[0]])[0]


def test_clauses_fit_and_hold_all_words():
    random = np.random.default_rng(0)
    for language, text in (
        ("en", "one two, three and four; five "),
        ("zh", "\u72ac\u5728\u8dd1\uff0c\u732b\uff1b"),
        ("en", "x"),
    ):
        for count in (1, 7, 40):
            whole = (text * count).strip()
            longest = int(random.integers(8, 20))
            found = clauses(whole, longest, language, lambda word: [len(word)] * len(word))
            assert all(len(clause.tokens) <= longest for clause in found)
            assert "".join(clause.text for clause in found).replace(" ", "") == whole.replace(" ", "")


def test_pairs_that_are_too_long_are_left_out_and_counted(caplog):
    config = tasks.configure("translate", data="builtin", max_length=12, vocabulary=512)
    examples = [{"text": "a dog", "translation": "ein Hund"}] * 30 + [{"text": "a dog " * 30, "translation": "ein"}] * 2
    with caplog.at_level(logging.WARNING, "tasks"):
        codec = Codec.learn(config, examples)
    assert caplog.messages == [
        "2 of 32 training pairs are longer than 12 sub-words and left out; a larger --max-length keeps them."
    ]
    assert [codec.turns(example) for example in examples[-3:]] == [1, 0, 0]
    with pytest.raises(DataError, match=r"All 2 pairs are longer than 12 sub-words; give a larger --max-length"):
        Codec.learn(config, examples[-2:])


def test_over_long_sources_are_counted_in_the_scores(shipped, caplog):
    examples = [{"text": text, "translation": "Ein Hund."} for text in (*TEXTS, "a dog, " * 60)]
    with caplog.at_level(logging.WARNING, "tasks"):
        report = shipped.score(examples)
    assert report.metrics["cut"] == 1
    assert "Sources with a sentence of more than 60 sub-words, cut into parts: 1." in caplog.messages


def test_guesses_are_marked_and_ordinary_sentences_are_not(shipped, caplog):
    with caplog.at_level(logging.WARNING, "tasks"):
        answers = shipped.predict([*TEXTS, "I love you.", "Ich liebe dich.", "qwrt zxpf", "\u72ac\u304c\u8d70\u308b"])
    assert [answer["confident"] for answer in answers] == [True, True, False, False, False, False]
    assert caplog.messages == ["4 of 6 texts are unlike the validation data; their translations are guesses."]


def test_a_run_that_has_not_seen_validation_data_does_not_judge(shipped):
    codec = shipped.codec.with_limits(None)
    (answer,) = type(shipped)(shipped.task, shipped.config, codec, shipped.network, shipped.run).predict(
        ["I love you."]
    )
    assert list(answer) == ["translation", "score"]


def test_a_chinese_wrapped_sentence_is_read_without_gaps(shipped):
    reader = shipped.codec.reader
    assert reader.sentence(Passage("\u72ac\u5728\n\u8dd1\u3002")).text == "\u72ac\u5728\u8dd1\u3002"


def test_batches_leave_out_pairs_that_are_too_long():
    config = tasks.configure("translate", data="builtin", max_length=12, vocabulary=512)
    examples = [{"text": "a dog " * 30, "translation": "ein"}, *[{"text": "a dog", "translation": "ein Hund"}] * 30]
    batches = Batches(examples, Codec.learn(config, examples), 8, seed=0)
    assert len(batches) == 4
    assert sum(len(inputs[0]) for inputs, *_ in batches.epoch()) == 30

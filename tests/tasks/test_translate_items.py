"""Names and numbers of a text are in its translation, or are named as missing."""

import json
import re
import shutil

import pytest

import tasks
from tasks.engine.members import RunError
from tasks.translate.lost_items import exchanged, lost_items, text_with_items, value_of
from tasks.translate.stand_ins import Item, StandIns


def pairs(*rows):
    return [{"text": text, "translation": translation} for text, translation in rows]


@pytest.fixture(scope="module")
def learnt():
    """Return what pairs with two names, a weekday and some numbers show."""
    rows = [("Tom is in Boston.", "Tom ist in Boston."), ("On Monday I see Tom.", "Am Montag sehe ich Tom.")] * 12
    rows += [
        ("It is 300 miles to Boston.", "Nach Boston sind es 300 Meilen."),
        ("Come at 2:30.", "Komm um 2.30 Uhr."),
    ] * 12
    rows += [("I was in New York.", "Ich war in New York.")] * 25
    rows += [(f"I met {name}.", f"Ich traf {name}.") for name in ("Ann", "Bea", "Cem")]
    return StandIns.learn(pairs(*rows))


def test_names_and_numbers_are_learnt_from_both_sides(learnt):
    assert list(learnt.names) == ["Boston", "Tom"]  # "New" goes before another, and "York" behind one
    assert set(learnt.numbers) == {"300", "2:30"}
    assert {"Tom", "Boston", "New", "York", "Ann"} <= learnt.kept
    assert "monday" in learnt.known
    assert learnt.capital


def test_what_was_learnt_is_restored(learnt):
    assert StandIns.restore(json.loads(json.dumps(learnt.state()))) == learnt


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zoe met Tom on Monday.", [("Zoe", False), ("Tom", True)]),
        ("I saw Zoe at 7:45 and 1,250.75 dollars.", [("Zoe", True), ("7:45", True), ("1,250.75", True)]),
        ("Mr. Zoe is Dr. Tom", [("Zoe", True), ("Tom", True)]),
        ("Anns car", [("Ann", True)]),
        ("I met Wolfeschlegelstein.", []),
        ("the 3rd of x2 and 555 0199", [("555 0199", True)]),
        ("", []),
    ],
)
def test_names_and_numbers_of_a_text_are_found(learnt, text, expected):
    assert [(item.text, item.sure) for item in learnt.items(text)] == expected
    assert all(text[item.start : item.end] == item.text for item in learnt.items(text))


def test_an_unknown_word_of_a_language_that_writes_nouns_with_a_capital_is_no_name_for_sure():
    rows = [(f"Das {word} ist da.", "It is there.") for word in ("Haus", "Boot", "Tor", "Dach")]
    (item,) = StandIns.learn(pairs(*rows)).items("Das Rad ist da.")
    assert (item.text, item.sure) == ("Rad", False)


def test_a_stand_in_follows_the_word_before_it_and_is_used_once(learnt):
    text = "Zoe is in Ulm at 7:45 with 12."
    items = learnt.items(text)
    assert learnt.others(text, items, 0) == ("Tom", "Boston", "2:30", "300")
    assert learnt.others("Zoe, Ulm, Ida", learnt.items("Zoe, Ulm, Ida"), 0) == ()
    assert learnt.others("Zoe and Tom", [Item("Zoe", 0)], 5) == ("Boston",)


@pytest.mark.parametrize(
    ("number", "translation", "is_lost"),
    [
        ("24.50", "24,50 Euro", False),
        ("24.50", "2450 Euro", True),
        ("1,000", "1.000", False),
        ("1,000", "1000", False),
        ("1,250.75", "1.250,75", False),
        ("7:45", "um 7.45 Uhr", False),
        ("7:45", "um 7.30 Uhr", True),
        ("3", "drei", True),
        ("3", "13", True),
    ],
)
def test_a_number_is_lost_if_its_value_is_not_there(number, translation, is_lost):
    assert bool(lost_items([Item(number, 0)], translation)) == is_lost


def test_a_number_that_a_text_has_twice_must_be_there_twice():
    assert lost_items([Item("3", 0), Item("3", 4)], "3 Hunde") == [Item("3", 4)]
    assert value_of("12,345,678") == "12345678"


def test_a_name_may_be_a_genitive_but_no_part_of_a_word():
    assert not lost_items([Item("Tom", 0)], "Toms Auto")
    assert lost_items([Item("Tom", 0)], "Tomate")


@pytest.mark.parametrize(
    ("translation", "expected"),
    [
        ("Tom kommt um 2.30 Uhr mit 300.", "Ann kommt um 7.45 Uhr mit 12."),
        ("Um 2.30 Uhr kommt Tom mit 300.", "Um 7.45 Uhr kommt Ann mit 12."),
        ("Toms Zug um 2:30, 300.", "Anns Zug um 7:45, 12."),
        ("Mit 300 kommt Tom um 2.30 Uhr.", None),  # which number is which is not sure
        ("Tom und Tom um 2.30 Uhr mit 300.", None),
        ("Tom um 2.30 Uhr.", None),
    ],
)
def test_items_are_put_back_if_each_has_one_place(translation, expected):
    text, others = "Ann at 7:45 with 12", ["Tom", "2:30", "300"]
    items = [Item("Ann", 0), Item("7:45", 7), Item("12", 17)]
    assert exchanged(text, items, others) == "Tom at 2:30 with 300"
    assert text_with_items(translation, items, others, True) == expected


@pytest.mark.parametrize(
    ("run", "text", "kept"),
    [
        ("general-en-de", "Anna and Paul live in Berlin.", "Anna Paul Berlin"),
        ("general-en-de", "The train leaves at 7:45 from platform 3.", "7.45 3"),
        ("general-en-de", "My phone number is 555 0199.", "555 0199"),
        ("general-en-de", "The bill is 1,250.75 dollars.", "1.250,75"),
        ("general-en-de", "Do you know Maximilian Schneider?", "Maximilian Schneider"),
        ("general-to-english", "Anna und Paul wohnen in Berlin.", "Anna Paul Berlin"),
        ("general-to-english", "Annas Auto ist rot.", "Anna"),
        ("general-to-english", "Hier sind 311 Leute.", "311"),
    ],
)
def test_the_runs_that_ship_keep_names_and_numbers(run, text, kept):
    (answer,) = tasks.load("translate", run).predict([text])
    assert all(re.search(rf"(?<!\w){re.escape(one)}", answer["translation"]) for one in kept.split()), answer
    assert "missing" not in answer


def test_what_is_missing_is_said(caplog):
    found = tasks.load("translate", "general-en-de").predict(["On 24 December 2025 we met Emma.", "A dog runs."])
    assert set(found[0]["missing"]) <= {"24", "2025", "Emma"} != set()
    assert "missing" not in found[1]
    assert "1 of 2 translations lack a name or number of their text" in caplog.text


def test_several_translations_and_alignments_are_given_with_names(tmp_path):
    pipeline = tasks.load("translate", "general-en-de").with_settings(n_best=3, alignment_file=tmp_path / "a.png")
    (answer,) = pipeline.predict(["Anna and Paul live in Berlin."])
    (sentence,) = answer["sentences"]
    assert len(sentence["translations"]) == 3
    assert sentence["translations"][0]["text"] == answer["translation"] == "Anna und Paul leben in Berlin."
    assert "".join(sentence["alignment"]["target"]).count("Anna") == 1


@pytest.mark.parametrize("state", [{}, {"names": 1}, {"names": {"Tom": ["in"]}}, {"kept": 3}, {"numbers": [3]}])
def test_a_run_with_a_damaged_table_is_refused(tmp_path, state):
    source = tasks.load("translate", "general-en-de").run
    run = shutil.copytree(source, tmp_path / "run")
    codec = json.loads((run / "codec.json").read_text())
    changed = codec | {"stand_ins": codec["stand_ins"] | state if state else {"other": 1}}
    (run / "codec.json").write_text(json.dumps(changed))
    facts = json.loads((run / "environment.json").read_text())
    (run / "environment.json").write_text(json.dumps({key: facts[key] for key in facts if key != "checksums"}))
    with pytest.raises(RunError):
        tasks.load("translate", run)


def test_a_run_without_a_table_translates_as_ever(tmp_path):
    run = shutil.copytree(tasks.load("translate", "general-en-de").run, tmp_path / "run")
    codec = json.loads((run / "codec.json").read_text())
    (run / "codec.json").write_text(json.dumps({key: codec[key] for key in codec if key != "stand_ins"}))
    facts = json.loads((run / "environment.json").read_text())
    (run / "environment.json").write_text(json.dumps({key: facts[key] for key in facts if key != "checksums"}))
    (answer,) = tasks.load("translate", run).predict(["Anna and Paul live in Berlin."])
    assert "missing" not in answer

"""Several sets of sentence pairs read as one, and the varied pairs that a general translator is trained on."""

import json
import logging
from unittest import mock

import numpy as np
import pytest
import tensorflow_datasets as tfds

import tasks
from data.splits import OptionError, Splits
from tasks.engine import evaluate as evaluation
from tasks.engine.config import SettingError
from tasks.toolbox.joined import joined_splits, set_metrics
from tasks.toolbox.metrics import translation_metrics
from tasks.translate.codec import Codec
from tasks.translate.languages import language_pair
from tasks.translate.pipeline import load
from tasks.translate.variety import copied_names, exchanged_pair, hasty_pair

SMALL = {"epochs": 1, "batch_size": 32, "average": 0, "embedding": 16, "units": 24, "vocabulary": 700}


def write(folder, **parts):
    folder.mkdir(exist_ok=True)
    for part, words in parts.items():
        (folder / f"{part}.en").write_text("".join(f"It is {word}.\n" for word in words))
        (folder / f"{part}.de").write_text("".join(f"Das ist {word}.\n" for word in words))
    return folder


@pytest.fixture
def sets(tmp_path):
    """Return two sets of the user's own; a test text of each is a training text of the other."""
    one = write(tmp_path / "one", train=["a", "b", "q"], val=["c"], test_x=["d", "e"], test_y=["f"])
    other = write(tmp_path / "other", train=["d", "g", "h", "i"], val=["j"], test=["q"])
    return f"{one},{other}"


def config(data, **settings):
    return tasks.configure("translate", data=data, source="en", target="de", **settings)


def words(rows):
    return [row["text"].split()[-1].rstrip(".") for row in rows]


def test_sets_are_joined_and_tell_their_names_and_what_another_tests_on_is_left_out(sets, caplog):
    splits = load(config(sets))
    assert [words(split) for split in splits] == [["a", "b", "g", "h", "i"], ["c", "j"], ["d", "e", "q"]]
    assert [row["set"] for row in splits.test] == ["one", "one", "other"]
    assert "set" not in splits.train[0]
    assert "2 of 7 training examples have a text that another set holds to validate or test" in caplog.text


def test_a_set_that_is_named_twice_is_shown_twice_and_tested_once(sets):
    one, other = sets.split(",")
    splits = load(config(f"{one},{other},{one}"))
    assert words(splits.train) == ["a", "b", "g", "h", "i", "a", "b"]
    assert len(splits.test) == 3


def test_a_set_or_a_part_of_one_is_chosen_to_test_on(sets, tmp_path):
    assert words(load(config(sets, test="other")).test) == ["q"]
    assert words(load(config(sets, test="test_y")).test) == ["f"]
    with pytest.raises(
        OptionError, match=r"No set is named 'test_z', and none has such a part; the sets are: one, oth"
    ):
        load(config(sets, test="test_z"))
    elsewhere = load(config("gone_a/,gone_b/", test=str(tmp_path / "one")))
    assert words(elsewhere.test) == ["d", "e"]  # the training data may be missing


@pytest.mark.parametrize("named", ["talks", "val"])
def test_the_part_that_is_tested_on_is_in_no_training_or_validation(named, tmp_path, caplog):
    one = write(tmp_path / "one", train=["a", "b", "k"], val=["c", "l"], talks=["d", "e"])
    other = write(tmp_path / "other", train=["d", "c", "g", "h"], val=["j", "m"], test=["q"])
    splits = load(config(f"{one},{other}", test=named))
    train, valid, test = (set(words(split)) for split in splits)
    assert test == {"talks": {"d", "e"}, "val": {"c", "l", "j", "m"}}[named]
    assert not test & (train | valid)
    assert not train & valid
    assert {row["set"] for row in splits.test} == ({"one"} if named == "talks" else {"one", "other"})
    assert "training examples have a text that another set holds to validate or test" in caplog.text


def test_own_files_the_catalogue_and_the_embedded_sentences_can_be_joined(sets, tmp_path):
    alone = load(config("builtin"))
    splits = load(config(f"{sets.split(',')[0]}, builtin"))
    assert [len(split) for split in splits] == [3 + len(alone.train), 1 + len(alone.valid), 2 + len(alone.test)]
    assert {row["set"] for row in splits.test} == {"one", "builtin"}
    (tmp_path / "dois").mkdir()
    for language in ("pt", "en"):
        (tmp_path / "dois" / f"train_{language}.txt").write_text("".join(f"{language} {row}\n" for row in range(20)))
    both = tasks.configure("translate", data=f"ted_hrlr_translate/pt_to_en,{tmp_path}/dois", data_dir=str(tmp_path))
    assert language_pair(both) == ("pt", "en")
    with tfds.testing.mock_data(num_examples=20), mock.patch("socket.getaddrinfo"):
        assert {row["set"] for row in load(both).test} == {"ted_hrlr_translate/pt_to_en", "dois"}


def test_sets_in_other_languages_are_refused(sets, tmp_path):
    french = tmp_path / "french"
    french.mkdir()
    for language in ("en", "fr"):
        (french / f"train.{language}").write_text("a\nb\n")
    with pytest.raises(SettingError, match=r"is read from 'en' to 'de', and .*french' from 'en' to 'fr'; name two lan"):
        load(tasks.configure("translate", data=f"{sets},{french}"))


def test_reading_joined_sets_asks_for_each_one_once(sets):
    asked = []

    def read(one):
        asked.append(one.data)
        return Splits([{"text": one.data, "translation": "x"}], [], [])

    joined_splits(config(f"{sets},{sets}"), read)
    assert asked == sets.split(",")


@pytest.mark.slow
def test_each_set_is_scored_apart(sets, tmp_path):
    pipeline = tasks.train("translate", tmp_path / "run", data=sets, source="en", target="de", **SMALL)
    scores = json.loads((pipeline.run / "metrics.json").read_text())["metrics"]
    assert (scores["examples_one"], scores["examples_other"]) == (2, 1)
    assert {"bleu_one", "bleu_one_low", "bleu_one_high", "bleu_one_signature", "chrf_other", "bleu"} <= scores.keys()
    card = (pipeline.run / "README.md").read_text()
    assert "`one,other`" in card
    assert "| bleu_one |" in card
    assert evaluation.evaluate(pipeline, "other").summary["examples"] == 1
    one, other = sets.split(",")
    assert tasks.evaluate("translate", pipeline.run, data=one).summary["examples"] == 2  # its test part
    more = write(tmp_path / "more", train=["x", "y"])
    most = write(tmp_path / "most", some=["u", "v", "w"])
    scores = tasks.evaluate("translate", pipeline.run, data=f"{more},{most}").summary["metrics"]
    assert (scores["examples_more"], scores["examples_most"]) == (2, 3)  # all of each
    assert tasks.evaluate("translate", pipeline.run, data=f"{other},{one}").summary["examples"] == 3
    with pytest.raises(SettingError, match=r"not trained with '.*more', scored whole, unlike '.*one', scored on a p"):
        tasks.evaluate("translate", pipeline.run, data=f"{one},{more}")


def scores(answers, truth):
    """Return the scores of the answers at some places."""
    return lambda rows: translation_metrics([answers[row] for row in rows], [truth[row] for row in rows], language="de")


def test_the_scores_of_a_set_are_those_of_its_own_examples():
    score = scores(["a b c d", "x"], ["a b c d", "y"])
    found = set_metrics(["good", "bad"], score)
    assert (round(found["bleu_good"]), found["bleu_bad"]) == (100, 0)
    assert set_metrics(["good", "good"], score) == set_metrics([None, None], score) == {}


def test_no_set_takes_the_name_of_another_score(caplog):
    names = ["low", "lowercased", "one_reference", "x", "x_low", "lowercased_x"]
    answers, taken = [*"abcdef"], {"bleu": 1.0, "bleu_low": 2.0, "bleu_lowercased": 3.0, "bleu_one_reference": 4.0}
    found = set_metrics(names, scores(answers, answers), taken)
    alone = set_metrics(["good", "bad"], scores(answers, answers))
    assert not found.keys() & taken.keys()
    assert len(found) == len(names) * len(alone) / 2  # none overwrites another
    assert {"bleu_low_set", "bleu_lowercased_set_low", "bleu_x", "bleu_x_low_set"} <= found.keys()
    assert "The scores of the set 'low' are called 'low_set', since others have its name." in caplog.text


def test_sets_of_one_name_are_told_apart_by_the_folders_around_them(tmp_path):
    for number, place in enumerate(("a", "b")):
        (tmp_path / place).mkdir()
        write(tmp_path / place / "news", train=[f"t{number}", f"u{number}"], val=[f"v{number}"], test=[f"w{number}"])
    data = f"{tmp_path}/a/news,{tmp_path}/b/news"
    assert [row["set"] for row in load(config(data)).test] == ["a/news", "b/news"]
    assert words(load(config(data, test="b/news")).test) == ["w1"]
    with pytest.raises(OptionError, match="No set is named 'news', and none has such a part; the sets are: a/news, b/"):
        load(config(data, test="news"))
    elsewhere = load(config("gone_a/,gone_b/", test=data))
    assert [row["set"] for row in elsewhere.test] == ["a/news", "b/news"]


def test_hasty_pairs_lose_no_word_and_some_of_each_kind_occur():
    pair = "I don't like Tom, do you?", "Ich mag Tom nicht, oder?"
    found = {hasty_pair(*pair, np.random.default_rng(seed)) for seed in range(60)}
    assert len(found) == 7
    assert pair not in found
    for text, translation in found:
        assert text.lower().replace("\u2019", "'").rstrip("?") == pair[0].lower().rstrip("?")
        assert translation.rstrip("?") == pair[1].rstrip("?")
        assert text.endswith("?") == translation.endswith("?")


def test_names_and_numbers_are_exchanged_on_both_sides_alike():
    names = copied_names(
        [{"text": text, "translation": text} for text in ("I saw Tom and Ann.", "In Rome it rains.", "I am NASA.")]
    )
    assert names == ("Ann", "Rome", "Tom")
    random = np.random.default_rng(3)
    text, translation = exchanged_pair(
        "Tom paid 31 of 300,000 at 2:30.", "Tom zahlte 31 von 300.000 um 2:30.", names, random
    )
    for left, right in zip(text.split(), translation.split(), strict=True):
        assert left == right.replace(".000", ",000") or (left, right) in [
            ("paid", "zahlte"),
            ("of", "von"),
            ("at", "um"),
        ]
    assert "Tom paid 31 of" not in text
    kept = "Tom's car is not Tom.", "Toms Auto ist nicht Tom."
    assert exchanged_pair(*kept, names, random) == kept  # one side has more of them


@pytest.mark.parametrize("digits", [1, 17, 18, 19, 20, 40])
def test_numbers_of_any_length_keep_it(digits):
    text = "9" * digits
    found = {exchanged_pair(text, text, (), np.random.default_rng(seed)) for seed in range(9)}
    assert all(one == other and len(one) == digits for one, other in found)
    assert (found == {(text, text)}) == (digits > 18)


@pytest.mark.parametrize("pair", [("....", "...."), ("?!?!", "Wie bitte?"), ("What?", "?")])
def test_a_text_of_marks_alone_is_kept(pair):
    for seed in range(30):
        assert all(hasty_pair(*pair, np.random.default_rng(seed)))


def test_training_varies_pairs_as_the_settings_say():
    rows = [
        {"text": f"I met Tom {number} times.", "translation": f"Ich traf Tom {number} Mal."} for number in range(40)
    ]
    plain, varied = (
        Codec.learn(tasks.configure("translate", data="builtin", vocabulary=600, sampling=0.0, **more), rows)
        for more in ({}, {"hasty": 0.9, "exchange": 0.9})
    )
    for codec, least, most in ((plain, 1, 1), (varied, 20, 60)):
        texts = {codec.pieces.text(codec.vary(rows[5], np.random.default_rng(seed))["spelt"][0]) for seed in range(60)}
        assert least <= len(texts) <= most
    assert max(map(len, (varied.tokens(digit) for digit in ("7", "9")))) <= 2
    assert len(varied.tokens("39")) == 1 + len(varied.tokens("3"))  # each digit is a sub-word


def test_all_references_are_read_and_scored(sets, tmp_path, caplog):
    one, _ = sets.split(",")
    lines = [{"en": "It is d.", "de": ["Das ist d.", "Es ist d."]}, {"en": "It is e.", "de": "Das ist e."}]
    table = tmp_path / "one" / "test_x.references.jsonl"
    table.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with caplog.at_level(logging.INFO, "tasks"):
        splits = load(config(sets))
    assert [row.get("references") for row in splits.test] == [["Das ist d.", "Es ist d."], ["Das ist e."], None]
    assert "not used beside" not in caplog.text
    back = load(tasks.configure("translate", data=one, source="de", target="en"))
    assert "references" not in back.test[0]
    table.write_text(json.dumps(lines[0]) + "\n")
    load(config(one))
    assert "1 of 2 texts are not in it, and have one reference" in caplog.text
    lines = [{"en": "It is d.", "de": own} for own in ("Das ist d.", "Es ist d.", "d ist das.")]
    table.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert load(config(one)).test[0]["references"] == ["Das ist d.", "Es ist d.", "d ist das."]  # of all rows


def test_references_in_other_languages_are_not_used_and_said(tmp_path, caplog):
    one = write(tmp_path / "one", train=["a", "b", "q"], val=["c"], test=["d", "e"])
    for part in ("train", "val", "test"):
        (one / f"{part}.fr").write_text((one / f"{part}.de").read_text().replace("Das ist", "C'est"))
    (one / "test.references.jsonl").write_text(json.dumps({"en": "It is d.", "de": ["Das ist d."]}) + "\n")
    splits = load(tasks.configure("translate", data=str(one), source="en", target="fr"))
    assert [row.get("references") for row in splits.test] == [None, None]
    assert "has not one column for 'en' and one for 'fr', and its references are not used" in caplog.text

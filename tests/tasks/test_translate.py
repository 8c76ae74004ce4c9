"""The translator: sentences and paragraphs, searches, alignments, and what can be wrong."""

import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import onnx
import pytest
import tensorflow_datasets as tfds
from PIL import Image

import tasks
from data.splits import DataError, OptionError
from data.texts.text import PAD
from data.texts.vocabulary import END, START
from tasks.engine import evaluate as evaluation
from tasks.engine.config import SettingError
from tasks.translate.decode import attention_alignment, beam_hypotheses
from tasks.translate.pipeline import language_pair, load
from tasks.translate.rerank import forced_scores

ROOT = Path(__file__).parents[2]
SMALL = {"data": "builtin", "limit": 200, "epochs": 3, "batch_size": 32, "average": 0, "embedding": 16, "units": 24}
TEXTS = ["The old man sees a small dog.", "A cat sleeps.", "Does the woman buy an apple in the town?", "Good morning!"]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    settings = SMALL | {"learning_rate": 0.01, "storage": "float16", "heads": 2}
    return tasks.train("translate", tmp_path_factory.mktemp("runs") / "run", **settings)


def command(*words, stdin=b"", cwd=ROOT):
    words = (sys.executable, ROOT / "cli.py", *words)
    return subprocess.run(words, input=stdin, capture_output=True, cwd=cwd, check=False)


def test_a_text_keeps_its_line_breaks_and_its_sentences_are_translated_alone(pipeline):
    text = "The old man sees a small dog. A cat sleeps.\n\nGood morning!"
    (whole,) = pipeline.predict([text])
    one, two, three = (answer["translation"] for answer in pipeline.predict([TEXTS[0], TEXTS[1], TEXTS[3]]))
    assert whole["translation"] == f"{one} {two}\n\n{three}"
    assert list(whole) == ["translation", "score", "confident"]


def test_neither_order_nor_company_changes_a_translation(pipeline):
    rows = [pipeline.codec.numbers(text) for text in TEXTS]
    together = beam_hypotheses(pipeline, rows)
    backwards = beam_hypotheses(pipeline.with_settings(batch_size=2), rows[::-1])[::-1]
    alone = [beam_hypotheses(pipeline, [row])[0] for row in rows]
    for one, two, three in zip(together, backwards, alone, strict=True):
        assert one[0].tokens == two[0].tokens == three[0].tokens
        np.testing.assert_allclose([one[0].score] * 2, [two[0].score, three[0].score], atol=1e-5)


def test_onnx_steps_as_keras_steps(pipeline):
    environment = json.loads((pipeline.run / "environment.json").read_text())
    assert environment["onnx_difference"] < 1e-4


def test_the_best_translations_come_in_order_and_differ(pipeline):
    (answer,) = pipeline.with_settings(n_best=4, beam=6).predict([TEXTS[0]])
    (sentence,) = answer["sentences"]
    scores = [one["score"] for one in sentence["translations"]]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)
    assert sentence["translations"][0] == {"text": answer["translation"], "score": answer["score"]}
    with pytest.raises(SettingError, match=r"`n_best` is 9, and the search keeps 5"):
        pipeline.with_settings(n_best=9)


def test_greedy_search_takes_the_most_probable_each_time(pipeline):
    row = pipeline.codec.numbers(TEXTS[0])
    ((found,),) = beam_hypotheses(pipeline.with_settings(beam=1, no_repeat_ngram=0), [row])
    (source,) = pipeline.codec.inputs([row])
    keys, values, *states = pipeline.network("encode", source)
    last, tokens = START, []
    while len(tokens) < pipeline.config.max_length:
        scores, _, *states = pipeline.network("step", np.array([last], "int32"), source != PAD, keys, values, *states)
        if not tokens:
            scores[:, END] = -np.inf  # a translation has one sub-word at least
        last = int(scores[0].argmax())
        if last == END:
            break
        tokens.append(last)
    assert found.tokens == tokens


def test_lengths_and_repeats_are_limited(pipeline):
    rows = [pipeline.codec.numbers(text) for text in TEXTS]
    for (best,) in beam_hypotheses(pipeline.with_settings(min_length=9, no_repeat_ngram=2), rows):
        assert 9 <= len(best.tokens) <= pipeline.config.max_length
        pairs = list(zip(best.tokens, best.tokens[1:], strict=False))
        assert len(set(pairs)) == len(pairs)


def test_an_alignment_says_where_each_sub_word_looked(pipeline, tmp_path):
    picture = tmp_path / "dog.png"
    own = pipeline.with_settings(alignment_file=str(picture))
    answers = own.predict(["A cat sleeps. Good morning!"])
    files = own.draw("A cat sleeps. Good morning!", answers[0])
    assert files == {"alignment_file": [str(tmp_path / name) for name in ("dog.png", "dog-2.png")]}
    for sentence in answers[0]["sentences"]:
        aligned = sentence["alignment"]
        weights = np.array(aligned["weights"])
        assert weights.shape == (len(aligned["target"]), len(aligned["source"]))
        np.testing.assert_allclose(weights.sum(1), 1, atol=5e-3)
        assert "".join(aligned["source"][:-1]).replace("\u2581", " ").strip() == sentence["text"]
    assert {path.name for path in tmp_path.iterdir()} == {"dog.png", "dog-2.png"}
    before = picture.read_bytes()
    own.draw("A dog.", own.predict(["A dog."])[0])
    assert picture.read_bytes() == before
    with Image.open(tmp_path / "dog-3.png") as drawn:
        assert drawn.width > 100
    row = pipeline.codec.numbers("A dog.")
    assert attention_alignment(pipeline, row, [])["target"] == ["</s>"]


def test_training_sees_other_spellings_of_a_source_each_epoch_and_validation_the_best(pipeline):
    codec, example = pipeline.codec, {"text": "The grandfather sings.", "translation": "Der Großvater singt."}
    varied = [codec.vary(example, np.random.default_rng(seed)) for seed in range(30)]
    assert len({str(one["spelt"][0]) for one in varied}) > 1
    assert {codec.pieces.text(one["spelt"][0]) for one in varied} == {example["text"]}
    assert {str(one["spelt"][1]) for one in varied} == {str(codec.numbers(example["translation"]))}
    (source, before, after), there, weights = codec.encode([example])
    assert before[0, 0] == START
    np.testing.assert_array_equal(before[0, 1:], after[0, :-1])
    np.testing.assert_array_equal(there, weights)
    np.testing.assert_array_equal(there, after != PAD)
    assert source[0][source[0] != PAD][-1] == END
    blurred, _, _ = codec.encode([example] * 50, np.random.default_rng(0))[0]
    assert 0.03 < (blurred != source).mean() < 0.2


def test_either_direction_is_read(pipeline):
    config = tasks.configure("translate", data="builtin", source="de")
    assert language_pair(config) == ("de", "en")
    there, back = load(tasks.configure("translate", data="builtin")), load(config)
    assert there.test[5] == {"text": back.test[5]["translation"], "translation": back.test[5]["text"]}


@pytest.mark.parametrize(
    ("settings", "pair"),
    [
        ({}, ("pt", "en")),
        ({"source": "en"}, ("en", "pt")),
        ({"target": "pt"}, ("en", "pt")),
        ({"data": "wmt14_translate/de-en"}, ("de", "en")),
        ({"data": "own.tsv"}, ("en", "de")),
        ({"data": "own.tsv", "target": "fr"}, ("en", "fr")),
    ],
)
def test_languages_follow_from_the_data_where_they_are_not_said(settings, pair):
    assert language_pair(tasks.configure("translate", **settings)) == pair


def test_the_languages_of_own_files_are_found_and_said(tmp_path, caplog):
    for language, word in (("es", "uno"), ("fr", "une")):
        (tmp_path / f"train.{language}").write_text("".join(f"{word} {number}\n" for number in range(9)))
    config = tasks.configure("translate", data=str(tmp_path))
    assert language_pair(config) == ("es", "fr")
    assert load(config).train[0]["text"].startswith("uno")
    assert "is read from 'es' to 'fr'; --source and --target name others" in caplog.text
    assert language_pair(tasks.configure("translate", data=str(tmp_path), source="fr")) == ("fr", "es")
    (tmp_path / "train.it").write_text("x\n")
    with pytest.raises(DataError, match=r"has text in: es, fr, it; name two languages with --source and --target"):
        load(config)


def test_a_catalogue_set_is_read(tmp_path):
    with tfds.testing.mock_data(num_examples=20), mock.patch("socket.getaddrinfo"):
        splits = load(tasks.configure("translate", data_dir=str(tmp_path)))
    assert sum(map(len, splits)) == 20
    assert {type(value) for value in splits.train[0].values()} == {str}
    assert set(splits.train[0]) == {"text", "translation"}


@pytest.fixture
def folder(tmp_path):
    sentences = load(tasks.configure("translate", data="builtin")).test
    english, german = ([row[key] for row in sentences] for key in ("text", "translation"))
    for name, rows in (("train", slice(0, 200)), ("test_a", slice(200, 220)), ("test_b", slice(220, 230))):
        (tmp_path / f"{name}.en").write_text("\n".join(english[rows]) + "\n", encoding="utf-8")
        (tmp_path / f"{name}.de").write_text("\n".join(german[rows]) + "\n", encoding="utf-8")
    return tmp_path


def test_a_test_file_is_chosen_by_name(pipeline, folder):
    own = pipeline.with_settings(data=str(folder), limit=None)
    counts = {split: evaluation.evaluate(own, split).summary["examples"] for split in ("test", "test_a", "test_b")}
    assert counts == {"test": 20, "test_a": 20, "test_b": 10}
    with pytest.raises(OptionError, match=r"no file 'test_c' to test on; choose one of: test_a, test_b"):
        evaluation.evaluate(own, "test_c")
    with pytest.raises(OptionError, match=r"No split is named 'test_a'"):
        evaluation.evaluate(pipeline, "test_a")


def test_metrics_have_their_intervals_and_signatures(pipeline):
    found = json.loads((pipeline.run / "metrics.json").read_text())["metrics"]
    assert found["bleu_low"] <= found["bleu"] <= found["bleu_high"]
    assert found["chrf_low"] <= found["chrf"] <= found["chrf_high"]
    assert found["bleu_lowercased"] >= found["bleu"]
    assert "tok:13a" in found["bleu_signature"]
    assert found["greedy_per_second"] > 0
    assert found["beam5_per_second"] > 0
    assert {path.name for path in (pipeline.run / "figures").iterdir()} == {"lengths.png", "alignments.png"}


def test_bad_input_is_named(pipeline, caplog):
    for text in ("", "  ", "\x00"):
        with pytest.raises(DataError, match="is empty"):
            pipeline.predict([text])
    with pytest.raises(SettingError, match=r"`beam` must be in \[1, 100\]; received 101"):
        pipeline.with_settings(beam=101)
    with caplog.at_level(logging.WARNING, "tasks"):
        answers = pipeline.predict(["犬が走る", "A cat sleeps.", "猫"])
        assert caplog.messages == ["2 of 3 texts are unlike the validation data; their translations are guesses."]
        assert [answer["confident"] for answer in answers] == [False, True, False]
        caplog.clear()
        pipeline.predict(["dog " * 5000])
        assert "1 of 1 texts have sentences longer than --max-length" in caplog.messages[0]
    with pytest.raises(SettingError, match=r"translates from 'en' to 'de'; received `source` 'fr'"):
        tasks.load("translate", pipeline.run, source="fr")
    with pytest.raises(SettingError, match=r"both 'en'"):
        load(tasks.configure("translate", data="builtin", source="en", target="en"))
    with pytest.raises(SettingError, match=r"are in 'en' and 'de'; received 'fr'"):
        load(tasks.configure("translate", data="builtin", source="fr"))


def test_languages_choose_among_the_runs_that_ship():
    for source, target, run in (
        ("de", None, "general-to-english"),
        (None, "de", "general-en-de"),
        (None, None, "general-en-de"),
    ):
        given = {name: value for name, value in (("source", source), ("target", target)) if value}
        assert tasks.load("translate", **given).run.name == run
    with pytest.raises(SettingError, match=r"translates from 'en' to 'de'; received `source` 'fr'"):
        tasks.load("translate", source="fr")
    with pytest.raises(SettingError, match=r"translates from 'en' to 'de'"):
        tasks.load("translate", "general-en-de", source="de")
    (answer,) = tasks.load("translate", source="de").predict(["Ich liebe dich."])
    assert answer["translation"] == "I love you."


def test_a_run_of_ones_own_is_not_left_in_silence_for_one_that_ships(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "tasks/translate/pretrained/small", tmp_path / "runs/translate/mine")
    monkeypatch.chdir(tmp_path)
    assert tasks.load("translate").run.name == "mine"
    with pytest.raises(SettingError, match=r"translates from 'en' to 'de'; received `source` 'de'"):
        tasks.load("translate", source="de")


def test_the_widest_beam_works(pipeline):
    wide = pipeline.with_settings(beam=100)
    ((best, *_),) = beam_hypotheses(wide, [pipeline.codec.numbers("A cat.")])
    assert best.tokens


@pytest.fixture(scope="module")
def backward(pipeline, tmp_path_factory):
    """Return a run from German to English."""
    settings = SMALL | {
        "learning_rate": 0.01,
        "limit": 100,
        "epochs": 1,
        "score": False,
        "source": "de",
        "target": "en",
    }
    return tasks.train("translate", tmp_path_factory.mktemp("runs") / "back", **settings).run


def test_a_given_translation_scores_as_the_search_scores_it(pipeline):
    pipeline = pipeline.with_settings(beam=4, n_best=4)
    rows = [pipeline.codec.numbers(text) for text in TEXTS]
    found = beam_hypotheses(pipeline, rows)
    pairs = [(row, one.tokens) for row, each in zip(rows, found, strict=True) for one in each]
    with mock.patch("tasks.translate.rerank.BATCH", 3):
        scores = forced_scores(pipeline, pairs)
    np.testing.assert_allclose(scores, [one.score for each in found for one in each], atol=1e-4)


def test_translations_are_ordered_by_a_run_of_the_other_way(pipeline, backward):
    wide = pipeline.with_settings(beam=6, n_best=6)
    alone, other = (one.predict(TEXTS) for one in (wide, wide.with_settings(rerank=backward, rerank_weight=0.0)))
    assert alone == other
    reranked = wide.with_settings(rerank=backward, rerank_weight=100.0)
    only = [answer["sentences"][0] for answer in reranked.predict(TEXTS)]
    back = tasks.load("translate", backward)
    for text, each, before in zip(TEXTS, only, alone, strict=True):
        texts = [one["text"] for one in each["translations"]]
        assert sorted(texts) == sorted(one["text"] for one in before["sentences"][0]["translations"])
        numbers = back.codec.numbers
        scores = forced_scores(back, [(numbers(one), numbers(text)) for one in texts])
        assert (np.diff(scores) <= 0.02).all(), "the other run decides"
    (first,) = reranked.with_settings(n_best=1).predict(TEXTS[:1])
    assert first["translation"] == only[0]["translations"][0]["text"]


def test_a_run_of_the_same_way_cannot_rerank(pipeline):
    with pytest.raises(SettingError, match=r"`rerank` takes a run from 'de' to 'en'; .* is from 'en' to 'de'\."):
        pipeline.with_settings(rerank=pipeline.run).predict(["A cat."])
    with pytest.raises(FileNotFoundError, match="nowhere"):
        pipeline.with_settings(rerank=Path("nowhere")).predict(["A cat."])


def test_from_the_command_line(pipeline, tmp_path):
    (tmp_path / "lines.txt").write_text("A dog sleeps.\nThe cat sees a bird.\n")
    words = ("predict", "translate", "--run", pipeline.run, "--quiet")
    result = command(*words, "--file", tmp_path / "lines.txt", "-", stdin="A man sings.\n\nA b\xff\n".encode("latin-1"))
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["input"] for row in rows][:1] == ["A man sings."]
    assert len(rows) == 5
    assert ["error" in row for row in rows] == [False, True, True, False, False]
    assert result.stderr.startswith(b"Error: There is no answer for 2 of 5 inputs")
    for wrong, code, sentence in (
        (("--source", "fr", "Un chien."), 2, b"translates from 'en' to 'de'"),
        (("",), 65, b"is empty"),
        (("--n-best", "6", "A dog."), 2, b"give a larger `beam`"),
    ):
        failed = command(*words, *wrong)
        assert failed.returncode == code
        assert sentence in failed.stderr
        assert len(failed.stderr.splitlines()) == 1


def test_files_that_do_not_fit_leave_nothing_behind(folder):
    (folder / "train.de").write_text("Nur eine Zeile.\n")
    result = command("train", "translate", "--data", folder, "--run", folder / "run")
    assert result.returncode == 65
    assert b"the same lines must translate each other" in result.stderr
    assert not (folder / "run").exists()


def test_the_tied_embedding_is_stored_once(pipeline):
    step = onnx.load(pipeline.run / "onnx" / "step.onnx")
    size = pipeline.codec.pieces.size
    assert sum(size in weight.dims for weight in step.graph.initializer) == 1

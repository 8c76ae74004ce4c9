"""What the text classifier promises beyond the contract of every task."""

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

import tasks
from data.builtin import sets
from data.builtin.opinions import fields
from data.splits import DataError
from data.texts.text import UNKNOWN
from tasks.engine import evaluate as evaluation
from tasks.engine.config import SettingError
from tasks.sentiment.classify import class_probabilities, word_weights
from tasks.sentiment.codec import STEP, Codec, excerpt, log_count_ratios
from tasks.sentiment.pipeline import load

ROOT = Path(__file__).parents[2]
SMALL = {
    "data": "builtin",
    "epochs": 2,
    "average": 0,
    "embedding": 8,
    "units": 6,
    "segment": 20,
    "storage": "float16",
    "learning_rate": 0.01,
}
TEXTS = ["A lovely film.", "Not good at all, I was bored. " * 30, "Terrible!", "worth it " * 200, "so so"]


@pytest.fixture(scope="module", params=["gru", "hybrid"])
def pipeline(request, tmp_path_factory):
    """Return a small run of a preset on the embedded reviews."""
    run = tmp_path_factory.mktemp("runs") / request.param
    table = {"ngrams": 4096} if request.param == "hybrid" else {}
    return tasks.train("sentiment", run, request.param, **SMALL, **table)


def chances(answers):
    return np.array([list(answer["probabilities"].values()) for answer in answers])


def command(*words, stdin=None):
    return subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), *map(str, words)], capture_output=True, input=stdin, check=False
    )


@pytest.mark.parametrize("engine", ["onnx", "keras"])
def test_padding_and_company_never_change_an_answer(pipeline, engine):
    pipeline = tasks.load("sentiment", pipeline.run, engine=engine)
    texts = [*TEXTS, *(example["text"] for example in sets.reviews()[1][:40])]
    together = chances(pipeline.predict(texts))
    alone = chances([pipeline.predict([text])[0] for text in texts])
    backwards = chances(pipeline.predict(texts[::-1]))[::-1]
    by_threes = chances(pipeline.with_settings(batch_size=3).predict(texts))
    for other in (alone, backwards, by_threes):
        np.testing.assert_allclose(other, together, atol=1e-5)
    row = pipeline.codec.tokens(TEXTS[0])
    for width in (len(row), 77, 800):
        pipeline.codec.widths[:], before = [width], list(pipeline.codec.widths)
        padded = class_probabilities(pipeline, [row])
        pipeline.codec.widths[:] = before
        np.testing.assert_allclose(padded[0], together[0], atol=1e-5)


def test_an_answer_has_a_label_and_probabilities_that_add_up(pipeline):
    for answer in pipeline.predict(TEXTS):
        assert list(answer)[:3] == ["label", "probability", "probabilities"]
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert (
            answer["probability"] == answer["probabilities"][answer["label"]] == max(answer["probabilities"].values())
        )


def test_an_explanation_weighs_each_word_that_is_read(pipeline):
    (answer,) = pipeline.with_settings(explain=True).predict(["Not a good film, İ think!"])
    assert [word for word, _ in answer["words"]] == ["Not", "a", "good", "film", ",", "İ", "think", "!"]
    row = np.array(pipeline.codec.tokens("Not a good film, İ think!"))
    without = row.copy()
    without[2] = UNKNOWN
    number = pipeline.codec.labels[answer["label"]]
    odds = [np.log(p / (1 - p)) for p in class_probabilities(pipeline, [row, without])[:, number]]
    assert answer["words"][2][1] == pytest.approx(odds[0] - odds[1], abs=1e-3)


def test_an_explanation_of_a_long_text_is_about_the_part_that_is_read(pipeline):
    text = " ".join(f"word{number}" for number in range(900))
    config = pipeline.config
    words = word_weights(pipeline, text, pipeline.predict([text])[0])["words"]
    assert len(words) == config.max_length
    assert words[-1][0] == "word899"


@pytest.mark.parametrize(
    "text",
    ["😀😀", "שלום עולם", "a\x00b", "\ufffd", "qwrtzp", "ﷺ", "🏳️‍🌈", "good " * 100_000],
    ids=lambda text: repr(text[:8]),
)
def test_any_text_with_a_mark_in_it_gets_an_answer(pipeline, text):
    (answer,) = pipeline.predict([text])
    assert 0 <= answer["probability"] <= 1


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\x00", "<br />", "&nbsp;"])
def test_a_text_without_words_is_refused_by_name(pipeline, text):
    with pytest.raises(DataError, match="is empty; give at least one word"):
        pipeline.predict(["fine", text])


JOINED = [
    "\u8fd9\u90e8\u7535\u5f71\u771f\u7684\u975e\u5e38\u597d\u770b",
    "\u6211\u4e00\u70b9\u4e5f\u4e0d\u559c\u6b22\u8fd9\u90e8\u7535\u5f71",
]


def test_a_text_of_mostly_unknown_words_is_answered_with_a_warning(pipeline, caplog):
    texts = ["a good film", "qwrtzp xcvb film ...", "qwrtzp good film", "\U0001f600", JOINED[0], "..."]
    with caplog.at_level("WARNING", "tasks"):
        answers = pipeline.predict(texts)
    assert [answer.get("confident", True) for answer in answers] == [True, False, True, False, False, True]
    (record,) = caplog.records
    assert "Most words of 3 of 6 texts are unknown" in record.getMessage()
    words = ["predict", "sentiment", "--run", pipeline.run, "qwrtzp xcvb"]
    assert b"answers are guesses" in command(*words).stderr
    assert command(*words, "--quiet").stderr == b""


def test_an_answer_says_that_a_text_is_cut(pipeline, caplog):
    length = pipeline.config.max_length
    with caplog.at_level("WARNING", "tasks"):
        answers = pipeline.predict(["good " * length, "good " * (length + 1), "good"])
    assert [answer.get("cut", False) for answer in answers] == [False, True, False]
    (record,) = caplog.records
    assert "1 of 3 texts are longer than --max-length and are cut" in record.getMessage()


@pytest.mark.parametrize(
    "other",
    [
        "<p>I don't like it, it's \"bad\".</p>",
        "I don\u2019t like it, it\u2019s \u201cbad\u201d.",
        "I don\u02bct like it, it`s \xabbad\xbb.",
        "&lt;p&gt;I don&rsquo;t like it, it&#39;s &quot;bad&quot;.&lt;/p&gt;",
        "\uff29 don't \uff4c\uff49\uff4b\uff45 it, it's \uff02\U0001d5ef\U0001d5ee\U0001d5f1\uff02.",
        "I don't li\xadke\u200b it, it's \u201dbad\u201d.\ufeff",
    ],
)
def test_markup_and_typography_never_change_an_answer(pipeline, other):
    plain = "I don't like it, it's \"bad\"."
    assert list(pipeline.codec.tokens(other)) == list(pipeline.codec.tokens(plain))
    assert pipeline.predict([other]) == pipeline.predict([plain])


def test_training_texts_are_read_as_those_that_are_answered():
    plain = [{"text": "it's good", "label": "a"}, {"text": "it's bad", "label": "b"}]
    marked = [{"text": f"<p>{row['text']}</p>".replace("'", "\u2019"), "label": row["label"]} for row in plain]
    config = tasks.configure("sentiment", **SMALL)
    assert Codec.learn(config, marked).state() == Codec.learn(config, plain).state()


def test_a_read_text_is_what_predict_takes(pipeline):
    texts = [pipeline.codec.read(text) for text in TEXTS]
    assert pipeline.task.predict(pipeline, texts) == pipeline.predict(TEXTS)
    np.testing.assert_array_equal(pipeline.codec.inputs(texts)[0], pipeline.codec.arrays([t.tokens for t in texts])[0])
    for text in ("", "\u200b", "<br/>", "\ufe0f"):
        with pytest.raises(DataError, match="is empty; give at least one word"):
            pipeline.codec.read(text)


@pytest.mark.parametrize(
    ("texts", "settings", "notice"),
    [
        (JOINED, {}, "has no spaces between words; train with --tokens pieces"),
        ([f"word{i} term{i} name{i} a" for i in range(20)], {}, "new texts will be mostly unknown"),
        (["a good film with a good end"] * 20, {}, None),
        (JOINED, {"tokens": "pieces"}, None),
    ],
)
def test_a_training_says_that_words_do_not_suit_its_texts(texts, settings, notice, caplog):
    rows = [{"text": text, "label": str(row % 2)} for row, text in enumerate(texts)]
    with caplog.at_level("WARNING", "tasks"):
        Codec.learn(tasks.configure("sentiment", **SMALL, **settings), rows)
    assert [notice in record.getMessage() for record in caplog.records] == ([True] if notice else [])


def test_sub_words_know_what_they_need_not_spell_in_bytes():
    config = tasks.configure("sentiment", **SMALL, tokens="pieces")
    codec = Codec.learn(config, sets.reviews()[0][:200])
    assert codec.read("a lovely unheardof film").known == 1
    assert codec.read(JOINED[0]).known == 0


def test_a_score_says_that_it_knows_few_words_and_never_answers_a_class(pipeline, caplog):
    rows = [{"text": f"qwrtzp{row} xcvb", "label": label} for row, label in enumerate(["positive", "negative"] * 3)]
    with caplog.at_level("WARNING", "tasks"):
        report = pipeline.score(rows)
    assert "Of the words of the scored texts 100 % are unknown" in caplog.text
    assert "is never answered" in caplog.text
    assert "--class-weights balanced" in caplog.text
    assert all(row["answer"]["confident"] is False for row in report.answers)


def test_balanced_weights_lift_a_rare_class():
    rows = [{"text": "so it is", "label": "a" if row % 10 else "b"} for row in range(40)]
    config = tasks.configure("sentiment", **SMALL, class_weights="balanced")
    codec = Codec.learn(config, rows).for_training(rows)
    tokens, labels, weights = codec.encode(rows, np.random.default_rng(0))
    assert weights[labels == 0].sum() == pytest.approx(weights[labels == 1].sum())
    assert len(tokens) == len(weights) == 40
    assert len(Codec.learn(tasks.configure("sentiment", **SMALL), rows).encode(rows)) == 2


@pytest.mark.slow
def test_a_training_with_balanced_weights_runs(tmp_path):
    small = SMALL | {"epochs": 1, "limit": 64, "ngrams": 512, "class_weights": "balanced"}
    assert tasks.train("sentiment", tmp_path / "run", **small).predict(["fine"])


def test_calibration_never_makes_the_validation_loss_larger(pipeline):
    codec = pipeline.codec
    valid = pipeline.task.load(pipeline.config).valid
    rows = [codec.tokens(example["text"]) for example in valid]
    labels = np.array([codec.labels[example["label"]] for example in valid])

    def loss(weights):
        found = class_probabilities(replace(pipeline, codec=codec.with_weights(weights)), rows)
        return -np.log(found[np.arange(len(labels)), labels]).mean()

    start = [1 / len(codec.weights)] * len(codec.weights)
    assert codec.weights != start
    assert loss(codec.weights) <= loss(start) + 1e-6
    for factor in (0.8, 1.25):
        assert loss(codec.weights) <= loss([factor * weight for weight in codec.weights]) + 1e-6


def test_metrics_and_figures_are_the_fields_own(pipeline):
    metrics = json.loads((pipeline.run / "metrics.json").read_text())["metrics"]
    assert list(metrics)[:6] == ["accuracy", "accuracy_low", "accuracy_high", "f1", "auc", "ece"]
    assert metrics["accuracy_low"] < metrics["accuracy"] < metrics["accuracy_high"]
    names = {path.stem for path in (pipeline.run / "figures").glob("*.png")}
    assert names == {"confusion", "roc", "reliability", "lengths"}
    rows = [json.loads(line) for line in (pipeline.run / "answers.jsonl").read_text().splitlines()]
    worst = rows[: min(metrics["errors"], 50)]
    assert all(row["answer"]["label"] != row["reference"] for row in worst)
    confidence = [row["answer"]["probability"] for row in worst]
    assert confidence == sorted(confidence, reverse=True)


def test_the_embedded_reviews_are_many_balanced_and_each_is_there_once():
    train, test = sets.reviews()
    assert len(train) + len(test) >= 1000
    for part in (train, test):
        labels = [example["label"] for example in part]
        assert labels.count("positive") == labels.count("negative")
        assert set(labels) == {"positive", "negative"}
    texts = [example["text"].casefold() for example in [*train, *test]]
    assert len(set(texts)) == len(texts)


def test_a_pair_of_embedded_reviews_is_never_parted():
    train, test = sets.reviews()
    for part in (train, test):
        assert all(example["label"] == "positive" for example in part[::2])
        assert all(example["label"] == "negative" for example in part[1::2])
    splits = tasks.get("sentiment").load(tasks.configure("sentiment", data="builtin"))
    partner = {one["text"]: other["text"] for one, other in zip(train[::2], train[1::2], strict=True)}
    held = {example["text"] for example in splits.valid}
    assert all((one in held) == (other in held) for one, other in partner.items())
    assert len(splits.train) + len(splits.valid) == len(train)


@pytest.mark.parametrize("cell", ["lstm", "rnn"])
@pytest.mark.parametrize("pooling", ["last", "max", "mean", "attention"])
def test_every_cell_and_pooling_builds_and_masks(cell, pooling):
    settings = {"cell": cell, "pooling": pooling, "segment": 0, "depth": 2, "recurrent_dropout": 0.1}
    config = tasks.configure("sentiment", **{**SMALL, **settings})
    codec = Codec.learn(config, sets.reviews()[0][:50])
    from tasks.sentiment import network

    model = network.build(config, codec)
    row = codec.tokens(TEXTS[0])
    short, long = np.array([row], "int32"), np.array([[*row, 0, 0, 0]], "int32")
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(model(short)), keras.ops.convert_to_numpy(model(long)), atol=1e-5
    )


def test_the_final_state_of_segments_is_refused():
    with pytest.raises(SettingError, match="--segment 0"):
        tasks.configure("sentiment", pooling="last")


def test_log_count_ratios_by_hand():
    rows, labels = [np.array([1, 2]), np.array([1]), np.array([3])], [0, 0, 1]
    found = log_count_ratios(rows, labels, (4, 2), smoothing=1.0)
    # with 1 added to each of 4 places: class 0 has 1, 3, 2, 1 of 7; class 1 has 1, 1, 1, 2 of 5
    expected = np.log(np.array([3 / 7 * 5, 2 / 7 * 5, 1 / 7 * 5 / 2]))
    np.testing.assert_allclose(found[1:, 0], STEP * expected, rtol=1e-5)
    np.testing.assert_allclose(found[1:, 1], -found[1:, 0], rtol=1e-5)
    assert (found[0] == 0).all()


@pytest.mark.slow
def test_own_classes_are_learnt_from_a_table(tmp_path):
    kinds = {"sport": "the team won the match", "food": "a soup of beans", "sky": "stars and a moon at night"}
    with (tmp_path / "own.csv").open("w", newline="") as file:
        rows = [(name, f"{text} number {number}") for number in range(40) for name, text in kinds.items()]
        csv.writer(file).writerows([("topic", "body"), *rows])
    settings = {**SMALL, "data": str(tmp_path / "own.csv"), "columns": "text=body,label=topic"}
    pipeline = tasks.train(
        "sentiment",
        tmp_path / "run",
        **settings
        | {
            "epochs": 12,
            "batch_size": 16,
            "tokens": "pieces",
            "embedding_dropout": 0.1,
            "dropout": 0.1,
            "span_dropout": 0.0,
        },
    )
    answers = pipeline.predict(["the team won the match", "a soup of many beans", "moon and stars at night"])
    assert [answer["label"] for answer in answers] == ["sport", "food", "sky"]
    metrics = json.loads((pipeline.run / "metrics.json").read_text())["metrics"]
    assert metrics["accuracy"] > 0.9
    assert set(metrics["classes"]) == set(kinds)
    (answer,) = pipeline.with_settings(explain=True).predict(["unheard beans"])
    assert [word for word, _ in answer["words"]] == ["unheard", "beans"]


def test_a_table_with_one_class_only_leaves_nothing_behind(tmp_path):
    (tmp_path / "own.csv").write_text("text,label\n" + "fine,yes\n" * 20)
    result = command("train", "sentiment", "--data", tmp_path / "own.csv", "--run", tmp_path / "run")
    assert result.returncode == 65
    assert b"one class only, 'yes'" in result.stderr
    assert not (tmp_path / "run").exists()


def test_standard_input_of_any_bytes_is_answered_line_by_line(pipeline):
    result = command(
        "predict", "sentiment", "--run", pipeline.run, "-", stdin=b"good \xff\xfe\n\n  \nnul\x00 byte\nlast"
    )
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.returncode == 65
    assert [row["input"] for row in rows] == ["good \ufffd\ufffd", "", "  ", "nul\x00 byte", "last"]
    assert ["error" in row for row in rows] == [True, True, True, False, False]
    assert "likely --encoding" in rows[0]["error"]


@pytest.mark.slow
def test_a_line_of_ten_megabytes_is_answered(pipeline):
    result = command("predict", "sentiment", "--run", pipeline.run, "--quiet", "-", stdin=b"good film " * 1_000_000)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["answer"]["label"] in {"positive", "negative"}


def test_a_file_is_answered_into_a_new_file_and_never_over_an_old_one(pipeline, tmp_path):
    (tmp_path / "reviews.csv").write_text('id,said\n1,"good, really"\n2,bad\n')
    words = ["predict", "sentiment", "--run", pipeline.run, "--file", tmp_path / "reviews.csv"]
    out = ["--out", tmp_path / "answers.jsonl"]
    result = command(*words, *out)
    assert (result.returncode, result.stdout) == (65, b"")
    assert b"no column 'text'; its columns are: id, said" in result.stderr
    assert not (tmp_path / "answers.jsonl").exists()
    assert command(*words, *out, "--columns", "text=said").returncode == 0
    rows = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert [row["input"] for row in rows] == ["good, really", "bad"]
    again = command(*words, *out, "--columns", "text=said")
    assert again.returncode == 73
    assert len((tmp_path / "answers.jsonl").read_text().splitlines()) == 2


def test_an_empty_row_has_an_error_in_step(pipeline, tmp_path):
    (tmp_path / "reviews.jsonl").write_text('{"text": "fine"}\n{"text": " "}\n{"text": "bad"}\n')
    out = tmp_path / "answers.jsonl"
    result = command("predict", "sentiment", "--run", pipeline.run, "--file", tmp_path / "reviews.jsonl", "--out", out)
    assert result.returncode == 65
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(row["row"], row["input"], "error" in row) for row in rows] == [
        (1, "fine", False),
        (2, " ", True),
        (3, "bad", False),
    ]


def test_nothing_to_answer_is_wrong_use(pipeline):
    result = command("predict", "sentiment", "--run", pipeline.run)
    assert result.returncode == 2
    assert b"--file" in result.stderr


def bare(text):
    """Return the words of a text alone."""
    return re.sub(r"[^a-z0-9' ]", "", text.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")).strip()


def test_the_embedded_opinions_are_balanced_and_none_is_in_another_part():
    (train, test), reviews = sets.opinions(), [example for part in sets.reviews() for example in part]
    labels = [example["label"] for example in test]
    assert (len(train), len(test)) == (7543, 222)
    assert labels.count("positive") == labels.count("negative") == len(labels) / 2
    assert abs(sum(example["label"] == "positive" for example in train) / len(train) - 0.5) < 0.01
    assert {example["kind"] for example in test} == {"plain", "negation", "contrast", "comparison"}
    written, tested, others = ([bare(example["text"]) for example in part] for part in (train, test, reviews))
    for texts in (written, tested):
        assert len(set(texts)) == len(texts)
    assert not {*written} & {*tested}
    assert not {*written} & {*others}
    assert len({*tested} & {*others}) == 2  # by their words alone
    words = [set(text.split()) for text in tested]
    for one in map(set, map(str.split, written)):
        assert all(len(one & other) <= 0.6 * len(one | other) for other in words), "none is nearly one of the test"


@pytest.mark.parametrize(("before", "after"), [(0, 500), (500, 0), (500, 500)])
def test_a_branch_of_words_and_pairs_comes_and_goes_with_the_settings_of_a_start(before, after, tmp_path):
    small = SMALL | {"epochs": 1, "limit": 64}
    tasks.train("sentiment", tmp_path / "one", **small, ngrams=before, score=False)
    other = tasks.train("sentiment", tmp_path / "two", **small, ngrams=after, init_from=tmp_path / "one", score=False)
    assert len(other.codec.weights) == (2 if after else 1)
    assert (other.codec.table is not None) == bool(after)
    assert tasks.load("sentiment", tmp_path / "two").predict(TEXTS[:2])
    if before and after:
        np.testing.assert_array_equal(
            other.codec.table.keys, tasks.load("sentiment", tmp_path / "one").codec.table.keys
        )


def test_composed_opinions_are_for_training_alone_and_none_is_validated_on():
    composed = sets.composed_opinions()
    texts = [example["text"] for example in composed]
    assert len(composed) == 4000
    assert [example["label"] for example in composed[:4]] == ["positive", "negative"] * 2
    assert len(set(texts)) > 3800
    both = {text for text, count in Counter(texts).items() if count > 1}
    labels = {text: {one["label"] for one in composed if one["text"] == text} for text in both}
    assert all(len(found) == 1 for found in labels.values()), "no text has both labels"
    plain = {example["text"].casefold().strip(".!") for example in composed}
    assert not plain & {example["text"].casefold().strip(".!") for example in sets.opinions()[1]}
    assert not plain & {example["text"].casefold().strip(".!") for example in sets.reviews()[1]}
    splits = load(tasks.configure("sentiment", data="opinions"))
    assert [*map(len, splits)] == [3600 + 6789, 400 + 754, 222]
    assert {one["label"] for one in splits.valid[:2]} == {"positive", "negative"}, "pairs stay together"
    own = load(tasks.configure("sentiment", data="builtin"))
    assert not {*texts} & {example["text"] for part in own for example in part}
    assert all(len(found) > 3 for field in fields() for found in field.values())


def test_the_embedded_opinions_are_scored_by_their_kinds():
    found = tasks.load("sentiment", data="opinions")
    metrics = evaluation.evaluate(found).report.metrics
    kinds = ("plain", "negation", "contrast", "comparison")
    assert sum(metrics[f"examples_{kind}"] for kind in kinds) == 222
    right = sum(metrics[f"accuracy_{kind}"] * metrics[f"examples_{kind}"] for kind in kinds)
    assert right == pytest.approx(metrics["accuracy"] * 222)


def test_kinds_are_scored_beside_examples_without_one(caplog):
    examples = [{**example, "set": "own"} for example in sets.reviews()[1][:20]]
    examples += [{**example, "set": "opinions"} for example in sets.opinions()[1][:60]]
    metrics = tasks.load("sentiment").score(examples).metrics
    assert metrics["examples_own"] == 20
    assert sum(value for name, value in metrics.items() if name in ("examples_plain", "examples_negation")) <= 60
    assert not any("None" in name for name in metrics)
    assert "None" not in caplog.text


def labelled(path, *rows):
    """Write a table of texts and labels."""
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    return path


def joined(*places, **settings):
    return tasks.get("sentiment").load(tasks.configure("sentiment", data=",".join(map(str, places)), **settings))


def test_sets_are_joined_and_their_labels_read_as_classes_of_the_first(tmp_path, caplog):
    own = labelled(tmp_path / "own.csv", *((f"text {n}", ["neg", "pos"][n % 2]) for n in range(40)))
    alone, both = joined("builtin"), joined(own, "builtin", "builtin")
    assert {example["label"] for part in both for example in part} == {"neg", "pos"}
    assert len(both.train) == len(joined(own).train) + 2 * len(alone.train)
    assert {example["set"] for example in both.test} == {"own.csv", "builtin"}
    said = "Labels read as classes of the first set: 'negative' as 'neg', 'positive' as 'pos'."
    assert caplog.text.count(said) == 1
    assert sum(example["set"] == "opinions" for example in joined(own, "opinions").test) == 222


def test_labels_of_joined_sets_are_mapped_or_refused(tmp_path):
    stars = labelled(tmp_path / "stars.csv", *((f"text {n}", [1, 5][n % 2]) for n in range(40)))
    with pytest.raises(
        DataError, match=r"labels of the data are '1', '5'; the classes of the first set are 'negative'"
    ):
        joined("builtin", stars)
    mapped = joined("builtin", stars, labels="1=negative,5=positive")
    assert {example["label"] for example in mapped.train} == {"negative", "positive"}
    with pytest.raises(DataError, match=r"No set has the label '3', which --labels names\."):
        joined("builtin", stars, labels="1=negative,5=positive,3=positive")
    with pytest.raises(DataError, match="the first set"):
        joined("builtin", stars, labels="1=negative")


@pytest.mark.slow
def test_a_run_of_joined_sets_is_scored_by_set(tmp_path):
    own = labelled(tmp_path / "own.csv", *((f"text {n} is fine", ["neg", "pos"][n % 2]) for n in range(60)))
    small = {"units": 8, "embedding": 8, "vocabulary": 300, "epochs": 1, "excerpts": 0.5}
    pipeline = tasks.train("sentiment", tmp_path / "run", data=f"{own},builtin", **small)
    metrics = json.loads((pipeline.run / "metrics.json").read_text())["metrics"]
    assert metrics["examples_builtin"] == 394
    assert metrics["examples_own.csv"] > 0


def test_an_excerpt_is_some_sentences_in_a_row():
    random, text = np.random.default_rng(0), "One is here.<br />Two is, too! And three? Four."
    parts = ["One is here.", "Two is, too!", "And three?", "Four."]
    found = {excerpt(text, random) for _ in range(200)}
    rows = [" ".join(parts[a:b]) for a in range(4) for b in range(a + 1, min(a + 4, 5))]
    assert found == {*rows}
    assert [excerpt(short, random) for short in ("", "no end", "  ")] == ["", "no end", ""]


def test_excerpts_are_read_in_training_alone_and_draw_nothing_without():
    train = sets.reviews()[0][:50]
    codec = Codec.learn(tasks.configure("sentiment", data="builtin", excerpts=1.0), train)
    text = {"text": "One. Two. Three. Four. Five.", "label": "positive"}
    assert codec.vary(text, np.random.default_rng(0))["text"] != text["text"]
    plain = Codec.learn(tasks.configure("sentiment", data="builtin"), train)
    random = np.random.default_rng(0)
    assert plain.vary(text, random) is text
    assert random.random() == np.random.default_rng(0).random()

"""The choice of a caption by training pictures that look alike, and what a run keeps for it."""

import base64
import json
import logging
from dataclasses import replace

import numpy as np
import pytest

import tasks
from data.holdout import limited_examples
from tasks.caption import consensus
from tasks.caption.consensus import Choice, agreeing, training_neighbours
from tasks.caption.neighbours import KINDS, Neighbours, directions
from tasks.engine.config import SettingError
from tasks.engine.load import restored_codec
from tasks.engine.members import RunError
from tasks.toolbox.search import Hypothesis

pytestmark = pytest.mark.slow

SMALL = {"data": "builtin", "limit": 40, "epochs": 1, "average": 0, "score": False}
CAPTIONS = [[[3, 4, 5, 6], [3, 4]], [[7, 8, 5]], [], [[3, 9, 9, 9, 9]]]


@pytest.fixture
def neighbours():
    vectors = np.array([[4.0, 0.0], [0.0, 4.0], [-3.0, -3.0], [4.0, 1.0]])
    return Neighbours.of(vectors, CAPTIONS)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consensus, "FEWEST", 30)
        return tasks.train("caption", tmp_path_factory.mktemp("runs") / "run", neighbours=36, **SMALL)


def test_the_nearest_are_those_of_the_smallest_angle_from_the_mean(neighbours):
    numbers, cosines = neighbours.nearest(np.array([[9.0, 1.0], [-1.0, 30.0]]), 2)
    vectors = directions(np.array([[4.0, 0.0], [0.0, 4.0], [-3.0, -3.0], [4.0, 1.0]]), neighbours.mean)
    expected = directions(np.array([[9.0, 1.0], [-1.0, 30.0]]), neighbours.mean) @ vectors.T
    assert numbers.tolist() == np.argsort(-expected, 1)[:, :2].tolist()
    np.testing.assert_allclose(cosines, -np.sort(-expected, 1)[:, :2], atol=2e-2)
    assert [neighbours.captions(number) for number in range(4)] == CAPTIONS


def test_the_agreement_is_the_mean_cosine_of_weighted_n_grams(neighbours):
    seen = [sum(any(token in caption for caption in each) for each in CAPTIONS) for token in range(10)]

    def profile(caption, order):
        found = {}
        for start in range(len(caption) - order + 1):
            gram = tuple(caption[start : start + order])
            found[gram] = found.get(gram, 0) + np.mean([np.log(4 / max(seen[token], 1)) for token in gram])
        length = np.sqrt(sum(value**2 for value in found.values()))
        return {gram: value / length for gram, value in found.items()} if length else {}

    def cosine(one, other, order):
        first, second = profile(one, order), profile(other, order)
        return sum(value * second.get(gram, 0) for gram, value in first.items())

    others = [caption for picture in (0, 3) for caption in CAPTIONS[picture]]
    for caption in ([3, 4, 5, 6], [9, 9], [7]):
        expected = np.mean([[cosine(caption, other, order) for order in range(1, 5)] for other in others])
        assert neighbours.agreement([caption], [0, 3])[0] == pytest.approx(expected)
    assert neighbours.agreement([[3, 4, 5, 6]], [0])[0] <= 1


def test_pictures_without_captions_and_unknown_tokens_agree_with_nothing(neighbours):
    assert neighbours.agreement([[3, 4]], [2]) == [0]
    assert neighbours.agreement([[55], []], [0]) == [0, 0]


def test_the_agreement_decides_and_the_score_breaks_ties():
    found = [Hypothesis([1], -0.1), Hypothesis([2], -0.9), Hypothesis([3], -0.5)]
    assert [one.tokens for one in agreeing(found, [0.1, 0.3, 0.3])] == [[3], [2], [1]]
    assert [one.tokens for one in agreeing(found, [0.1, 0.1, 0.1])] == [[1], [3], [2]]
    assert agreeing(found, [0.2, 0.1, 0.0])[0] == Choice([1], -0.1, 0.2)


def test_a_run_keeps_as_many_training_pictures_as_it_is_told_and_answers_the_same_when_restored(pipeline):
    again = tasks.load("caption", pipeline.run, beam=4, n_best=3, look_alikes=2)
    assert len(again.codec.neighbours.counts) == 36
    for name in KINDS:
        np.testing.assert_array_equal(getattr(again.codec.neighbours, name), getattr(pipeline.codec.neighbours, name))
    pictures = [example["image"] for example in again.task.load(again.config).test[:3]]
    for answer in again.predict(pictures):
        worths = [one["agreement"] + consensus.SCORE_SHARE * one["score"] for one in answer["captions"]]
        assert worths == sorted(worths, reverse=True)
        assert answer["captions"][0] == {name: answer[name] for name in ("caption", "score", "agreement")}
        assert [len(one["captions"]) for one in answer["look_alikes"]] == [5, 5]
        assert answer["look_alikes"][0]["cosine"] >= answer["look_alikes"][1]["cosine"]


def test_a_training_picture_looks_most_like_itself(pipeline):
    train = limited_examples(pipeline.task.load(pipeline.config).train, 40, pipeline.config.seed)
    kept = limited_examples(train, 36, pipeline.config.seed)[7]
    one = tasks.load("caption", pipeline.run, look_alikes=1, ensemble=True)
    (answer,) = one.predict([kept["image"]])
    (found,) = answer["look_alikes"]
    assert found["cosine"] == pytest.approx(1, abs=1e-2)
    assert found["captions"] == [one.codec.text(one.codec.numbers(caption)) for caption in kept["captions"]]


def test_the_best_of_all_hypotheses_is_chosen_and_no_consensus_leaves_the_search_alone(pipeline):
    pictures = [example["image"] for example in pipeline.task.load(pipeline.config).test[:4]]
    plain = tasks.load("caption", pipeline.run, beam=5, consensus=False).predict(pictures)
    assert all("agreement" not in answer for answer in plain)
    every = tasks.load("caption", pipeline.run, beam=5, n_best=5).predict(pictures)
    chosen = tasks.load("caption", pipeline.run, beam=5).predict(pictures)
    for one, all_five, alone in zip(chosen, every, plain, strict=True):
        assert one["caption"] == all_five["caption"]
        assert alone["caption"] == max(all_five["captions"], key=lambda each: each["score"])["caption"]


def test_look_alikes_of_a_run_without_training_pictures_are_refused(pipeline, tmp_path):
    other = tasks.train("caption", tmp_path / "run", **SMALL)
    assert other.codec.neighbours is None
    with pytest.raises(SettingError, match="`look_alikes` takes a run that keeps training pictures"):
        tasks.load("caption", other.run, look_alikes=1).predict([other.task.load(other.config).test[0]["image"]])


def test_pictures_that_are_not_kept_are_counted(pipeline, monkeypatch, caplog):
    train = limited_examples(pipeline.task.load(pipeline.config).train, 40, pipeline.config.seed)
    with caplog.at_level(logging.INFO):
        assert training_neighbours(pipeline, train) is None
        monkeypatch.setattr(consensus, "FEWEST", 30)
        assert len(training_neighbours(pipeline, train).counts) == 36
    assert caplog.messages == [
        "No training pictures are kept in the run: 36 of 40 (--neighbours 36) are too few; it takes 500.",
        "36 of 40 training pictures are kept in the run (--neighbours, and at most 8 MB).",
    ]


def text(values, kind):
    return base64.b64encode(np.array(values, kind).tobytes()).decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vectors", text([1] * 7, "|i1")),
        ("mean", ""),
        ("mean", text([np.inf, 0], "<f4")),
        ("tokens", text([3, 0, 3, 0, 3], "<i4")),
        ("tokens", text([3, 0, 99, 0, 3, 0, 3, 0], "<i4")),
        ("tokens", text([3, 0, -3, 0, 3, 0, 3, 0], "<i4")),
        ("counts", text([4, 1, 0, -1], "<i4")),
        ("counts", text([2**31 - 1] * 4, "<i4")),
        ("counts", "@"),
        ("frequencies", text([5], "<i4")),
        ("frequencies", text([-1], "<i4")),
        ("frequencies", ""),
        ("mean", text([1e30, 0], "<f4")),
        ("tokens", text([3, 0, 3, 0, 3, 3, 3, 3, 3, 3, 0, 3, 0], "<i4")),
        ("tokens", "AAA"),
        ("mean", 3),
        ("vectors", None),
    ],
)
def test_damaged_neighbours_are_refused(neighbours, name, value):
    with pytest.raises(ValueError, match=r"(?i)pictures|base64|padding|multiple|is not|characters"):
        Neighbours.restore(neighbours.state() | {name: value}, 10, 5)


def test_neighbours_without_captions_or_with_too_many_are_refused(neighbours):
    none = {"tokens": "", "counts": text([0] * 4, "<i4")}
    many = {"tokens": text([3, 0] * 24, "<i4"), "counts": text([21, 1, 1, 1], "<i4")}
    for state in (none, many):
        with pytest.raises(ValueError, match="captions of pictures"):
            Neighbours.restore(neighbours.state() | state, 10, 5)
    assert Neighbours.restore(neighbours.state(), 10, 5).captions(0) == CAPTIONS[0]


def test_neighbours_of_another_network_are_damage(pipeline):
    state = pipeline.codec.neighbours.state()
    wrong = pipeline.codec.neighbours.of(np.ones((36, 3)), [[[3]]] * 36)
    codec = pipeline.codec.with_neighbours(wrong)
    picture = pipeline.task.load(pipeline.config).test[0]["image"]
    with pytest.raises(RunError, match="is damaged: its pictures are compared by 3 numbers, and its network gives"):
        replace(pipeline, codec=codec).predict([picture])
    assert pipeline.codec.neighbours.state() == state


def test_a_run_keeps_no_more_than_it_can_be_read_with(monkeypatch):
    vectors, captions = np.random.default_rng(0).normal(size=(200, 30)), [[[3, 4]]] * 200
    whole = consensus.fitting_neighbours(vectors, captions, 0)
    assert len(whole.counts) == 200
    assert sum(map(len, whole.state().values())) == pytest.approx(whole.size, abs=16)
    monkeypatch.setattr(consensus, "LARGEST", 5000)
    fewer = consensus.fitting_neighbours(vectors, captions, 0)
    assert 50 < len(fewer.counts) < 200
    assert fewer.size <= 5000


def test_a_run_with_damaged_neighbours_is_damaged(pipeline, tmp_path):
    state = json.loads((pipeline.run / "codec.json").read_text())
    state["neighbours"]["counts"] = "AAAA"
    (tmp_path / "codec.json").write_text(json.dumps(state))
    with pytest.raises(RunError, match=r"codec\.json' is damaged"):
        restored_codec(pipeline.task, tmp_path, pipeline.config)

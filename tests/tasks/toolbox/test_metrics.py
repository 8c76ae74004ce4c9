"""Metrics against numbers computed by hand, and the pictures of them."""

import json
from shutil import which
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from tasks.engine.config import SettingError
from tasks.engine.files import write_new
from tasks.engine.network import ComparedNetwork
from tasks.toolbox import figures, metrics, sheets
from tasks.toolbox.bleu import bleu_tokenizer
from tasks.toolbox.metrics import classification_metrics, share_interval


def test_classification_by_hand():
    scores = classification_metrics(list("aaaabbc"), list("aaabbcc"), list("abc"))
    assert scores["accuracy"] == pytest.approx(5 / 7)
    assert scores["errors"] == 2
    assert scores["confusion"] == [[3, 1, 0], [0, 1, 1], [0, 0, 1]]
    assert scores["classes"]["a"] == pytest.approx({"precision": 1, "recall": 0.75, "f1": 6 / 7, "examples": 4})
    assert scores["classes"]["b"] == pytest.approx({"precision": 0.5, "recall": 0.5, "f1": 0.5, "examples": 2})
    assert scores["f1"] == pytest.approx((6 / 7 + 1 / 2 + 2 / 3) / 3)


@pytest.mark.parametrize(
    ("right", "total", "low", "high"), [(9955, 10000, 0.99399, 0.99664), (0, 10, 0, 0.27753), (10, 10, 0.72247, 1)]
)
def test_the_wilson_interval_by_its_formula(right, total, low, high):
    z, share = 1.959964, right / total
    middle = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    assert share_interval(right, total) == pytest.approx((middle - half, middle + half), abs=1e-6)
    assert share_interval(right, total) == pytest.approx((low, high), abs=1e-4)


def test_a_class_that_is_never_answered_counts_as_zero():
    assert classification_metrics(["a", "b"], ["a", "a"], ["a", "b"])["classes"]["b"]["f1"] == 0


def test_a_confusion_matrix_is_a_picture():
    image = figures.confusion_matrix([[30, 1], [0, 12]], ["cat", "dog"])
    assert image.mode == "RGB"
    assert min(image.size) > 300
    assert len(image.getcolors(100_000)) > 10


@pytest.mark.parametrize("count", [0, 1, 5, 25])
def test_a_gallery_has_room_for_every_picture(count):
    sheet = figures.picture_gallery([np.full((28, 28), 200, "uint8")] * count, ["7 read as 1"] * count, side=50)
    grey = np.asarray(sheet.convert("L"))
    assert (grey == 200).sum() == pytest.approx(count * 50 * 50, rel=0.02, abs=5)


def test_a_comparison_keeps_the_largest_difference():
    compared = ComparedNetwork(lambda name, x: (x, x), lambda name, x: (x + 0.25, x - 0.5))
    np.testing.assert_array_equal(compared("f", np.zeros(3))[0], np.zeros(3))
    assert compared.difference == 0.5


def test_the_area_under_the_curve_by_hand():
    chances = np.array([[0.9, 0.1], [0.4, 0.6], [0.65, 0.35], [0.2, 0.8]])
    assert metrics.ranking_area(["a", "a", "b", "b"], chances, ["a", "b"]) == pytest.approx(0.75)
    assert metrics.ranking_area(["a", "a", "a", "a"], chances, ["a", "b"]) is None
    three = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
    assert metrics.ranking_area(["a", "b", "c"], three, ["a", "b", "c"]) == 1.0
    assert metrics.ranking_area(["a", "b", "b"], three, ["a", "b", "c"]) == pytest.approx(1.0)


def test_the_calibration_error_by_hand():
    rows = metrics.reliability_rows(np.array([0.95, 0.95, 0.55, 1.0]), np.array([True, False, True, True]), bins=10)
    assert [(row["examples"], row["accuracy"]) for row in rows] == [(1, 1.0), (3, pytest.approx(2 / 3))]
    assert rows[1]["confidence"] == pytest.approx(2.9 / 3)
    assert metrics.calibration_error(rows) == pytest.approx(0.25 * 0.45 + 0.75 * (2.9 / 3 - 2 / 3))


def test_a_perfectly_calibrated_guesser_has_no_error():
    random = np.random.default_rng(0)
    confidence = random.uniform(0.5, 1, 200_000)
    rows = metrics.reliability_rows(confidence, random.random(200_000) < confidence)
    assert metrics.calibration_error(rows) < 0.005


def test_translations_score_as_the_papers_count():
    answers = ["the the the the the the the", "It is a guide to action which ensures that the military obeys"]
    truth = ["The cat is on the mat", "It is a guide to action that ensures that the military will obey"]
    found = metrics.translation_metrics(answers, truth, resamples=50)
    matches, totals = [1 + 10, 8, 6, 4], [7 + 12, 6 + 11, 5 + 10, 4 + 9]  # by hand: words, pairs, threes, fours
    assert found["bleu"] == pytest.approx(100 * np.prod(np.array(matches) / totals) ** 0.25, abs=1e-6)
    assert found["bleu_low"] <= found["bleu"] <= found["bleu_high"] or found["bleu_high"] > 0
    assert found["length_ratio"] == pytest.approx(1.0)
    assert found["bleu_lowercased"] >= found["bleu"]
    assert "tok:13a" in found["bleu_signature"]
    assert "case:mixed" in found["bleu_signature"]
    perfect = metrics.translation_metrics(truth, truth, resamples=50)
    assert [round(perfect[name], 6) for name in ("bleu", "bleu_low", "bleu_high", "chrf")] == [100] * 4
    nothing = metrics.translation_metrics(["x"], ["y"], resamples=10)
    assert nothing["bleu"] == nothing["bleu_low"] == nothing["bleu_high"] == 0


def test_one_of_several_references_is_enough():
    truth = [["ein Hund rennt nach Hause", "ein Hund läuft heim"], "eine Katze schläft im Haus"]
    found = metrics.translation_metrics([truth[0][1], truth[1]], truth, resamples=10)
    assert round(found["bleu"]) == round(found["chrf"]) == 100
    assert found["bleu_one_reference"] < 80
    assert "nrefs:var" in found["bleu_signature"]
    assert "bleu_one_reference" not in metrics.translation_metrics(["a"], ["a"], resamples=10)


DOG_ZH, DOG_KO, DOG_TH = (
    "\u72d7\u5728\u516c\u56ed\u91cc\u8dd1\u3002",
    "\uac1c\uac00 \ub2ec\ub9b0\ub2e4.",
    "\u0e2b\u0e21\u0e32\u0e27\u0e34\u0e48\u0e07",
)


@pytest.mark.parametrize(
    ("language", "text", "tokenizer"),
    [
        ("zh_CN", DOG_ZH, "zh"),
        ("cmn", DOG_ZH, "zh"),
        ("zho_Hant", DOG_ZH, "zh"),
        ("kor", DOG_KO, "char"),
        ("th", DOG_TH, "char"),
        ("de-AT", "ein Hund rennt weg", "13a"),
        (None, "a dog runs home", "13a"),
    ],
)
def test_a_perfect_translation_is_perfect_in_any_script(language, text, tokenizer):
    found = metrics.translation_metrics([text] * 120, [text] * 120, resamples=5, language=language)
    assert found["bleu"] == pytest.approx(100)
    assert f"eff:no|tok:{tokenizer}|" in found["bleu_signature"]
    assert found["length_ratio"] == 1


def test_japanese_is_cut_into_words_where_that_is_installed():
    for place, tokenizer in ((object(), "ja-mecab"), (None, "char")):
        with mock.patch("tasks.toolbox.bleu.find_spec", return_value=place):
            assert {bleu_tokenizer(code) for code in ("ja", "jpn", "ja_JP")} == {tokenizer}


def test_a_wrong_translation_without_spaces_is_neither_perfect_nor_worthless():
    other = DOG_ZH.replace("\u72d7", "\u732b")
    assert 50 < metrics.translation_metrics([DOG_ZH] * 3, [other] * 3, 5, "zh")["bleu"] < 99


def test_tiny_sets_say_that_they_leave_out_missing_lengths():
    few = metrics.translation_metrics(["a dog"], ["a dog"], resamples=5)
    assert few["bleu"] == pytest.approx(100)
    assert "eff:yes" in few["bleu_signature"]
    short = metrics.translation_metrics(["a dog"] * 150, ["a dog"] * 150, resamples=5)
    assert short["bleu"] == pytest.approx(100)
    assert "eff:yes" in short["bleu_signature"]


@pytest.mark.parametrize("language", [None, "zh", "ko"])
@pytest.mark.parametrize(
    ("answers", "truth"),
    [
        ([""], ["a dog runs"]),
        (["a dog runs"], [""]),
        ([""] * 3, [""] * 3),
        (["", "a dog runs home now", ""], ["x y", "a dog runs home now", "z"]),
        (["a dog runs home now", *[""] * 199], ["a dog runs home now"] * 200),
        (["one sentence that is alone"], ["one sentence that is alone"]),
        ([" ", "."], ["a", " "]),
    ],
)
def test_empty_translations_and_references_are_scored(answers, truth, language):
    found = metrics.translation_metrics(answers, truth, resamples=50, language=language)
    json.dumps(found, allow_nan=False)
    for name in ("bleu", "chrf"):
        assert 0 <= found[f"{name}_low"] <= found[f"{name}_high"] <= 100


@pytest.mark.parametrize(
    ("answers", "truth"),
    [([""], [["a dog"]]), (["a dog"], [[""]]), ([""] * 3, [["", ""]] * 3), (["..."], [["!!"]])],
)
def test_empty_captions_and_references_are_scored(answers, truth):
    found = metrics.caption_metrics(answers, truth, resamples=20)
    json.dumps(found, allow_nan=False)
    for name in ("cider", "cider_high", "bleu_1", "bleu_4_high"):
        assert found[name] == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("count", [1, 3])
def test_a_split_of_one_class_has_metrics_and_pictures(count):
    truth, chances = ["a"] * count, np.array([[0.9, 0.1]] * count)
    found = metrics.classification_metrics(truth, truth, ["a", "b"])
    json.dumps(found | {"auc": metrics.ranking_area(truth, chances, ["a", "b"])}, allow_nan=False)
    assert figures.roc_curve(truth, chances, ["a", "b"]).mode == "RGB"
    rows = metrics.reliability_rows(chances.max(1), np.ones(count, bool))
    assert figures.reliability_diagram(rows).mode == "RGB"


def test_psnr_by_hand():
    truth = np.zeros((6, 6), "uint8")
    answer = truth.copy()
    answer[2:4, 2:4] = 51  # a fifth of 255, at all of the inside
    assert metrics.psnr(answer, truth, border=2) == pytest.approx(20 * np.log10(5))
    assert metrics.psnr(answer, truth) == pytest.approx(20 * np.log10(5) + 10 * np.log10(9))
    assert metrics.psnr(truth, truth) == metrics.PERFECT


def test_ssim_equals_its_definition():
    random = np.random.default_rng(0)
    one, other = (random.integers(0, 256, (15, 15)).astype(float) for _ in range(2))
    around = np.exp(-((np.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    window = np.outer(around, around) / around.sum() ** 2
    places = [np.s_[row : row + 11, column : column + 11] for row in range(5) for column in range(5)]
    values = []
    for place in places:
        a, b = one[place], other[place]
        mean_a, mean_b = (window * a).sum(), (window * b).sum()
        var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
        both = (window * (a - mean_a) * (b - mean_b)).sum()
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        values.append(
            (2 * mean_a * mean_b + c1) * (2 * both + c2) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
        )
    assert metrics.ssim(one, other) == pytest.approx(np.mean(values), abs=1e-9)
    assert metrics.ssim(np.pad(one, 2), np.pad(other, 2, mode="reflect"), border=2) == metrics.ssim(one, other)
    assert metrics.ssim(one, one) == 1


def test_an_interval_of_a_mean_holds_it_and_is_always_the_same():
    values = list(np.random.default_rng(1).normal(30, 2, 200))
    low, high = metrics.mean_interval(values)
    assert (low, high) == metrics.mean_interval(values)
    assert low < np.mean(values) < high
    assert high - low == pytest.approx(2 * 1.96 * 2 / np.sqrt(200), rel=0.15)


ANSWERS = ["A dog runs on the grass.", "A man rides a bike.", "A dog runs on the grass."]
TRUTH = [
    ["A dog runs through the grass .", "The dog runs on the grass ."],
    ["Two boys play in the water .", "Boys are swimming ."],
    ["A brown dog is running .", "A dog runs on green grass ."],
]


def test_captions_by_hand():
    scores = metrics.caption_metrics(ANSWERS, TRUTH)
    pairs = [(6, 6), (5, 0), (6, 5)]  # words said, and those that a reference has
    lengths = [6, 6, 6]  # of the nearest reference
    brevity = np.exp(min(0, 1 - sum(lengths) / sum(said for said, _ in pairs)))
    right = sum(found for _, found in pairs) / sum(said for said, _ in pairs)
    assert scores["bleu_1"] == pytest.approx(100 * brevity * right)
    assert scores["distinct"] == pytest.approx(200 / 3)
    assert scores["words"] == len({*["a", "dog", "runs", "on", "the", "grass", "man", "rides", "bike"]})
    assert scores["length"] == pytest.approx(17 / 3)
    for name in ("cider", "bleu_4", "rouge_l"):
        assert scores[f"{name}_low"] <= scores[name] <= scores[f"{name}_high"]


def test_perfect_captions_score_perfectly():
    said = [captions[0] for captions in TRUTH]
    scores = metrics.caption_metrics(said, [[caption] for caption in said])
    assert [round(scores[name], 6) for name in ("bleu_1", "bleu_4", "bleu_4_low", "rouge_l")] == [100] * 4
    assert scores["cider"] == pytest.approx(1000)


def test_rouge_of_captions_by_its_formula():
    scores = metrics.caption_metrics(["a b c d", "x"], [["a c d e f"], ["x"]])
    precision, recall = 3 / 4, 3 / 5
    weighted = (1 + 1.2**2) * precision * recall / (recall + 1.2**2 * precision)
    assert scores["rouge_l"] == pytest.approx(100 * (weighted + 1) / 2)


@pytest.mark.slow
@pytest.mark.skipif(which("java") is None, reason="no Java here")
def test_meteor_is_counted_where_java_is():
    assert metrics.caption_metrics(ANSWERS, TRUTH, meteor=True)["meteor"] == pytest.approx(29, abs=10)


def test_meteor_without_java_is_refused():
    with mock.patch.object(metrics, "which", return_value=None), pytest.raises(SettingError, match="takes Java"):
        metrics.caption_metrics(ANSWERS, TRUTH, meteor=True)


def test_pictures_with_words_and_with_looks():
    pixels = np.zeros((8, 8, 3), "uint8")
    assert sheets.captioned_sheet([(pixels, ["a", "b c"])] * 5).width == 4 * 250 + 10
    one = {"words": ["a", "dog", "</s>"], "weights": [[1, 0, 0, 0], [0, 0.5, 0.5, 0], [0.25] * 4]}
    sheet = np.asarray(sheets.attention_sheet([(pixels + 200, one)]))
    first, second = sheet[20:140, 170:300].mean((0, 2)), sheet[20:140, 330:450].mean((0, 2))
    assert first[:30].mean() > first[-30:].mean() + 10  # lit at the upper left alone
    assert second.mean() < 200


def test_a_picture_is_saved_beside_others_and_never_over_them(tmp_path):
    picture = Image.new("RGB", (4, 4))
    for _ in range(3):
        write_new(tmp_path / "a.png", picture)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-2.png", "a-3.png", "a.png"]

"""The published figures, on the real data sets."""

import json
from shutil import which

import numpy as np
import pytest
from PIL import Image

import tasks
from data.pictures.containers import file_tree
from data.pictures.digits import framed_character
from data.pictures.imresize import degraded_picture, imresize, luma, modcrop, whole_levels
from data.pictures.photo import read_photo
from data.texts.text import caption_words
from tasks.engine import evaluate as evaluation
from tasks.engine import runs
from tasks.engine.runs import TASKS
from tasks.toolbox import metrics

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def mnist(datasets):
    """Return the pretrained digit pipeline and the splits of MNIST."""
    (run,) = runs.pretrained_runs("mnist")
    pipeline = tasks.load("mnist", run, data_dir=str(datasets / "tfds"))
    return pipeline, pipeline.task.load(pipeline.config)


def test_mnist_is_read_whole_and_in_its_own_order(mnist):
    _, splits = mnist
    assert [len(split) for split in splits] == [57_000, 3_000, 10_000]
    assert "".join(example["label"] for example in splits.test[:5]) == "20487"
    counts = [sum(example["label"] == str(digit) for example in splits.test) for digit in range(10)]
    assert counts == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_the_pretrained_network_scores_what_its_card_says(mnist):
    pipeline, splits = mnist
    scores = evaluation.score(pipeline, splits.test, "test").report.metrics
    published = json.loads((pipeline.run / "metrics.json").read_text())["metrics"]
    assert scores["errors"] == published["errors"]
    assert scores["confusion"] == published["confusion"]
    assert f"| errors | {scores['errors']} |" in (pipeline.run / "README.md").read_text()
    assert scores["accuracy"] >= 0.995


def test_digits_as_photographed_are_read_nearly_as_well(mnist, tmp_path):
    pipeline, splits = mnist
    random = np.random.default_rng(0)
    examples = splits.test[:500]
    for number, example in enumerate(examples):
        side = int(random.integers(60, 300))
        digit = np.asarray(Image.fromarray(example["image"]).resize((side, side), Image.Resampling.BICUBIC), "float32")
        page = np.zeros((side + 90, side + 120), "float32")
        top, left = random.integers(0, 90), random.integers(0, 120)
        page[top : top + side, left : left + side] = digit
        levels = (230 - 0.7 * page if number % 2 else 20 + 0.8 * page) + random.normal(0, 2, page.shape)
        Image.fromarray(levels.clip(0, 255).astype("uint8")).save(tmp_path / f"{number}.jpg", quality=85)
    answers = pipeline.predict([tmp_path / f"{number}.jpg" for number in range(len(examples))])
    right = [answer["label"] == example["label"] for answer, example in zip(answers, examples, strict=True)]
    assert np.mean(right) >= 0.985


def test_framing_leaves_mnist_as_it_is(mnist):
    _, splits = mnist
    images = [example["image"] for example in splits.test[:1000]]
    assert np.mean([np.array_equal(framed_character(image), image) for image in images]) > 0.99


@pytest.fixture(scope="module")
def reviews(datasets):
    """Return the pretrained text classifier and the splits of IMDB."""
    (run,) = runs.pretrained_runs("sentiment")
    pipeline = tasks.load("sentiment", run, data_dir=str(datasets / "tfds"))
    return pipeline, pipeline.task.load(pipeline.config)


def test_imdb_is_read_whole_as_text(reviews):
    _, splits = reviews
    train = 23_750 + 3 * 1_500 + 2 * 10_966  # reviews, embedded ones, opinions
    assert [len(part) for part in splits] == [train, 1_250 + 80 + 577, 25_000 + 394 + 222]
    labels = [example["label"] for example in splits.test if example["set"] == "imdb_reviews"]
    assert (len(labels), labels.count("pos")) == (25_000, 12_500)
    assert sum(example["label"] == "pos" for example in splits.test) == 12_808
    assert {type(example["text"]) for example in splits.test} == {str}


def test_the_pretrained_classifier_scores_what_its_card_says(reviews):
    pipeline, splits = reviews
    scores = evaluation.score(pipeline, splits.test, "test").report.metrics
    published = json.loads((pipeline.run / "metrics.json").read_text())["metrics"]
    assert abs(scores["errors"] - published["errors"]) <= 2  # sums in another order may turn a tie
    assert scores["auc"] == pytest.approx(published["auc"], abs=1e-4)
    assert f"| errors | {published['errors']} |" in (pipeline.run / "README.md").read_text()
    assert scores["accuracy_imdb_reviews"] >= 0.916
    assert scores["accuracy_opinions"] >= 0.88
    assert scores["accuracy_builtin"] >= 0.84
    assert scores["ece"] <= 0.03


def test_the_pretrained_classifier_is_small(reviews):
    pipeline, _ = reviews
    assert sum(path.stat().st_size for path in pipeline.run.rglob("*") if path.is_file()) < 10e6


def test_plain_reviews_of_other_things_are_understood(reviews):
    pipeline, _ = reviews
    good = ["A wonderful film, I loved every minute.", "Excellent. Highly recommended!", "Not bad at all, great fun."]
    bad = ["Boring and badly acted, a waste of time.", "Terrible. Avoid it.", "I expected more; what a disappointment."]
    assert [answer["label"] for answer in pipeline.predict(good + bad)] == ["pos"] * 3 + ["neg"] * 3


@pytest.fixture(scope="module")
def multi30k(datasets):
    """Return the pretrained translator and the splits of Multi30k."""
    pipeline = tasks.load("translate", TASKS / "translate/pretrained/small", data=str(datasets / "multi30k"))
    return pipeline, pipeline.task.load(pipeline.config)


def test_multi30k_is_read_whole(multi30k):
    pipeline, splits = multi30k
    assert [len(split) for split in splits] == [29_000, 1_014, 1_000]
    assert splits.test[0]["translation"].startswith("Ein Mann mit einem orangefarbenen Hut")
    assert len(pipeline.task.load(pipeline.config.with_settings({"test": "test_2017_flickr"})).test) == 1_000


def test_the_pretrained_translator_scores_what_its_card_says(multi30k):
    pipeline, splits = multi30k
    scores = evaluation.score(pipeline, splits.test, "test").report.metrics
    published = json.loads((pipeline.run / "metrics.json").read_text())["metrics"]
    assert scores["bleu"] == pytest.approx(published["bleu"], abs=0.1)  # sums in another order may turn a tie
    assert f"| bleu | {published['bleu']:.4f}" in (pipeline.run / "README.md").read_text()
    assert scores["bleu"] >= 39
    assert scores["bleu_lowercased"] >= 39.5


def test_the_pretrained_translator_reads_its_input_and_is_small(multi30k):
    pipeline, splits = multi30k
    order = np.random.default_rng(0).permutation(len(splits.test))
    shuffled = [one | {"text": splits.test[other]["text"]} for one, other in zip(splits.test, order, strict=True)]
    assert evaluation.score(pipeline, shuffled, "test").report.metrics["bleu"] < 3
    assert sum(path.stat().st_size for path in pipeline.run.rglob("*") if path.is_file()) < 8e6


GENERAL = {  # least scores, and sentences
    "general-en-de": (
        {"bleu_tatoeba": 36, "chrf_tatoeba": 55, "bleu_multi30k": 34.5, "bleu": 36},
        {
            "I love you.": "Ich liebe dich.",
            "My grandmother was born in 1931.": "Meine Großmutter wurde 1931 geboren.",
            "I AM WAITING FOR MY SISTER.": "ICH WARTE AUF MEINE SCHWESTER.",
        },
    ),
    "general-to-english": (
        {"bleu_tatoeba": 40, "chrf_tatoeba": 55, "bleu_multi30k": 37.5, "bleu": 39},
        {"Wie spät ist es?": "What time is it?", "ICH BIN MÜDE": "I'M TIRED"},
    ),
}


@pytest.mark.parametrize("run", GENERAL)
def test_a_general_translator_scores_what_its_card_says(run, datasets):
    both = ",".join(str(datasets / name) for name in ("multi30k", "tatoeba"))
    pipeline = tasks.load("translate", TASKS / f"translate/pretrained/{run}", data=both)
    splits = pipeline.task.load(pipeline.config)
    assert [len(split) for split in splits] == [195_153, 2_014, 2_000]
    scores = evaluation.score(pipeline, splits.test, "test").report.metrics
    published = json.loads((pipeline.run / "metrics.json").read_text())["metrics"]
    least, sentences = GENERAL[run]
    for name, value in least.items():
        assert scores[name] == pytest.approx(published[name], abs=0.1)
        assert scores[name] >= value
    assert [answer["translation"] for answer in pipeline.predict([*sentences])] == [*sentences.values()]
    assert sum(path.stat().st_size for path in pipeline.run.rglob("*") if path.is_file()) < 8e6


BICUBIC = {  # luma PSNR in dB of x2, x3 and x4, as in Kim et al., 2016, https://arxiv.org/abs/1511.04587
    "set5": (33.66, 30.39, 28.42),
    "set14": (30.24, 27.55, 26.00),
    "bsd100": (29.56, 27.21, 25.96),
}
LEAST = {2: 36.80, 3: 32.80, 4: 30.40}  # on Set5


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("name", BICUBIC)
def test_bicubic_interpolation_scores_as_in_the_papers(datasets, name, scale):
    values = []
    for path in (entry.file for entry in file_tree(datasets / "sr" / name) if entry.is_picture):
        truth = modcrop(whole_levels(luma(read_photo(path).pixels)), scale)
        answer = whole_levels(imresize(degraded_picture(truth, scale), scale))
        values.append(metrics.psnr(answer, truth, scale))
    assert np.mean(values) == pytest.approx(BICUBIC[name][scale - 2], abs=0.02)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_pretrained_upscaler_scores_what_its_card_says(datasets, scale):
    pipeline = tasks.load("upscale", data=str(datasets / "sr/set5"), run=TASKS / f"upscale/pretrained/small-x{scale}")
    found = evaluation.evaluate(pipeline)
    scores = found.report.metrics
    published = json.loads((pipeline.run / "metrics.json").read_text())["metrics"]
    assert found.summary["examples"] == 5
    for metric in ("psnr", "ssim", "bicubic_psnr", "bicubic_ssim", "psnr_rgb"):
        assert scores[metric] == pytest.approx(published[metric], abs=1e-3)
    assert f"| psnr | {published['psnr']:.4f}" in (pipeline.run / "README.md").read_text()
    assert scores["psnr"] >= LEAST[scale]
    assert scores["parameters"] <= 25_000


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_pretrained_upscaler_of_jpeg_files_gains_at_every_quality(datasets, scale):
    run = TASKS / f"upscale/pretrained/small-x{scale}-jpeg"
    pipeline = tasks.load("upscale", data=str(datasets / "sr/set14"), run=run)
    scores = evaluation.evaluate(pipeline).report.metrics
    published = json.loads((run / "metrics.json").read_text())["metrics"]
    for quality in (95, 85, 75, 50, 30):
        assert scores[f"psnr_q{quality}"] == pytest.approx(published[f"psnr_q{quality}"], abs=1e-3)
        assert scores[f"psnr_q{quality}"] > scores[f"bicubic_psnr_q{quality}"] + 0.3


def test_the_pretrained_upscalers_are_small():
    files = [path for path in (TASKS / "upscale/pretrained").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 2e6


@pytest.fixture(scope="module")
def flickr8k(datasets):
    """Return the pretrained captioner and the splits of Flickr8k."""
    (run,) = runs.pretrained_runs("caption")
    pipeline = tasks.load("caption", run, data=str(datasets / "captions/flickr8k"))
    return pipeline, pipeline.task.load(pipeline.config)


def test_flickr8k_is_read_whole(flickr8k):
    _, splits = flickr8k
    assert [len(split) for split in splits] == [6000, 1000, 1000]
    assert {len(example["captions"]) for split in splits for example in split} == {5}
    assert splits.test[0]["image"].name == "1056338697_4f7d7ce270.jpg"


@pytest.mark.skipif(which("java") is None, reason="no Java here")
def test_captions_are_cut_into_words_as_the_penn_treebank_does(flickr8k):
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    captions = [caption for split in flickr8k[1] for example in split for caption in example["captions"]]
    cut = PTBTokenizer().tokenize({row: [{"caption": caption}] for row, caption in enumerate(captions)})
    other = sum(cut[row] != [" ".join(caption_words(caption))] for row, caption in enumerate(captions))
    assert other < len(captions) / 1000


def test_a_person_scores_as_reported(flickr8k):
    truth = [example["captions"] for example in flickr8k[1].test]
    scores = metrics.caption_metrics([one[0] for one in truth], [one[1:] for one in truth], resamples=1)
    assert scores["bleu_4"] == pytest.approx(21.0, abs=0.2)
    assert scores["cider"] == pytest.approx(79, abs=1)


def test_the_pretrained_captioner_scores_what_its_card_says(flickr8k):
    pipeline, splits = flickr8k
    scores = evaluation.score(pipeline, splits.test, "test").report.metrics
    published = json.loads((pipeline.run / "metrics.json").read_text())["metrics"]
    for metric in ("cider", "bleu_4", "bleu_1", "rouge_l"):
        assert scores[metric] == pytest.approx(published[metric], abs=0.2)  # sums in another order may turn a tie
    assert f"| cider | {published['cider']:.4f}" in (pipeline.run / "README.md").read_text()
    # the run with MobileNet had 244 words, and a bound of 240
    least = {"bleu_4": 21.0, "cider": 54, "bleu_1": 62, "distinct": 70, "words": 220}
    assert all(scores[metric] >= value for metric, value in least.items())
    assert scores["cider_shuffled"] < 12  # it looks at the picture


def test_the_pretrained_captioner_is_small_with_its_encoder(flickr8k):
    pipeline, _ = flickr8k
    sizes = {path.name: path.stat().st_size for path in pipeline.run.rglob("*") if path.is_file()}
    assert sizes.pop("codec.json") < 4.5e6  # with the vectors and captions of the training pictures
    assert sum(sizes.values()) < 16e6


def test_efficientnet_lite0_sees_what_its_weights_were_published_for(datasets):
    from layers.efficientnet import efficientnet_lite0, preprocess_input, set_named_weights

    folder = datasets / "encoders"
    network = efficientnet_lite0((192, 192, 3))
    set_named_weights(network, dict(np.load(folder / "efficientnet_lite0_no_top.npz")))
    golden = np.load(folder / "efficientnet_lite0_golden.npz")
    assert len(golden.files) == 5
    for name in golden.files:
        group, file = name.split("_", 1)
        (path,) = (path for path in (datasets / "sr" / group).rglob(file))
        with Image.open(path) as image:
            levels = np.asarray(image.convert("RGB").resize((192, 192), Image.Resampling.BICUBIC), "float32")
        seen = network.predict(preprocess_input(levels)[None], verbose=0).mean((0, 1, 2))
        np.testing.assert_allclose(seen, golden[name], atol=1e-3)

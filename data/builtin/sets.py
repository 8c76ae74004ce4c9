"""Small data sets that ship with the package or its dependencies, for work without a network."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from data.splits import Example
from data.tables import TableFormat, example_rows

PHOTOS = (
    ("skimage/data", "astronaut.png coffee.png motorcycle_left.png rocket.jpg retina.jpg ihc.png brick.png gravel.png"),
    ("sklearn/datasets/images", "flower.jpg"),
)
TEST_PHOTOS = (("skimage/data", "camera.png chelsea.png coins.png"), ("sklearn/datasets/images", "china.jpg"))
REVIEWS, OPINIONS, PHRASES, PHOTOGRAPHS = (
    Path(__file__).parent / f"{name}.tsv" for name in ("reviews", "opinions", "phrases", "photographs")
)


def reviews() -> tuple[list[Example], list[Example]]:
    """Return short English reviews of films, books, food, gadgets and travel, for training and for testing.

    * They were written for this project.
    * `label` is `negative` or `positive`, in equal parts; `text` is the review.
    * They come in pairs of a positive and a negative review, often with nearly the same words.
    * The two reviews of a pair belong in the same split; otherwise one of them predicts the wrong label.
    """
    return split_rows(REVIEWS, "label", "text")


@cache
def composed_opinions() -> list[Example]:
    """Return 4,000 short English opinions with a `text` and a `label`, for training, in pairs as `reviews` has them.

    `data.builtin.opinions` composes them.
    """
    from data.builtin.opinions import composed_opinions as composed

    return [
        {"text": text, "label": label}
        for _, good, bad in composed(2000)
        for text, label in ((good, "positive"), (bad, "negative"))
    ]


def opinions() -> tuple[list[Example], list[Example]]:
    """Return short English opinions of things, food, service, travel and works, 7,543 for training and 222 for testing.

    * They were written for this project, the way people write; those for testing by somebody else.
    * `label` is `negative` or `positive`; `text` is the opinion; `kind`, for testing, is what makes it plain or hard.
    """
    (train, _), (_, test) = split_rows(OPINIONS, "label", "text"), split_rows(OPINIONS, "label", "kind", "text")
    return train, test


def split_rows(path: Path, *columns: str) -> tuple[list[Example], list[Example]]:
    """Return the rows of a table for training and for testing, as its column `split` says."""
    rows = list(example_rows(path, {name: [name] for name in columns}, TableFormat()))
    train, test = (
        [{name: row[name] for name in columns} for row in rows if row["split"] == split] for split in ("train", "test")
    )
    return train, test


def digits() -> tuple[list[Example], list[Example]]:
    """Return the 8x8 handwritten digits that ship with scikit-learn, for training and for testing.

    * `image`: uint8 `(8, 8)`, light ink on a dark background.
    * `label`: "0" to "9".
    * The training part has 1,438 digits; the test part, the last fifth of the set, has 359.
    * The set is ordered by writer, so few writers are in both parts.

    Reference: Alpaydin and Kaynak, 1998, https://doi.org/10.24432/C50P49.
    """
    from sklearn.datasets import load_digits

    source = load_digits()
    images = (source.images * (255 / 16)).round().astype("uint8")
    examples = [{"image": image, "label": str(label)} for image, label in zip(images, source.target, strict=True)]
    test = len(examples) // 5
    return examples[:-test], examples[-test:]


def pairs() -> tuple[list[Example], list[Example]]:
    """Return sentences in English, `en`, and German, `de`, for training and for testing.

    * `data.builtin.sentences` composes 1,800 sentences for training, and then 300 others for testing.
    * Everyday sentences, written by hand, are for training only.
    """
    from data.builtin.sentences import composed_sentences

    composed = [{"en": english, "de": german} for english, german in composed_sentences(2100)]
    return [*example_rows(PHRASES, {"en": ["en"], "de": ["de"]}, TableFormat()), *composed[:-300]], composed[-300:]


@cache
def scenes() -> tuple[list[Example], list[Example]]:
    """Return scenes of coloured shapes and digits, 4,000 for training and 300 for testing.

    They come from `data.builtin.scenes`. Each has an `image`, its `captions`, and the `scene` itself.
    """
    from data.builtin.scenes import scenes as drawn_scenes

    return drawn_scenes(4000, 300)


def photographs() -> list[Example]:
    """Return photographs that ship with scikit-image and scikit-learn, with five captions each.

    Each has an `image`, a file, and its `captions`, written for this project. They are for testing only.
    """
    captions: dict[str, list[str]] = {}
    for row in example_rows(PHOTOGRAPHS, {"image": ["image"], "caption": ["caption"]}, TableFormat()):
        captions.setdefault(row["image"], []).append(row["caption"])
    return [
        {"image": folder_of(str(Path(name).parent)) / Path(name).name, "captions": texts}
        for name, texts in captions.items()
    ]


def photos() -> tuple[list[Path], list[Path]]:
    """Return files of photographs that ship with scikit-image and scikit-learn: nine for training, four for testing.

    Those for testing show other subjects: a man with a camera, a cat, coins, a palace.
    """
    train, test = (
        [folder_of(place) / name for place, names in photos for name in names.split()]
        for photos in (PHOTOS, TEST_PHOTOS)
    )
    return train, test


def folder_of(place: str) -> Path:
    """Return a folder inside an installed package, without importing the package.

    Raises:
        ModuleNotFoundError: The package is not installed.
    """
    package, _, inside = place.partition("/")
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    return Path(spec.origin).parent / inside

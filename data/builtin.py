"""Small real data sets that are on every machine, with no network."""

from data.splits import Example


def digits() -> tuple[list[Example], list[Example]]:
    """Return the 8x8 handwritten digits that ship with scikit-learn, for training and for testing.

    Every example holds an `image`, uint8 `(8, 8)` with light ink on a dark ground, and a `label`, "0" to "9".
    The training part has 1,438 digits and the test part, the last fifth, 359. They are cut
    in the order of the set, in which digits of one writer stand together, so few writers are in both.

    Reference: Alpaydin and Kaynak, 1998, https://doi.org/10.24432/C50P49.
    """
    from sklearn.datasets import load_digits

    source = load_digits()
    images = (source.images * (255 / 16)).round().astype("uint8")
    examples = [{"image": image, "label": str(label)} for image, label in zip(images, source.target, strict=True)]
    test = len(examples) // 5
    return examples[:-test], examples[-test:]

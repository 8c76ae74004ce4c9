"""How well the digit network reads paper: MNIST digits drawn onto made pages, of many kinds, in many sizes.

Each kind takes its own digits and its own random numbers, which the seed sets. The table shows the share of right
labels, the share of blank pages among the answers, and the share of pages on which several digits were found.

    python -m benchmarks.paper --data-dir /data/tfds [--run RUN] [--part train] [--count 100] [--seed 0]
"""

import argparse
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

import tasks
from benchmarks.pages import KINDS, levels, printed
from data import catalogue
from data.pictures.files import MemoryFile
from tasks.engine.task import Answer
from tasks.mnist.pipeline import COLUMNS


def png(image: np.ndarray) -> MemoryFile:
    """Return a picture as a PNG file in memory."""
    content = BytesIO()
    Image.fromarray(image).save(content, "PNG")
    return MemoryFile("digit.png", content.getvalue())


def row(name: str, answers: Sequence[Answer], labels: Sequence[str]) -> str:
    """Return a row of the table."""
    right = np.mean([answer["label"] == label for answer, label in zip(answers, labels, strict=True)])
    blank = np.mean([answer["label"] is None for answer in answers])
    several = np.mean([answer.get("characters", 1) > 1 for answer in answers])
    return f"{name:<16} {len(labels):>6} {right:>8.2%} {blank:>8.2%} {several:>8.2%}"


def main() -> None:
    """Read pages of each kind, printed digits, and the whole of MNIST in four forms."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--part", default="test", choices=["train", "test"])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--whole", action="store_true", help="also read the whole part of MNIST in four forms")
    given = parser.parse_args()
    pipeline = tasks.load("mnist", given.run)
    examples = catalogue.read("mnist", (given.part,), COLUMNS, given.data_dir)[given.part]
    images, truth = [example["image"][:, :, 0] for example in examples], [str(example["label"]) for example in examples]
    print(f"{'kind':<16} {'pages':>6} {'right':>8} {'blank':>8} {'several':>8}")
    for number, name in enumerate(KINDS):
        if name in given.kinds:
            random = np.random.default_rng((given.seed, number))
            chosen = random.choice(len(images), given.count, replace=False)
            pages = [levels(KINDS[name](random, images[place])) for place in chosen]
            print(row(name, pipeline.predict(pages), [truth[place] for place in chosen]), flush=True)
    pages, labels = printed()
    print(row("printed", pipeline.predict(pages), labels), flush=True)
    if given.whole:
        inverted = [255 - image for image in images]
        forms = {"arrays": images, "files": [png(image) for image in images]}
        forms |= {"inverted": inverted, "inverted files": [png(image) for image in inverted]}
        for name, form in forms.items():
            print(row(name, pipeline.predict(form), truth), flush=True)


if __name__ == "__main__":
    main()

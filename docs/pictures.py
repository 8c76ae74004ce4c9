"""Draw one answer of each task: `python -m docs.pictures [FOLDER]`, by default into `docs/`.

The answers are those of the models that ship with the project, on embedded data; each is printed too.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

import tasks
from data.builtin import sets
from data.pictures.files import File
from data.pictures.imresize import degraded_picture, imresize, modcrop, whole_levels
from data.pictures.photo import read_photo, square_pixels
from tasks.engine import runs
from tasks.engine.task import Pipeline
from tasks.toolbox import figures, sheets

DIGIT = Path(tasks.__file__).parent / "mnist/example.png"
REVIEW = "The story is dull, but I loved the music and the brilliant cast."
SENTENCE = "Two men are playing guitar in front of a large crowd."
PHOTO = "chelsea.png"  # a cat, of scikit-image
SCALE = 3
CROP = (84, 252, 216)  # row, column and side of the part of the enlarged photo that is shown, in pixels
SIDE = 120  # pixels of a panel of the caption
WIDEST = 1000  # pixels of a picture
END = "</s>"  # the token that ends a sentence


def main(folder: Path) -> None:
    """Draw the five pictures into a folder, and print the answers."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, run, draw in (
        ("mnist", "small", digit_picture),
        ("upscale", f"small-x{SCALE}", enlarged_picture),
        ("sentiment", "hybrid", review_picture),
        ("caption", "gru", caption_picture),
        ("translate", "small", translation_picture),
    ):
        answer, picture = draw(shipped_pipeline(name, run))
        picture.thumbnail((WIDEST, WIDEST))
        picture.quantize(256).save(folder / f"{name}.png", optimize=True)
        print(f"{name:<10} {answer}   [{folder / name}.png]")


def shipped_pipeline(name: str, run: str) -> Pipeline[Any]:
    """Return a model that ships with the project, by its task and the name of its run."""
    return tasks.load(name, next(path for path in runs.pretrained_runs(name) if path.name == run))


def digit_picture(pipeline: Pipeline[Any]) -> tuple[str, Image.Image]:
    """Return the label of a drawn digit, and the digit with the probability of each class."""
    from matplotlib.figure import Figure

    (answer,) = pipeline.predict([DIGIT])
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 2.2])
    left.imshow(Image.open(DIGIT).convert("L"), cmap="gray")
    left.axis("off")
    names, values = zip(*answer["probabilities"].items(), strict=True)
    right.bar(names, values, color=["#1f77b4" if name == answer["label"] else "#b0b0b0" for name in names])
    right.set(ylabel="probability", ylim=(0, 1.05))
    right.spines[["top", "right"]].set_visible(False)
    return f"the digit is read as {answer['label']} ({answer['probability']:.3f})", figures.figure_image(figure)


def enlarged_picture(pipeline: Pipeline[Any]) -> tuple[str, Image.Image]:
    """Return a part of a photo, reduced and enlarged again: by bicubic interpolation, by the network, and the truth."""
    scale = pipeline.config.scale
    truth = modcrop(read_photo(embedded_photo(PHOTO)).pixels, scale)
    small = degraded_picture(truth, scale)
    (answer,) = pipeline.predict([small])
    row, column, side = CROP
    shown = [(whole_levels(imresize(small, scale)), "bicubic"), (answer["image"], "ours"), (truth, "truth")]
    sheet = figures.comparison_sheet([[(p[row : row + side, column : column + side], text) for p, text in shown]], 324)
    return f"{small.shape[1]}x{small.shape[0]} pixels become {answer['width']}x{answer['height']}", sheet


def review_picture(pipeline: Pipeline[Any]) -> tuple[str, Image.Image]:
    """Return the class of a review, and how much each of its words adds to the log-odds of the class."""
    from matplotlib.figure import Figure

    (answer,) = pipeline.with_settings(explain=True).predict([REVIEW])
    words, weights = zip(*answer["words"], strict=True)
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    axes = figure.subplots()
    axes.bar(range(len(words)), weights, color=["#2a9d5c" if weight > 0 else "#d1495b" for weight in weights])
    axes.set_xticks(range(len(words)), words, rotation=40, ha="right")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(ylabel=f"weight for “{answer['label']}”")
    axes.spines[["top", "right"]].set_visible(False)
    return f"{REVIEW!r} is {answer['label']} ({answer['probability']:.2f})", figures.figure_image(figure)


def caption_picture(pipeline: Pipeline[Any]) -> tuple[str, Image.Image]:
    """Return the caption of a photo, and the photo once for each word, bright where the attention of the word was."""
    photo = embedded_photo(PHOTO)
    (answer,) = pipeline.with_settings(attention_file=Path("attention.png")).predict([photo])
    attention = answer["attention"]
    pairs = zip(attention["words"], attention["weights"], strict=True)
    words, weights = zip(*((word, row) for word, row in pairs if word != END), strict=True)
    pixels = square_pixels(photo, pipeline.config.size)
    sheet = sheets.attention_sheet([(pixels, {"words": words, "weights": weights})], side=SIDE, columns=6)
    return f"{photo.name} is described as {answer['caption']!r}", sheet


def translation_picture(pipeline: Pipeline[Any]) -> tuple[str, Image.Image]:
    """Return the translation of a sentence, and the attention that each written sub-word paid to each that was read."""
    (answer,) = pipeline.with_settings(alignment_file=Path("alignment.png")).predict([SENTENCE])
    alignment = answer["sentences"][0]["alignment"]
    shown = {**alignment, **{side: plain_tokens(alignment[side]) for side in ("source", "target")}}
    return f"{SENTENCE!r} becomes {answer['translation']!r}", figures.alignment_panels([shown])


def plain_tokens(tokens: Sequence[str]) -> list[str]:
    """Return sub-words without the mark that begins a word, and "(end)" for the end of a sentence."""
    return ["(end)" if token == END else token.removeprefix("▁") for token in tokens]


def embedded_photo(name: str) -> File:
    """Return a photo of the embedded set by its file name."""
    return next(path for part in sets.photos() for path in part if path.name == name)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))

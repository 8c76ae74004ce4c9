"""Draw one answer of each task: `python -m docs.pictures [FOLDER]`, by default into `docs/`.

The answers are those of the models that ship with the project, on embedded data; each is printed too.
"""

import sys
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
from tasks.toolbox import figures

DIGIT = Path(tasks.__file__).parent / "mnist/example.png"
REVIEW = "The story is dull, but I loved the music and the brilliant cast."
SENTENCE = "Two men are playing guitar in front of a large crowd."
WIDEST = 1000  # pixels of a picture
CROP = (40, 130, 110)  # row, column and side of what is shown of the enlarged photo, in pixels of the small one


def main(folder: Path) -> None:
    """Draw the five pictures into a folder, and print the answers."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in (
        ("mnist", digit_picture),
        ("upscale", enlarged_picture),
        ("sentiment", review_picture),
        ("caption", caption_picture),
        ("translate", translation_picture),
    ):
        answer, picture = draw(shipped_pipeline(name))
        picture.thumbnail((WIDEST, WIDEST))
        picture.quantize(96).save(folder / f"{name}.png", optimize=True)
        print(f"{name:<10} {answer}   [{folder / name}.png]")


def shipped_pipeline(name: str) -> Pipeline[Any]:
    """Return the first model of a task that ships with the project."""
    return tasks.load(name, runs.pretrained_runs(name)[0])


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
    """Return a detail of a photo, made small and enlarged again: bicubic interpolation, the network, the truth."""
    scale = pipeline.config.scale
    truth = modcrop(read_photo(embedded_photo("chelsea.png")).pixels, scale)
    small = degraded_picture(truth, scale)
    (answer,) = pipeline.predict([small])
    row, column, side = (scale * number for number in CROP)
    shown = [(whole_levels(imresize(small, scale)), "bicubic"), (answer["image"], "ours"), (truth, "truth")]
    sheet = figures.comparison_sheet([[(p[row : row + side, column : column + side], text) for p, text in shown]], 310)
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
    """Return the caption of a photo, and where each word looked."""
    photo = embedded_photo("motorcycle_left.png")
    (answer,) = pipeline.with_settings(attention_file=Path("attention.png")).predict([photo])
    pixels = square_pixels(photo, pipeline.config.size)
    return answer["caption"], figures.attention_sheet([(pixels, answer["attention"])], columns=6)


def translation_picture(pipeline: Pipeline[Any]) -> tuple[str, Image.Image]:
    """Return the translation of a sentence, and which sub-word of the source each of its sub-words looked at."""
    (answer,) = pipeline.with_settings(alignment_file=Path("alignment.png")).predict([SENTENCE])
    alignment = answer["sentences"][0]["alignment"]
    return f"{SENTENCE!r} becomes {answer['translation']!r}", figures.alignment_panels([alignment])


def embedded_photo(name: str) -> File:
    """Return a photo of the embedded set by its file name."""
    return next(path for part in sets.photos() for path in part if path.name == name)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))

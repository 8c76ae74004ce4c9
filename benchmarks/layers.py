"""Small comparisons of the four layer families, as tables in Markdown.

    python -m benchmarks.layers [--seeds N] [--pictures FOLDER] [NAME...]

The names are `dense`, `stride`, `deconvolution`, `recall`, `adding` and `pooling`; without one, all are made.
Each prints the tables that stand in `layers/README.md`: means over seeds, with 95 % intervals of Student's t.
The seconds are of the processor, all cores together, since other work may run beside it. Tracing is counted.
"""

import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, TypeAlias

import click
import keras
import numpy as np

from data.builtin import sets
from layers.convolution import ConvolutionBlock, Pooling
from layers.deconvolution import DeconvolutionBlock
from layers.dense import DenseBlock
from layers.pooling import SequencePooling
from layers.recurrent import Cell, RecurrentStack

CELLS: tuple[Cell, ...] = ("lstm", "gru", "rnn")
LENGTHS = (10, 40, 160)
SYMBOLS = 8  # that may be asked for; as many others are noise
FRAME = 14  # side of the pictures of digits, in pixels
MARGIN = 3  # around a digit, in pixels
WORDS = 1200  # that are told apart; 0 pads a text and 1 is any other word


class Examples(NamedTuple):
    """Inputs, and their class numbers or the numbers to be answered."""

    x: np.ndarray
    y: np.ndarray


class Data(NamedTuple):
    """Examples for training, and for tests by what their score is called."""

    train: Examples
    tests: dict[str, Examples]


class Outcome(NamedTuple):
    """What one training gave."""

    parameters: int
    scores: dict[str, float]  # by test
    seconds: float  # of the processor
    flat: np.ndarray | None = None  # the answer to a flat picture, in grey levels


Build: TypeAlias = Callable[[], keras.Model]
Make: TypeAlias = Callable[[int], Data]  # from a seed
Results: TypeAlias = dict[str, list[Outcome]]  # by network, an outcome for each seed
Titled: TypeAlias = tuple[str, Results]
Solved: TypeAlias = Callable[[float], bool]  # whether a score means that the task is learnt


class Plan(NamedTuple):
    """Networks to be trained in the same way on the same data."""

    networks: dict[str, Build]
    data: Make
    epochs: int
    batch_size: int = 64


def results_of(plan: Plan, seeds: int) -> Results:
    """Return what training each network once for each seed gives."""
    return {
        name: [trained_outcome(build, plan, seed) for seed in range(seeds)] for name, build in plan.networks.items()
    }


def trained_outcome(build: Build, plan: Plan, seed: int) -> Outcome:
    """Return what training a network once gives; its second metric is the score, in percent."""
    keras.utils.set_random_seed(seed)
    data, model = plan.data(seed), build()
    start = time.process_time()
    model.fit(*data.train, batch_size=plan.batch_size, epochs=plan.epochs, verbose=0)
    seconds = time.process_time() - start
    scores = {name: 100 * model.evaluate(*test, batch_size=500, verbose=0)[1] for name, test in data.tests.items()}
    return Outcome(model.count_params(), scores, seconds)


def interval_half(values: Sequence[float]) -> float:
    """Return half of the 95 % interval of a mean by Student's t."""
    from scipy.stats import t

    return float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)


def mean_with_interval(values: Sequence[float]) -> str:
    """Return a mean with half of its 95 % interval."""
    return f"{np.mean(values):.1f} ± {interval_half(values):.1f}"


def table(title: str, results: Results, solved: Solved | None = None) -> str:
    """Return results as a table in Markdown, with the share of seeds that learnt the task if that is asked."""
    tests = list(next(iter(results.values()))[0].scores)
    head = [title, "parameters", *tests, *(["learnt"] if solved else []), "CPU seconds"]
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join(['---'] * len(head))} |"]
    for name, outcomes in results.items():
        scores = [[outcome.scores[test] for outcome in outcomes] for test in tests]
        learnt = [f"{sum(map(solved, scores[0]))} of {len(outcomes)}"] if solved else []
        seconds = f"{np.mean([outcome.seconds for outcome in outcomes]):.1f}"
        cells = [name, f"{outcomes[0].parameters:,}", *map(mean_with_interval, scores), *learnt, seconds]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def machine() -> str:
    """Return what the numbers are measured on, and when."""
    about = Path("/proc/cpuinfo")
    text = about.read_text(encoding="utf-8") if about.is_file() else ""
    model = re.search(r"^model name\s*: (.*)$", text, flags=re.MULTILINE)
    processor = f"{os.cpu_count()} cores of an {model.group(1)}" if model else f"{os.cpu_count()} cores"
    return f"{processor}, Keras {keras.__version__}, TensorFlow {version('tensorflow')}, {datetime.now(UTC):%Y-%m-%d}"


def classifier(inputs: keras.KerasTensor, x: keras.KerasTensor, classes: int) -> keras.Model:
    """Return a compiled classifier that ends with a softmax."""
    model = keras.Model(inputs, keras.layers.Dense(classes, activation="softmax")(x))
    optimizer = keras.optimizers.Adam(5e-3, clipnorm=1.0)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# Fully connected layers and convolutions


def digits(seed: int, *, move_training: bool = False) -> Data:
    """Return the embedded digits in a frame, and the test digits moved by one and by two pixels as well."""
    random = np.random.default_rng(seed)
    train, test = (
        Examples(np.stack([row["image"] for row in part]), np.array([int(row["label"]) for row in part]))
        for part in sets.digits()
    )
    farthest = random.integers(0, 3, len(train.y)) if move_training else np.zeros(len(train.y), int)
    tests = {
        "in place, %": framed_digits(test, np.zeros(len(test.y), int), random),
        "moved by 1 pixel, %": framed_digits(test, np.full(len(test.y), 1), random),
        "moved by 2 pixels, %": framed_digits(test, np.full(len(test.y), 2), random),
    }
    return Data(framed_digits(train, farthest, random), tests)


def moved_digits(seed: int) -> Data:
    """Return the embedded digits with those for training moved by up to two pixels, each once."""
    return digits(seed, move_training=True)


def framed_digits(given: Examples, distances: np.ndarray, random: np.random.Generator) -> Examples:
    """Return digits `(digits, 14, 14, 1)` in [0, 1], each moved by a distance along its longer axis."""
    frames = np.pad(given.x, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)))[..., None].astype("float32") / 255
    longer, side = random.integers(0, 2, len(frames)), random.choice([-1, 1], len(frames))
    shorter = random.integers(-distances, distances + 1)
    moves = [
        (side * far, near) if axis else (near, side * far)
        for axis, side, far, near in zip(longer, side, distances, shorter, strict=True)
    ]
    return Examples(np.stack([np.roll(x, move, (0, 1)) for x, move in zip(frames, moves, strict=True)]), given.y)


def dense_network(units: int) -> Build:
    """Return a builder of a network with one fully connected block."""

    def build() -> keras.Model:
        image = keras.Input((FRAME, FRAME, 1))
        return classifier(image, DenseBlock(units)(keras.layers.Flatten()(image)), 10)

    return build


def convolution_network(
    filters: tuple[int, int], pooling: Pooling = "none", *, strides: int = 1, flat: bool = False
) -> Build:
    """Return a builder of a network with two convolution blocks, whose last maps are averaged or read whole."""

    def build() -> keras.Model:
        image = keras.Input((FRAME, FRAME, 1))
        x = ConvolutionBlock(filters[0], 3, strides=strides, pooling=pooling)(image)
        x = ConvolutionBlock(filters[1], 3, pooling=pooling if flat else "none")(x)
        x = keras.layers.Flatten()(x) if flat else keras.layers.GlobalAveragePooling2D()(x)
        return classifier(image, x, 10)

    return build


def dense_results(seeds: int) -> Iterator[Titled]:
    """Return how fully connected and convolution networks of about equal size read digits that are moved."""
    networks = {
        "fully connected, 24 units": dense_network(24),
        "convolution, 16 and 20 maps, read whole": convolution_network((16, 20), "max", flat=True),
        "convolution, 16 and 32 maps, averaged": convolution_network((16, 32), "max"),
    }
    yield "digits, 40 epochs", results_of(Plan(networks, digits, epochs=40), seeds)
    yield "the same, trained on moved digits", results_of(Plan(networks, moved_digits, epochs=40), seeds)


def stride_results(seeds: int) -> Iterator[Titled]:
    """Return how ways to halve the sides of a picture compare."""
    networks = {
        "stride of 2": convolution_network((12, 24), strides=2),
        "maximum of 2x2": convolution_network((12, 24), "max"),
        "mean of 2x2": convolution_network((12, 24), "average"),
        "not halved": convolution_network((12, 24)),
    }
    yield "digits, 40 epochs", results_of(Plan(networks, digits, epochs=40), seeds)


# Deconvolutions


def doubling_networks() -> dict[str, keras.Sequential]:
    """Return networks of one layer that double the sides of a picture."""
    return {
        "deconvolution 3x3, stride 2": keras.Sequential([keras.layers.Conv2DTranspose(1, 3, 2, "same")]),
        "deconvolution 4x4, stride 2, random start": keras.Sequential(
            [DeconvolutionBlock(1, 4, start="glorot_uniform")]
        ),
        "deconvolution 4x4, stride 2, bilinear start": keras.Sequential([DeconvolutionBlock(1, 4)]),
        "deconvolution 4x4, stride 2, `even`": keras.Sequential([DeconvolutionBlock(1, 4, even=True)]),
        "resize, then convolution 3x3": keras.Sequential(
            [keras.layers.UpSampling2D(interpolation="bilinear"), ConvolutionBlock(1, 3, activation="linear")]
        ),
    }


def photo_patches() -> np.ndarray:
    """Return patches of an embedded photo, float32 `(patches, 32, 32, 1)` in [0, 1]."""
    from data.pictures.photo import read_photo

    pixels = read_photo(sets.photos()[0][0]).pixels.mean(2) / 255
    starts = range(0, 480, 32)
    patches = [pixels[row : row + 32, column : column + 32] for row in starts for column in starts]
    return np.stack(patches)[..., None].astype("float32")


def flat_answer(model: keras.Model) -> np.ndarray:
    """Return what a network makes of a flat grey of level 127.5, in grey levels and without the border."""
    answer = np.asarray(model(np.full((1, 16, 16, 1), 0.5, "float32")))
    return 255 * answer[0, 8:-8, 8:-8, 0]


def doubling_outcome(name: str, seed: int) -> Outcome:
    """Return what training a network to double patches gives: its error, and how uneven its flat grey is."""
    keras.utils.set_random_seed(seed)
    large = photo_patches()
    small = large.reshape(len(large), 16, 2, 16, 2, 1).mean((2, 4))
    model = doubling_networks()[name]
    before = np.ptp(flat_answer(model))
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
    start = time.process_time()
    model.fit(small[::2], large[::2], epochs=100, batch_size=16, verbose=0)
    seconds = time.process_time() - start
    errors = (np.asarray(model(small[1::2])) - large[1::2])[:, 4:-4, 4:-4]
    flat = flat_answer(model)
    scores = {
        "error, levels": 255 * float(np.mean(errors**2)) ** 0.5,
        "unevenness at the start, levels": float(before),
        "unevenness once trained, levels": float(np.ptp(flat)),
    }
    return Outcome(model.count_params(), scores, seconds, flat)


def deconvolution_results(seeds: int) -> Iterator[Titled]:
    """Return how ways to double a picture compare, and how uneven they make a flat grey."""
    results = {name: [doubling_outcome(name, seed) for seed in range(seeds)] for name in doubling_networks()}
    yield "doubling a photo, 100 epochs", results


def draw_checkerboard(results: Results, file: Path) -> None:
    """Draw what each way of doubling makes of a flat grey, with the contrast of 4 grey levels."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3), layout="constrained")
    for axes, (name, outcomes) in zip(figure.subplots(1, len(results)), results.items(), strict=True):
        flat = outcomes[0].flat
        assert flat is not None
        axes.imshow(flat - flat.mean(), cmap="gray", vmin=-2, vmax=2)
        axes.set_title(name.replace("`", "").replace(", ", ",\n"), fontsize=9, verticalalignment="bottom")
        axes.axis("off")
    figure.savefig(file, dpi=110)


# Recurrent layers


def recall(length: int) -> Make:
    """Return a maker of sequences of symbols `(sequences, length)`: the class is the first one, the rest is noise."""

    def make(seed: int) -> Data:
        random = np.random.default_rng(seed)
        x = random.integers(SYMBOLS, 2 * SYMBOLS, size=(8000, length))
        x[:, 0] = random.integers(0, SYMBOLS, size=8000)
        return Data(Examples(x[:7000], x[:7000, 0]), {"first symbol, %": Examples(x[7000:], x[7000:, 0])})

    return make


def adding(length: int) -> Make:
    """Return a maker of the adding problem: numbers and marks `(sequences, length, 2)`, and the sum of two numbers.

    One number in each half is marked. The sums are scaled so that their mean is 0 and their variance 1.
    """

    def make(seed: int) -> Data:
        random = np.random.default_rng(seed)
        numbers, marks, rows = random.random((8000, length)), np.zeros((8000, length)), np.arange(8000)
        marks[rows, random.integers(0, length // 2, 8000)] = 1
        marks[rows, random.integers(length // 2, length, 8000)] = 1
        x, y = np.stack([numbers, marks], -1).astype("float32"), 6**0.5 * ((numbers * marks).sum(1) - 1)
        return Data(Examples(x[:7000], y[:7000]), {"error, % of guessing": Examples(x[7000:], y[7000:])})

    return make


def reading_network(cell: Cell, *, pooling: str = "last") -> Build:
    """Return a builder of a classifier of symbols, by the last state or by pooled states."""

    def build() -> keras.Model:
        symbols = keras.Input((None,), dtype="int32")
        x = keras.layers.Embedding(2 * SYMBOLS, 16)(symbols)
        return classifier(symbols, pooled_states(x, cell, pooling), SYMBOLS)

    return build


def adding_network(cell: Cell) -> Build:
    """Return a builder of a network that reads numbers and marks, and answers a number."""

    def build() -> keras.Model:
        inputs = keras.Input((None, 2))
        model = keras.Model(inputs, keras.layers.Dense(1)(RecurrentStack(32, cell)(inputs)))
        model.compile(optimizer=keras.optimizers.Adam(5e-3, clipnorm=1.0), loss="mse", metrics=["mse"])
        return model

    return build


def pooled_states(x: keras.KerasTensor, cell: Cell, pooling: str) -> keras.KerasTensor:
    """Return the last state of a recurrent layer, or all its states pooled over time."""
    states = RecurrentStack(32, cell, return_sequences=pooling != "last")(x)
    return states if pooling == "last" else SequencePooling(pooling)(states)


def recall_results(seeds: int) -> Iterator[Titled]:
    """Return how well each cell answers the first symbol of sequences of each length."""
    networks = {f"`{cell}`, 32 units": reading_network(cell) for cell in CELLS}
    for length in LENGTHS:
        plan = Plan(networks, recall(length), epochs=12, batch_size=128)
        yield f"first of {length} symbols, 12 epochs", results_of(plan, seeds)


def adding_results(seeds: int) -> Iterator[Titled]:
    """Return how well each cell adds two marked numbers of sequences of each length."""
    networks = {f"`{cell}`, 32 units": adding_network(cell) for cell in CELLS}
    for length in LENGTHS:
        plan = Plan(networks, adding(length), epochs=12, batch_size=128)
        yield f"sum of two of {length} numbers, 12 epochs", results_of(plan, seeds)


def draw_memory(panels: dict[str, list[Titled]], file: Path) -> None:
    """Draw the mean score of each cell and its interval over the length of the sequences, a panel for each task."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3), layout="constrained")
    for axes, (task, panel) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        test = next(iter(panel[0][1].values()))[0].scores.keys()
        for shift, name in zip((0.93, 1, 1.07), panel[0][1], strict=True):
            scores = [[next(iter(one.scores.values())) for one in results[name]] for _, results in panel]
            halves = [interval_half(values) for values in scores]
            label = name.partition(",")[0].strip("`")
            axes.errorbar(shift * np.array(LENGTHS), np.mean(scores, 1), halves, fmt="o-", capsize=3, label=label)
        axes.set_xscale("log")
        axes.set_xticks(LENGTHS, map(str, LENGTHS))
        axes.set_xticks([], minor=True)
        axes.set(title=task, xlabel="length", ylabel=next(iter(test)), ylim=(-3, 103))
    axes.legend()
    figure.savefig(file, dpi=110)


# Pooling over time


def reviews(seed: int) -> Data:
    """Return the embedded reviews as word numbers `(reviews, words)`, padded with 0; the class is 1 if positive."""
    train, test = sets.reviews()
    counts = Counter(word for row in train for word in words_of(row["text"]))
    numbers = {word: number for number, (word, _) in enumerate(counts.most_common(WORDS), start=2)}
    longest = max(len(words_of(row["text"])) for row in [*train, *test])
    parts = []
    for part in (train, test):
        texts = [[numbers.get(word, 1) for word in words_of(row["text"])] for row in part]
        x = np.array([text + [0] * (longest - len(text)) for text in texts])
        parts.append(Examples(x, np.array([int(row["label"] == "positive") for row in part])))
    return Data(parts[0], {"reviews, %": parts[1]})


def words_of(text: str) -> list[str]:
    """Return the words and marks of a text, in small letters."""
    return re.findall(r"[a-z']+|[.,!?]", text.lower())


def review_network(pooling: str) -> Build:
    """Return a builder of a classifier of reviews, by the last state of a GRU or by pooled states."""

    def build() -> keras.Model:
        tokens = keras.Input((None,), dtype="int32")
        x = keras.layers.Embedding(WORDS + 2, 32, mask_zero=True)(tokens)
        x = pooled_states(keras.layers.Dropout(0.5)(x), "gru", pooling)
        return classifier(tokens, x, 2)

    return build


def pooling_results(seeds: int) -> Iterator[Titled]:
    """Return how the last state of a GRU compares with its states pooled over time."""
    poolings = ("last", "max", "mean", "attention", "max+mean")
    networks = {f"`{pooling}`": reading_network("gru", pooling=pooling) for pooling in poolings}
    plan = Plan(networks, recall(40), epochs=6, batch_size=128)
    yield "first of 40 symbols, GRU, 6 epochs", results_of(plan, seeds)
    networks = {f"`{pooling}`": review_network(pooling) for pooling in poolings}
    yield "embedded reviews, GRU, 8 epochs", results_of(Plan(networks, reviews, epochs=8), seeds)


class Comparison(NamedTuple):
    """A comparison that the command line offers."""

    results: Callable[[int], Iterator[Titled]]
    seeds: int = 5
    solved: Solved | None = None


COMPARISONS = {
    "dense": Comparison(dense_results),
    "stride": Comparison(stride_results),
    "deconvolution": Comparison(deconvolution_results),
    "recall": Comparison(recall_results, seeds=3, solved=lambda score: score >= 95),
    "adding": Comparison(adding_results, seeds=3, solved=lambda score: score <= 5),
    "pooling": Comparison(pooling_results),
}


def draw(found: dict[str, list[Titled]], folder: Path) -> None:
    """Draw the pictures of those comparisons that were made."""
    folder.mkdir(parents=True, exist_ok=True)
    if "deconvolution" in found:
        draw_checkerboard(found["deconvolution"][0][1], folder / "checkerboard.png")
    tasks = {"recall": "first symbol", "adding": "adding problem"}
    if panels := {title: found[name] for name, title in tasks.items() if name in found}:
        draw_memory(panels, folder / "memory-over-length.png")


@click.command(help=__doc__)
@click.argument("names", nargs=-1, type=click.Choice(list(COMPARISONS)))
@click.option("--seeds", type=click.IntRange(2), help="Trainings of each network; 5, and 3 of `recall` and `adding`.")
@click.option("--pictures", type=click.Path(file_okay=False, path_type=Path), help="Folder for two pictures.")
def main(names: Sequence[str], seeds: int | None, pictures: Path | None) -> None:
    """Print the tables of some comparisons, or of all, and draw their pictures."""
    found: dict[str, list[Titled]] = {}
    for name in names or COMPARISONS:
        comparison, found[name] = COMPARISONS[name], []
        count = seeds or comparison.seeds
        click.echo(f"\n**{name}**: {count} seeds, {machine()}\n")
        for title, results in comparison.results(count):
            click.echo(table(title, results, comparison.solved) + "\n")
            found[name].append((title, results))
    if pictures:
        draw(found, pictures)


if __name__ == "__main__":
    main()

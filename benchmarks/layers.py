"""Small comparisons of the layer families: `python -m benchmarks.layers [--seeds N] [--pictures FOLDER] [NAME...]`.

The names are `dense`, `stride`, `deconvolution`, `length` and `pooling`; without one, all are made. Each prints the
table that stands in `layers/README.md`: means over seeds, with 95 % intervals of Student's t.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

if __name__ == "__main__":  # as a script, this file must not stand for the package `layers`
    sys.path[:] = [str(Path(__file__).parents[1]), *(path for path in sys.path if Path(path).name != "benchmarks")]

import click
import keras
import numpy as np

from data.builtin import sets
from layers.convolution import ConvolutionBlock
from layers.deconvolution import DeconvolutionBlock
from layers.dense import DenseBlock
from layers.pooling import SequencePooling
from layers.recurrent import Cell, RecurrentStack

LENGTHS = (10, 40, 160)
SYMBOLS = 8  # of which the first is to be remembered
SHIFT = 2  # pixels


class Data(NamedTuple):
    """Inputs and class numbers, for training and for each test."""

    x: np.ndarray
    y: np.ndarray
    tests: dict[str, tuple[np.ndarray, np.ndarray]]


class Outcome(NamedTuple):
    """What training one network once gave."""

    parameters: int
    seconds: float
    scores: dict[str, float]  # in percent, by test


Build = Callable[[], keras.Model]


def digits(seed: int) -> Data:
    """Return the embedded digits in a frame of 14x14 pixels, and the test digits moved as well."""
    train, test = (
        (np.stack([row["image"] for row in part]), np.array([int(row["label"]) for row in part]))
        for part in sets.digits()
    )
    x, held = (np.pad(part[0], ((0, 0), (3, 3), (3, 3)))[..., None].astype("float32") / 255 for part in (train, test))
    random = np.random.default_rng(seed)
    moves = random.integers(-SHIFT, SHIFT + 1, size=(len(held), 2))
    moved = np.stack([np.roll(image, move, axis=(0, 1)) for image, move in zip(held, moves, strict=True)])
    return Data(x, train[1], {"in place": (held, test[1]), f"moved by up to {SHIFT} pixels": (moved, test[1])})


def recall(length: int) -> Callable[[int], Data]:
    """Return a maker of sequences of random symbols, `(sequences, length)`; the class is the first symbol."""

    def make(seed: int) -> Data:
        random = np.random.default_rng(seed)
        x = random.integers(0, SYMBOLS, size=(3000, length))
        return Data(x[:2500], x[:2500, 0], {"first symbol": (x[2500:], x[2500:, 0])})

    return make


def spotting(seed: int) -> Data:
    """Return sequences of 60 symbols in which a pair of neighbours stands somewhere, or its mirror image."""
    random = np.random.default_rng(seed)
    x, y = random.integers(2, SYMBOLS, size=(3000, 60)), random.integers(0, 2, size=3000)
    places = random.integers(0, 59, size=3000)
    x[np.arange(3000), places], x[np.arange(3000), places + 1] = y, 1 - y
    return Data(x[:2500], y[:2500], {"pair found": (x[2500:], y[2500:])})


def classifier(inputs: keras.KerasTensor, x: keras.KerasTensor, classes: int, rate: float = 5e-3) -> keras.Model:
    """Return a compiled classifier that ends with a softmax."""
    model = keras.Model(inputs, keras.layers.Dense(classes, activation="softmax")(x))
    optimizer = keras.optimizers.Adam(rate, clipnorm=1.0)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def dense_network(units: int) -> Build:
    """Return a builder of a network with one fully connected layer."""

    def build() -> keras.Model:
        image = keras.Input((14, 14, 1))
        return classifier(image, DenseBlock(units)(keras.layers.Flatten()(image)), 10)

    return build


def convolution_network(filters: int, pooling: str, strides: int = 1) -> Build:
    """Return a builder of a network with two convolution blocks and a mean over the picture."""

    def build() -> keras.Model:
        image = keras.Input((14, 14, 1))
        kind = {"max": "max", "average": "average"}.get(pooling, "none")
        x = ConvolutionBlock(filters, 3, strides=strides, pooling=kind)(image)  # type: ignore[arg-type]
        x = ConvolutionBlock(2 * filters, 3)(x)
        return classifier(image, keras.layers.GlobalAveragePooling2D()(x), 10)

    return build


def recurrent_network(cell: Cell, units: int, classes: int, pooling: str = "last") -> Build:
    """Return a builder of a network that reads symbols, and classifies the last state or pooled states."""

    def build() -> keras.Model:
        symbols = keras.Input((None,), dtype="int32")
        x = keras.layers.Embedding(SYMBOLS, 16)(symbols)
        x = RecurrentStack(units, cell, return_sequences=pooling != "last")(x)
        return classifier(symbols, x if pooling == "last" else SequencePooling(pooling)(x), classes)

    return build


def trained(build: Build, data: Data, seed: int, epochs: int) -> Outcome:
    """Train a network once, and return its test scores."""
    keras.utils.set_random_seed(seed)
    model = build()
    start = time.perf_counter()
    model.fit(data.x, data.y, batch_size=64, epochs=epochs, verbose=0)
    seconds = time.perf_counter() - start
    scores = {name: 100 * model.evaluate(*test, verbose=0)[1] for name, test in data.tests.items()}
    return Outcome(model.count_params(), seconds, scores)


def mean_and_interval(values: Sequence[float]) -> str:
    """Return a mean with its 95 % interval by Student's t."""
    from scipy.stats import t

    half = t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5
    return f"{np.mean(values):.1f} ± {half:.1f}"


def compare(title: str, networks: dict[str, Build], make: Callable[[int], Data], seeds: int, epochs: int) -> None:
    """Train networks on the same data, and print a table of their scores."""
    runs = {
        name: [trained(build, make(seed), seed, epochs) for seed in range(seeds)] for name, build in networks.items()
    }
    tests = list(next(iter(runs.values()))[0].scores)
    print(f"\n| {title} | parameters | {' | '.join(f'{test}, %' for test in tests)} | seconds |")
    print("| --- | --- |" + " --- |" * (len(tests) + 1))
    for name, outcomes in runs.items():
        scores = [mean_and_interval([one.scores[test] for one in outcomes]) for test in tests]
        seconds = np.mean([one.seconds for one in outcomes])
        print(f"| {name} | {outcomes[0].parameters:,} | {' | '.join(scores)} | {seconds:.0f} |", flush=True)


def compare_dense(seeds: int) -> None:
    """Compare fully connected and convolution layers at about equal parameters."""
    networks = {
        "fully connected, 24 units": dense_network(24),
        "convolution, 16 and 32 maps": convolution_network(16, "max"),
    }
    compare("digits, 40 epochs", networks, digits, seeds, 40)


def compare_stride(seeds: int) -> None:
    """Compare ways to halve a picture."""
    networks = {
        "stride of 2": convolution_network(12, "none", strides=2),
        "maximum of 2x2": convolution_network(12, "max"),
        "mean of 2x2": convolution_network(12, "average"),
        "not halved": convolution_network(12, "none"),
    }
    compare("digits, 40 epochs", networks, digits, seeds, 40)


def upsampling(kind: str) -> Callable[[], keras.Sequential]:
    """Return a builder of a layer that doubles a picture."""
    return {
        "deconvolution, kernel 4, stride 2": lambda: keras.Sequential([DeconvolutionBlock(1, 4, activation="linear")]),
        "the same, even": lambda: keras.Sequential([DeconvolutionBlock(1, 4, activation="linear", even=True)]),
        "deconvolution, kernel 3, stride 2": lambda: keras.Sequential([keras.layers.Conv2DTranspose(1, 3, 2, "same")]),
        "resize, then convolution of 3x3": lambda: keras.Sequential(
            [keras.layers.UpSampling2D(interpolation="bilinear"), ConvolutionBlock(1, 3, activation="linear")]
        ),
    }[kind]


KINDS = (
    "deconvolution, kernel 3, stride 2",
    "deconvolution, kernel 4, stride 2",
    "the same, even",
    "resize, then convolution of 3x3",
)


def photo_patches() -> np.ndarray:
    """Return patches of an embedded photo, float32 `(patches, 32, 32, 1)` in [0, 1]."""
    from data.pictures.photo import read_photo

    pixels = read_photo(sets.photos()[0][0]).pixels.mean(2) / 255
    return np.stack(
        [pixels[row : row + 32, column : column + 32] for row in range(0, 480, 32) for column in range(0, 480, 32)]
    )[..., None].astype("float32")


def fitted_upsampling(kind: str, seed: int) -> tuple[float, np.ndarray]:
    """Train a layer to double patches; return its error in grey levels, and its answer to a flat picture."""
    keras.utils.set_random_seed(seed)
    large = photo_patches()
    small = large.reshape(len(large), 16, 2, 16, 2, 1).mean((2, 4))
    model = upsampling(kind)()
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
    model.fit(small[::2], large[::2], epochs=60, batch_size=16, verbose=0)
    error = float(np.mean((model.predict(small[1::2], verbose=0) - large[1::2])[:, 4:-4, 4:-4] ** 2)) ** 0.5
    flat = model.predict(np.full((1, 16, 16, 1), 0.5, "float32"), verbose=0)[0, 8:-8, 8:-8, 0]
    return 255 * error, 255 * flat


def compare_deconvolution(seeds: int) -> None:
    """Compare ways to double a picture, and how flat a flat picture stays."""
    print("\n| doubling a photo | error, levels | unevenness of a flat grey, levels |\n| --- | --- | --- |")
    for kind in KINDS:
        found = [fitted_upsampling(kind, seed) for seed in range(seeds)]
        uneven = [float(np.ptp(flat)) for _, flat in found]
        print(
            f"| {kind} | {mean_and_interval([error for error, _ in found])} | {mean_and_interval(uneven)} |", flush=True
        )


def compare_length(seeds: int) -> None:
    """Compare recurrent cells over the length of what they must remember."""
    cells: tuple[Cell, ...] = ("lstm", "gru", "rnn")
    for length in LENGTHS:
        networks = {f"{cell}, 32 units": recurrent_network(cell, 32, SYMBOLS) for cell in cells}
        compare(f"first of {length} symbols, 12 epochs", networks, recall(length), seeds, 12)


def compare_pooling(seeds: int) -> None:
    """Compare the last state of a GRU with its states pooled over time."""
    networks = {f"{name}": recurrent_network("gru", 16, 2, name) for name in ("last", "max", "mean", "attention")}
    compare("pair of neighbours in 60 symbols, 8 epochs", networks, spotting, seeds, 8)


def draw(folder: Path) -> None:
    """Draw the answers of each way of doubling to a flat grey, spread over 4 levels."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 2.6), layout="constrained")
    for axes, kind in zip(figure.subplots(1, len(KINDS)), KINDS, strict=True):
        flat = fitted_upsampling(kind, seed=0)[1]
        axes.imshow(flat - flat.mean(), cmap="gray", vmin=-2, vmax=2)
        axes.set_title(kind.replace(", ", ",\n", 1), fontsize=9)
        axes.axis("off")
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "checkerboard.png", dpi=110)


COMPARISONS = {
    "dense": compare_dense,
    "stride": compare_stride,
    "deconvolution": compare_deconvolution,
    "length": compare_length,
    "pooling": compare_pooling,
}


@click.command(help=__doc__)
@click.argument("names", nargs=-1, type=click.Choice(list(COMPARISONS)))
@click.option("--seeds", type=click.IntRange(2), default=5, show_default=True, help="Trainings of each network.")
@click.option("--pictures", type=click.Path(path_type=Path), help="Folder for a picture of the checkerboard.")
def main(names: Sequence[str], seeds: int, pictures: Path | None) -> None:
    for name in names or COMPARISONS:
        COMPARISONS[name](seeds)
    if pictures:
        draw(pictures)


if __name__ == "__main__":
    main()

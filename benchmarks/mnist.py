"""Training throughput of the digit network: this project, plain Keras `fit`, and PyTorch where it is installed.

All three train the same network on the same random pictures with the same batch size and no augmentation, in
one process, in turns; the printed ratios are of the median times of an epoch.

    python -m benchmarks.mnist [--rounds 7] [--examples 12800] [--preset small]
"""

import argparse
from typing import Any

import numpy as np

import tasks
from benchmarks.race import Epoch, race
from data.batches import Batches
from tasks.mnist import network
from tasks.mnist.config import Config
from tasks.mnist.pipeline import Codec

STILL = {"shift": 0.0, "rotate": 0.0, "scale": 0.0, "shear": 0.0, "elastic": 0.0}
CLASSES = list("0123456789")


def ours(config: Config, images: np.ndarray, labels: np.ndarray) -> Epoch:
    """Return a function that trains one epoch as `train` does."""
    codec = Codec(CLASSES, framed=True, augmentation=config.augmentation())
    model = network.build(config, codec)
    examples = [{"image": image, "label": str(label)} for image, label in zip(images, labels, strict=True)]
    batches = Batches(examples, codec, config.batch_size, seed=0)
    steps = {"steps_per_epoch": len(batches), "shuffle": False, "verbose": 0}
    return lambda epoch: model.fit(batches.epoch_data(epoch), initial_epoch=epoch, epochs=epoch + 1, **steps)


def plain_keras(config: Config, images: np.ndarray, labels: np.ndarray) -> Epoch:
    """Return a function that trains one epoch by `fit` on NumPy arrays."""
    model = network.build(config, Codec(CLASSES, framed=True, augmentation=STILL))
    x = images[..., None].astype("float32") / 255
    return lambda epoch: model.fit(x, labels, batch_size=config.batch_size, verbose=0)


def pytorch(config: Config, images: np.ndarray, labels: np.ndarray) -> Epoch:
    """Return a function that trains one epoch of the same network in PyTorch."""
    import torch
    from torch import nn

    parts: list[Any] = []
    width = 1
    for block in network.convolutions(config):
        padding = block.kernel_size // 2 if block.padding == "same" else 0
        parts += [nn.Conv2d(width, block.filters, block.kernel_size, padding=padding, bias=False)]
        parts += [nn.BatchNorm2d(block.filters), nn.ReLU()]
        parts += [nn.MaxPool2d(block.pooling_size)] if block.pooling == "max" else []
        width = block.filters
    parts += [nn.AdaptiveAvgPool2d(1), nn.Flatten()] if config.filters else [nn.Flatten()]
    width = width if config.filters else 28 * 28
    for units in config.units:
        parts += [nn.Linear(width, units, bias=False), nn.BatchNorm1d(units), nn.ReLU(), nn.Dropout(config.dropout)]
        width = units
    parts += [] if config.units else [nn.Dropout(config.dropout)]
    model = nn.Sequential(*parts, nn.Linear(width, len(CLASSES)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    loss = nn.CrossEntropyLoss()
    x, y = torch.from_numpy(images[:, None].astype("float32") / 255), torch.from_numpy(labels.astype("int64"))

    def epoch(number: int) -> None:
        order = torch.randperm(len(x))
        for rows in order.split(config.batch_size):
            optimizer.zero_grad()
            loss(model(x[rows]), y[rows]).backward()
            optimizer.step()

    return epoch


def main() -> None:
    """Time the contestants in turns, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--examples", type=int, default=12_800)
    parser.add_argument("--preset", default="small", choices=list(tasks.presets("mnist")))
    given = parser.parse_args()
    config = Config.restore(tasks.configure("mnist", given.preset).state() | STILL)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (given.examples, 28, 28), "uint8")
    labels = random.integers(0, 10, given.examples, "int32")
    contestants = {"ours": ours, "plain Keras fit": plain_keras, "PyTorch": pytorch}
    race(contestants, given.rounds, given.examples, "images", config, images, labels)


if __name__ == "__main__":
    main()

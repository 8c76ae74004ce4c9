"""Training throughput of super-resolution: this project, plain Keras `fit`, and PyTorch where it is installed.

All three train the same network on the same patches with the same batch size, in one process, in turns. Ours cuts,
turns and degrades its patches as it goes and compiles with XLA, as `train` does; the others read patches that lie ready
in memory. The printed ratios are of the median times of an epoch.

    python -m benchmarks.upscale [--rounds 7] [--steps 60] [--preset small] [--scale 2]
"""

import argparse

import numpy as np
from typing_extensions import override

import tasks
from benchmarks.race import Epoch, race
from data.batches import Batches
from data.splits import Example
from tasks.upscale import network, pipeline
from tasks.upscale.config import Config


def ours(config: Config, examples: list[Example], x: np.ndarray, y: np.ndarray) -> Epoch:
    """Return a function that trains one epoch as `train` does."""
    count = -(-len(x) // len(examples))

    class Repeated(pipeline.Codec):
        """A codec with as many patches of each picture as the other ways read."""

        @override
        def turns(self, example: Example) -> int:
            return count

    codec = Repeated(config)
    model = network.build(config, codec)
    batches = Batches(examples, codec, config.batch_size, seed=0)
    steps = {"steps_per_epoch": len(x) // config.batch_size, "shuffle": False, "verbose": 0}
    return lambda epoch: model.fit(batches.epoch_data(epoch), initial_epoch=epoch, epochs=epoch + 1, **steps)


def plain_keras(config: Config, examples: list[Example], x: np.ndarray, y: np.ndarray) -> Epoch:
    """Return a function that trains one epoch by `fit` on NumPy arrays, compiled as Keras chooses."""
    model = network.build(Config.restore(config.state() | {"xla": False}), pipeline.Codec(config))
    return lambda epoch: model.fit(x, y, batch_size=config.batch_size, verbose=0)


def pytorch(config: Config, examples: list[Example], x: np.ndarray, y: np.ndarray) -> Epoch:
    """Return a function that trains one epoch of the same network in PyTorch."""
    import torch
    from torch import nn

    class Residual(nn.Module):
        """Convolutions whose answer is added to what they read."""

        def __init__(self, parts: list[nn.Module]) -> None:
            super().__init__()
            self.chain = nn.Sequential(*parts[:-1])  # without the last activation

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            """Return the sum."""
            return x + self.chain(x)

    parts: list[nn.Module] = []
    width = 1
    for stage in config.stages():
        size, filters = stage.kernel_size, stage.filters
        if stage.kind == "deconvolution":
            border = (size - stage.strides) // 2
            parts.append(nn.ConvTranspose2d(width, filters, size, stride=stage.strides, padding=border))
            parts += [nn.ReLU()] if filters > 1 else []
        else:
            chain: list[nn.Module] = []
            for _ in range(stage.convolutions):
                chain += [nn.Conv2d(width, filters, size, padding=size // 2), nn.ReLU()]
                width = filters
            parts += [Residual(chain)] if stage.kind == "residual" else chain
        width = filters
    model = nn.Sequential(*parts)
    optimizer, loss = torch.optim.Adam(model.parameters(), lr=1e-4), nn.L1Loss()
    given, wanted = (torch.from_numpy(np.moveaxis(array, 3, 1).copy()) for array in (x, y))

    def epoch(number: int) -> None:
        for rows in torch.randperm(len(given)).split(config.batch_size):
            optimizer.zero_grad()
            loss(model(given[rows]), wanted[rows]).backward()
            optimizer.step()

    return epoch


def main() -> None:
    """Time the contestants in turns, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--preset", default="small", choices=list(tasks.presets("upscale")))
    parser.add_argument("--scale", type=int, default=2)
    given = parser.parse_args()
    config = tasks.configure("upscale", given.preset, data="builtin", scale=given.scale)
    assert isinstance(config, Config)
    examples = list(pipeline.load(config).train)
    count = given.steps * config.batch_size
    random = np.random.default_rng(0)
    rows = [examples[int(row)] for row in random.integers(len(examples), size=count)]
    x, y = pipeline.Codec(config).encode(rows, random)
    contestants = {"ours": ours, "plain Keras fit": plain_keras, "PyTorch": pytorch}
    race(contestants, given.rounds, count, "patches", config, examples, x, y)


if __name__ == "__main__":
    main()

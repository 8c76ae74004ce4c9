"""What safety costs: gradient steps with the checks and checkpoints of a training, and bare ones, in turns.

The same batches are taken by Keras alone and by a training, some seconds each. A checkpoint is timed after each turn.
The share is the throughput of a training that keeps a checkpoint as often as its config says, against the bare one:
the median of the turns, by the clock, and by the time of the processors, which other work on the machine disturbs less.

    python -m benchmarks.checkpoints TASK ['{"data_dir": "/data/tfds"}'] [--seconds 4] [--turns 9]
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np

import tasks
from data.batches import Batches
from data.holdout import limited_splits
from data.splits import Examples
from tasks.engine.checkpoint import Networks
from tasks.engine.devices import Devices
from tasks.engine.interval import Interval
from tasks.engine.load import keras_part
from tasks.engine.training import Steps, Training


def begun_training(name: str, settings: dict[str, Any], run: Path) -> Training:
    """Return a training of a task that has its first checkpoint, and keeps no other by itself."""
    task, config = tasks.get(name), tasks.configure(name, **settings)
    splits = task.load(config)
    codec = task.codec.learn(config, splits.train)
    splits = limited_splits(splits, config.limit, config.seed)
    config = codec.settled(config)
    part = keras_part(task)
    keras.utils.set_random_seed(config.seed)
    model, kept = part.build(config, codec), part.build(config, codec)
    if part.load:
        part.load(model, config)
    if part.prepare:
        splits = part.prepare(model, config, splits, False)
    config = replace(config, checkpoint_every="1000000 steps")
    parts = [Batches(examples, codec, config.batch_size, seed=config.seed) for examples in splits[:2]]
    training = Training(Networks(model, kept), parts[0], parts[1], config, run, None, "", lambda row: None, Devices())
    training.begin()
    training.networks.best = kept.get_weights()  # a later checkpoint holds the best weights too
    return training


def take(training: Training, examples: Examples, count: int) -> None:
    """Let an epoch of a training have so many steps, if its data is enough."""
    size = training.config.batch_size
    training.train = Batches(examples[: count * size], training.train.encoder, size, seed=training.config.seed)


def timed(work: Callable[[], object]) -> np.ndarray:
    """Return the seconds that some work takes, by the clock and of the processors."""
    start = np.array([time.perf_counter(), time.process_time()])
    work()
    return np.array([time.perf_counter(), time.process_time()]) - start


def epoch(training: Training, *, bare: bool) -> None:
    """Take the gradient steps of an epoch."""
    training.progress.step, training.start = 0, time.monotonic()
    training.networks.model.fit(
        training.train.epoch_data(),
        steps_per_epoch=len(training.train),
        shuffle=False,
        verbose=0,
        callbacks=[] if bare else [Steps(training)],
    )


def main() -> None:
    """Print the cost of safety of one task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=tasks.names())
    parser.add_argument("settings", nargs="?", type=json.loads, default={}, help="settings of the training, as JSON")
    parser.add_argument("--seconds", type=float, default=4.0, help="about how long a turn takes")
    parser.add_argument("--turns", type=int, default=9)
    words = parser.parse_args()
    every = Interval.of(tasks.configure(words.task, **words.settings).checkpoint_every)
    with TemporaryDirectory() as folder:
        training = begun_training(words.task, words.settings, Path(folder))
        examples = training.train.examples
        take(training, examples, 5)
        step = min(timed(partial(epoch, training, bare=True))[0] for _ in range(3)) / 5
        take(training, examples, max(round(words.seconds / step), 2))
        count = len(training.train)
        shares, kept = [], []
        for turn in range(words.turns):
            order = ((True, False), (False, True))[turn % 2]
            seconds = {bare: timed(partial(epoch, training, bare=bare)) for bare in order}
            kept.append(timed(training.keep))
            checkpoints = count / every.steps if every.steps else seconds[False][0] / (every.seconds or 1.0)
            shares.append(seconds[True] / (seconds[False] + checkpoints * kept[-1]))
        (clock, processors), (low, _), (high, _) = (f(shares, axis=0) for f in (np.median, np.min, np.max))
        print(
            f"{words.task:<10} {len(shares)} turns of {count} steps; checkpoint {np.median(kept, axis=0)[0]:.2f} s; "
            f"throughput by the clock {clock:.3f} ({low:.3f} to {high:.3f}), of the processors {processors:.3f}"
        )


if __name__ == "__main__":
    main()

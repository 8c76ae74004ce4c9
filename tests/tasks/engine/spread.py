"""Train a tiny network of a case, and keep its weights: CASE STRATEGY FOLDER RUN."""

import os
import sys
from pathlib import Path

import numpy as np

import tasks
from tasks.engine import fitting
from tasks.engine.distribution import Distribution
from tasks.engine.train import networks, opened_devices

PLAIN = {"data": "builtin", "batch_size": 24, "epochs": 1}
CASES = {  # without dropout, whose random numbers differ between devices
    "dense": ("mnist", {"filters": (), "units": (32,), "dropout": 0.0, "limit": 100}),
    "batch": ("mnist", {"filters": (8, 12), "dropout": 0.0, "convolution_dropout": 0.0, "limit": 100}),
    "recurrent": (
        "sentiment",
        {
            "limit": 100, "units": 16, "embedding": 12, "dropout": 0.0, "embedding_dropout": 0.0, "layer_dropout": 0.0,
            "recurrent_dropout": 0.0,
        },
    ),
    "sequence": (
        "translate",
        {
            "limit": 90, "units": 16, "embedding": 12, "dropout": 0.0, "embedding_dropout": 0.0, "decoder_dropout": 0.0,
            "average": 0,
        },
    ),
}  # fmt: skip


def two_devices():
    """Let this machine have two devices, before anything is computed."""
    os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
    import tensorflow as tf

    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], two)


def main(case, strategy, folder, run):
    name, settings = CASES[case]
    spread = Distribution(strategy=strategy)
    devices = opened_devices(spread, run)
    assert (devices.replicas if devices else 1) == (1 if strategy == "none" else 2)
    task, config = tasks.get(name), tasks.configure(name, **PLAIN, **settings)
    splits = task.load(config)
    ready = networks(task, config, splits, run, devices)
    train = splits.train[: config.limit]
    splits = splits._replace(train=train, valid=splits.valid[:20])
    fitting.fit(ready.model, ready.kept, ready.codec, splits, ready.config, run, devices=devices)
    rank = devices.rank if devices else "alone"
    np.savez(folder / f"{rank}.npz", *ready.model.get_weights())
    if devices:
        devices.leave()


if __name__ == "__main__":
    if sys.argv[2] == "mirrored":
        two_devices()
    main(*sys.argv[1:3], *map(Path, sys.argv[3:5]))

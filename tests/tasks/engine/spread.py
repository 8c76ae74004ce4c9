"""Train a tiny network of each case, and keep its weights in a folder of its own: CASE,CASE... STRATEGY FOLDER."""

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


def main(cases, strategy, folder):
    spread = Distribution(strategy=strategy)
    devices = opened_devices(spread, folder)
    assert (devices.replicas if devices else 1) == (1 if strategy == "none" else 2)
    for case in cases:
        (folder / case).mkdir(parents=True, exist_ok=True)
        train(case, devices, folder / case)
    if devices:
        devices.leave()


def train(case, devices, folder):
    """Train the network of a case, and keep its weights in the folder, by the rank of this process."""
    name, settings = CASES[case]
    task, config = tasks.get(name), tasks.configure(name, **PLAIN, **settings)
    splits = task.load(config)
    ready = networks(task, config, splits, folder / "run", devices)
    splits = splits._replace(train=splits.train[: config.limit], valid=splits.valid[:20])
    fitting.fit(ready.model, ready.kept, ready.codec, splits, ready.config, folder / "run", devices=devices)
    np.savez(folder / f"{devices.rank if devices else 0}.npz", *ready.model.get_weights())


if __name__ == "__main__":
    if sys.argv[2] == "mirrored":
        two_devices()
    main(sys.argv[1].split(","), sys.argv[2], Path(sys.argv[3]))

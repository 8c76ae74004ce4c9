"""What a training would take, by some of its steps; no run is made."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from data.holdout import limited_splits
from data.packages import check_packages
from tasks.engine.config import JsonObject, TaskConfig, budget_seconds
from tasks.engine.load import keras_part
from tasks.engine.ready import networks
from tasks.engine.rehearsal import rehearsed
from tasks.engine.signals import ENDING
from tasks.engine.task import Task
from tasks.engine.train import NEEDED, check_examples

C = TypeVar("C", bound=TaskConfig)
NUMBER = 4  # bytes of a weight in float32
STATES = 3  # arrays of a weight in a file of a training: itself, and two moments of Adam
CHECKPOINTS = 3  # two are kept, and one is being written
STORED = {"float32": 4 + 4, "float16": 2 + 2, "int8": 2 + 1}  # bytes of a weight in `model.keras` and the ONNX files
SECONDS = 10.0  # for the steps


def dry_run(task: Task[C], config: C) -> JsonObject:
    """Return what a training with these settings would take, as JSON types.

    * `settings`: all of them, with those that follow from the training examples.
    * `examples`: the number in each part.
    * `parameters`: of the network.
    * `steps`: gradient steps of an epoch; `seconds_a_step`, the mean of up to 24.
    * `epochs`: as set, or as many as fit the budget.
    * `minutes`: of the training, with its validations, files and scores.
    * `memory_mb`: the most that this process has had. `disk_mb`: of the run, with its checkpoints, at most.

    Example:
        >>> import tasks
        >>> found = dry_run(tasks.get("mnist"), tasks.configure("mnist", "tiny", data="builtin", limit=200))
        >>> found["examples"]["train"], found["steps"], found["minutes"] < 10
        (200, 2, True)
    """
    from data.batches import Batches
    from tasks.engine.checkpoint import Networks
    from tasks.engine.devices import Devices
    from tasks.engine.speed import training_speed
    from tasks.engine.training import Training

    ENDING.text = "Stopped."
    check_packages("`train`", *NEEDED)
    begin = time.monotonic()
    splits = task.load(config)
    check_examples(task, splits)
    read = time.monotonic() - begin
    with TemporaryDirectory() as folder:
        run, devices = Path(folder), Devices()
        ready = networks(task, config, splits, run, devices)
        config, codec = ready.config, ready.codec
        splits = limited_splits(splits, config.limit, config.seed)
        part = keras_part(task)
        if part.prepare:
            splits = part.prepare(ready.model, config, splits, False)
        train = Batches(splits.train, codec, config.batch_size, seed=config.seed)
        valid = Batches(splits.valid, codec, config.batch_size)
        both = Networks(ready.model, ready.kept)
        training = Training(both, train, valid, config, run, None, "", lambda row: None, devices)
        training.begin()
        before = time.monotonic()
        speed = training_speed(both, train, valid, devices, SECONDS)
        compiled = time.monotonic() - before
        after = rehearsed(task, config, codec, ready.kept, splits, score=True)
        epoch = len(train) * speed.step + speed.validation
        others = read + compiled + after
        budget = budget_seconds(config.budget)
        epochs = max(round((budget - others) / epoch), 1) if budget else config.epochs
    parameters = ready.kept.count_params()
    return {
        "task": task.name,
        "settings": config.state(),
        "examples": {name: len(examples) for name, examples in splits._asdict().items()},
        "parameters": parameters,
        "steps": len(train),
        "seconds_a_step": speed.step,
        "epochs": epochs,
        "minutes": (others + epochs * epoch) / 60,
        "memory_mb": most_memory(),
        "disk_mb": disk(parameters, config, len(json.dumps(codec.state()))) / 1e6,
    }


def most_memory() -> float:
    """Return the most memory that this process has had, in MB."""
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most / 1e3


def disk(parameters: int, config: TaskConfig, codec: int) -> float:
    """Return the most bytes of a run of so many parameters, but for its answers and figures.

    Args:
        codec: Bytes of its codec.
    """
    weights = NUMBER * parameters
    checkpoint = (STATES + 2) * weights  # the network in training, the mean of its weights, and the best
    return CHECKPOINTS * checkpoint + STORED[config.storage] * parameters + codec

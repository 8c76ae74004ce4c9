"""The walk from a config to a trained pipeline, and the ways back to one."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from zipfile import BadZipFile

from data.splits import Examples, Splits, fingerprint
from tasks.engine import card
from tasks.engine import run as runs
from tasks.engine.config import SettingError, TaskConfig, selecting
from tasks.engine.network import ComparedNetwork, KerasNetwork, Network, OnnxNetwork
from tasks.engine.task import Pipeline, Report, Task

C = TypeVar("C", bound=TaskConfig)
LOG = logging.getLogger("tasks")
SAMPLE = 64  # validation examples on which ONNX is checked against Keras


class Evaluation(NamedTuple):
    """A report, and what it is about."""

    report: Report
    summary: dict[str, Any]  # task, run, data, split, examples, metrics


def train(task: Task[C], config: C, directory: Path | str | None = None, *, progress: bool = False) -> Pipeline[C]:
    """Train a task, keep its run directory, and return its pipeline.

    Raises:
        FileExistsError: The directory is not empty.
        DataError, UnavailableError, FileNotFoundError: The data, or a run to start from, cannot be had; no directory
            is made.
        DivergedError: The loss is no number any more.
    """
    run = runs.vacant(Path(directory)) if directory else runs.fresh(runs.KEPT / task.name)
    if getattr(config, "init_from", None):
        runs.read_config(config.init_from, task.name)  # type: ignore[attr-defined]
    splits = task.load(config)
    run.mkdir(parents=True, exist_ok=True)
    with runs.lock(run):
        runs.vacant(run)
        runs.write_config(run, task.name, config.state())
        return walk(task, config, splits, run, progress)


def resume(
    task: Task[C], directory: Path | str | None, settings: Mapping[str, Any], *, progress: bool = False
) -> Pipeline[C]:
    """Go on with an unfinished run from the end of its last epoch.

    Raises:
        SettingError: A setting is to change; only the folder of the data may.
        FileNotFoundError, FileExistsError, RunError: There is nothing to go on with, or its data has changed.
    """
    for name in settings:
        if name != "data_dir":
            raise SettingError(f"`{name}` cannot change when a run goes on; leave it out, or begin a new run.")
    run = runs.unfinished(task.name, Path(directory) if directory else None)
    with runs.lock(run):
        runs.clear(run)
        config = read_config(task, run).tuned(settings)
        return walk(task, config, task.load(config), run, progress)


def walk(task: Task[C], config: C, splits: Splits, run: Path, progress: bool) -> Pipeline[C]:
    """Go from raw splits to a scored pipeline in its run directory."""
    import keras

    from tasks.engine import devices, training

    LOG.info("Run: %s", run)
    keras.utils.set_random_seed(config.seed)
    codec = task.codec.learn(config, splits.train)
    splits = splits.limited(config.limit)
    network = network_of(task)
    build = network.build
    with devices.precision(config.precision):
        model = build(config, codec)
    with devices.precision("float32"):
        kept = build(config, codec)
    environment = devices.environment() | {
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "data": fingerprint(splits),
        "parameters": kept.count_params(),
    }
    if (run / "environment.json").is_file():
        before = runs.read_json(run / "environment.json")
        if before["data"] != environment["data"]:
            raise runs.RunError(f"The data has changed since {str(run)!r} began; begin a new run.")
        environment["command"] = before["command"]  # the one that makes it again
    runs.write_json(run / "environment.json", environment)
    runs.write_json(run / "codec.json", codec.state())
    if hasattr(network, "begin") and not (run / "checkpoint/state.json").is_file():
        network.begin(model, config)
    if hasattr(network, "prepare"):
        splits = network.prepare(model, config, splits, progress)
    fitted = training.fit(model, kept, codec, splits, config, run, progress)
    pipeline = Pipeline(task, config, codec, KerasNetwork(network.signatures(kept)), run)
    if task.calibrate:
        pipeline = replace(pipeline, codec=task.calibrate(pipeline, splits.valid))
        runs.write_json(run / "codec.json", pipeline.codec.state())
    difference = write_onnx(pipeline, splits.valid[:SAMPLE])
    environment |= {"seconds": round(fitted.seconds, 1), "onnx_difference": difference}
    runs.write_json(run / "environment.json", environment)
    pipeline = open_network(pipeline)
    evaluation = score(pipeline, splits.test, getattr(config, "test", None) or "test")
    best = (fitted.best_epoch, fitted.best)
    runs.write_text(run / "README.md", card.write(task, config, environment, best, evaluation.summary))
    write_report(evaluation, run)
    return pipeline


def write_onnx(pipeline: Pipeline[C], sample: Examples) -> float:
    """Write the signatures of a Keras pipeline as ONNX, and return their largest difference from Keras."""
    from tasks.engine import export

    assert isinstance(pipeline.network, KerasNetwork)
    export.write(pipeline.network.models, pipeline.task.name, pipeline.run, pipeline.config.storage)
    compared = ComparedNetwork(pipeline.network, OnnxNetwork(pipeline.run / "onnx"))
    inputs = [example[pipeline.task.accepts] for example in sample]
    replace(pipeline, network=compared).predict(inputs)
    return compared.difference


def restore(
    task: Task[C], directory: Path | str | None = None, settings: Mapping[str, Any] | None = None
) -> Pipeline[C]:
    """Return the pipeline that a run directory holds.

    Args:
        directory: Run directory; `None` is the newest finished run below `runs/`, or else a pretrained one.
        settings: Other values for runtime settings, and values that the run was trained with where they say which run
            is meant.

    Raises:
        FileNotFoundError: There is no such run.
        RunError: The run is half-written, damaged, or of a newer format.
        SettingError: The run is of another task or another than is meant, or a setting cannot change after training.
    """
    wanted = selecting(task.config, settings or {})
    run = runs.find(task.name, Path(directory) if directory else None, wanted)
    LOG.info("Run: %s", run)
    other = {name: value for name, value in (settings or {}).items() if name not in wanted}
    config = read_config(task, run).tuned(other)
    try:
        codec = task.codec.restore(config, runs.read_json(run / "codec.json"))
    except (KeyError, TypeError) as error:
        raise runs.RunError(f"{str(run / 'codec.json')!r} is damaged: {error}.") from error
    return open_network(Pipeline(task, config, codec, OnnxNetwork(run / "onnx"), run))


def read_config(task: Task[C], run: Path) -> C:
    """Return the config that a run was trained with."""
    settings = runs.read_config(run, task.name)
    try:
        return task.config.restore(settings)
    except SettingError as error:
        raise runs.RunError(f"{str(run)!r} was made by another version: {error}") from error


def open_network(pipeline: Pipeline[C]) -> Pipeline[C]:
    """Return the pipeline with the network that its `engine` setting asks for."""
    exported = any((pipeline.run / "onnx").glob("*.onnx"))
    engine = pipeline.config.engine
    if engine == "onnx" and not exported:
        raise runs.RunError(f"{str(pipeline.run)!r} has no ONNX files; use --engine keras.")
    network: Network = OnnxNetwork(pipeline.run / "onnx")
    if engine == "keras" or not exported:
        network = KerasNetwork(keras_models(pipeline))
    return replace(pipeline, network=network)


def keras_models(pipeline: Pipeline[C]) -> Mapping[str, Any]:
    """Return the Keras models of a run by signature."""
    from tasks.engine import devices, training

    weights = pipeline.run / "model.keras"
    if not weights.is_file():
        raise runs.RunError(f"{str(pipeline.run)!r} is no complete run: it has no model.keras.")
    with devices.precision("float32"):
        model = network_of(pipeline.task).build(pipeline.config, pipeline.codec)
    try:
        training.bare(model).load_weights(weights)
    except (OSError, ValueError, BadZipFile) as error:
        raise runs.RunError(f"{str(weights)!r} is damaged, or holds another network.") from error
    models: Mapping[str, Any] = network_of(pipeline.task).signatures(model)
    return models


def evaluate(pipeline: Pipeline[C], split: str = "test") -> Evaluation:
    """Score a pipeline on one split of its data: `train`, `valid` or `test`.

    Where a task has a setting `test`, any other name is that of a file to test on.
    """
    part = split
    if split not in Splits._fields:
        if not hasattr(pipeline.config, "test"):
            raise SettingError(f"No split is named {split!r}; choose one of: {', '.join(Splits._fields)}.")
        pipeline, part = pipeline.tuned(test=split), "test"
    splits = pipeline.task.load(pipeline.config).limited(pipeline.config.limit)
    return score(pipeline, getattr(splits, part), split)


def score(pipeline: Pipeline[C], examples: Examples, split: str) -> Evaluation:
    """Score a pipeline on the examples of a split."""
    report = pipeline.score(examples)
    about = {"task": pipeline.task.name, "run": str(pipeline.run), "data": pipeline.config.data, "split": split}
    return Evaluation(report, about | {"examples": len(examples), "metrics": report.metrics})


def write_report(evaluation: Evaluation, folder: Path) -> None:
    """Write figures, answers and, last, metrics into a folder."""
    for name, draw in evaluation.report.figures.items():
        with runs.whole(folder / "figures" / f"{name}.png") as part:
            draw().save(part)
    runs.write_lines(folder / "answers.jsonl", evaluation.report.answers)
    runs.write_json(folder / "metrics.json", evaluation.summary)


def network_of(task: Task[Any]) -> Any:
    """Return the Keras part of a task."""
    return import_module(f"tasks.{task.name}.network")

"""From a run directory to a pipeline that answers."""

from __future__ import annotations

import logging
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from zipfile import BadZipFile

from tasks.engine import runs
from tasks.engine.config import JsonObject, SettingError, Settings, TaskConfig, answering_settings, selectors
from tasks.engine.network import KerasNetwork, Network, OnnxNetwork
from tasks.engine.task import KerasPart, Pipeline, Task

if TYPE_CHECKING:
    import keras

C = TypeVar("C", bound=TaskConfig)
FORMS = ("columns", "encoding", "labels", "test")  # settings that describe data
LOG = logging.getLogger("tasks")


def load(task: Task[C], directory: Path | str | None = None, settings: Settings | None = None) -> Pipeline[C]:
    """Return the pipeline that a run directory holds.

    Args:
        directory: Run directory, or the name of a run that ships with the package; `None` is the run below `runs/` that
            ended last, or else a pretrained one.
        settings: Other values for settings that may change after training, and values that select a run.

    Raises:
        FileNotFoundError: There is no such run.
        RunError: The run is half-written, damaged, or of a newer format.
        SettingError: The run is of another task or another than selected, or a setting cannot change after training.
    """
    wanted = selectors(task.config, settings or {})
    usual = selectors(task.config, task.config().state())
    run = runs.find_run(task.name, Path(directory) if directory else None, wanted, usual)
    LOG.info("Run: %s%s", run, "" if directory else shadow_note(task.name, run))
    other = {name: value for name, value in (settings or {}).items() if name not in wanted}
    return open_network(replace(restored_pipeline(task, run, other), wanted=None if directory else wanted))


def other_run(pipeline: Pipeline[C], run: Path) -> Pipeline[C]:
    """Return the pipeline of another run that is to answer as this one; it is opened once."""
    if run not in pipeline.others:
        settings = answering_settings(pipeline.config)
        pipeline.others[run] = open_network(restored_pipeline(pipeline.task, run, settings))
    return pipeline.others[run]


def restored_pipeline(task: Task[C], run: Path, settings: Settings | None = None) -> Pipeline[C]:
    """Return the pipeline that a run directory holds; its network may not be there yet.

    Args:
        settings: Other values for settings that may change after training.

    Raises:
        FileNotFoundError, RunError, SettingError: As for `load`.
    """
    config, other = read_config(task, run), settings or {}
    config = config.with_settings({**unset_forms(config, other), **other})
    try:
        codec = task.codec.restore(config, runs.read_json(run / "codec.json"))
    except (KeyError, TypeError) as error:
        raise runs.RunError(f"{str(run / 'codec.json')!r} is damaged: {error}.") from error
    return Pipeline(task, codec.settled(config), codec, OnnxNetwork(run / "onnx"), run)


def shadow_note(task: str, run: Path) -> str:
    """Return what to say of a run that is taken although another ships with the package."""
    shipped = runs.pretrained_runs(task)
    if not shipped or run in shipped:
        return ""
    data = runs.read_json(run / "environment.json")["data"]
    name, count = data.get("name", "its data"), data.get("train", 0)
    return f" (trained here on {count:,} examples of {name}; the run that ships is --run {shipped[0].name})"


def unset_forms(config: TaskConfig, settings: Settings) -> JsonObject:
    """Return the settings that describe the run's own data, unset if other data is to be read."""
    if settings.get("data", config.data) == config.data:
        return {}
    return {name: None for name in FORMS if name in config.state()}


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
        network = KerasNetwork(keras_part(pipeline.task).signatures(keras_model(pipeline)))
    return replace(pipeline, network=network)


def keras_model(pipeline: Pipeline[C]) -> keras.Model:
    """Return the Keras model of a run, built from its settings, with its weights."""
    from tasks.engine import environment, weights

    path = pipeline.run / "model.keras"
    if not path.is_file():
        raise runs.RunError(f"{str(pipeline.run)!r} is an incomplete run: it has no model.keras.")
    with environment.precision("float32"):
        model = keras_part(pipeline.task).build(pipeline.config, pipeline.codec)
    try:
        weights.inference_model(model).load_weights(path)
    except (OSError, ValueError, BadZipFile) as error:
        raise runs.RunError(f"{str(path)!r} is damaged, or holds another network.") from error
    return model


def keras_part(task: Task[C]) -> KerasPart[C]:
    """Return the Keras part of a task."""
    part: KerasPart[C] = import_module(f"..{task.name}.network", __package__).NETWORK
    return part

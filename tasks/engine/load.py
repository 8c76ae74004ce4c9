"""From a run directory to a pipeline that answers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tasks.engine import places, runs
from tasks.engine.checksums import check_content
from tasks.engine.config import (
    Json,
    JsonObject,
    SettingError,
    Settings,
    TaskConfig,
    answering_settings,
    selectors,
)
from tasks.engine.members import RunError, files_in, is_plain_file
from tasks.engine.network import AskingNetwork, KerasNetwork, Network, OnnxNetwork, answering_network
from tasks.engine.records import facts_of, member_content, parsed_json
from tasks.engine.task import Codec, KerasPart, Pipeline, Task

if TYPE_CHECKING:
    import keras

C = TypeVar("C", bound=TaskConfig)
DAMAGE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)  # of damaged codecs
FORMS = ("columns", "encoding", "labels", "test")  # settings that describe data
LOG = logging.getLogger("tasks")


def load(task: Task[C], directory: Path | str | None = None, settings: Settings | None = None) -> Pipeline[C]:
    """Return the pipeline that a run directory holds.

    Args:
        directory: Run directory, or the name of a run that ships with the package; `None` is the run below `runs/` that
            ended last, or else the first pretrained one that can take the settings, such as the languages.
        settings: Other values for settings that may change after training, and values that select a run.

    Raises:
        FileNotFoundError: There is no such run.
        RunError: The run is half-written, damaged, or of a newer format.
        SettingError: The run is of another task or another than selected, or a setting cannot change after training.
    """
    wanted = selectors(task.config, settings or {})
    usual = selectors(task.config, task.config().state())
    run = runs.find_run(task.name, Path(directory) if directory else None, wanted, usual)
    other = {name: value for name, value in (settings or {}).items() if name not in wanted}
    try:
        found = restored_pipeline(task, run, other)
    except SettingError:
        able = [*shipped_pipelines(task, other)] if not directory and run in runs.pretrained_runs(task.name) else []
        if not able:
            raise
        found = able[0]
    LOG.info("Run: %s%s", found.run, "" if directory else shadow_note(task.name, found.run))
    return open_network(replace(found, wanted=None if directory else wanted))


def shipped_pipelines(task: Task[C], settings: Settings) -> Iterator[Pipeline[C]]:
    """Yield the pipelines of the runs that ship and take some settings."""
    for run in runs.pretrained_runs(task.name):
        with suppress(SettingError):
            yield restored_pipeline(task, run, settings)


def other_run(pipeline: Pipeline[C], run: Path, **changed: Json) -> Pipeline[C]:
    """Return the pipeline of another run that is to answer as this one, but for some settings; it is opened once.

    Its network asks whether to go on if that of this pipeline does.
    """
    if run not in pipeline.others:
        settings = answering_settings(pipeline.config) | changed
        network = answering_network(pipeline.network)
        cores = network.cores if isinstance(network, OnnxNetwork) else None
        other = open_network(restored_pipeline(pipeline.task, run, settings), cores)
        if isinstance(pipeline.network, AskingNetwork):
            other = replace(other, network=AskingNetwork(other.network, pipeline.network.ask))
        pipeline.others[run] = other
    return pipeline.others[run]


def restored_pipeline(task: Task[C], run: Path, settings: Settings | None = None) -> Pipeline[C]:
    """Return the pipeline that a run directory holds; its network may not be there yet.

    Args:
        settings: Other values for settings that may change after training.

    Raises:
        FileNotFoundError, RunError, SettingError: As for `load`.
    """
    other = settings or {}
    config = restored_config(task, run, places.without_sources(trained_settings(task, run)))
    config = config.with_settings({**unset_forms(config, other), **other})
    codec = restored_codec(task, run, config)
    return Pipeline(task, codec.settled(config), codec, onnx_network(run), run)


def restored_codec(task: Task[C], run: Path, config: C) -> Codec:
    """Return the codec of a run, after a look at its check sum."""
    path = run / "codec.json"
    content = member_content(path)
    check_content(path, content, checksums(run))
    try:
        return task.codec.restore(config, parsed_json(path, content))
    except (SettingError, RunError):
        raise
    except DAMAGE as error:
        raise RunError(f"{str(path)!r} is damaged: {str(error).rstrip('.')}.") from error


def onnx_network(run: Path, cores: int | None = None) -> OnnxNetwork:
    """Return the ONNX files of a run as a network; none is opened yet."""
    facts = facts_of(run)
    return OnnxNetwork(run / "onnx", facts.get("checksums"), facts.get("parameters"), cores)


def checksums(run: Path) -> dict[str, str]:
    """Return the check sums that a run keeps; a run of an older version, or an unfinished one, has none."""
    found: dict[str, str] = facts_of(run).get("checksums", {})
    return found


def shadow_note(task: str, run: Path) -> str:
    """Return what to say of a run that is taken although another ships with the package."""
    shipped = runs.pretrained_runs(task)
    if not shipped or run in shipped:
        return ""
    data = facts_of(run).get("data", {})
    name, count = data.get("name", "its data"), data.get("train", "some")
    return f" (trained here on {count} examples of {name}; the run that ships is --run {shipped[0].name})"


def unset_forms(config: TaskConfig, settings: Settings) -> JsonObject:
    """Return the settings that describe the run's own data, unset if other data is to be read."""
    if settings.get("data", config.data) == config.data:
        return {}
    return {name: None for name in FORMS if name in config.state()}


def read_config(task: Task[C], run: Path) -> C:
    """Return the config that a run was trained with, to go on; a notice says which places are about to be read."""
    config = restored_config(task, run, trained_settings(task, run))
    places.say_places(config, {}, places.READ)
    return config


def trained_settings(task: Task[C], run: Path) -> JsonObject:
    """Return the settings that a run was trained with, without places to write to."""
    return places.without_outputs(task.config, runs.read_config(run, task.name))


def restored_config(task: Task[C], run: Path, settings: Settings) -> C:
    """Return the config that settings of a run make."""
    try:
        return task.config.restore(settings)
    except SettingError as error:
        raise RunError(f"{str(run / 'config.json')!r} is damaged, or was made by another version: {error}") from error


def open_network(pipeline: Pipeline[C], cores: int | None = None) -> Pipeline[C]:
    """Return the pipeline with the network that its `engine` setting asks for.

    Args:
        cores: Cores that ONNX may use; `None` is all of them.
    """
    exported = bool(files_in(pipeline.run / "onnx", ".onnx"))
    engine = pipeline.config.engine
    if engine == "onnx" and not exported:
        raise RunError(f"{str(pipeline.run)!r} has no ONNX files; use --engine keras.")
    lost = next((name for name in checksums(pipeline.run) if name.startswith("onnx/")), None)
    if engine == "auto" and lost and not exported:
        raise RunError(f"{str(pipeline.run)!r} is an incomplete run: it has no {lost}; --engine keras does without it.")
    network: Network = onnx_network(pipeline.run, cores)
    if engine == "keras" or not exported:
        network = KerasNetwork(keras_part(pipeline.task).signatures(keras_model(pipeline)))
    return replace(pipeline, network=network)


def keras_model(pipeline: Pipeline[C]) -> keras.Model:
    """Return the Keras model of a run, built from its settings, with its weights."""
    part = keras_part(pipeline.task)
    from tasks.engine import archives, environment, weights

    path = pipeline.run / "model.keras"
    if not is_plain_file(path):
        raise RunError(f"{str(pipeline.run)!r} is an incomplete run: it has no model.keras.")
    with environment.precision("float32"), weights.limited_weights(archives.most_weights(path), path):
        model = part.build(pipeline.config, pipeline.codec)
    archives.check_keras_file(path, model.count_params())
    archives.check_checksums(path, checksums(pipeline.run))
    weights.load_weights(weights.inference_model(model), path)
    return model


def keras_part(task: Task[C]) -> KerasPart[C]:
    """Return the Keras part of a task.

    Raises:
        MissingPackageError: Keras, its backend, or the package that reads its files is not installed.
    """
    from data.packages import KERAS, check_modules

    check_modules("Keras", KERAS)
    part: KerasPart[C] = import_module(f"..{task.name}.network", __package__).NETWORK
    return part

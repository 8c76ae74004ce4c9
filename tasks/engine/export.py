"""Writing the signatures of a run as ONNX files."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import keras

from data.splits import Examples
from layers.onnx.network import onnx_model
from layers.onnx.storage import Storage
from tasks.engine.config import TaskConfig
from tasks.engine.files import atomic_file
from tasks.engine.network import KerasNetwork, OnnxNetwork
from tasks.engine.task import Pipeline

C = TypeVar("C", bound=TaskConfig)
LOG = logging.getLogger("tasks")


def write(models: Mapping[str, keras.Model], run: Path, storage: Storage) -> None:
    """Write Keras models by signature into `run/onnx`, their weights as `storage` says."""
    for name, model in models.items():
        with atomic_file(run / "onnx" / f"{name}.onnx") as part:
            part.write_bytes(onnx_model(model, storage).SerializeToString())


def kept_storage(pipeline: Pipeline[C], valid: Examples) -> Storage:
    """Return the number format for the weights of a Keras pipeline.

    It is that of the settings, or float16 if int8 lowers the main score of validation examples too much.
    """
    config = pipeline.config
    if config.storage != "int8":
        return config.storage
    name, before = main_score(pipeline, valid, "float32")
    _, after = main_score(pipeline, valid, "int8")
    kept = before - after <= config.storage_loss
    LOG.log(
        logging.INFO if kept else logging.WARNING,
        "int8 changes the validation %s from %.4f to %.4f; --storage-loss allows %g, so %s is stored.",
        *(name, before, after, config.storage_loss, "int8" if kept else "float16"),
    )
    return "int8" if kept else "float16"


def main_score(pipeline: Pipeline[C], valid: Examples, storage: Storage) -> tuple[str, float]:
    """Return name and value of the main metric of a Keras pipeline with the ONNX files that are written for it."""
    assert isinstance(pipeline.network, KerasNetwork)
    write(pipeline.network.models, pipeline.run, storage)
    answering = replace(pipeline, network=OnnxNetwork(pipeline.run / "onnx"))
    metrics = pipeline.task.score(answering, valid).metrics
    assert metrics
    name = next(iter(metrics))
    return name, float(metrics[name])

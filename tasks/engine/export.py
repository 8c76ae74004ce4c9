"""Writing the signatures of a run as ONNX files."""

from collections.abc import Mapping
from pathlib import Path

import keras

from layers.onnx.file import Storage
from layers.onnx.network import onnx_model
from tasks.engine.runs import atomic_file


def write(models: Mapping[str, keras.Model], run: Path, storage: Storage) -> None:
    """Write Keras models by signature into `run/onnx`, their weights as `storage` says."""
    for name, model in models.items():
        with atomic_file(run / "onnx" / f"{name}.onnx") as part:
            part.write_bytes(onnx_model(model, storage).SerializeToString())

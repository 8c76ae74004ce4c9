"""The networks of a run written in each format, all weights as Keras has them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import keras

from layers.onnx.network import onnx_model
from layers.onnx.storage import Storage
from tasks.engine.exporting import tensorflow_files
from tasks.engine.terminal import silence
from tasks.engine.weights import inference_model

Models = Mapping[str, keras.Model]


def write(name: str, models: Models, folder: Path, storage: Storage, steps: int) -> None:
    """Write models by signature into a folder.

    Args:
        name: Name of the format.
        storage: Number format of the weights in ONNX files; it must keep them as they are.
        steps: Number of steps of recurrences, where they are written out.
    """
    with silence():  # converters are talkative
        WRITERS[name](models, folder, storage, steps)


def write_onnx(models: Models, folder: Path, storage: Storage, steps: int) -> None:
    for name, model in models.items():
        (folder / f"{name}.onnx").write_bytes(onnx_model(model, storage).SerializeToString())


def write_openvino(models: Models, folder: Path, storage: Storage, steps: int) -> None:
    """Write networks by way of ONNX: OpenVINO reads its recurrent operators, so nothing is written out."""
    import openvino

    core = openvino.Core()
    for name, model in models.items():
        read = core.read_model(onnx_model(model, storage).SerializeToString(), b"")
        openvino.save_model(read, folder / f"{name}.xml", compress_to_fp16=False)


def write_keras(models: Models, folder: Path, storage: Storage, steps: int) -> None:
    for name, model in models.items():
        inference_model(model).save(folder / f"{name}.keras")


def write_saved_model(models: Models, folder: Path, storage: Storage, steps: int) -> None:
    tensorflow_files.write_saved_model(models, folder / "saved_model")


def write_litert(models: Models, folder: Path, storage: Storage, steps: int) -> None:
    for name, model in models.items():
        (folder / f"{name}.tflite").write_bytes(tensorflow_files.litert_file(name, model, steps))


WRITERS: dict[str, Callable[[Models, Path, Storage, int], None]] = {
    "onnx": write_onnx,
    "saved_model": write_saved_model,
    "litert": write_litert,
    "openvino": write_openvino,
    "keras": write_keras,
}

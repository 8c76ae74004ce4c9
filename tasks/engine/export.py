"""Writing the signatures of a run as ONNX files."""

import os
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tasks.engine.files import atomic_file
from tasks.engine.load import load
from tasks.engine.network import KerasNetwork

LARGE = 1024  # elements from which on a weight is worth storing as float16


def write(models: Mapping[str, keras.Model], task: str, run: Path, storage: str) -> None:
    """Write Keras models by signature into `run/onnx`, their weights as `storage` says.

    Only TensorFlow's exporter writes every layer right; on another backend a process of its own reads the run and
    exports it with TensorFlow.
    """
    if keras.config.backend() != "tensorflow":
        environment = os.environ | {"KERAS_BACKEND": "tensorflow", "PYTHONPATH": os.pathsep.join(sys.path)}
        words = [sys.executable, "-P", "-m", __name__, task, str(run)]  # -P: no module of the current folder
        subprocess.run(words, env=environment, check=True, capture_output=True)
        return
    for name, model in models.items():
        model(model.input)  # Keras exports only what was called
        with atomic_file(run / "onnx" / f"{name}.onnx") as part, warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # the converter's own, about NumPy
            model.export(part, format="onnx", verbose=False)
            squeeze_outputs(part, [len(output.shape) for output in model.outputs])
            if storage == "float16":
                halve(part)


def squeeze_outputs(path: Path, ranks: Sequence[int]) -> None:
    """Give the outputs of an ONNX file the numbers of axes that Keras gives them.

    The converter turns the axes of a picture with one channel by a `Reshape` and a `Squeeze`. In about one export of 40
    it loses the `Squeeze` at an output, which then has an axis of size 1 before the others.
    """
    model = onnx.load(path)
    for output, rank in zip(model.graph.output, ranks, strict=True):
        shape = output.type.tensor_type.shape
        if len(shape.dim) == rank + 1 and shape.dim[0].dim_value == 1:
            inner, axes = f"{output.name}/unsqueezed", f"{output.name}/axes"
            for node in model.graph.node:
                node.output[:] = [inner if name == output.name else name for name in node.output]
                node.input[:] = [inner if name == output.name else name for name in node.input]
            model.graph.initializer.append(numpy_helper.from_array(np.array([0]), axes))
            model.graph.node.append(helper.make_node("Squeeze", [inner, axes], [output.name]))
            del shape.dim[0]
    onnx.save(model, path)


def halve(path: Path) -> None:
    """Store the large weights of an ONNX file as float16; they become float32 again when it is opened.

    A table that is there a second time, turned round, as a tied embedding is, is stored once.
    """
    model = onnx.load(path)
    stored: dict[tuple[tuple[int, ...], bytes], str] = {}  # shape and content to name
    for weight in list(model.graph.initializer):
        values = numpy_helper.to_array(weight)
        if values.dtype == "float32" and values.size >= LARGE:
            values, name = values.astype("float16"), f"{weight.name}/half"
            twin = stored.get((values.T.shape, values.T.tobytes())) if values.ndim == 2 else None
            if twin:
                model.graph.node.insert(0, helper.make_node("Transpose", [twin], [name]))
            else:
                model.graph.initializer.append(numpy_helper.from_array(values, name))
                stored[values.shape, values.tobytes()] = name
            cast = helper.make_node("Cast", [name], [weight.name], to=TensorProto.FLOAT)
            model.graph.initializer.remove(weight)
            model.graph.node.insert(1 if twin else 0, cast)
    onnx.save(model, path)


if __name__ == "__main__":
    name, directory = sys.argv[1:]
    pipeline = load(import_module(f"..{name}.pipeline", __package__).TASK, directory, {"engine": "keras"})
    assert isinstance(pipeline.network, KerasNetwork)
    write(pipeline.network.models, name, Path(directory), pipeline.config.storage)

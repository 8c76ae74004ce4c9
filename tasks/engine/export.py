"""Writing the signatures of a run as ONNX files."""

import os
import subprocess
import sys
import warnings
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import keras

from tasks.engine.network import KerasNetwork
from tasks.engine.run import whole
from tasks.engine.workflow import restore


def write(models: Mapping[str, Any], task: str, run: Path) -> None:
    """Write Keras models by signature into `run/onnx`.

    Only TensorFlow's exporter writes every layer right; on another backend a process of its own reads the
    run, whose weights know no backend, and exports it with TensorFlow.
    """
    if keras.config.backend() != "tensorflow":
        environment = os.environ | {"KERAS_BACKEND": "tensorflow", "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([sys.executable, "-m", __name__, task, run], env=environment, check=True, capture_output=True)
        return
    for name, model in models.items():
        model(model.input)  # Keras exports only what was called
        with whole(run / "onnx" / f"{name}.onnx") as part, warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # the converter's own, about NumPy
            model.export(part, format="onnx", verbose=False)


if __name__ == "__main__":
    name, directory = sys.argv[1:]
    network = restore(import_module(f"tasks.{name}.pipeline").TASK, directory, {"engine": "keras"}).network
    assert isinstance(network, KerasNetwork)
    write(network.models, name, Path(directory))

"""The formats that a run is exported to, and what each needs. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from data.packages import check_modules
from data.splits import UnavailableError
from tasks.engine.config import SettingError, nearest


class Format(NamedTuple):
    """A format.

    Attributes:
        library: What opens its files: the module, which is `packages[0]` on the package index.
        packages: What to install to use what was exported.
        endings: Of the files of each signature; none if all signatures are in a folder of the format's name.
        tensorflow: Whether only TensorFlow can write it.
    """

    library: str
    packages: tuple[str, ...]
    endings: tuple[str, ...] = ()
    tensorflow: bool = False


FORMATS = {
    "onnx": Format("onnxruntime", ("onnxruntime",), (".onnx",)),
    "saved_model": Format("tensorflow", ("tensorflow",), tensorflow=True),
    "litert": Format("ai_edge_litert", ("ai-edge-litert",), (".tflite",), tensorflow=True),
    "openvino": Format("openvino", ("openvino",), (".xml", ".bin")),
    "keras": Format("keras", ("keras", "tensorflow"), (".keras",)),
}


def check_formats(names: Sequence[str], steps: int | None) -> None:
    """Raise an error unless all these formats can be written here.

    Raises:
        SettingError: There is none, one is unknown or named twice, or `steps` is given although none is written step by
            step.
        UnavailableError: The library of one is missing, or Keras runs on another backend than it needs.
    """
    if not names:
        raise SettingError(f"No format is given; name one or more of: {', '.join(FORMATS)}.")
    for name in names:
        if name not in FORMATS:
            raise SettingError(f"No format is named {name!r}{nearest(name, FORMATS)}")
        if names.count(name) > 1:
            raise SettingError(f"`--format {name}` is given twice; give it once.")
    if steps is not None and "litert" not in names:
        raise SettingError("`--steps` is for `--format litert`; all other formats take inputs of any length.")
    for name in names:
        check_library(name)


def check_library(name: str) -> None:
    """Raise `UnavailableError` unless the library of a format is here, and Keras runs on what it needs."""
    form = FORMATS[name]
    check_modules(f"The format {name!r}", [form.library])
    if form.tensorflow and (backend := import_module("keras").config.backend()) != "tensorflow":
        raise UnavailableError(
            f"TensorFlow alone writes the format {name!r}, and Keras runs on {backend!r}; set KERAS_BACKEND=tensorflow."
        )


def library_version(name: str) -> str:
    """Return name and version of what opens a format, such as `onnxruntime 1.20.0`."""
    package = FORMATS[name].packages[0]
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:  # it was installed without its facts
        return package

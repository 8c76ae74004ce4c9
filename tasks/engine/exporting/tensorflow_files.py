"""Networks written by TensorFlow: a SavedModel, and LiteRT files."""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import keras

from layers.onnx.unrolled import inputs_with_steps, unrolled_recurrences

Function: TypeAlias = Any  # a function of TensorFlow


def write_saved_model(models: Mapping[str, keras.Model], folder: Path) -> None:
    """Write models as the signatures of one SavedModel, which keeps shared weights once."""
    save({name: (model, None) for name, model in models.items()}, folder)


def litert_file(name: str, model: keras.Model, steps: int) -> bytes:
    """Return a model as the content of a LiteRT file with one signature, its recurrences written out over `steps`."""
    import tensorflow

    with TemporaryDirectory() as folder, unrolled_recurrences(model):
        save({name: (model, steps)}, Path(folder))
        content: bytes = tensorflow.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[name]).convert()
    return content


def save(models: Mapping[str, tuple[keras.Model, int | None]], folder: Path) -> None:
    """Write a SavedModel of some models, each with the steps of its recurrences if they are fixed."""
    import tensorflow

    module = tensorflow.Module()
    module.variables_of_all = [variable.value for model, _ in models.values() for variable in model.variables]
    signatures = {}
    for name, (model, steps) in models.items():
        signatures[name] = tensorflow.function(
            call_of(model), input_signature=input_specs(model, steps), autograph=False
        ).get_concrete_function()
    tensorflow.saved_model.save(module, str(folder), signatures=signatures)


def call_of(model: keras.Model) -> Callable[..., dict[str, Any]]:
    """Return a function of the inputs of a model, to its outputs by name."""

    def call(*arrays: Any) -> dict[str, Any]:
        outputs = keras.tree.flatten(model(arrays[0] if len(arrays) == 1 else list(arrays), training=False))
        return {f"output_{place}": output for place, output in enumerate(outputs)}

    return call


def input_specs(model: keras.Model, steps: int | None) -> list[Any]:
    """Return names, shapes and types of the inputs of a model."""
    import tensorflow

    fixed = [] if steps is None else inputs_with_steps(model)
    shapes = [(None, steps, *one.shape[2:]) if one.name in fixed else one.shape for one in model.inputs]
    return [
        tensorflow.TensorSpec(shape, one.dtype, name=one.name) for shape, one in zip(shapes, model.inputs, strict=True)
    ]

"""What an exported folder says of itself: `signature.json` and `README.md`."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from tasks.engine.config import JsonObject, TaskConfig, inherited_settings
from tasks.engine.exporting.formats import FORMATS, library_version
from tasks.engine.publish import portable_setting
from tasks.engine.task import Pipeline, Signature

if TYPE_CHECKING:
    import keras

C = TypeVar("C", bound=TaskConfig)
TOOLS = {"PIL": "pillow", "sentencepiece": "sentencepiece"}  # modules and packages that read inputs


def description(
    pipeline: Pipeline[C],
    models: Mapping[str, keras.Model],
    arrays: Mapping[str, Signature],
    name: str,
    steps: int | None,
) -> JsonObject:
    """Return what `signature.json` holds, without the differences.

    An axis of a shape is a number, `null` if it is open, or `"steps"` if it has as many places as `steps` says.

    Args:
        arrays: What the inputs and outputs are, by signature.
        name: Name of the format.
        steps: Steps that recurrences are written out over, if they are.
    """
    found = {signature: arrays_of(model, arrays.get(signature), steps) for signature, model in models.items()}
    settings = inherited_settings(type(pipeline.config), pipeline.config.state())
    recurs = any("steps" in one["shape"] for each in found.values() for one in each["inputs"])
    return {
        "task": pipeline.task.name,
        "format": name,
        "made_with": library_version(name),
        "steps": steps if recurs else None,
        "settings": {name: portable_setting(name, value) for name, value in settings.items()},
        "signatures": found,
    }


def arrays_of(model: keras.Model, about: Signature | None, steps: int | None) -> JsonObject:
    """Return names, shapes, types and meanings of the inputs and outputs of a model."""
    from layers.onnx.unrolled import inputs_with_steps

    fixed = inputs_with_steps(model) if steps else []
    meanings = about or Signature({}, {})
    inputs = [
        {
            "name": tensor.name,
            "shape": shape_with_steps(tensor.shape, tensor.name in fixed),
            "type": str(tensor.dtype),
            "meaning": meaning(tensor.name, meanings.inputs),
        }
        for tensor in model.inputs
    ]
    names = [*meanings.outputs.items()]
    outputs = [
        {
            "name": f"output_{place}",
            "shape": shape_with_steps(tensor.shape, bool(fixed)),
            "type": str(tensor.dtype),
            "meaning": ": ".join(names[min(place, len(names) - 1)]) if names else "",
        }
        for place, tensor in enumerate(model.outputs)
    ]
    return {"inputs": inputs, "outputs": outputs}


def shape_with_steps(shape: Sequence[int | None], fixed: bool) -> list[int | str | None]:
    """Return a shape; with `fixed`, its open second axis is that of the steps."""
    return ["steps" if fixed and place == 1 and size is None else size for place, size in enumerate(shape)]


def meaning(name: str, meanings: Mapping[str, str]) -> str:
    """Return what an input is; several of a kind, such as `state_0` and `state_1`, share an entry `state`.

    Example:
        >>> meaning("state_1", {"state": "a state of the decoder"})
        'a state of the decoder'
    """
    return meanings.get(name) or meanings.get(name.rstrip("0123456789").rstrip("_"), "")


def packages(name: str, program: str) -> list[str]:
    """Return the packages that a program needs beside NumPy."""
    return [*FORMATS[name].packages, *(package for module, package in TOOLS.items() if module in modules(program))]


def modules(program: str) -> set[str]:
    """Return the modules that a program imports whatever it answers.

    Example:
        >>> sorted(modules("import json\\nfrom PIL import Image\\ndef read():\\n    import numpy"))
        ['PIL', 'json']
    """
    nodes = ast.parse(program).body
    plain = [one.name for node in nodes if isinstance(node, ast.Import) for one in node.names]
    return {
        word.split(".")[0]
        for word in (*plain, *(node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)))
    }


def readme(pipeline: Pipeline[C], facts: JsonObject, about: JsonObject, program: str) -> str:
    """Return the page of an exported folder, as Markdown.

    Args:
        facts: What `environment.json` of the run holds.
        about: What `signature.json` holds.
        program: What `run.py` holds.
    """
    name, data = about["format"], facts.get("data", {})
    notes = (ast.get_docstring(ast.parse(program)) or "").splitlines()
    given = "TEXT" if pipeline.task.accepts.field == "text" else "PICTURE"
    origin = f"`{data['name']}`. {data.get('source', '')}".strip() if "name" in data else "that of its run"
    lines = [
        f"# {pipeline.task.name}: the run `{pipeline.run.name}` as {name}",
        "",
        f"    pip install numpy {' '.join(packages(name, program))}",
        f"    python run.py {given}",
        "",
        *notes,
        "",
        f"* **Made with**: {about['made_with']}.",
        f"* **Data** of the training: {origin}",
        f"* **Limits**: {pipeline.task.limits}",
        *steps_note(about["steps"]),
        "* `signature.json` has names, shapes, types and meanings of all arrays, and the settings of the network.",
        "* `codec.json` has what was learnt of the training data, such as classes and vocabulary.",
        "",
        "| signature | array | shape | type | what it is |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| `{signature}` | {kind} `{one['name']}` | {shape_text(one['shape'])} | {one['type']} | "
            f"{one['meaning']} |"
            for signature, each in about["signatures"].items()
            for kind, ones in (("input", each["inputs"]), ("output", each["outputs"]))
            for one in ones
        ),
        "",
        "| signature | largest difference from Keras, on real inputs |",
        "| --- | --- |",
        *(f"| `{one}` | {each['largest_difference']:.1e} |" for one, each in about["signatures"].items()),
    ]
    return "\n".join(lines) + "\n"


def steps_note(steps: int | None) -> list[str]:
    """Return what the page says of recurrences that are written out."""
    if steps is None:
        return []
    return [f"* **Steps**: recurrences are written out over {steps} steps; longer inputs are cut, shorter ones padded."]


def shape_text(shape: Sequence[int | str | None]) -> str:
    """Return a shape as text, with `?` for an open axis.

    Example:
        >>> shape_text([None, "steps", 4])
        '(?, steps, 4)'
    """
    return f"({', '.join('?' if size is None else str(size) for size in shape)})"

"""Writing a graph as an ONNX model."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np
import onnx
from onnx import helper, numpy_helper

from layers.block import Tensor
from layers.onnx.graph import Graph, Operator, needed

Storage: TypeAlias = Literal["float32", "float16"]
LARGE = 1024  # numbers from which on a weight is worth storing in fewer bits, or once for two uses
OPERATORS, FORMAT = 20, 9  # versions that ONNX Runtime reads from 1.17 on


def model_of(
    graph: Graph, inputs: Mapping[str, Tensor], outputs: Sequence[tuple[str, Tensor]], storage: Storage
) -> onnx.ModelProto:
    """Return an ONNX model.

    Args:
        inputs: Tensors of Keras by name, as which they are read.
        outputs: Names in the graph and tensors of Keras; they are written as `output_0`, `output_1` and so on.
        storage: Number format of the large weights in the file; they are computed with as float32. In fewer bits,
            weights are stored before they are scaled, so that weights that fit into these bits stay exact.
    """
    labels = [f"output_{number}" for number in range(len(outputs))]
    ends = [Operator("Identity", (name,), (label,), {}) for label, (name, _) in zip(labels, outputs, strict=True)]
    large = {name for name, values in graph.weights.items() if values.size >= LARGE and values.dtype == "float32"}
    scalings = [one for one in graph.scalings if storage != "float32" and large.issuperset(one.outputs)]
    operators = needed([*scalings, *graph.operators, *ends], labels)
    read = {name for operator in operators for name in operator.inputs}
    read -= {name for operator in scalings for name in operator.outputs}
    weights = {name: values for name, values in graph.weights.items() if name in read}
    stored, restoring = stored_weights(weights, storage)
    operators = needed([*restoring, *late_casts(operators, stored)], labels)
    used = {name for operator in operators for name in operator.inputs}
    return helper.make_model(
        helper.make_graph(
            [node_of(operator) for operator in operators],
            "network",
            [value_info(name, tensor) for name, tensor in inputs.items()],
            [value_info(label, tensor) for label, (_, tensor) in zip(labels, outputs, strict=True)],
            [numpy_helper.from_array(values, name) for name, values in stored.items() if name in used],
        ),
        opset_imports=[helper.make_opsetid("", OPERATORS)],
        ir_version=FORMAT,
        producer_name="fourlayers",
    )


def stored_weights(weights: Mapping[str, np.ndarray], storage: Storage) -> tuple[dict[str, np.ndarray], list[Operator]]:
    """Return the weights as they are stored, and the operators that make the weights of the graph from them.

    A table that is there a second time, turned round, as a tied embedding is, is stored once.
    """
    stored: dict[str, np.ndarray] = {}
    contents: dict[tuple[tuple[int, ...], bytes], str] = {}
    operators = []
    for name, values in weights.items():
        if values.dtype != "float32" or values.size < LARGE:
            stored[name] = values
            continue
        small, place = values.astype(storage), name if storage == "float32" else f"{name}/{storage}"
        twin = contents.get((small.T.shape, small.T.tobytes())) if small.ndim == 2 else None
        if twin is None:
            stored[place] = small
            contents[small.shape, small.tobytes()] = place
        else:
            operators.append(Operator("Transpose", (twin,), (place,), {}))
        if place != name:
            operators.append(Operator("Cast", (place,), (name,), {"to": "float32"}))
    return stored, operators


def late_casts(operators: Sequence[Operator], stored: Mapping[str, np.ndarray]) -> list[Operator]:
    """Return operators that look up rows of stored tables, and only then change the number format of the rows."""
    found = []
    for operator in operators:
        place = f"{operator.inputs[0]}/float16" if operator.kind == "Gather" else ""
        if place in stored:
            rows = f"{operator.outputs[0]}/float16"
            found.append(operator._replace(inputs=(place, operator.inputs[1]), outputs=(rows,)))
            operator = Operator("Cast", (rows,), operator.outputs, {"to": "float32"})  # noqa: PLW2901
        found.append(operator)
    return found


def node_of(operator: Operator) -> onnx.NodeProto:
    """Return an operator as ONNX has it."""
    attributes = operator.attributes
    if operator.kind == "Cast":
        attributes = {"to": helper.np_dtype_to_tensor_dtype(np.dtype(attributes["to"]))}
    return helper.make_node(operator.kind, operator.inputs, operator.outputs, operator.outputs[0], **attributes)


def value_info(name: str, tensor: Tensor) -> onnx.ValueInfoProto:
    """Return name, type and sizes of an input or output; open sizes get names of their own."""
    sizes = [f"{name}_{axis}" if size is None else size for axis, size in enumerate(tensor.shape)]
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(tensor.dtype)), sizes)

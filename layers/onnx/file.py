"""Writing a graph as an ONNX model."""

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from layers.block import Tensor
from layers.onnx.graph import Graph, Operator, needed
from layers.onnx.storage import LARGE, Storage, late_lookups, stored_weights

OPERATORS, FORMAT = 20, 9  # versions that ONNX Runtime reads from 1.17 on


def model_of(
    graph: Graph, inputs: Mapping[str, Tensor], outputs: Sequence[tuple[str, Tensor]], storage: Storage
) -> onnx.ModelProto:
    """Return an ONNX model.

    Args:
        inputs: Tensors of Keras by name, as which they are read.
        outputs: Names in the graph and tensors of Keras; they are written as `output_0`, `output_1` and so on.
        storage: Number format of the large weights in the file; they are computed with as float32. For float16, weights
            are stored before they are scaled, so that weights that fit into it stay exact.
    """
    labels = [f"output_{number}" for number in range(len(outputs))]
    ends = [Operator("Identity", (name,), (label,), {}) for label, (name, _) in zip(labels, outputs, strict=True)]
    scalings = [one for one in graph.scalings if storage == "float16" and graph.weights[one.outputs[0]].size >= LARGE]
    operators = needed([*scalings, *graph.operators, *ends], labels)
    stored = stored_weights(graph, operators, storage, {name for one in scalings for name in one.outputs})
    operators = needed([*stored.operators, *late_lookups(operators, stored.arrays)], labels)
    read = {name for operator in operators for name in operator.inputs}
    return helper.make_model(
        helper.make_graph(
            [node_of(operator) for operator in operators],
            "network",
            [value_info(name, tensor) for name, tensor in inputs.items()],
            [value_info(label, tensor) for label, (_, tensor) in zip(labels, outputs, strict=True)],
            [numpy_helper.from_array(values, name) for name, values in stored.arrays.items() if name in read],
        ),
        opset_imports=[helper.make_opsetid("", OPERATORS)],
        ir_version=FORMAT,
        producer_name="fourlayers",
    )


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

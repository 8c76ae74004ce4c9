"""ONNX files have the outputs that Keras has."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from tasks.engine.export import squeeze_outputs
from tasks.engine.members import RunError
from tasks.engine.network import ComparedNetwork


def write_file(path, axis):
    """Write an ONNX file that doubles its input; if asked, its output has an axis of size 1 before the others."""
    sizes = ["batch", 3]
    values = helper.make_tensor_value_info("x", TensorProto.FLOAT, sizes)
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, *sizes] if axis else sizes)
    nodes = [helper.make_node("Add", ["x", "x"], ["sum" if axis else "y"])]
    if axis:
        nodes.append(helper.make_node("Unsqueeze", ["sum", "axes"], ["y"]))
    constants = [numpy_helper.from_array(np.array([0]), "axes")] if axis else []
    graph = helper.make_graph(nodes, "double", [values], [output], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)


@pytest.mark.parametrize("axis", [True, False])
def test_an_axis_that_the_converter_left_is_taken_away(tmp_path, axis):
    write_file(tmp_path / "a.onnx", axis)
    squeeze_outputs(tmp_path / "a.onnx", [2])
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
    (answer,) = session.run(None, {"x": np.ones((2, 3), "float32")})
    np.testing.assert_array_equal(answer, np.full((2, 3), 2.0))
    assert session.get_outputs()[0].shape == ["batch", 3]


def test_a_network_with_another_shape_is_refused_and_not_broadcast():
    compared = ComparedNetwork(lambda name, x: (x,), lambda name, x: (x[None],))
    with pytest.raises(RunError, match=r"'double' gives \(1, 2, 3\) where \(2, 3\) is expected"):
        compared("double", np.ones((2, 3)))
    same = ComparedNetwork(lambda name, x: (x,), lambda name, x: (x + 0.25,))
    same("double", np.ones((2, 3)))
    assert same.difference == 0.25

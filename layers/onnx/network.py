"""From a Keras network to an ONNX model."""

import keras
import onnx

from layers.onnx import convolution, operations, recurrent, shapes
from layers.onnx.file import model_of
from layers.onnx.storage import Storage
from layers.onnx.trace import Trace

OPERATIONS = operations.OPERATIONS | shapes.OPERATIONS | convolution.OPERATIONS
LAYERS = operations.LAYERS | shapes.LAYERS | recurrent.LAYERS


def onnx_model(network: keras.Model, storage: Storage = "float32") -> onnx.ModelProto:
    """Return a Keras network as an ONNX model that takes the same inputs and gives the same outputs, by position.

    Open sizes stay open. Dropout is left out. Masks must leave out steps at the end only, as padding does.

    Args:
        network: A functional or sequential model.
        storage: Number format of the large weights in the file; they are computed with as float32.

    Raises:
        ValueError: A layer or an operation has no translation.

    Example:
        >>> import keras
        >>> network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "relu")])
        >>> [node.op_type for node in onnx_model(network).graph.node]
        ['MatMul', 'Add', 'Relu', 'Identity']
    """
    trace = Trace(OPERATIONS, LAYERS)
    inputs = {tensor.name: tensor for tensor in network.inputs}
    trace.bind(network.inputs, [*inputs])
    names = trace.read(network.outputs)
    return model_of(trace.graph, inputs, [*zip(names, network.outputs, strict=True)], storage)

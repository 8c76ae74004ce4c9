"""Reading a Keras network as a graph of operations."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import keras
import numpy as np

from layers.block import Tensor
from layers.onnx.graph import Graph

Translation: TypeAlias = Callable[..., str | list[str]]  # trace, operation, outputs of Keras, inputs -> names


class Trace:
    """The operations of a Keras network, written into an ONNX graph.

    An operation of `keras.ops` is written by its entry in `operations`, and a layer by its entry in `layers`. A layer
    without an entry is opened: its `call` is read, and the layers and operations that it consists of are written. So a
    layer needs an entry only if it asks for sizes that are open, or if ONNX has an operator for all of it.

    Args:
        operations: Translations by class name, since `keras.ops` keeps its classes to itself.
        layers: Translations by class.
    """

    def __init__(self, operations: Mapping[str, Translation], layers: Mapping[type, Translation]) -> None:
        self.operations, self.layers = operations, layers
        self.graph = Graph()
        self.names: dict[int, tuple[Tensor, str]] = {}  # the tensor is kept, since its identity is the key

    def name(self, value: Tensor, dtype: str | None = None) -> str:
        """Return the name of a tensor or a constant, as `dtype` if given."""
        if not is_tensor(value):
            return self.graph.weight(constant(value, dtype or "float32"))
        name = self.names[id(value)][1]
        return name if dtype in (None, value.dtype) else self.graph.add("Cast", name, to=dtype)

    def bind(self, tensors: Sequence[Tensor], names: Sequence[str]) -> None:
        """Set the names of tensors of Keras."""
        self.names |= {id(tensor): (tensor, name) for tensor, name in zip(tensors, names, strict=True)}

    def tensor(self, name: str, shape: Sequence[int | None], dtype: str = "float32") -> Tensor:
        """Return a tensor of Keras that stands for a value of the graph."""
        found = keras.KerasTensor(shape, dtype=dtype)
        self.bind([found], [name])
        return found

    def read(self, outputs: Sequence[Tensor]) -> list[str]:
        """Write all operations that some tensors depend on, and return the names of the tensors."""
        waiting = [*outputs]
        while waiting:
            if id(waiting[-1]) in self.names:
                waiting.pop()
                continue
            node = node_of(waiting[-1])
            before = [tensor for tensor in inputs_of(node) if id(tensor) not in self.names]
            if before:
                waiting += before
            else:
                self.bind(node.outputs, self.translated(node))
        return [self.name(tensor) for tensor in outputs]

    def translated(self, node: Any) -> list[str]:
        """Write one operation or layer, and return the names of its outputs.

        Raises:
            ValueError: It has no translation.
        """
        operation, arguments, options = node.operation, node.arguments.args, call_options(node)
        if isinstance(operation, keras.layers.Layer):
            translation = self.layers.get(type(operation))
            if translation is None:
                return self.opened(operation, arguments, options)
        else:
            translation = self.operations.get(type(operation).__name__)
            if translation is None:
                raise ValueError(f"The operation {type(operation).__name__!r} has no translation to ONNX.")
        names = translation(self, operation, node.outputs, *arguments, **options)
        return [names] if isinstance(names, str) else names

    def opened(self, layer: keras.layers.Layer, arguments: Sequence[Tensor], options: dict[str, Any]) -> list[str]:
        """Write the layers and operations that a layer consists of, and return the names of its outputs."""
        if isinstance(layer, keras.Model):
            if any(mask_of(tensor) is not None for tensor in keras.tree.flatten(arguments)):
                raise ValueError(f"A mask for {layer.name!r}, a network inside another, has no translation to ONNX.")
            inner = Trace(self.operations, self.layers)
            inner.graph = self.graph
            inner.bind(layer.inputs, [self.name(tensor) for tensor in keras.tree.flatten(arguments)])
            return inner.read(layer.outputs)
        try:
            outputs = keras.tree.flatten(layer.call(*arguments, **options))
        except (TypeError, ValueError) as error:
            raise ValueError(f"The layer {type(layer).__name__!r} has no translation to ONNX.") from error
        return self.read(outputs)


def is_tensor(value: object) -> bool:
    """Return whether a value is a tensor of a Keras network, and not a constant."""
    return isinstance(value, keras.KerasTensor)


def node_of(tensor: Tensor) -> Any:
    """Return the node of Keras that computes a tensor."""
    operation, index, _ = tensor._keras_history
    return operation._inbound_nodes[index]


def inputs_of(node: Any) -> list[Tensor]:
    """Return the tensors that a node reads, its mask among them."""
    return [tensor for tensor in keras.tree.flatten((node.arguments.args, call_options(node))) if is_tensor(tensor)]


def call_options(node: Any) -> dict[str, Any]:
    """Return the keyword arguments of a call, with the mask of its first input if it reads one and got none."""
    options, layer = {**node.arguments.kwargs}, node.operation
    options.pop("training", None)
    reads_mask = isinstance(layer, keras.layers.Layer) and "mask" in layer._call_signature.parameters
    if reads_mask and options.get("mask") is None and node.arguments.args:
        options["mask"] = mask_of(node.arguments.args[0])
    return options


def mask_of(tensor: Tensor) -> Tensor | None:
    """Return the mask of a tensor of Keras, if it has one."""
    return getattr(tensor, "_keras_mask", None)


def constant(value: Any, dtype: str) -> np.ndarray:
    """Return a number, an array or a variable of Keras as a NumPy array."""
    if not isinstance(value, int | float | bool | list | tuple | np.ndarray):
        value = keras.ops.convert_to_numpy(value)
    return np.asarray(value, dtype)

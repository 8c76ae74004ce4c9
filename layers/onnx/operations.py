"""Translations of the operations of `keras.ops` that compute numbers: pointwise, sums, products and activations."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from layers.block import Tensor
from layers.onnx.trace import Trace, Translation, constant, is_tensor


def pointwise(
    trace: Trace, kind: str, out: Tensor, *values: Tensor, dtype: str | None = None, **options: object
) -> str:
    """Write an operator that acts on each number by itself, after broadcasting; channels stay first if they are."""
    graph, rank = trace.graph, len(out.shape)
    names = [graph.aligned(trace.name(value, dtype), rank) for value in values]
    ranks = [
        len(value.shape) if is_tensor(value) else graph.weights[name].ndim
        for value, name in zip(values, names, strict=True)
    ]
    if rank < 3 or not {*ranks} <= {0, rank} or not graph.first.keys() & {*names}:
        return graph.add(kind, *names, **options)
    twins = [graph.channels_first(name, rank) if axes else name for name, axes in zip(names, ranks, strict=True)]
    return graph.channels_last(graph.add(kind, *twins, **options), rank)


def unary(kind: str, renamed: Mapping[str, str] | None = None, **options: object) -> Translation:
    """Return the translation to an operator with one input, some attributes of which have another name in Keras."""

    def translation(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor) -> str:
        given = {name: getattr(operation, other) for name, other in (renamed or {}).items()}
        return pointwise(trace, kind, outputs[0], x, dtype=outputs[0].dtype, **options, **given)

    return translation


def binary(kind: str) -> Translation:
    """Return the translation to an operator with two inputs of the type of its output."""

    def translation(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor, y: Tensor) -> str:
        return pointwise(trace, kind, outputs[0], x, y, dtype=outputs[0].dtype)

    return translation


def comparison(kind: str, *, negated: bool = False) -> Translation:
    """Return the translation to an operator that compares two inputs."""

    def translation(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor, y: Tensor) -> str:
        types = [value.dtype for value in (x, y) if is_tensor(value)]
        dtype = keras.backend.result_type(*types, *(type(value) for value in (x, y) if isinstance(value, int | float)))
        compared = pointwise(trace, kind, outputs[0], x, y, dtype=dtype)
        return trace.graph.add("Not", compared) if negated else compared

    return translation


def sum_of_two(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor, y: Tensor) -> str:
    """Write a sum; a constant by channel becomes the bias of the linear operator before it."""
    if is_tensor(x) and not is_tensor(y):
        values = constant(y, outputs[0].dtype)
        is_bias = values.ndim and values.size == values.shape[-1] == x.shape[-1]
        found = trace.graph.folded(trace.name(x), np.ones(1, "float32"), values.reshape(-1)) if is_bias else None
        if found:
            return found
    return pointwise(trace, "Add", outputs[0], x, y, dtype=outputs[0].dtype)


def scaled(trace: Trace, x: Tensor, scale: np.ndarray, shift: np.ndarray) -> str:
    """Write `x * scale + shift`, by channel, in the linear operator before it if there is one."""
    name = trace.name(x, "float32")
    found = trace.graph.folded(name, scale.reshape(-1), shift.reshape(-1))
    if found:
        return found
    out = x
    if (scale != 1).any():
        out = trace.tensor(pointwise(trace, "Mul", x, x, scale, dtype="float32"), x.shape)
    return pointwise(trace, "Add", x, out, shift, dtype="float32") if (shift != 0).any() else trace.name(out, "float32")


def batch_normalization(
    trace: Trace,
    operation: Any,
    outputs: list[Tensor],
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    offset: Tensor = None,
    scale: Tensor = None,
) -> str:
    """Write a normalization by known statistics."""
    if operation.axis % len(x.shape) != len(x.shape) - 1:
        raise ValueError("A batch normalization over another axis than the last has no translation to ONNX.")
    middle, spread = (constant(value, "float64") for value in (mean, variance))
    factor = (1.0 if scale is None else constant(scale, "float64")) / np.sqrt(spread + operation.epsilon)
    shift = (0.0 if offset is None else constant(offset, "float64")) - middle * factor
    return scaled(trace, x, factor.astype("float32"), shift.astype("float32"))


def layer_normalization(
    trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor, gamma: Tensor = None, beta: Tensor = None
) -> str:
    """Write a normalization over the last axis."""
    axes = operation.axis if isinstance(operation.axis, list | tuple) else [operation.axis]
    if [axis % len(x.shape) for axis in axes] != [len(x.shape) - 1] or operation.rms_scaling:
        raise ValueError("A layer normalization over other axes than the last has no translation to ONNX.")
    parts = [np.ones(x.shape[-1]) if gamma is None else gamma, np.zeros(x.shape[-1]) if beta is None else beta]
    epsilon = keras.config.epsilon() if operation.epsilon is None else operation.epsilon
    return trace.graph.add(
        "LayerNormalization", trace.name(x), *(trace.name(part) for part in parts), axis=-1, epsilon=epsilon
    )


def rescaling(trace: Trace, layer: Any, outputs: list[Tensor], x: Tensor) -> str:
    """Write `keras.layers.Rescaling`."""
    return scaled(trace, x, constant(layer.scale, "float32"), constant(layer.offset, "float32"))


def normalization(trace: Trace, layer: Any, outputs: list[Tensor], x: Tensor) -> str:
    """Write `keras.layers.Normalization`."""
    if layer.mean.ndim and any(size != 1 for size in layer.mean.shape[:-1]):
        raise ValueError("A normalization over other axes than the last has no translation to ONNX.")
    mean, variance = (constant(value, "float64") for value in (layer.mean, layer.variance))
    spread = np.maximum(np.sqrt(variance), keras.config.epsilon())
    scale, shift = (spread, mean) if layer.invert else (1 / spread, -mean / spread)
    return scaled(trace, x, scale.astype("float32").reshape(-1), shift.astype("float32").reshape(-1))


def reduction(kind: str) -> Translation:
    """Return the translation to an operator over some axes."""

    def translation(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor) -> str:
        graph, rank = trace.graph, len(x.shape)
        if vars(operation).get("initial") is not None:
            raise ValueError("A reduction with a first value has no translation to ONNX.")
        given = range(rank) if operation.axis is None else operation.axis
        axes = sorted(axis % rank for axis in ([given] if isinstance(given, int) else given))
        name = trace.name(x, outputs[0].dtype)
        if name in graph.first and not operation.keepdims and axes == [*range(1, rank - 1)]:
            name, axes = graph.first[name], [axis + 1 for axis in axes]
        return graph.add(kind, name, graph.integers(*axes), keepdims=int(operation.keepdims))

    return translation


def softmax(kind: str) -> Translation:
    """Return the translation to a softmax or its logarithm."""

    def translation(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor) -> str:
        if not isinstance(operation.axis, int):
            raise ValueError("A softmax over several axes has no translation to ONNX.")
        return trace.graph.add(kind, trace.name(x), axis=operation.axis)

    return translation


def matmul(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor, y: Tensor) -> str:
    """Write a product of matrices."""
    return trace.graph.add("MatMul", trace.name(x), trace.name(y))


def clip(trace: Trace, out: Tensor, x: Tensor, low: float | None, high: float | None) -> str:
    """Write the limits of a value; `None` is no limit."""
    kind = "Max" if high is None else "Min" if low is None else "Clip"
    limits = [limit for limit in (low, high) if limit is not None]
    return pointwise(trace, kind, out, x, *limits, dtype=out.dtype)


def relu(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor) -> str:
    """Write the rectifier, with a slope for negative values or with an upper limit."""
    slope, limit, threshold = operation.negative_slope, operation.max_value, operation.threshold
    if threshold or (slope and limit is not None):
        raise ValueError("A rectifier with a threshold, or with a slope and a limit, has no translation to ONNX.")
    if slope:
        return pointwise(trace, "LeakyRelu", outputs[0], x, alpha=slope)
    return pointwise(trace, "Relu", outputs[0], x) if limit is None else clip(trace, outputs[0], x, 0.0, limit)


def silu(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor) -> str:
    """Write `x * sigmoid(x)`."""
    gate = trace.tensor(pointwise(trace, "Sigmoid", x, x), x.shape)
    return pointwise(trace, "Mul", x, x, gate)


def gelu(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor) -> str:
    """Write `x` times the normal distribution function of `x`, or the approximation of it by a hyperbolic tangent."""
    return pointwise(trace, "Gelu", outputs[0], x, approximate="tanh" if operation.approximate else "none")


def prelu(trace: Trace, layer: Any, outputs: list[Tensor], x: Tensor) -> str:
    """Write a rectifier with trained slopes."""
    return pointwise(trace, "PRelu", outputs[0], x, constant(layer.alpha, "float32")[None])


OPERATIONS: dict[str, Translation] = {
    "Add": sum_of_two,
    "Subtract": binary("Sub"),
    "Multiply": binary("Mul"),
    "TrueDivide": binary("Div"),
    "Divide": binary("Div"),
    "Maximum": binary("Max"),
    "Minimum": binary("Min"),
    "Power": binary("Pow"),
    "LogicalAnd": binary("And"),
    "LogicalOr": binary("Or"),
    "LogicalNot": unary("Not"),
    "Equal": comparison("Equal"),
    "NotEqual": comparison("Equal", negated=True),
    "Greater": comparison("Greater"),
    "GreaterEqual": comparison("GreaterOrEqual"),
    "Less": comparison("Less"),
    "LessEqual": comparison("LessOrEqual"),
    **{
        kind: unary(kind)
        for kind in ("Exp", "Log", "Relu", "Selu", "Sigmoid", "Softplus", "Softsign", "Sqrt", "Tanh", "Erf")
    },
    "Abs": unary("Abs"),
    "Absolute": unary("Abs"),
    "Negative": unary("Neg"),
    "Elu": unary("Elu", {"alpha": "alpha"}),
    "LeakyRelu": unary("LeakyRelu", {"alpha": "negative_slope"}),
    "HardSigmoid": unary("HardSigmoid", alpha=1 / 6, beta=0.5),
    "HardSilu": unary("HardSwish"),
    "Silu": silu,
    "Gelu": gelu,
    "ReLU": relu,
    "Relu6": lambda trace, operation, outputs, x: clip(trace, outputs[0], x, 0.0, 6.0),
    "Clip": lambda trace, operation, outputs, x: clip(trace, outputs[0], x, operation.x_min, operation.x_max),
    "Sum": reduction("ReduceSum"),
    "Mean": reduction("ReduceMean"),
    "Max": reduction("ReduceMax"),
    "Min": reduction("ReduceMin"),
    "Softmax": softmax("Softmax"),
    "LogSoftmax": softmax("LogSoftmax"),
    "BatchNorm": batch_normalization,
    "LayerNorm": layer_normalization,
    "Matmul": matmul,
}
LAYERS: dict[type, Translation] = {
    keras.layers.Rescaling: rescaling,
    keras.layers.Normalization: normalization,
    keras.layers.PReLU: prelu,
}

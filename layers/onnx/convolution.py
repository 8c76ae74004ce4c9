"""Translations of convolutions, transposed convolutions and pooling, with the channels last in Keras."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from layers.block import Tensor
from layers.onnx.trace import Trace, Translation, constant


def convolution(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor, kernel: Tensor) -> str:
    """Write a convolution; its weights are `(*sizes, inputs, outputs)` in Keras."""
    weights = np.moveaxis(constant(kernel, "float32"), (-1, -2), (0, 1))
    return linear(trace, operation, x, weights.copy(), group=x.shape[-1] // weights.shape[1])


def depthwise_convolution(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor, kernel: Tensor) -> str:
    """Write a convolution of each channel by itself; its weights are `(*sizes, inputs, multiplier)` in Keras."""
    weights = np.moveaxis(constant(kernel, "float32"), (-2, -1), (0, 1))
    return linear(trace, operation, x, weights.reshape(-1, 1, *weights.shape[2:]), group=x.shape[-1])


def linear(trace: Trace, operation: Any, x: Tensor, weights: np.ndarray, group: int) -> str:
    """Write a convolution whose weights are those of ONNX."""
    check_channels_last(operation)
    graph, rank = trace.graph, weights.ndim
    strides, dilations = (axis_values(value, rank - 2) for value in (operation.strides, operation.dilation_rate))
    reach = [dilation * (size - 1) + 1 for size, dilation in zip(weights.shape[2:], dilations, strict=True)]
    y = graph.add(
        "Conv",
        graph.channels_first(trace.name(x), rank),
        graph.weight(weights),
        group=group,
        strides=strides,
        dilations=dilations,
        **border(operation.padding, x.shape[1:-1], reach, strides),
    )
    return graph.channels_last(y, rank)


def border(padding: str, sizes: Sequence[int | None], reach: Sequence[int], strides: Sequence[int]) -> dict[str, Any]:
    """Return the attributes of ONNX for a border of zeros, as wide as Keras makes it.

    Example:
        >>> border("same", (None, 9), (3, 3), (1, 1))
        {'pads': [1, 1, 1, 1]}
        >>> border("same", (None, 8), (3, 3), (2, 2))
        {'auto_pad': 'SAME_UPPER'}
    """
    if padding == "valid":
        return {"pads": [0, 0] * len(reach)}
    if any(size is None and step > 1 for size, step in zip(sizes, strides, strict=True)):
        return {"auto_pad": "SAME_UPPER"}
    totals = [
        max(length - step if size is None or size % step == 0 else length - size % step, 0)
        for size, length, step in zip(sizes, reach, strides, strict=True)
    ]
    return {"pads": [*(total // 2 for total in totals), *(total - total // 2 for total in totals)]}


def transposed_convolution(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor, kernel: Tensor) -> str:
    """Write a transposed convolution; its weights are `(*sizes, outputs, inputs)` in Keras.

    Raises:
        ValueError: It has an output padding, or a dilation.
    """
    check_channels_last(operation)
    weights = np.moveaxis(constant(kernel, "float32"), (-1, -2), (0, 1)).copy()
    graph, rank = trace.graph, weights.ndim
    strides, dilations = (axis_values(value, rank - 2) for value in (operation.strides, operation.dilation_rate))
    if operation.output_padding is not None or {*dilations} != {1}:
        raise ValueError("A transposed convolution with output padding or dilation has no translation to ONNX.")
    over = [size - step for size, step in zip(weights.shape[2:], strides, strict=True)]
    cut = [max(size, 0) if operation.padding == "same" else 0 for size in over]
    y = graph.add(
        "ConvTranspose",
        graph.channels_first(trace.name(x), rank),
        graph.weight(weights),
        strides=strides,
        pads=[*(size // 2 for size in cut), *(size - size // 2 for size in cut)],
        output_padding=[max(-size, 0) for size in over],
    )
    return graph.channels_last(y, rank)


def pooling(kind: str) -> Translation:
    """Return the translation to a pooling over windows."""

    def translation(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor) -> str:
        check_channels_last(operation)
        graph, rank = trace.graph, len(x.shape)
        sizes = axis_values(operation.pool_size, rank - 2)
        strides = axis_values(operation.strides or sizes, rank - 2)
        y = graph.add(
            kind,
            graph.channels_first(trace.name(x), rank),
            kernel_shape=sizes,
            strides=strides,
            **border(operation.padding, x.shape[1:-1], sizes, strides),
        )
        return graph.channels_last(y, rank)

    return translation


def axis_values(value: int | Sequence[int], axes: int) -> list[int]:
    """Return one number for each axis.

    Example:
        >>> axis_values(2, 3), axis_values((1, 2), 2)
        ([2, 2, 2], [1, 2])
    """
    return [value] * axes if isinstance(value, int) else list(value)


def check_channels_last(operation: Any) -> None:
    """Raise `ValueError` if an operation has its channels first."""
    if operation.data_format == "channels_first":
        raise ValueError(f"{type(operation).__name__!r} has its channels first; it needs channels_last for ONNX.")


OPERATIONS: dict[str, Translation] = {
    "Conv": convolution,
    "ConvTranspose": transposed_convolution,
    "DepthwiseConv": depthwise_convolution,
    "MaxPool": pooling("MaxPool"),
    "AveragePool": pooling("AveragePool"),
}

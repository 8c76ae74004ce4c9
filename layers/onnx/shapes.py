"""Translations of the operations of `keras.ops` that move values: cuts, joins, axes and types."""

from collections.abc import Sequence
from typing import Any

import keras

from layers.block import Tensor
from layers.onnx.trace import Trace, Translation, is_tensor

END = 2**62  # past the last element of any axis


def cast(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor, dtype: str | None = None) -> str:
    """Write a change of the type."""
    return trace.name(x, outputs[0].dtype)


def reshape(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor) -> str:
    """Write new sizes; an open one is that of the same axis before, as in `(*shape(x)[:2], heads, width)`.

    Raises:
        ValueError: An open size may be that of another axis.
    """
    sizes = list(operation.newshape)
    if -1 not in sizes and sizes.count(None) == 1:
        sizes[sizes.index(None)] = -1
    if any(size is None and x.shape[axis : axis + 1] != (None,) for axis, size in enumerate(sizes)):
        raise ValueError(f"Sizes {operation.newshape} of {x.shape} leave open which is which.")
    return trace.graph.add(
        "Reshape", trace.name(x), trace.graph.integers(*(0 if size is None else size for size in sizes))
    )


def transpose(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor) -> str:
    """Write another order of the axes."""
    axes = operation.axes or range(len(x.shape))[::-1]
    return trace.graph.add("Transpose", trace.name(x), perm=[axis % len(x.shape) for axis in axes])


def expand_dims(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor) -> str:
    """Write new axes of size 1."""
    axes = [operation.axis] if isinstance(operation.axis, int) else operation.axis
    return trace.graph.add("Unsqueeze", trace.name(x), trace.graph.integers(*axes))


def squeeze(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor) -> str:
    """Write the loss of axes of size 1."""
    axes = [operation.axis] if isinstance(operation.axis, int) else operation.axis
    if axes is None:
        axes = [axis for axis, size in enumerate(x.shape) if size == 1]
    return trace.graph.add("Squeeze", trace.name(x), trace.graph.integers(*axes))


def concatenate(trace: Trace, operation: Any, outputs: list[Tensor], parts: Sequence[Tensor]) -> str:
    """Write tensors joined along an axis."""
    graph, rank = trace.graph, len(outputs[0].shape)
    names = [trace.name(part, outputs[0].dtype) for part in parts]
    if operation.axis % rank == rank - 1 and graph.first.keys() >= {*names}:
        twins = [graph.first[name] for name in names]
        return graph.channels_last(graph.add("Concat", *twins, axis=1), rank)
    return graph.add("Concat", *names, axis=operation.axis)


def stack(trace: Trace, operation: Any, outputs: list[Tensor], parts: Sequence[Tensor]) -> str:
    """Write tensors joined along a new axis."""
    axis = trace.graph.integers(operation.axis)
    names = [trace.graph.add("Unsqueeze", trace.name(part, outputs[0].dtype), axis) for part in parts]
    return trace.graph.add("Concat", *names, axis=operation.axis)


def split(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor) -> list[str]:
    """Write equal parts along an axis, or parts between given places."""
    if len(outputs) == 1:
        return [trace.name(x)]
    sizes = trace.graph.integers(*(part.shape[operation.axis] for part in outputs))
    return [*trace.graph.add_many("Split", [trace.name(x), sizes], len(outputs), axis=operation.axis)]


def repeat(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor) -> str:
    """Write each element of an axis several times."""
    graph, axis = trace.graph, operation.axis
    if not isinstance(operation.repeats, int) or axis is None or None in x.shape[axis % len(x.shape) + 1 :]:
        raise ValueError("A repetition by several numbers, or before open sizes, has no translation to ONNX.")
    axis %= len(x.shape)
    apart = graph.add("Unsqueeze", trace.name(x), graph.integers(axis + 1))
    many = graph.add("Concat", *[apart] * operation.repeats, axis=axis + 1)
    return graph.add("Reshape", many, graph.integers(*[0] * axis, -1, *x.shape[axis + 1 :]))


def filled(value: int) -> Translation:
    """Return the translation to a tensor of one value, of the shape of another tensor."""

    def translation(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor) -> str:
        shape = trace.graph.add("Shape", trace.name(x))
        return trace.graph.add("Expand", trace.name(value, outputs[0].dtype), shape)

    return translation


def where(trace: Trace, operation: Any, outputs: list[Tensor], there: Tensor, x: Tensor, y: Tensor) -> str:
    """Write the choice between two values."""
    names = [trace.name(there, "bool"), *(trace.name(value, outputs[0].dtype) for value in (x, y))]
    return trace.graph.add("Where", *names)


def take(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor, indices: Tensor) -> str:
    """Write a choice of rows, as of a table of vectors."""
    if operation.axis is None:
        raise ValueError("A choice from flattened values has no translation to ONNX; give it an axis.")
    rows = trace.name(indices, indices.dtype if is_tensor(indices) else "int64")
    return trace.graph.add("Gather", trace.name(x, outputs[0].dtype), rows, axis=operation.axis)


def pad(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor, constant_values: float | None = None) -> str:
    """Write a border around a tensor."""
    if operation.mode != "constant":
        raise ValueError(f"Padding by {operation.mode!r} has no translation to ONNX.")
    graph, rank = trace.graph, len(x.shape)
    width = [*operation.pad_width] * (rank if len(operation.pad_width) == 1 else 1)
    name, value = trace.name(x), trace.name(constant_values or 0, x.dtype)
    if name in graph.first:
        order = [width[0], width[-1], *width[1:-1]]
        ends = graph.integers(*(size for side in zip(*order, strict=True) for size in side))
        return graph.channels_last(graph.add("Pad", graph.first[name], ends, value), rank)
    return graph.add("Pad", name, graph.integers(*(size for side in zip(*width, strict=True) for size in side)), value)


def get_item(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor, key: Any) -> str:
    """Write a cut: slices, whole numbers and new axes."""
    graph, parts = trace.graph, list(key) if isinstance(key, tuple | list) else [key]
    if Ellipsis in parts:
        place = parts.index(Ellipsis)
        missing = len(x.shape) - sum(part is not None and part is not Ellipsis for part in parts)
        parts[place : place + 1] = [slice(None)] * missing
    old = [part for part in parts if part is not None]  # one for each axis of x
    name = trace.name(x)
    cuts = {axis: limits(part) for axis, part in enumerate(old) if part != slice(None)}
    if cuts:
        starts, ends, steps = zip(*cuts.values(), strict=True)
        name = graph.add("Slice", name, *(graph.integers(*values) for values in (starts, ends, cuts, steps)))
    lost = [axis for axis, part in enumerate(old) if isinstance(part, int)]
    name = graph.add("Squeeze", name, graph.integers(*lost)) if lost else name
    kept = [part for part in parts if not isinstance(part, int)]
    new = [axis for axis, part in enumerate(kept) if part is None]
    return graph.add("Unsqueeze", name, graph.integers(*new)) if new else name


def limits(part: slice | int) -> tuple[int, int, int]:
    """Return start, end and step of a cut along one axis, as ONNX has them."""
    if isinstance(part, int):
        return part, part + 1 or END, 1
    step = part.step or 1
    start, end = (0, END) if step > 0 else (END, -END)
    return start if part.start is None else part.start, end if part.stop is None else part.stop, step


def unchanged(trace: Trace, operation: Any, outputs: list[Tensor], x: Tensor, *_: Tensor, **__: object) -> str:
    """Write nothing, as for a dropout in use."""
    return trace.name(x)


OPERATIONS: dict[str, Translation] = {
    "Cast": cast,
    "Concatenate": concatenate,
    "ExpandDims": expand_dims,
    "GetItem": get_item,
    "OnesLike": filled(1),
    "Pad": pad,
    "Repeat": repeat,
    "Reshape": reshape,
    "Split": split,
    "Squeeze": squeeze,
    "Stack": stack,
    "StopGradient": unchanged,
    "Take": take,
    "Transpose": transpose,
    "Where": where,
    "ZerosLike": filled(0),
}
DROPOUTS = (
    keras.layers.Dropout,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
)
LAYERS: dict[type, Translation] = dict.fromkeys(DROPOUTS, unchanged)

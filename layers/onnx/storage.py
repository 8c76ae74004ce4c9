"""How large weights are stored in a file: as they are, in half the bits, or in a quarter of them."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from layers.onnx.graph import Graph, Operator

Storage: TypeAlias = Literal["float32", "float16", "int8"]
LARGEST = 65_504  # largest number of float16
LARGE = 1024  # numbers from which on a weight is worth storing in fewer bits, or once for two uses
NARROW = 16  # columns of a table up to which one scale for each row would take much of the room
CHANNELS = {"Gather": 0, "MatMul": 1, "Conv": 0, "ConvTranspose": 1}  # axis that keeps a scale for each place
RECURRENT = ("GRU", "LSTM", "RNN")


class Stored(NamedTuple):
    """Weights as they are stored, and the operators that make the weights of a graph from them."""

    arrays: dict[str, np.ndarray]
    operators: list[Operator]


def stored_weights(graph: Graph, operators: Sequence[Operator], storage: Storage, made: set[str]) -> Stored:
    """Return the weights that some operators read, as they are stored, without those that operators make.

    A table that is there a second time, turned round, as a tied embedding is, is stored once.
    """
    stored = Stored({}, [])
    contents: dict[tuple[tuple[int, ...], bytes], str] = {}
    for name, reader in readers(graph, operators).items():
        if name in made:
            continue
        values = graph.weights[name]
        if values.dtype != "float32" or values.size < LARGE:
            stored.arrays[name] = values
            continue
        twin = contents.get((values.T.shape, values.T.tobytes())) if values.ndim == 2 else None
        if twin is not None:
            stored.operators.append(Operator("Transpose", (twin,), (name,), {}))
            continue
        contents[values.shape, values.tobytes()] = name
        is_bias = reader.kind in RECURRENT and name == reader.inputs[3]
        if storage == "int8" and not is_bias:
            store_as_bytes(stored, name, values, reader)
        elif storage == "float32" or np.abs(values).max(initial=0) > LARGEST:
            stored.arrays[name] = values
        else:
            stored.arrays[f"{name}/stored"] = values.astype("float16")
            stored.operators.append(Operator("Cast", (f"{name}/stored",), (name,), {"to": "float32"}))
    return stored


def readers(graph: Graph, operators: Sequence[Operator]) -> dict[str, Operator]:
    """Return the first operator that reads each weight, in the order of the weights."""
    found: dict[str, Operator] = {}
    for operator in operators:
        for name in operator.inputs:
            found.setdefault(name, operator)
    return {name: found[name] for name in graph.weights if name in found}


def store_as_bytes(stored: Stored, name: str, values: np.ndarray, reader: Operator) -> None:
    """Store a weight as whole numbers of 8 bits, with a scale for each channel.

    The operators that undo it read constants alone, so a runtime computes them once, when it opens the file.
    """
    small, scale = bytes_and_scale(values, channel_axes(reader, values))
    stored.arrays.update({f"{name}/stored": small, f"{name}/scale": scale})
    stored.operators.append(Operator("Cast", (f"{name}/stored",), (f"{name}/numbers",), {"to": "float32"}))
    stored.operators.append(Operator("Mul", (f"{name}/numbers", f"{name}/scale"), (name,), {}))


def bytes_and_scale(values: np.ndarray, channels: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return whole numbers in [-127, 127], and the scale of each channel, whose product is near some weights.

    Example:
        >>> small, scale = bytes_and_scale(np.array([[1.27, 0.5], [0.0, 0.0]]), [0])
        >>> small.tolist(), scale.round(4).tolist()
        ([[127, 50], [0, 0]], [[0.01], [1.0]])
    """
    others = tuple(axis for axis in range(values.ndim) if axis not in channels)
    largest = abs(values).max(axis=others, keepdims=True)
    scale = np.where(largest > 0, largest / 127, 1).astype("float32")
    return np.rint(values / scale).astype("int8"), scale


def channel_axes(reader: Operator, values: np.ndarray) -> Sequence[int]:
    """Return the axes of a weight that keep a scale for each place."""
    if reader.kind in RECURRENT:
        return 0, 1  # directions, and gates with their units
    if reader.kind == "Gather" and values.shape[-1] < NARROW:
        return [values.ndim - 1]
    return [CHANNELS.get(reader.kind, values.ndim - 1)]


def late_lookups(operators: Sequence[Operator], stored: Mapping[str, np.ndarray]) -> list[Operator]:
    """Return operators that look up rows of stored tables, and only then make numbers of float32 from the rows."""
    found = []
    for operator in operators:
        table = operator.inputs[0] if operator.inputs else ""
        if operator.kind != "Gather" or f"{table}/stored" not in stored:
            found.append(operator)
            continue
        (result,), scale = operator.outputs, f"{table}/scale"
        numbers = f"{result}/numbers" if scale in stored else result
        found.append(operator._replace(inputs=(f"{table}/stored", operator.inputs[1]), outputs=(f"{result}/stored",)))
        found.append(Operator("Cast", (f"{result}/stored",), (numbers,), {"to": "float32"}))
        if scale in stored:
            if len(stored[scale]) > 1:  # one for each row
                found.append(operator._replace(inputs=(scale, operator.inputs[1]), outputs=(f"{result}/scale",)))
                scale = f"{result}/scale"
            found.append(Operator("Mul", (numbers, scale), (result,), {}))
    return found

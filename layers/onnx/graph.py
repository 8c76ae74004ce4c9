"""Operators and weights of an ONNX graph while it is written."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

OUTPUT_AXIS = {"Conv": 0, "ConvTranspose": 1, "MatMul": 1}  # of the weights of linear operators


class Operator(NamedTuple):
    """One operator of the graph, its inputs and outputs by name.

    Example:
        >>> Operator("Relu", ("x",), ("y",), {}).kind
        'Relu'
    """

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]


class Graph:
    """Operators in the order of computation, and weights.

    Equal operators on equal inputs are written once, and so are equal weights. What nothing reads is left out of the
    file. Keras has the channels last and ONNX has them first. So a value with channels last may have a twin in `first`,
    with channels first, and operators that can read the twin do so. A `/` is in no name that Keras gives.

    Example:
        >>> graph = Graph()
        >>> graph.add("Add", "x", "x") == graph.add("Add", "x", "x")
        True
    """

    def __init__(self) -> None:
        self.operators: list[Operator] = []
        self.makers: dict[str, Operator] = {}  # output to operator
        self.known: dict[str, Operator] = {}  # operator and inputs, as text
        self.weights: dict[str, np.ndarray] = {}
        self.contents: dict[tuple[str, tuple[int, ...], bytes], str] = {}  # weight to name
        self.first: dict[str, str] = {}
        self.scalings: list[Operator] = []  # how scaled weights come from others

    def add(self, kind: str, *inputs: str, **attributes: object) -> str:
        """Add an operator with one output, and return the name of the output."""
        return self.add_many(kind, inputs, 1, **attributes)[0]

    def add_many(self, kind: str, inputs: Sequence[str], count: int, **attributes: object) -> tuple[str, ...]:
        """Add an operator, and return the names of its outputs."""
        text = repr((kind, inputs, count, attributes))
        if text not in self.known:
            outputs = tuple(f"{kind}/{len(self.operators)}/{number}" for number in range(count))
            self.known[text] = Operator(kind, tuple(inputs), outputs, attributes)
            self.operators.append(self.known[text])
            self.makers |= dict.fromkeys(outputs, self.known[text])
        return self.known[text].outputs

    def weight(self, values: np.ndarray) -> str:
        """Return the name of a constant."""
        key = str(values.dtype), values.shape, values.tobytes()
        if key not in self.contents:
            self.contents[key] = f"weight/{len(self.weights)}"
            self.weights[self.contents[key]] = values
        return self.contents[key]

    def integers(self, *values: int) -> str:
        """Return the name of a constant vector of whole numbers, as for axes and shapes."""
        return self.weight(np.array(values, "int64"))

    def aligned(self, x: str, rank: int) -> str:
        """Return a constant with `rank` axes, as broadcasting gives it, or a number or any other value as it is."""
        values = self.weights.get(x)
        if values is None or values.ndim in (0, rank):
            return x
        return self.weight(values.reshape(*[1] * (rank - values.ndim), *values.shape))

    def channels_first(self, x: str, rank: int) -> str:
        """Return the twin of a value with channels last, of `rank` axes."""
        if x in self.weights:
            return self.weight(np.moveaxis(self.weights[x], -1, 1).copy())
        return self.first.get(x) or self.add("Transpose", x, perm=[0, rank - 1, *range(1, rank - 1)])

    def channels_last(self, x: str, rank: int) -> str:
        """Return a value with channels last whose twin is `x`."""
        last = self.add("Transpose", x, perm=[0, *range(2, rank), 1])
        self.first[last] = x
        return last

    def folded(self, x: str, scale: np.ndarray, shift: np.ndarray) -> str | None:
        """Return `x * scale + shift`, by channel, as one linear operator, if a linear operator gives `x`."""
        maker = self.makers.get(self.first.get(x, x))
        if maker is None or maker.kind not in OUTPUT_AXIS or not self.weights.keys() >= {*maker.inputs[1:]}:
            return None
        weights, axis = self.weights[maker.inputs[1]], OUTPUT_AXIS[maker.kind]
        along = [-1 if other == axis else 1 for other in range(weights.ndim)]
        read = maker.inputs[0], self.scaled(maker.inputs[1], scale.reshape(along))
        if maker.kind == "MatMul":
            return self.add("Add", self.add("MatMul", *read), self.weight(shift))
        bias = self.weights[maker.inputs[2]] * scale if len(maker.inputs) > 2 else np.zeros(1, "float32")
        bias = np.broadcast_to(bias + shift, weights.shape[axis]).copy()
        return self.channels_last(self.add(maker.kind, *read, self.weight(bias), **maker.attributes), weights.ndim)

    def scaled(self, name: str, scale: np.ndarray) -> str:
        """Return a constant times another one."""
        if (scale == 1).all():
            return name
        found = self.weight(self.weights[name] * scale)
        self.scalings.append(Operator("Mul", (name, self.weight(scale)), (found,), {}))
        return found


def needed(operators: Sequence[Operator], outputs: Iterable[str]) -> list[Operator]:
    """Return the operators that some outputs depend on, in the order of computation.

    Example:
        >>> needed([Operator("Neg", ("x",), ("y",), {}), Operator("Exp", ("x",), ("z",), {})], ["z"])[0].kind
        'Exp'
    """
    wanted, found = {*outputs}, []
    for operator in reversed(operators):
        if wanted & {*operator.outputs}:
            wanted |= {*operator.inputs}
            found.append(operator)
    return found[::-1]

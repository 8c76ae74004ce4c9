"""Translations of recurrent layers; each becomes one operator of ONNX, in both directions if asked."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from layers.block import Tensor
from layers.onnx.trace import Trace, Translation, constant, is_tensor
from layers.recurrent import RecurrentStack


class Kind(NamedTuple):
    """A recurrent operator of ONNX.

    Example:
        >>> KINDS[keras.layers.LSTM].gates
        (0, 3, 1, 2)
    """

    operator: str
    gates: tuple[int, ...]  # for each gate of ONNX, its place in Keras
    activations: tuple[str, ...]  # names of attributes of the layer


KINDS = {
    keras.layers.GRU: Kind("GRU", (0, 1, 2), ("recurrent_activation", "activation")),
    keras.layers.LSTM: Kind("LSTM", (0, 3, 1, 2), ("recurrent_activation", "activation", "activation")),
    keras.layers.SimpleRNN: Kind("RNN", (0,), ("activation",)),
}
ACTIVATIONS = {"tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu", "softsign": "Softsign", "softplus": "Softplus"}


def recurrence(
    trace: Trace,
    layers: Sequence[Any],
    x: Tensor,
    mask: Tensor | None,
    states: Sequence[Tensor] | Tensor | None,
) -> tuple[str, list[str]]:
    """Write a recurrent layer, or one that reads forwards and one that reads backwards.

    A mask must leave out steps at the end only, as padding does.

    Returns:
        All states of the last kind `(batch, time, units)`, or `(batch, units)` without `return_sequences`, side by side
        for both directions; and the final states, those of the first direction first.
    """
    graph, layer, kind = trace.graph, layers[0], kind_of(layers[0])
    check_supported(layers)
    lengths = ""
    if mask is not None:
        lengths = graph.add("ReduceSum", trace.name(mask, "int32"), graph.integers(1), keepdims=0)
    names = ["forward", "reverse", "bidirectional"]
    options: dict[str, object] = {"linear_before_reset": int(layer.reset_after)} if kind.operator == "GRU" else {}
    every, *final = graph.add_many(
        kind.operator,
        [
            graph.add("Transpose", trace.name(x), perm=[1, 0, 2]),
            *(graph.weight(np.stack(part)) for part in zip(*map(operator_weights, layers), strict=True)),
            lengths,
            *initial_states(trace, layers, states),
        ],
        3 if kind.operator == "LSTM" else 2,
        hidden_size=layer.units,
        direction=names[2] if len(layers) == 2 else names[layer.go_backwards],
        activations=[ACTIVATIONS[getattr(one, name).__name__] for one in layers for name in kind.activations],
        **options,
    )
    ends = [graph.add("Gather", state, graph.integers(side), axis=0) for side in range(len(layers)) for state in final]
    shown = every_state(trace, layer, every, final[0], mask) if layer.return_sequences else last_state(trace, final[0])
    return shown, [graph.add("Squeeze", end, graph.integers(0)) for end in ends]


def every_state(trace: Trace, layer: Any, every: str, final: str, mask: Tensor | None) -> str:
    """Return the states of all steps; a masked step has zeros, or repeats the last state if the layer does so."""
    graph = trace.graph
    turned = graph.add("Transpose", every, perm=[2, 0, 1, 3])  # (batch, time, directions, units)
    steps = graph.add("Reshape", turned, graph.integers(0, 0, -1))
    if mask is None or layer.zero_output_for_mask:
        return steps
    there = graph.add("Unsqueeze", trace.name(mask, "bool"), graph.integers(-1))
    return graph.add("Where", there, steps, graph.add("Transpose", final, perm=[1, 0, 2]))


def last_state(trace: Trace, final: str) -> str:
    """Return the final states of all directions side by side."""
    turned = trace.graph.add("Transpose", final, perm=[1, 0, 2])  # (batch, directions, units)
    return trace.graph.add("Reshape", turned, trace.graph.integers(0, -1))


def kind_of(layer: Any) -> Kind:
    """Return the recurrent operator of a layer."""
    if type(layer) not in KINDS:
        raise ValueError(f"The recurrent layer {type(layer).__name__!r} has no translation to ONNX.")
    return KINDS[type(layer)]


def check_supported(layers: Sequence[Any]) -> None:
    """Raise `ValueError` if ONNX has no operator for some recurrent layers."""
    layer = layers[0]
    names = {getattr(one, name).__name__ for one in layers for name in kind_of(one).activations}
    if unknown := names - ACTIVATIONS.keys():
        raise ValueError(f"The recurrent activation {min(unknown)!r} has no translation to ONNX.")
    if len(layers) == 1 and layer.go_backwards and layer.return_sequences:
        raise ValueError("A recurrent layer that gives its steps in reverse has no translation to ONNX.")
    if layer.stateful:
        raise ValueError("A recurrent layer that is stateful has no translation to ONNX.")


def operator_weights(layer: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the weights of inputs, those of states, and the biases of both, as ONNX has them."""
    gates, cell = kind_of(layer).gates, layer.cell
    count = len(gates) * layer.units
    biases = constant(cell.bias, "float32").reshape(-1, count) if layer.use_bias else np.zeros((1, count), "float32")
    biases = np.concatenate([biases, np.zeros((2 - len(biases), count), "float32")])

    def ordered(values: np.ndarray) -> np.ndarray:
        parts = np.split(values, len(gates), axis=-1)
        return np.concatenate([parts[place] for place in gates], axis=-1)

    kernel, recurrent = (ordered(constant(one, "float32")).T for one in (cell.kernel, cell.recurrent_kernel))
    return kernel, recurrent, ordered(biases).reshape(-1)


def initial_states(trace: Trace, layers: Sequence[Any], states: Sequence[Tensor] | Tensor | None) -> list[str]:
    """Return the names of the first states `(directions, batch, units)`, one or two; none if they are zero."""
    if states is None:
        return []
    each = [states] if is_tensor(states) else list(states)
    count = len(each) // len(layers)
    axis = trace.graph.integers(0)
    lifted = [trace.graph.add("Unsqueeze", trace.name(state), axis) for state in each]
    return [
        trace.graph.add("Concat", *lifted[place::count], axis=0) if len(layers) == 2 else lifted[place]
        for place in range(count)
    ]


def recurrent_layer(
    trace: Trace, layer: Any, outputs: list[Tensor], x: Tensor, initial_state: Tensor = None, mask: Tensor = None
) -> list[str]:
    """Write a recurrent layer of one direction."""
    every, final = recurrence(trace, [layer], x, mask, initial_state)
    return [every, *final] if layer.return_state else [every]


def bidirectional(
    trace: Trace, layer: Any, outputs: list[Tensor], x: Tensor, initial_state: Tensor = None, mask: Tensor = None
) -> list[str]:
    """Write a recurrent layer of both directions.

    Raises:
        ValueError: The directions are not joined by their features.
    """
    if layer.merge_mode != "concat":
        raise ValueError(f"Directions joined by {layer.merge_mode!r} have no translation to ONNX; it needs 'concat'.")
    every, final = recurrence(trace, [layer.forward_layer, layer.backward_layer], x, mask, initial_state)
    return [every, *final] if layer.return_state else [every]


def recurrent_stack(trace: Trace, stack: Any, outputs: list[Tensor], x: Tensor, mask: Tensor = None) -> list[str]:
    """Write recurrent layers on top of each other; segments are read side by side."""
    if stack.segment is None:
        return trace.read([run(stack, x, mask)])
    graph, name, segment = trace.graph, trace.name(x), stack.segment
    batch, time = (graph.add("Gather", graph.add("Shape", name), graph.integers(axis), axis=0) for axis in (0, 1))
    parts = graph.add("Div", graph.add("Add", time, graph.integers(segment - 1)), graph.integers(segment))
    full = graph.add("Mul", parts, graph.integers(segment))
    rest, zero = graph.add("Sub", full, time), graph.integers(0)

    def cut(values: str, sizes: Sequence[int], dtype: str) -> Tensor:
        ends = [graph.integers(*[0] * (3 + len(sizes))), rest, *[zero] * len(sizes)]
        filled = graph.add("Pad", values, graph.add("Concat", *ends, axis=0))
        return trace.tensor(
            graph.add("Reshape", filled, graph.integers(-1, segment, *sizes)), (None, segment, *sizes), dtype
        )

    ones = graph.weight(np.ones(1, "int32"))
    there = graph.add("Expand", ones, graph.add("Concat", batch, time, axis=0)) if mask is None else trace.name(mask)
    there = graph.add("Cast", there, to="int32")
    (read,) = trace.read([run(stack, cut(name, x.shape[2:], "float32"), cut(there, [], "int32"))])
    whole = graph.add("Reshape", read, graph.add("Concat", batch, full, graph.integers(-1), axis=0))
    return [graph.add("Slice", whole, zero, time, graph.integers(1))]


def run(stack: RecurrentStack, x: Tensor, mask: Tensor | None) -> Tensor:
    """Return the output of recurrent layers on top of each other."""
    for part in stack.parts:
        x = part(x, mask=mask)
    return x


LAYERS: dict[type, Translation] = {
    **dict.fromkeys(KINDS, recurrent_layer),
    keras.layers.Bidirectional: bidirectional,
    RecurrentStack: recurrent_stack,
}

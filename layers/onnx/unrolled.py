"""Recurrences written out step by step, for runtimes that take no loop."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras

from layers.block import Tensor
from layers.onnx.trace import inputs_of, node_of

RECURRENT = (keras.layers.GRU, keras.layers.LSTM, keras.layers.SimpleRNN)


@contextmanager
def unrolled_recurrences(model: keras.Model) -> Iterator[None]:
    """Let the recurrent layers of a model compute step after step without a loop, for a `with` statement.

    The number of steps must be known. Keras's own `unroll=True` leaves the wrong steps out where it reads backwards.
    """
    layers = recurrent_layers(model)
    for layer in layers:
        layer.inner_loop = partial(unrolled_loop, layer)
    try:
        yield
    finally:
        for layer in layers:
            del layer.inner_loop


def recurrent_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the recurrent layers that are somewhere in a model."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, RECURRENT)]


def unrolled_loop(
    layer: Any, sequences: Tensor, initial_state: Sequence[Tensor], mask: Tensor | None, training: bool = False
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Return the last output of a recurrent layer, all outputs `(batch, time, units)` in their order, and the states.

    A masked step changes no state; its output is zeros or the one before, as the layer says.
    """
    states, outputs = list(initial_state), list[Tensor]()
    places = range(sequences.shape[1])
    for place in reversed(places) if layer.go_backwards else places:
        output, after = layer.cell(sequences[:, place], states, training=False)
        if mask is not None:
            there = mask[:, place, None]
            kept = keras.ops.zeros_like(output) if layer.zero_output_for_mask or not outputs else outputs[-1]
            output = keras.ops.where(there, output, kept)
            after = [keras.ops.where(there, new, old) for new, old in zip(after, states, strict=True)]
        outputs.append(output)
        states = list(after)
    return outputs[-1], keras.ops.stack(outputs, axis=1), states


def inputs_with_steps(model: keras.Model) -> list[str]:
    """Return the names of the inputs `(batch, steps)` or `(batch, steps, features)` of a model that are sequences.

    A recurrent layer, or a decoder that attends to them, reads what is made of them. The number of steps is open.

    Example:
        >>> tokens, other = keras.Input((None,), name="tokens"), keras.Input((None,), name="other")
        >>> states = keras.layers.GRU(2)(keras.layers.Embedding(9, 3)(tokens))
        >>> inputs_with_steps(keras.Model([tokens, other], [states, other + 1]))
        ['tokens']
    """
    waiting, seen = list(model.outputs), dict[int, bool]()
    while waiting:  # from the outputs backwards; a tensor may be met again below a recurrence
        tensor = waiting.pop()
        node, below = node_of(tensor), seen.get(id(tensor), False)
        below = below or has_recurrence(node.operation)
        for read in inputs_of(node):
            if id(read) not in seen or (below and not seen[id(read)]):
                seen[id(read)] = below
                waiting.append(read)
    return [one.name for one in model.inputs if seen.get(id(one)) and len(one.shape) > 1 and one.shape[1] is None]


def has_recurrence(operation: Any) -> bool:
    """Return whether an operation of a network is a recurrent layer, or a layer that has one."""
    is_layer = isinstance(operation, keras.layers.Layer)
    return is_layer and any(isinstance(layer, RECURRENT) for layer in operation._flatten_layers())

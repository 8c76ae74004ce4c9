"""A recurrent decoder with attention."""

from typing import Self

import keras

from layers.attention import Attention, Kind
from layers.block import (
    LayerConfig,
    Options,
    Shape,
    Tensor,
    check_choice,
    check_fraction,
    check_positive,
    feature_count,
)
from layers.recurrent import CELLS, Cell


@keras.saving.register_keras_serializable(package="layers")
class RecurrentDecoder(keras.layers.Layer):
    """Read a sequence from left to right, and at each step attend to a memory.

    1. A first recurrent layer reads the inputs; its states are the queries of the attention.
    2. A second recurrent layer reads those states and their contexts.
    3. A dense layer reads input, context and second state.

    The queries come from the first layer alone. So a whole sequence, as in training, takes two recurrences and one
    attention over all its steps. `step` computes one step with the same weights, for a search.

    Args:
        units: Width of both states and of the context, at least 1.
        width: Width of the output, at least 1.
        cell: `"lstm"`, `"gru"` or `"rnn"`.
        attention: `"multiplicative"` or `"additive"`.
        heads: Attention heads.
        gated: Whether the first state scales each context by a number in (0, 1).
        dropout: Fraction of the states and contexts set to zero in training, in [0, 1), the same at every step.

    Input shape: `(batch, time, features)`, memory `(batch, steps, size)`. `there`, bool `(batch, steps)`, is
    true for the steps of the memory that may be attended to. Several sequences for each memory are
    `(batch, sequences, time, features)`; the memory is then read once for all of them.
    Output shape: `(batch, time, width)` or `(batch, sequences, time, width)`, in (-1, 1).

    Raises:
        ValueError: An argument is out of range.

    References: Sennrich et al., 2017, https://arxiv.org/abs/1703.04357 (attention between two recurrences);
    Xu et al., 2015, https://arxiv.org/abs/1502.03044 (gate, start from the mean of the memory);
    Gal and Ghahramani, 2016, https://arxiv.org/abs/1512.05287 (dropout).

    Example:
        >>> import keras
        >>> inputs, memory = keras.ops.ones((2, 7, 5)), keras.ops.ones((2, 4, 6))
        >>> tuple(RecurrentDecoder(8, width=3)(inputs, memory).shape)
        (2, 7, 3)
    """

    def __init__(
        self,
        units: int,
        width: int,
        cell: Cell = "gru",
        *,
        attention: Kind = "multiplicative",
        heads: int = 1,
        gated: bool = False,
        dropout: float = 0.0,
        **kwargs: Options,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(units=units, width=width)
        check_choice("cell", cell, CELLS)
        check_fraction(dropout=dropout)
        self.units, self.width, self.attention, self.heads = units, width, attention, heads
        self.cell: Cell = cell
        self.gated, self.dropout = gated, dropout

    def build(self, inputs_shape: Shape, memory_shape: Shape) -> None:
        kind, policy = CELLS[self.cell], self.dtype_policy
        self.first = kind(self.units, return_sequences=True, name="first", dtype=policy)
        self.second = kind(self.units, return_sequences=True, name="second", dtype=policy)
        self.attend = Attention(self.units, self.attention, heads=self.heads, name="attend", dtype=policy)
        self.begin = keras.layers.Dense(self.states * self.units, activation="tanh", name="begin", dtype=policy)
        self.sum_up = keras.layers.Dense(self.width, activation="tanh", name="sum_up", dtype=policy)
        self.drop = keras.layers.Dropout(self.dropout, noise_shape=(None, 1, None), dtype=policy)
        time, features = inputs_shape[-2], feature_count(inputs_shape)
        states = (None, time, self.units)
        self.first.build((None, time, features))
        self.attend.build(states, memory_shape)
        self.begin.build((memory_shape[0], memory_shape[-1]))
        self.second.build((None, time, 2 * self.units))
        self.sum_up.build((None, time, 2 * self.units + features))
        if self.gated:
            self.gate = keras.layers.Dense(1, activation="sigmoid", name="gate", dtype=policy)
            self.gate.build(states)

    @property
    def states(self) -> int:
        """Number of vectors in the state of one recurrent layer."""
        return 2 if self.cell == "lstm" else 1

    def call(self, inputs: Tensor, memory: Tensor, there: Tensor = None) -> Tensor:
        shape, sources = keras.ops.shape(inputs), keras.ops.shape(memory)[0]
        inputs = keras.ops.reshape(inputs, (-1, *shape[-2:]))  # (rows, time, features), the rows of a memory in order
        states = self.first(inputs)
        asked = keras.ops.reshape(self.drop(states), (sources, -1, self.units))
        context, _ = self.attend(asked, memory, there=there)
        context = keras.ops.reshape(context, keras.ops.shape(states))
        both = self.drop(keras.ops.concatenate([states, self.gated_context(states, context)], -1))
        rows = keras.ops.shape(states)[0] // sources
        start = [keras.ops.repeat(state, rows, axis=0) for state in self.initial_states(memory, there)]
        second = self.second(both, initial_state=start if self.states > 1 else start[0])
        output = self.sum_up(keras.ops.concatenate([inputs, both[..., self.units :], self.drop(second)], -1))
        return keras.ops.reshape(output, (*shape[:-1], self.width))

    def gated_context(self, states: Tensor, context: Tensor) -> Tensor:
        """Return the context, scaled by the gate if there is one."""
        return self.gate(states) * context if self.gated else context

    def initial_states(self, memory: Tensor, there: Tensor = None) -> list[Tensor]:
        """Return the first state of the second layer, computed from the mean of the memory, `(batch, units)` each."""
        if there is None:
            mean = keras.ops.mean(memory, axis=1)
        else:
            weights = keras.ops.expand_dims(keras.ops.cast(there, memory.dtype), -1)
            mean = keras.ops.sum(memory * weights, axis=1) / keras.ops.sum(weights, axis=1)
        return keras.ops.split(self.begin(mean), self.states, axis=-1)

    def memory_state(self, memory: Tensor, there: Tensor = None) -> tuple[Tensor, ...]:
        """Return the inputs of `step` for a memory: keys and values `(batch, steps, units)`, then the first states."""
        start = self.initial_states(memory, there)
        blank = [keras.ops.zeros_like(state) for state in start]
        return self.attend.key(memory), self.attend.value(memory), *blank, *start

    def step(self, inputs: Tensor, keys: Tensor, values: Tensor, there: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Compute one step.

        Args:
            inputs: `(batch, features)`.
            keys, values, states: As `memory_state` returns them; after the first step, the states of the step before.

        Returns:
            Output `(batch, width)`, attention weights `(batch, steps)`, and the new states.
        """
        one, first = self.first.cell(inputs, list(states[: self.states]))
        context, weights = self.attend.context_and_weights(keras.ops.expand_dims(one, 1), keys, values, there)
        context = self.gated_context(one, context[:, 0])
        two, second = self.second.cell(keras.ops.concatenate([one, context], -1), list(states[self.states :]))
        output = self.sum_up(keras.ops.concatenate([inputs, context, two], -1))
        return output, weights[:, 0], *first, *second

    def compute_output_shape(self, inputs_shape: Shape, memory_shape: Shape, there_shape: Shape | None = None) -> Shape:
        return (*inputs_shape[:-1], self.width)


@keras.saving.register_keras_serializable(package="layers")
class DecoderStep(keras.layers.Layer):
    """One step of a decoder, as a layer: inputs, outputs and weights are those of `RecurrentDecoder.step`.

    Example:
        >>> import keras
        >>> decoder = RecurrentDecoder(8, width=3)
        >>> memory = keras.ops.ones((2, 4, 6))
        >>> _ = decoder(keras.ops.ones((2, 7, 5)), memory)
        >>> keys, values, *states = decoder.memory_state(memory)
        >>> output, weights, *states = DecoderStep(decoder)(keras.ops.ones((2, 5)), keys, values, None, states)
        >>> tuple(output.shape), tuple(weights.shape)
        ((2, 3), (2, 4))
    """

    def __init__(self, decoder: RecurrentDecoder, **kwargs: Options) -> None:
        super().__init__(**kwargs)
        self.decoder = decoder

    def call(self, inputs: Tensor, keys: Tensor, values: Tensor, there: Tensor, states: Tensor) -> tuple[Tensor, ...]:
        return self.decoder.step(inputs, keys, values, there, *states)

    def get_config(self) -> LayerConfig:
        decoder, policy = self.decoder, self.decoder.dtype_policy.name
        widths = [part.kernel.shape[0] for part in (decoder.first.cell, decoder.attend.key)]  # of inputs and memory
        return {**super().get_config(), "decoder": {**decoder.get_config(), "dtype": policy}, "widths": widths}

    @classmethod
    def from_config(cls, config: LayerConfig) -> Self:
        """Return the step of a new decoder, whose weights are yet to be loaded."""
        inner, (features, width) = config["decoder"], config["widths"]
        decoder = RecurrentDecoder(**inner)
        decoder.build((None, None, features), (None, None, width))
        return cls(decoder, name=config["name"], dtype=inner["dtype"])

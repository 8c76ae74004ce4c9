"""Recurrent blocks."""

from typing import Literal

import keras

from layers.block import Block, Options, Tensor, check_choice, check_fraction, check_positive

Cell = Literal["lstm", "gru", "rnn"]
CELLS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "rnn": keras.layers.SimpleRNN}


@keras.saving.register_keras_serializable(package="layers")
class RecurrentStack(Block):
    """Recurrent layers on top of each other, in one direction or both.

    Args:
        units: Width of the state of each direction, at least 1.
        cell: `"lstm"`, `"gru"` or `"rnn"` (simple recurrent network).
        depth: Number of layers, at least 1.
        bidirectional: Whether every layer also reads the sequence from its end.
        return_sequences: Whether to give every step of the last layer instead of its final state.
        dropout: Fraction of a layer's inputs set to zero in training, in [0, 1), the same at every step.
        recurrent_dropout: Fraction of its state set to zero in training, in [0, 1), the same at every step.
        segment: Steps after which the state is reset to zero; `None` never resets it. The segments are read side by
            side, so a long sequence takes as many steps as one segment has. It requires `return_sequences`.

    Input shape: `(batch, time, features)`; masked steps are skipped.
    Output shape: `(batch, width)`, or `(batch, time, width)` with `return_sequences`; `width` is `units`,
    or `2 * units` when bidirectional.

    Raises:
        ValueError: An argument is out of range, or `segment` is given without `return_sequences`.

    References:
        Hochreiter and Schmidhuber, 1997, https://doi.org/10.1162/neco.1997.9.8.1735 (LSTM);
        Cho et al., 2014, https://arxiv.org/abs/1406.1078 (GRU); Elman, 1990,
        https://doi.org/10.1207/s15516709cog1402_1 (simple network); Gal and Ghahramani, 2016,
        https://arxiv.org/abs/1512.05287 (dropout); Johnson and Zhang, 2016,
        https://arxiv.org/abs/1602.02373, section 2.3 (segments, there called chopping).

    Example:
        >>> import keras
        >>> tuple(RecurrentStack(8, "gru", bidirectional=True)(keras.ops.ones((2, 7, 4))).shape)
        (2, 16)
    """

    def __init__(
        self,
        units: int,
        cell: Cell = "lstm",
        *,
        depth: int = 1,
        bidirectional: bool = False,
        return_sequences: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        segment: int | None = None,
        **kwargs: Options,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(units=units, depth=depth, segment=1 if segment is None else segment)
        check_choice("cell", cell, CELLS)
        check_fraction(dropout=dropout, recurrent_dropout=recurrent_dropout)
        if segment is not None and not return_sequences:
            raise ValueError(f"`segment` goes with `return_sequences=True` only; received {segment=}.")
        self.units = units
        self.cell: Cell = cell
        self.depth = depth
        self.bidirectional = bidirectional
        self.return_sequences = return_sequences
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.segment = segment

    def chain(self) -> list[keras.layers.Layer]:
        return [self.layer(sequences=self.return_sequences or i < self.depth - 1) for i in range(self.depth)]

    def call(self, inputs: Tensor, mask: Tensor = None) -> Tensor:
        if self.segment is None:
            for part in self.parts:
                inputs = part(inputs, mask=mask)
            return inputs
        batch, time, features = keras.ops.shape(inputs)
        mask = keras.ops.ones((batch, time), "bool") if mask is None else mask
        rest = (self.segment - time % self.segment) % self.segment  # to fill the last one; ONNX has no negative `%`
        inputs = keras.ops.pad(inputs, [[0, 0], [0, rest], [0, 0]])
        mask = keras.ops.pad(mask, [[0, 0], [0, rest]], constant_values=False)
        inputs = keras.ops.reshape(inputs, (-1, self.segment, features))  # (batch * segments, segment, features)
        mask = keras.ops.reshape(mask, (-1, self.segment))
        for part in self.parts:
            inputs = part(inputs, mask=mask)
        return keras.ops.reshape(inputs, (batch, time + rest, inputs.shape[-1]))[:, :time]

    def layer(self, sequences: bool) -> keras.layers.Layer:
        """Return one recurrent layer, in both directions if asked."""
        layer = CELLS[self.cell](
            self.units,
            return_sequences=sequences,
            dropout=self.dropout,
            recurrent_dropout=self.recurrent_dropout,
            dtype=self.dtype_policy,
        )
        return keras.layers.Bidirectional(layer, dtype=self.dtype_policy) if self.bidirectional else layer

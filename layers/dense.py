"""Fully connected blocks."""

import keras

from layers.block import NORMALIZATIONS, Block, Normalization, Options, check_choice, check_fraction, check_positive


@keras.saving.register_keras_serializable(package="layers")
class DenseBlock(Block):
    """Fully connected layer, then normalization, activation and dropout.

    Args:
        units: Width of the output, at least 1.
        activation: Name of a Keras activation.
        normalization: `"none"`, `"batch"` or `"layer"`; batch normalization replaces the bias.
        dropout: Fraction of the output set to zero in training, in [0, 1).

    Input shape: `(batch, ..., features)`.
    Output shape: `(batch, ..., units)`.

    Raises:
        ValueError: An argument is out of range.

    References:
        Ioffe and Szegedy, 2015, https://arxiv.org/abs/1502.03167 (batch normalization);
        Srivastava et al., 2014, https://jmlr.org/papers/v15/srivastava14a.html (dropout).

    Example:
        >>> import keras
        >>> tuple(DenseBlock(5, normalization="batch", dropout=0.1)(keras.ops.ones((2, 3))).shape)
        (2, 5)
    """

    def __init__(
        self,
        units: int,
        *,
        activation: str = "relu",
        normalization: Normalization = "none",
        dropout: float = 0.0,
        **kwargs: Options,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(units=units)
        check_choice("normalization", normalization, ("none", *NORMALIZATIONS))
        check_fraction(dropout=dropout)
        self.units = units
        self.activation = activation
        self.normalization: Normalization = normalization
        self.dropout = dropout

    def chain(self) -> list[keras.layers.Layer]:
        dense = keras.layers.Dense(self.units, use_bias=self.normalization != "batch", dtype=self.dtype_policy)
        dropout = keras.layers.Dropout(self.dropout, dtype=self.dtype_policy)
        return [dense, *self.normalization_and_activation(self.activation, self.normalization), dropout]

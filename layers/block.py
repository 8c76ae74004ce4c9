"""A chain of layers that builds, runs, masks and saves as one layer."""

from collections.abc import Collection
from functools import partial
from typing import Any, Literal, TypeAlias

import keras

Tensor: TypeAlias = Any  # an array of the backend, or a symbolic tensor of Keras
Shape: TypeAlias = tuple[int | None, ...]  # sizes of all axes; `None` for one that is open
Options: TypeAlias = Any  # arguments that `keras.layers.Layer` takes: name, dtype, trainable
LayerConfig: TypeAlias = dict[str, Any]  # constructor arguments, as JSON types

Normalization = Literal["none", "batch", "layer"]
NORMALIZATIONS = {
    "batch": partial(keras.layers.BatchNormalization, momentum=0.9),  # statistics that small data sets reach too
    "layer": keras.layers.LayerNormalization,
}


class Block(keras.layers.Layer):
    """A chain of layers that behaves as one layer.

    A subclass keeps its constructor arguments as attributes and lists its parts in `chain`.
    Building, shape inference, masking and saving follow from that list.

    Input shape: what the first part takes.
    Output shape: what the last part gives.

    Example:
        >>> import keras
        >>> class Pair(Block):
        ...     def chain(self):
        ...         return [keras.layers.Dense(3), keras.layers.Dense(2)]
        >>> tuple(Pair()(keras.ops.ones((1, 4))).shape)
        (1, 2)
    """

    def __init__(self, **kwargs: Options) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def chain(self) -> list[keras.layers.Layer]:
        """Return the parts of this block, first to last, each with this block's dtype policy."""
        raise NotImplementedError(f"{type(self).__name__} must define `chain`.")

    def build(self, input_shape: Shape) -> None:
        self.parts = self.chain()
        for part in self.parts:
            part.build(input_shape)
            input_shape = part.compute_output_shape(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        for part in self.parts:
            inputs = part(inputs)
        return inputs

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        for part in self.parts if self.built else self.chain():
            input_shape = part.compute_output_shape(input_shape)
        return input_shape

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor = None) -> Tensor:
        for part in self.parts:
            previous_mask = part.compute_mask(inputs, previous_mask)
        return previous_mask

    def normalization_and_activation(self, activation: str, normalization: Normalization) -> list[keras.layers.Layer]:
        """Return the normalization and the activation that follow a linear layer."""
        kinds = [] if normalization == "none" else [NORMALIZATIONS[normalization](dtype=self.dtype_policy)]
        return [*kinds, keras.layers.Activation(activation, dtype=self.dtype_policy)]


def feature_count(shape: Shape) -> int:
    """Return the size of the last axis, which must be known.

    Raises:
        ValueError: It is open.

    Example:
        >>> feature_count((None, 7, 4))
        4
        >>> feature_count((8, None))
        Traceback (most recent call last):
        ValueError: The last axis of an input must have a known size; received shape=(8, None).
    """
    if shape[-1] is None:
        raise ValueError(f"The last axis of an input must have a known size; received {shape=}.")
    return shape[-1]


def check_choice(name: str, value: object, choices: Collection[object]) -> None:
    """Raise `ValueError` unless `value` is one of `choices`.

    Example:
        >>> check_choice("cell", "gru", ("gru", "lstm"))
        >>> check_choice("cell", "gur", ("gru", "lstm"))
        Traceback (most recent call last):
        ValueError: `cell` must be one of 'gru', 'lstm'; received cell='gur'.
    """
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {', '.join(map(repr, choices))}; received {name}={value!r}.")


def check_positive(**sizes: int) -> None:
    """Raise `ValueError` unless every size is a whole number of at least 1.

    Example:
        >>> check_positive(units=0)
        Traceback (most recent call last):
        ValueError: `units` must be a whole number of at least 1; received units=0.
    """
    for name, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a whole number of at least 1; received {name}={value!r}.")


def check_fraction(**fractions: float) -> None:
    """Raise `ValueError` unless every fraction lies in [0, 1).

    Example:
        >>> check_fraction(dropout=1.0)
        Traceback (most recent call last):
        ValueError: `dropout` must lie in [0, 1); received dropout=1.0.
    """
    for name, value in fractions.items():
        if not 0 <= value < 1:
            raise ValueError(f"`{name}` must lie in [0, 1); received {name}={value!r}.")

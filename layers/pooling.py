"""From a sequence to one vector."""

import keras

from layers.block import Options, Shape, Tensor, feature_count

KINDS = ("max", "mean", "attention")


@keras.saving.register_keras_serializable(package="layers")
class SequencePooling(keras.layers.Layer):
    """Reduce a sequence to one vector, by one kind of pooling or several side by side.

    Args:
        kinds: Names joined by `+`, such as `"max+mean"`: `"max"` is the largest value of each feature.
            `"mean"` is their mean. `"attention"` is a mean weighted by the scores of a small network.

    Input shape: `(batch, time, features)`; masked steps are left out. At least one step of every sequence
    is not masked.
    Output shape: `(batch, features)`, times the number of kinds.

    Raises:
        ValueError: A kind is unknown.

    Reference: Yang et al., 2016, https://doi.org/10.18653/v1/N16-1174 (attention).

    Example:
        >>> import keras
        >>> tuple(SequencePooling("max+mean")(keras.ops.ones((2, 7, 4))).shape)
        (2, 8)
    """

    def __init__(self, kinds: str = "max", **kwargs: Options) -> None:
        super().__init__(**kwargs)
        self.kinds = kinds
        self.names = kinds.split("+")
        unknown = [name for name in self.names if name not in KINDS]
        if unknown:
            raise ValueError(f"`kinds` must be of {', '.join(KINDS)}, joined by '+'; received {unknown[0]!r}.")
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        features = feature_count(input_shape)
        if "attention" in self.names:
            self.hidden = keras.layers.Dense(features, activation="tanh", dtype=self.dtype_policy)
            self.weigh = keras.layers.Dense(1, use_bias=False, dtype=self.dtype_policy)
            self.hidden.build(input_shape)
            self.weigh.build(input_shape)

    def call(self, inputs: Tensor, mask: Tensor = None) -> Tensor:
        mask = keras.ops.ones_like(inputs[:, :, :1], "bool") if mask is None else keras.ops.expand_dims(mask, -1)
        pooled = [getattr(self, f"{name}_pooling")(inputs, mask) for name in self.names]  # (batch, features) each
        return keras.ops.concatenate(pooled, -1)

    def max_pooling(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """Return the largest value of each feature over the steps."""
        lowest = -1e4 if keras.backend.standardize_dtype(inputs.dtype) == "float16" else -1e9
        return keras.ops.max(keras.ops.where(mask, inputs, keras.ops.cast(lowest, inputs.dtype)), 1)

    def mean_pooling(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """Return the mean over the steps."""
        weights = keras.ops.cast(mask, inputs.dtype)
        return keras.ops.sum(inputs * weights, 1) / keras.ops.sum(weights, 1)

    def attention_pooling(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """Return the mean over the steps, weighted by a softmax over their scores."""
        scores = self.weigh(self.hidden(inputs)) + keras.ops.where(mask, 0.0, -1e9)  # (batch, time, 1)
        return keras.ops.sum(inputs * keras.ops.softmax(scores, 1), 1)

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor = None) -> None:
        return None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], feature_count(input_shape) * len(self.names))

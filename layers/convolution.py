"""Convolution blocks in one, two and three dimensions."""

from typing import Literal

import keras

from layers.block import (
    NORMALIZATIONS,
    Block,
    Normalization,
    Options,
    Shape,
    Tensor,
    check_choice,
    check_fraction,
    check_positive,
)

Pooling = Literal["none", "max", "average"]
CONVOLUTIONS = {1: keras.layers.Conv1D, 2: keras.layers.Conv2D, 3: keras.layers.Conv3D}
DROPOUTS = {1: keras.layers.SpatialDropout1D, 2: keras.layers.SpatialDropout2D, 3: keras.layers.SpatialDropout3D}
POOLINGS = {
    ("max", 1): keras.layers.MaxPooling1D,
    ("max", 2): keras.layers.MaxPooling2D,
    ("max", 3): keras.layers.MaxPooling3D,
    ("average", 1): keras.layers.AveragePooling1D,
    ("average", 2): keras.layers.AveragePooling2D,
    ("average", 3): keras.layers.AveragePooling3D,
}


@keras.saving.register_keras_serializable(package="layers")
class ConvolutionBlock(Block):
    """Convolution, then normalization, activation, dropout of whole feature maps and pooling.

    Args:
        filters: Number of feature maps, at least 1.
        kernel_size: Side of the patch that each feature map reads, in steps or pixels, at least 1.
        dimensions: 1 for sequences, 2 for images, 3 for volumes.
        strides: Step between patches, at least 1; more than 1 requires a dilation of 1.
        padding: `"same"` keeps the size (divided by the strides). `"valid"` reads whole patches only.
            `"causal"` reads no later steps; it requires one dimension.
        dilation: Distance between the points of a patch, at least 1.
        activation: Name of a Keras activation.
        normalization: `"none"`, `"batch"` or `"layer"`; batch normalization replaces the bias.
        dropout: Fraction of the feature maps set to zero in training, in [0, 1).
        pooling: `"none"`, `"max"` or `"average"`.
        pooling_size: Side and step of the pooling window, at least 1.

    Input shape: `(batch, *sizes, channels)` with `dimensions` sizes.
    Output shape: `(batch, *sizes, filters)`. Along one dimension a mask is respected: masked steps are read as zeros. A
    step of the output is masked if the last step that it reads is masked.

    Raises:
        ValueError: An argument is out of range, or two of them exclude each other.

    References:
        LeCun et al., 1998, https://doi.org/10.1109/5.726791; Yu and Koltun, 2016,
        https://arxiv.org/abs/1511.07122 (dilation); Tompson et al., 2015,
        https://arxiv.org/abs/1411.4280 (dropout of feature maps).

    Example:
        >>> import keras
        >>> tuple(ConvolutionBlock(8, 3, pooling="max")(keras.ops.ones((1, 28, 28, 1))).shape)
        (1, 14, 14, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 3,
        *,
        dimensions: int = 2,
        strides: int = 1,
        padding: str = "same",
        dilation: int = 1,
        activation: str = "relu",
        normalization: Normalization = "none",
        dropout: float = 0.0,
        pooling: Pooling = "none",
        pooling_size: int = 2,
        **kwargs: Options,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(
            filters=filters, kernel_size=kernel_size, strides=strides, dilation=dilation, pooling_size=pooling_size
        )
        check_choice("dimensions", dimensions, CONVOLUTIONS)
        check_choice("padding", padding, ("same", "valid", "causal") if dimensions == 1 else ("same", "valid"))
        check_choice("normalization", normalization, ("none", *NORMALIZATIONS))
        check_choice("pooling", pooling, ("none", "max", "average"))
        check_fraction(dropout=dropout)
        if strides > 1 and dilation > 1:
            raise ValueError(f"`strides` and `dilation` exclude each other; received {strides=} and {dilation=}.")
        self.filters = filters
        self.kernel_size = kernel_size
        self.dimensions = dimensions
        self.strides = strides
        self.padding = padding
        self.dilation = dilation
        self.activation = activation
        self.normalization: Normalization = normalization
        self.dropout = dropout
        self.pooling: Pooling = pooling
        self.pooling_size = pooling_size
        self.supports_masking = dimensions == 1

    def chain(self) -> list[keras.layers.Layer]:
        convolution = CONVOLUTIONS[self.dimensions](
            self.filters,
            self.kernel_size,
            strides=self.strides,
            padding=self.padding,
            dilation_rate=self.dilation,
            use_bias=self.normalization != "batch",
            dtype=self.dtype_policy,
        )
        parts = [convolution, *self.normalization_and_activation(self.activation, self.normalization)]
        parts.append(DROPOUTS[self.dimensions](self.dropout, dtype=self.dtype_policy))
        if self.pooling != "none":
            parts.append(POOLINGS[self.pooling, self.dimensions](self.pooling_size, dtype=self.dtype_policy))
        return parts

    def call(self, inputs: Tensor, mask: Tensor = None) -> Tensor:
        return super().call(sequence_with_zeros(inputs, mask))

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor = None) -> Tensor:
        if previous_mask is None or self.dimensions > 1:
            return None
        reach = self.dilation * (self.kernel_size - 1) if self.padding == "valid" else 0
        mask = previous_mask[:, reach :: self.strides]
        return mask if self.pooling == "none" else mask[:, self.pooling_size - 1 :: self.pooling_size]


@keras.saving.register_keras_serializable(package="layers")
class ResidualBlock(Block):
    """Convolutions whose output is added to their input; all but the last are followed by an activation.

    Args:
        filters: Number of feature maps, at least 1; the input must have as many.
        kernel_size: Side of the patch that each feature map reads, in steps or pixels, at least 1.
        dimensions: 1 for sequences, 2 for images, 3 for volumes.
        convolutions: How many follow each other, at least 1.
        activation: Name of a Keras activation.

    Input shape: `(batch, *sizes, filters)` with `dimensions` sizes.
    Output shape: that of the input. Along one dimension a mask is respected and passed on.

    Raises:
        ValueError: An argument is out of range, or the input has another number of feature maps.

    References:
        He et al., 2016, https://arxiv.org/abs/1512.03385; Lim et al., 2017, https://arxiv.org/abs/1707.02921
        (without normalization, for networks that give pictures).

    Example:
        >>> import keras
        >>> tuple(ResidualBlock(4, 3)(keras.ops.ones((1, 9, 9, 4))).shape)
        (1, 9, 9, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 3,
        *,
        dimensions: int = 2,
        convolutions: int = 2,
        activation: str = "relu",
        **kwargs: Options,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(filters=filters, kernel_size=kernel_size, convolutions=convolutions)
        check_choice("dimensions", dimensions, CONVOLUTIONS)
        self.filters = filters
        self.kernel_size = kernel_size
        self.dimensions = dimensions
        self.convolutions = convolutions
        self.activation = activation
        self.supports_masking = dimensions == 1

    def chain(self) -> list[keras.layers.Layer]:
        return [
            ConvolutionBlock(
                self.filters,
                self.kernel_size,
                dimensions=self.dimensions,
                activation="linear" if number == self.convolutions else self.activation,
                dtype=self.dtype_policy,
            )
            for number in range(1, self.convolutions + 1)
        ]

    def build(self, input_shape: Shape) -> None:
        if input_shape[-1] != self.filters:
            raise ValueError(
                f"`filters` must be the number of feature maps that the block reads; received filters={self.filters} "
                f"and {input_shape[-1]}."
            )
        super().build(input_shape)

    def call(self, inputs: Tensor, mask: Tensor = None) -> Tensor:
        x = inputs
        for part in self.parts:
            x = part(x, mask=mask) if self.dimensions == 1 else part(x)
        return inputs + x


def sequence_with_zeros(inputs: Tensor, mask: Tensor) -> Tensor:
    """Return a sequence `(batch, time, channels)` with zeros at its masked steps, and no mask.

    Example:
        >>> import keras
        >>> inputs, mask = keras.ops.ones((1, 2, 1)), keras.ops.convert_to_tensor([[True, False]])
        >>> keras.ops.convert_to_numpy(sequence_with_zeros(inputs, mask)).tolist()
        [[[1.0], [0.0]]]
    """
    if mask is None:
        return inputs
    return inputs * keras.ops.cast(keras.ops.expand_dims(mask, -1), inputs.dtype)  # (batch, time, channels)

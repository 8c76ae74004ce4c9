"""Transposed convolution in one, two and three dimensions, initialized so that it shows no checkerboard."""

from typing import Literal

import keras
import numpy as np

from layers.block import Block, LayerConfig, Options, Tensor, check_choice, check_fraction, check_positive
from layers.convolution import DROPOUTS, sequence_with_zeros

Start = Literal["bilinear", "glorot_uniform"]
DECONVOLUTIONS = {1: keras.layers.Conv1DTranspose, 2: keras.layers.Conv2DTranspose, 3: keras.layers.Conv3DTranspose}


@keras.saving.register_keras_serializable(package="layers")
class Bilinear(keras.initializers.Initializer):
    """Initialize a transposed convolution as linear interpolation along each dimension.

    A constant input gives the same constant inside the output, for any strides. If the numbers of channels
    differ, output channels repeat input channels, or average groups of them.

    Args:
        strides: Factor by which the layer enlarges.

    Reference: Long et al., 2015, https://arxiv.org/abs/1411.4038, section 4.

    Example:
        >>> import keras
        >>> kernel = keras.ops.convert_to_numpy(Bilinear(2)((4, 1, 1)))
        >>> kernel[:, 0, 0].tolist()
        [0.25, 0.75, 0.75, 0.25]
    """

    def __init__(self, strides: int) -> None:
        self.strides = strides

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None, **kwargs: Options) -> Tensor:
        *sizes, outputs, inputs = shape
        kernel = np.ones([1] * len(sizes))
        for axis, size in enumerate(sizes):
            along = [-1 if other == axis else 1 for other in range(len(sizes))]
            kernel = kernel * interpolation_weights(size, self.strides).reshape(along)  # (*sizes)
        shared = min(inputs, outputs)
        routes = np.equal.outer(np.arange(outputs) % shared, np.arange(inputs) % shared).astype(float)
        routes /= routes.sum(axis=1, keepdims=True)  # (outputs, inputs): each output averages its inputs
        return keras.ops.convert_to_tensor(kernel[..., None, None] * routes, dtype or keras.config.floatx())

    def get_config(self) -> LayerConfig:
        return {"strides": self.strides}


def interpolation_weights(size: int, strides: int) -> np.ndarray:
    """Return the `size` weights of linear interpolation; the weights of each output phase add up to 1.

    Example:
        >>> interpolation_weights(4, 2).tolist()
        [0.25, 0.75, 0.75, 0.25]
    """
    weights = np.maximum(1 - np.abs(np.arange(size) - (size - 1) / 2) / strides, 0)
    for phase in range(strides):
        weights[phase::strides] /= weights[phase::strides].sum()
    return weights


@keras.saving.register_keras_serializable(package="layers")
class EvenPhases(keras.constraints.Constraint):
    """Keep the sum of weights equal for all phases of a transposed convolution, channel by channel.

    A constant input then gives a constant output without a checkerboard, however long training lasts.

    Args:
        strides: Factor by which the layer enlarges; it divides every size of the kernel.

    Reference: Sugawara et al., 2018, https://arxiv.org/abs/1806.02658 (why sums that differ show a checkerboard).

    Example:
        >>> import keras
        >>> kernel = keras.ops.reshape(keras.ops.arange(4.0), (4, 1, 1))
        >>> even = keras.ops.convert_to_numpy(EvenPhases(2)(kernel))[:, 0, 0]
        >>> float(even[0] + even[2]) == float(even[1] + even[3])
        True
    """

    def __init__(self, strides: int) -> None:
        self.strides = strides

    def __call__(self, kernel: Tensor) -> Tensor:
        *sizes, outputs, inputs = kernel.shape
        cut = [part for size in sizes for part in (size // self.strides, self.strides)]  # taps and phases, alternating
        axes = [*range(0, len(cut), 2), *range(1, len(cut), 2), len(cut)]
        parts = keras.ops.transpose(keras.ops.reshape(kernel, (*cut, outputs * inputs)), axes)
        phases = self.strides ** len(sizes)
        flat = keras.ops.reshape(parts, (-1, phases, outputs * inputs))  # (taps, phases, channels)
        means = keras.ops.mean(flat, axis=0, keepdims=True)
        flat = flat - means + keras.ops.mean(means, axis=1, keepdims=True)
        back = keras.ops.transpose(keras.ops.reshape(flat, parts.shape), np.argsort(axes).tolist())
        return keras.ops.reshape(back, kernel.shape)

    def get_config(self) -> LayerConfig:
        return {"strides": self.strides}


@keras.saving.register_keras_serializable(package="layers")
class DeconvolutionBlock(Block):
    """Upsample by a transposed convolution, then activation and dropout of whole feature maps.

    Args:
        filters: Number of feature maps, at least 1.
        kernel_size: Side of the patch that each input point writes, a multiple of `strides`.
        dimensions: 1 for sequences, 2 for images, 3 for volumes.
        strides: Factor by which every size grows, at least 1.
        padding: `"same"` gives exactly `strides` times the size, `"valid"` keeps the borders as well.
        activation: Name of a Keras activation.
        dropout: Fraction of the feature maps set to zero in training, in [0, 1).
        start: First weights: `"bilinear"` is linear interpolation, `"glorot_uniform"` is random.
        even: Whether a constant input still gives a constant output after training; see `EvenPhases`.

    Input shape: `(batch, *sizes, channels)` with `dimensions` sizes.
    Output shape: `(batch, *(strides * size), filters)`, with `kernel_size - strides` more a size for
    `"valid"`. Along one dimension a mask is respected: masked steps are read as zeros and stay masked.

    Raises:
        ValueError: An argument is out of range, or `kernel_size` is not a multiple of `strides`, which
            would show a checkerboard.

    References:
        Zeiler et al., 2010, https://doi.org/10.1109/CVPR.2010.5539957;
        Odena et al., 2016, https://doi.org/10.23915/distill.00003 (checkerboards).

    Example:
        >>> import keras
        >>> tuple(DeconvolutionBlock(3, 4, strides=2)(keras.ops.ones((1, 8, 8, 1))).shape)
        (1, 16, 16, 3)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 4,
        *,
        dimensions: int = 2,
        strides: int = 2,
        padding: str = "same",
        activation: str = "linear",
        dropout: float = 0.0,
        start: Start = "bilinear",
        even: bool = False,
        **kwargs: Options,
    ) -> None:
        super().__init__(**kwargs)
        check_positive(filters=filters, kernel_size=kernel_size, strides=strides)
        check_choice("dimensions", dimensions, DECONVOLUTIONS)
        check_choice("padding", padding, ("same", "valid"))
        check_choice("start", start, ("bilinear", "glorot_uniform"))
        check_fraction(dropout=dropout)
        if kernel_size % strides:
            raise ValueError(
                f"`kernel_size` must be a multiple of `strides`, or the output shows a checkerboard; "
                f"received {kernel_size=} and {strides=}."
            )
        self.filters = filters
        self.kernel_size = kernel_size
        self.dimensions = dimensions
        self.strides = strides
        self.padding = padding
        self.activation = activation
        self.dropout = dropout
        self.start: Start = start
        self.even = even
        self.supports_masking = dimensions == 1

    def chain(self) -> list[keras.layers.Layer]:
        deconvolution = DECONVOLUTIONS[self.dimensions](
            self.filters,
            self.kernel_size,
            strides=self.strides,
            padding=self.padding,
            kernel_initializer=Bilinear(self.strides) if self.start == "bilinear" else self.start,
            kernel_constraint=EvenPhases(self.strides) if self.even else None,
            dtype=self.dtype_policy,
        )
        dropout = DROPOUTS[self.dimensions](self.dropout, dtype=self.dtype_policy)
        return [deconvolution, *self.normalization_and_activation(self.activation, "none"), dropout]

    def call(self, inputs: Tensor, mask: Tensor = None) -> Tensor:
        return super().call(sequence_with_zeros(inputs, mask))

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor = None) -> Tensor:
        if previous_mask is None or self.dimensions > 1:
            return None
        mask = keras.ops.repeat(previous_mask, self.strides, axis=1)
        border = self.kernel_size - self.strides if self.padding == "valid" else 0
        return keras.ops.concatenate([mask, *[mask[:, -1:]] * border], axis=1)  # (batch, strides * time + border)

"""EfficientNet-Lite0, an encoder of pictures for small machines, which `keras.applications` does not have."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from layers.block import Tensor

STAGES = (  # blocks, side of the kernel, strides of the first block, expansion, feature maps
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, HEAD = 32, 1280  # feature maps of the first and the last convolution
EPSILON = 1e-3  # of batch normalization
ARRAYS = ("gamma", "beta", "mean", "variance")  # of a batch normalization, in the order of Keras


def efficientnet_lite0(input_shape: Sequence[int], include_top: bool = False, weights: None = None) -> keras.Model:
    """Return EfficientNet-Lite0 without its classifier, with new weights, in the way of `keras.applications`.

    It is EfficientNet-B0 without squeeze-and-excitation, and with ReLU6.

    Args:
        input_shape: Height and width in pixels, and 3; `preprocess_input` makes the levels that it reads.
        include_top: There is none.
        weights: They are given by `set_named_weights`.

    Raises:
        ValueError: A classifier or trained weights are asked for.

    References: Tan and Le, 2019, https://arxiv.org/abs/1905.11946 (EfficientNet); Sandler et al., 2018,
    https://arxiv.org/abs/1801.04381 (inverted residual blocks). The changes of Lite are described with its weights at
    https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite.

    Example:
        >>> network = efficientnet_lite0((64, 64, 3))
        >>> network.output_shape, network.count_params()
        ((None, 2, 2, 1280), 3413024)
    """
    if include_top or weights is not None:
        raise ValueError("EfficientNet-Lite0 has neither a classifier nor trained weights here.")
    picture = keras.Input(tuple(input_shape))
    x, number = convolution(picture, STEM, 3, 2, "stem"), 0
    for blocks, side, strides, expansion, maps in STAGES:
        for place in range(blocks):
            x = inverted_residual(x, maps, side, 1 if place else strides, expansion, f"block_{number:02}")
            number += 1
    return keras.Model(picture, convolution(x, HEAD, 1, 1, "head"), name="efficientnetlite0")


def preprocess_input(levels: Tensor) -> Tensor:
    """Return levels in [0, 255] as EfficientNet-Lite0 reads them, in about [-1, 1].

    Example:
        >>> preprocess_input(255.0)
        1.0
    """
    return (levels - 127.0) / 128.0


def inverted_residual(x: Tensor, maps: int, side: int, strides: int, expansion: int, name: str) -> Tensor:
    """Return more feature maps, each convolved by itself, projected to `maps`; with the input added if it fits.

    Example:
        >>> inverted_residual(keras.Input((8, 8, 4)), 4, 3, 1, 6, "block_00").shape
        (None, 8, 8, 4)
    """
    inner = x
    if expansion > 1:
        inner = convolution(inner, expansion * x.shape[-1], 1, 1, f"{name}_expand")
    inner = keras.layers.DepthwiseConv2D(side, strides, "same", use_bias=False, name=f"{name}_depthwise")(inner)
    inner = normalized(inner, f"{name}_depthwise")
    inner = convolution(inner, maps, 1, 1, f"{name}_project", activated=False)
    return keras.layers.Add(name=f"{name}_add")([x, inner]) if inner.shape == x.shape else inner


def convolution(x: Tensor, maps: int, side: int, strides: int, name: str, activated: bool = True) -> Tensor:
    """Return a normalized convolution.

    Example:
        >>> convolution(keras.Input((8, 8, 4)), 16, 3, 2, "stem").shape
        (None, 4, 4, 16)
    """
    x = keras.layers.Conv2D(maps, side, strides, "same", use_bias=False, name=name)(x)
    return normalized(x, name, activated)


def normalized(x: Tensor, name: str, activated: bool = True) -> Tensor:
    """Return feature maps after batch normalization, and a ReLU that ends at 6 if `activated`.

    Example:
        >>> normalized(keras.Input((8, 8, 4)), "head").shape
        (None, 8, 8, 4)
    """
    x = keras.layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_normalization")(x)
    return keras.layers.ReLU(6.0, name=f"{name}_activation")(x) if activated else x


def set_named_weights(network: keras.Model, arrays: Mapping[str, np.ndarray]) -> None:
    """Set the weights of EfficientNet-Lite0 by name: `stem/kernel`, `block_01/expand/gamma`, `head/mean` and so on.

    Args:
        arrays: Kernels `(height, width, in, out)`, those of depthwise convolutions `(height, width, channels, 1)`, and
            `gamma`, `beta`, `mean` and `variance` of the normalization after each.

    Raises:
        ValueError: One is missing, or too many, or has another shape.

    Example:
        >>> set_named_weights(efficientnet_lite0((64, 64, 3)), {})
        Traceback (most recent call last):
        ValueError: There is no array 'stem/kernel'.
    """
    given = dict(arrays)
    for layer in network.layers:
        if not layer.weights:
            continue
        normalizes = isinstance(layer, keras.layers.BatchNormalization)
        place = layer.name.removesuffix("_normalization")
        place = "/".join(place.rsplit("_", 1)) if place.count("_") > 1 else place
        names = [f"{place}/{name}" for name in (ARRAYS if normalizes else ("kernel",))]
        lost = next((name for name in names if name not in given), None)
        if lost is not None:
            raise ValueError(f"There is no array {lost!r}.")
        layer.set_weights([given.pop(name) for name in names])
    if given:
        raise ValueError(f"There is no place for the array {min(given)!r}.")

"""An encoder of pictures: a network of `keras.applications`, EfficientNet-Lite0, or convolution blocks."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import keras
from keras import applications

from layers import efficientnet
from layers.block import LayerConfig, Options, Shape, Tensor, check_choice, check_positive
from layers.convolution import ConvolutionBlock


class Network(NamedTuple):
    """A network that was trained on ImageNet.

    Example:
        >>> sorted(NETWORKS)
        ['efficientnetb0', 'efficientnetlite0', 'mobilenet', 'mobilenetv2', 'resnet50']
    """

    make: Callable[..., keras.Model]
    prepare: Callable[[Tensor], Tensor]  # levels in [0, 255] to the range of its training


NETWORKS = {
    "mobilenet": Network(partial(applications.MobileNet, alpha=0.75), applications.mobilenet.preprocess_input),
    "mobilenetv2": Network(applications.MobileNetV2, applications.mobilenet_v2.preprocess_input),
    "efficientnetlite0": Network(efficientnet.efficientnet_lite0, efficientnet.preprocess_input),
    "efficientnetb0": Network(applications.EfficientNetB0, applications.efficientnet.preprocess_input),
    "resnet50": Network(applications.ResNet50, applications.resnet50.preprocess_input),
}


@keras.saving.register_keras_serializable(package="layers")
class GridEncoder(keras.layers.Layer):
    """Encode pictures as a grid of features; features that are already computed pass unchanged.

    Args:
        network: A name in `NETWORKS`, or `"scratch"`: convolution blocks, of which all but the last halve the sides.
        size: Side of the pictures in pixels, at least 32.
        filters: Feature maps of each block of `"scratch"`.

    Input shape: `(batch, size, size, 3)`, levels in [0, 255]; or `(batch, cells, channels)`, as it returns them.
    Output shape: `(batch, cells, channels)`, the cells row by row.

    Raises:
        ValueError: An argument is out of range.

    References: Howard et al., 2017, https://arxiv.org/abs/1704.04861 (MobileNet); Sandler et al., 2018,
    https://arxiv.org/abs/1801.04381 (MobileNetV2); Tan and Le, 2019, https://arxiv.org/abs/1905.11946 (EfficientNet);
    He et al., 2016, https://arxiv.org/abs/1512.03385 (ResNet).

    Example:
        >>> import keras
        >>> encoder = GridEncoder("scratch", 32, filters=(4, 8))
        >>> tuple(encoder(keras.ops.ones((1, 32, 32, 3))).shape)
        (1, 256, 8)
    """

    def __init__(self, network: str, size: int, filters: Sequence[int] = (), **kwargs: Options) -> None:
        super().__init__(**kwargs)
        check_choice("network", network, (*NETWORKS, "scratch"))
        check_positive(size=size)
        self.network, self.size, self.filters = network, size, tuple(filters)

    def build(self, inputs_shape: Shape) -> None:
        shape = (self.size, self.size, 3)
        if self.network == "scratch":
            self.sight = self.convolution_stack(shape)
        else:
            self.sight = NETWORKS[self.network].make(include_top=False, weights=None, input_shape=shape)
        self.sight.trainable = self.trainable

    def convolution_stack(self, shape: tuple[int, ...]) -> keras.Model:
        """Return the network `"scratch"`."""
        last = len(self.filters) - 1
        blocks = [
            ConvolutionBlock(
                filters,
                3,
                normalization="batch",
                pooling="none" if number == last else "max",
                dtype=self.dtype_policy,
                name=f"convolution_{number + 1}",
            )
            for number, filters in enumerate(self.filters)
        ]
        return keras.Sequential([keras.Input(shape), *blocks], name="scratch")

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        inputs = keras.ops.cast(inputs, self.compute_dtype)
        if len(inputs.shape) == 3:
            return inputs
        levels = inputs / 127.5 - 1.0 if self.network == "scratch" else NETWORKS[self.network].prepare(inputs)
        grid = self.sight(levels, training=training and self.trainable)
        return keras.ops.reshape(grid, (-1, *self.cells))

    @property
    def cells(self) -> tuple[int, int]:
        """Number of cells of the grid, and number of features of each."""
        _, height, width, channels = self.sight.output_shape
        return height * width, channels

    def compute_output_shape(self, inputs_shape: Shape) -> Shape:
        return (inputs_shape[0], *self.cells)

    def get_config(self) -> LayerConfig:
        own = {"network": self.network, "size": self.size, "filters": list(self.filters)}
        return {**super().get_config(), **own}

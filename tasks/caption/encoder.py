"""The part of the captioner that sees: a network of `keras.applications`, or a small one of our own."""

import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import keras
from keras import applications

from data.splits import DataError, UnavailableError
from layers.block import check_choice, check_positive
from layers.convolution import ConvolutionBlock


class Known(NamedTuple):
    """A network of `keras.applications`."""

    make: Callable[..., keras.Model]
    prepare: Callable[[Any], Any]  # levels in [0, 255] to what it was trained on


NETWORKS = {
    "mobilenet": Known(partial(applications.MobileNet, alpha=0.75), applications.mobilenet.preprocess_input),
    "mobilenetv2": Known(applications.MobileNetV2, applications.mobilenet_v2.preprocess_input),
    "efficientnetb0": Known(applications.EfficientNetB0, applications.efficientnet.preprocess_input),
    "resnet50": Known(applications.ResNet50, applications.resnet50.preprocess_input),
}


@keras.saving.register_keras_serializable(package="caption")
class GridEncoder(keras.layers.Layer):
    """See pictures as a grid of features; features that it saw before it hands on.

    Args:
        network: A name in `NETWORKS`, or `"scratch"`: convolution blocks, of which all but the last halve the sides.
        size: Side of the pictures in pixels, at least 32.
        filters: Feature maps of each block of `"scratch"`.

    Input shape: `(batch, size, size, 3)`, levels in [0, 255]; or `(batch, cells, channels)`, as it gives them itself.
    Output shape: `(batch, cells, channels)`, the cells row by row.

    Raises:
        ValueError: An argument is out of range.

    References: Howard et al., 2017, https://arxiv.org/abs/1704.04861 (MobileNet); Sandler et al., 2018,
    https://arxiv.org/abs/1801.04381 (MobileNetV2); Tan and Le, 2019, https://arxiv.org/abs/1905.11946 (EfficientNet);
    He et al., 2016, https://arxiv.org/abs/1512.03385 (ResNet).
    """

    def __init__(self, network: str, size: int, filters: Sequence[int] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_choice("network", network, {**NETWORKS, "scratch": None})
        check_positive(size=size)
        self.network, self.size, self.filters = network, size, tuple(filters)

    def build(self, inputs_shape: Any) -> None:
        shape = (self.size, self.size, 3)
        if self.network == "scratch":
            self.sight = self.convolutions(shape)
        else:
            self.sight = NETWORKS[self.network].make(include_top=False, weights=None, input_shape=shape)
        self.sight.trainable = self.trainable

    def convolutions(self, shape: tuple[int, ...]) -> keras.Model:
        """Return the network of our own."""
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

    def call(self, inputs: Any, training: bool = False) -> Any:
        inputs = keras.ops.cast(inputs, self.compute_dtype)
        if len(inputs.shape) == 3:
            return inputs
        levels = inputs / 127.5 - 1.0 if self.network == "scratch" else NETWORKS[self.network].prepare(inputs)
        grid = self.sight(levels, training=training and self.trainable)
        return keras.ops.reshape(grid, (-1, *self.cells))

    @property
    def cells(self) -> tuple[int, int]:
        """How many cells the grid has, and how many features each."""
        _, height, width, channels = self.sight.output_shape
        return height * width, channels

    def compute_output_shape(self, inputs_shape: Any) -> Any:
        return (inputs_shape[0], *self.cells)

    def load(self, weights: str) -> None:
        """Take the weights that were trained on ImageNet, downloaded by Keras, or those in a file.

        Raises:
            UnavailableError: They cannot be downloaded.
            FileNotFoundError, DataError: There is no such file, or it holds no weights of this network.
        """
        if weights == "imagenet":
            self.sight.set_weights(self.downloaded())
            return
        if not Path(weights).is_file():
            raise FileNotFoundError(f"There is no file of weights {weights!r}.")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # Keras warns only, where a file lacks layers
                self.sight.load_weights(weights)
        except Exception as error:  # whatever a file of another kind can raise
            raise DataError(
                f"{weights!r} holds no weights of the encoder {self.network!r} without its classifier."
            ) from error

    def downloaded(self) -> list[Any]:
        """Return the weights that Keras has or downloads; what it prints is no answer."""
        shape = (self.size, self.size, 3)
        try:
            with redirect_stdout(sys.stderr):
                return (
                    NETWORKS[self.network].make(include_top=False, weights="imagenet", input_shape=shape).get_weights()
                )
        except Exception as error:  # whatever a download can raise means the same to the user
            raise UnavailableError(
                f"The ImageNet weights of {self.network!r} are not here and could not be downloaded; give "
                f"--encoder-weights a file of them, or use --encoder scratch."
            ) from error

    def digest(self) -> str:
        """Return a SHA-256 of the weights."""
        total = sha256()
        for weight in self.sight.get_weights():
            total.update(weight.tobytes())
        return total.hexdigest()

    def get_config(self) -> dict[str, Any]:
        own = {"network": self.network, "size": self.size, "filters": list(self.filters)}
        return {**super().get_config(), **own}

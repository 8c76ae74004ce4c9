"""Super-resolution in Keras."""

import keras

from layers.block import Options, Tensor
from layers.convolution import ConvolutionBlock, ResidualBlock
from layers.deconvolution import DeconvolutionBlock
from tasks.engine.task import KerasPart, Signature
from tasks.upscale.config import Config, Stage
from tasks.upscale.pipeline import Codec

LEVELS = 255  # errors are in grey levels
GAIN = 0.1  # the residual is about a tenth of the luma; layers learn best at a scale of 1
SMOOTH = 0.5  # levels below which the absolute error is smooth
TYPICAL = 16  # levels; divides squares in training, so that gradients keep their size when the error changes


class Error(keras.losses.Loss):
    """The mean error in grey levels: absolute in the first part of a training, and squared afterwards.

    Args:
        margin: Border without weight, in pixels of the enlarged picture.
        squared: Last share of the training, with the squared error.

    Reference: Charbonnier et al., 1994, https://doi.org/10.1109/ICIP.1994.413553 (the absolute error, smooth at 0).
    """

    def __init__(self, margin: int, squared: float) -> None:
        super().__init__(name="error")
        self.margin, self.squared = margin, squared
        self.absolute, self.unit = False, 1

    def follow(self, done: float) -> bool:
        """Choose the error for a finished share of the training, in [0, 1), and return whether it changed."""
        self.unit = TYPICAL
        before, self.absolute = self.absolute, done < 1 - self.squared
        return before != self.absolute

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        inside = slice(self.margin, -self.margin or None)
        squares = keras.ops.square(LEVELS * (y_true - keras.ops.cast(y_pred, y_true.dtype))[:, inside, inside])
        if self.absolute:
            return keras.ops.mean(keras.ops.sqrt(squares + SMOOTH**2), axis=-1)
        return keras.ops.mean(squares / self.unit, axis=-1)


def build(config: Config, codec: Codec) -> keras.Model:
    """Return the compiled network: luma in [0, 1] to the residual of its bicubic interpolation.

    * Input: `(batch, height, width, 1)`.
    * Output: `(batch, scale * height, scale * width, 1)`.
    """
    image = keras.Input((None, None, 1), name="luma")
    x = keras.layers.Rescaling(1.0, offset=-0.5, name="centre")(image)
    stages = config.stages()
    for number, stage in enumerate(stages, start=1):
        last = number == len(stages)
        x = stage_layer(stage, config.activation, f"{stage.kind}_{number}", **({"dtype": "float32"} if last else {}))(x)
    x = keras.layers.Rescaling(GAIN, name="gain", dtype="float32")(x)
    model = keras.Model(image, x, name="upscale")
    model.compile(
        optimizer=keras.optimizers.Adam(config.learning_rate),
        loss=Error(config.scale * config.margin, config.squared),
        jit_compile=config.xla or "auto",
    )
    return model


def stage_layer(stage: Stage, activation: str, name: str, **kwargs: Options) -> keras.layers.Layer:
    """Return a layer of the network; the last, with a single feature map, has no activation."""
    if stage.kind == "deconvolution":
        own = "linear" if stage.filters == 1 else activation
        kwargs |= {"activation": own, "even": True, "name": name}
        return DeconvolutionBlock(stage.filters, stage.kernel_size, strides=stage.strides, **kwargs)
    if stage.kind == "residual":
        kwargs |= {"convolutions": stage.convolutions, "activation": activation, "name": name}
        return ResidualBlock(stage.filters, stage.kernel_size, **kwargs)
    return ConvolutionBlock(stage.filters, stage.kernel_size, activation=activation, name=name, **kwargs)


def follow(model: keras.Model, done: float) -> bool:
    """Choose the error of the loss for a finished share of the training, and return whether it changed."""
    changed: bool = model.loss.follow(done)
    return changed


def signatures(model: keras.Model) -> dict[str, keras.Model]:
    """Return `upscale`: luma in [0, 1] to the residual of its bicubic interpolation."""
    return {"upscale": keras.Model(model.input, model.output, name="upscale")}


ARRAYS = {
    "upscale": Signature(
        {"luma": "luma of pictures in [0, 1], with a border that is cut off afterwards"},
        {"residual": "what is added to the bicubic interpolation of the luma, in [0, 1]"},
    )
}
NETWORK = KerasPart(build=build, follow=follow, signatures=signatures, arrays=ARRAYS)

"""The digit classifier in Keras."""

from collections.abc import Iterator
from itertools import chain

import keras

from layers.convolution import ConvolutionBlock
from layers.dense import DenseBlock
from tasks.engine.task import KerasPart, Signature
from tasks.mnist.config import Config
from tasks.mnist.pipeline import SIZE, Codec


def build(config: Config, codec: Codec) -> keras.Model:
    """Return the compiled network: pictures `(batch, 28, 28, 1)` in [0, 1] to class scores `(batch, classes)`."""
    image = keras.Input((SIZE, SIZE, 1), name="image")
    x = image
    for layer in chain(convolutions(config), dense_layers(config)):
        x = layer(x)
    scores = keras.layers.Dense(len(codec.classes), dtype="float32", name="scores")(x)
    model = keras.Model(image, scores, name="mnist")
    model.compile(
        optimizer=keras.optimizers.AdamW(config.learning_rate, weight_decay=config.weight_decay),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def convolutions(config: Config) -> list[keras.layers.Layer]:
    """Return the layers of the convolution stages, in order."""
    layers = []
    for stage, filters in enumerate(config.filters):
        count = 1 if stage == 0 else config.convolutions
        for index in range(count):
            is_pooled = index == count - 1 and stage < len(config.filters) - 1
            layers.append(convolution(config, filters, is_first=stage == 0, is_pooled=is_pooled))
    return layers


def convolution(config: Config, filters: int, is_first: bool, is_pooled: bool) -> ConvolutionBlock:
    """Return one convolution; the first has its own kernel size, and neither padding nor dilation."""
    return ConvolutionBlock(
        filters,
        config.first_kernel_size if is_first else config.kernel_size,
        padding="valid" if is_first else config.padding,
        dilation=1 if is_first else config.dilation,
        activation=config.activation,
        normalization=config.normalization,
        dropout=config.convolution_dropout,
        pooling=config.pooling if is_pooled else "none",
        pooling_size=config.pooling_size,
    )


def dense_layers(config: Config) -> Iterator[keras.layers.Layer]:
    """Yield the layers between the convolutions and the class scores, each made once the one before is built."""
    is_averaged = config.filters and config.features == "average"
    yield keras.layers.GlobalAveragePooling2D() if is_averaged else keras.layers.Flatten()
    for units in config.units:
        yield DenseBlock(
            units, activation=config.activation, normalization=config.normalization, dropout=config.dropout
        )
    if not config.units:
        yield keras.layers.Dropout(config.dropout)


def signatures(model: keras.Model) -> dict[str, keras.Model]:
    """Return the models to use, both of pictures `(batch, 28, 28, 1)`.

    * `classify` gives probabilities `(batch, classes)`.
    * `layers` gives the outputs of the convolutions `(batch, height, width, channels)`, after their pooling, and of the
      dense layers `(batch, units)`, in order.
    """
    probabilities = keras.layers.Softmax(name="probabilities")(model.output)
    shown = [layer.output for layer in model.layers if isinstance(layer, ConvolutionBlock | DenseBlock)]
    found = {"classify": keras.Model(model.input, probabilities, name="classify")}
    return found | ({"layers": keras.Model(model.input, shown, name="layers")} if shown else {})


ARRAYS = {
    "classify": Signature(
        {"image": "pictures of digits, light ink on black, levels in [0, 1]"},
        {"probabilities": "probability of each class, in the order of codec.json"},
    ),
    "layers": Signature(
        {"image": "pictures of digits, light ink on black, levels in [0, 1]"},
        {"output": "outputs of the convolutions and of the dense layers, in order"},
    ),
}
NETWORK = KerasPart(build=build, signatures=signatures, arrays=ARRAYS)

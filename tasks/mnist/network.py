"""The digit classifier in Keras."""

from typing import Any

import keras

from layers.convolution import ConvolutionBlock
from layers.dense import DenseBlock
from tasks.engine.task import KerasPart
from tasks.mnist.config import Config
from tasks.mnist.pipeline import SIZE, Codec


def build(config: Config, codec: Codec) -> keras.Model:
    """Return the compiled network: pictures `(batch, 28, 28, 1)` in [0, 1] to class scores `(batch, classes)`."""
    image = keras.Input((SIZE, SIZE, 1), name="image")
    x = image
    for layer in convolutions(config):
        x = layer(x)
    x = (
        keras.layers.GlobalAveragePooling2D()(x)
        if config.filters and config.features == "average"
        else keras.layers.Flatten()(x)
    )
    for units in config.units:
        x = DenseBlock(units, activation=config.activation, normalization=config.normalization, dropout=config.dropout)(
            x
        )
    if not config.units:
        x = keras.layers.Dropout(config.dropout)(x)
    scores = keras.layers.Dense(len(codec.classes), dtype="float32", name="scores")(x)
    model = keras.Model(image, scores, name="mnist")
    model.compile(
        optimizer=keras.optimizers.AdamW(config.learning_rate, weight_decay=config.weight_decay),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def convolutions(config: Config) -> list[ConvolutionBlock]:
    """Return the convolution stages, layer by layer."""
    layers = []
    for stage, filters in enumerate(config.filters):
        count = 1 if stage == 0 else config.convolutions
        for index in range(count):
            first = stage == index == 0
            ends = index == count - 1 and stage < len(config.filters) - 1
            layers.append(
                ConvolutionBlock(
                    filters,
                    config.first_kernel_size if first else config.kernel_size,
                    padding="valid" if first else config.padding,
                    dilation=1 if first else config.dilation,
                    activation=config.activation,
                    normalization=config.normalization,
                    dropout=config.convolution_dropout,
                    pooling=config.pooling if ends else "none",
                    pooling_size=config.pooling_size,
                )
            )
    return layers


def signatures(model: keras.Model) -> dict[str, Any]:
    """Return `classify`: pictures `(batch, 28, 28, 1)` to probabilities `(batch, classes)`."""
    return {
        "classify": keras.Model(model.input, keras.layers.Softmax(name="probabilities")(model.output), name="classify")
    }


NETWORK = KerasPart(build=build, signatures=signatures)

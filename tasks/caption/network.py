"""The captioner in Keras."""

import json
from typing import Any

import keras
import numpy as np

from data.pictures.captions import check_lost
from data.pictures.files import picture_stamp
from data.splits import Example, Examples, Splits
from data.texts.text import PAD
from layers.decoder import DecoderStep, RecurrentDecoder
from layers.embedding import GivenLoss, TiedEmbedding
from layers.encoder import GridEncoder
from tasks.caption.config import Config
from tasks.caption.encoder import load_weights, weights_digest
from tasks.caption.features import cache_folder, picture_features, readable_square
from tasks.caption.pipeline import Codec
from tasks.engine.task import KerasPart


def build(config: Config, codec: Codec) -> keras.Model:
    """Return the compiled network: it reads pictures, or their features by a frozen encoder. Captions so far, and what
    is next in them, are `(batch, captions, time)`. It gives the mean loss of the captions of each picture `(batch,)`.
    """
    encoder = GridEncoder(config.encoder, config.size, config.filters, trainable=not config.is_frozen, name="encoder")
    encoder.build((None, config.size, config.size, 3))
    shape = encoder.cells if config.is_frozen else (config.size, config.size, 3)
    seen = keras.Input(shape, dtype="float16" if config.is_frozen else "uint8", name="seen")
    before, after = (keras.Input((None, None), dtype="int32", name=name) for name in ("before", "after"))
    embedding = TiedEmbedding(codec.size, config.embedding, config.label_smoothing, name="embedding")
    decoder = RecurrentDecoder(
        config.units,
        config.embedding,
        config.cell,
        heads=config.heads,
        gated=True,
        dropout=config.decoder_dropout,
        name="decoder",
    )
    grid = keras.layers.BatchNormalization(momentum=0.9, name="even")(encoder(seen))
    grid = keras.layers.SpatialDropout1D(config.encoder_dropout)(grid)
    read = keras.layers.Dropout(config.embedding_dropout, noise_shape=(None, None, 1, None))(embedding(before))
    written = keras.layers.Dropout(config.dropout)(decoder(read, grid))
    losses = embedding(written, use="loss", labels=after)  # (batch, captions, time)
    there = keras.ops.cast(keras.ops.not_equal(after, PAD), losses.dtype)
    total, count = (keras.ops.sum(x, axis=(1, 2)) for x in (losses * there, there))
    model = keras.Model([seen, before, after], total / count, name="caption")
    model.compile(
        optimizer=keras.optimizers.AdamW(
            config.learning_rate, weight_decay=config.weight_decay, beta_2=0.98, clipnorm=config.clip or None
        ),
        loss=GivenLoss(),
    )
    return model


def prepare(model: keras.Model, config: Config, splits: Splits, show: bool) -> Splits:
    """Give a frozen encoder its weights, and return splits whose examples for training hold what is seen of them.

    Pictures that cannot be read are left out.

    Raises:
        DataError, FileNotFoundError, UnavailableError: The weights of the encoder, or too many pictures, are not to be
            had.
        OutputError: What the encoder sees cannot be kept.
    """
    encoder = model.get_layer("encoder")
    if not config.is_frozen:
        return Splits(
            examples_with_pixels(splits.train, config), examples_with_pixels(splits.valid, config), splits.test
        )
    load_weights(encoder, config.encoder_weights)
    image = keras.Input((config.size, config.size, 3), dtype="uint8")
    sight = keras.Model(image, encoder(image))
    about = {"encoder": config.encoder, "weights": weights_digest(encoder)}
    order = {picture_identity(example): example["image"] for part in splits[:2] for example in part}
    pictures = [order[name] for name in sorted(order)]  # whatever the seed

    def look(batch: np.ndarray) -> np.ndarray:
        return np.asarray(sight.predict_on_batch(batch))

    def mirror_view(batch: np.ndarray) -> np.ndarray:
        return look(batch[:, :, ::-1])

    grids = {}
    for name, way in {"grid": look, **({"mirrored": mirror_view} if config.mirror else {})}.items():
        seen = picture_features(pictures, way, config.size, about | {"way": name}, cache_folder(config.cache), show)
        grids[name] = dict(zip(sorted(order), seen, strict=True))
    return Splits(examples_with_grids(splits.train, grids), examples_with_grids(splits.valid, grids), splits.test)


def picture_identity(example: Example) -> str:
    """Return what tells the picture of an example from others."""
    return json.dumps(picture_stamp(example["image"]))


def examples_with_grids(examples: Examples, grids: dict[str, dict[str, Any]]) -> list[Example]:
    """Return examples with what is seen of them, without those of which nothing is."""
    names = [picture_identity(example) for example in examples]
    found = [
        example | {way: seen[name] for way, seen in grids.items()}
        for name, example in zip(names, examples, strict=True)
    ]
    return readable_examples(found)


def readable_examples(examples: Examples) -> list[Example]:
    """Return the examples of which something is seen, and say how many are not."""
    lost = [str(example["image"]) for example in examples if example["grid"] is None]
    check_lost(lost, len(examples), "unreadable")
    return [example for example in examples if example["grid"] is not None]


def examples_with_pixels(examples: Examples, config: Config) -> list[Example]:
    """Return examples with their pictures as a network reads them, without those that cannot be read."""
    found = readable_examples(
        [example | {"grid": readable_square(example["image"], config.size)} for example in examples]
    )
    return [example | {"mirrored": example["grid"][:, ::-1]} for example in found] if config.mirror else found


def signatures(model: keras.Model) -> dict[str, keras.Model]:
    """Return `encode` and `step`, cut out of the network.

    `encode` sees pictures, uint8 `(batch, size, size, 3)`, and gives what each step needs of them: keys and values
    `(batch, cells, units)` and first states. `step` reads the last word `(rows,)`, and what `encode` or the step before
    gave; it gives the log-probabilities of the next word `(rows, words)`, the attention `(rows, cells)`, and the new
    states.
    """
    parts = ("encoder", "even", "embedding", "decoder")
    encoder, even, embedding, decoder = (model.get_layer(name) for name in parts)
    image = keras.Input((encoder.size, encoder.size, 3), dtype="uint8", name="image")
    remembered = decoder.remember(even(encoder(image)))
    last = keras.Input((), dtype="int32", name="last")
    cells, _ = encoder.cells
    keys, values = (keras.Input((cells, decoder.units), name=name) for name in ("keys", "values"))
    states = [keras.Input((decoder.units,), name=f"state_{number}") for number in range(2 * decoder.states)]
    output, weights, *after = DecoderStep(decoder)(embedding(last), keys, values, None, states)
    scores = keras.ops.log_softmax(embedding(output, use="score"), axis=-1)
    return {
        "encode": keras.Model(image, remembered, name="encode"),
        "step": keras.Model([last, keys, values, *states], [scores, weights, *after], name="step"),
    }


NETWORK = KerasPart(build=build, prepare=prepare, signatures=signatures)

"""The captioner in Keras."""

import json
from collections.abc import Mapping

import keras
import numpy as np

from data.pictures.captions import check_lost
from data.pictures.decoding import MEGAPIXELS
from data.pictures.files import picture_stamp
from data.splits import Example, Examples, Splits
from data.texts.text import PAD, UNKNOWN
from layers.block import Tensor
from layers.decoder import DecoderStep, RecurrentDecoder
from layers.embedding import GivenLoss, TiedEmbedding
from layers.encoder import GridEncoder
from tasks.caption.codec import Codec
from tasks.caption.config import Config
from tasks.caption.encoder import load_weights, weights_digest
from tasks.caption.features import Source, cache_folder, picture_features, readable_square
from tasks.caption.self_critical import SelfCritical
from tasks.engine.task import KerasPart, Signature

Grids = dict[str, dict[str, np.ndarray | None]]  # way of viewing -> identity of a picture -> its features


def build(config: Config, codec: Codec) -> keras.Model:
    """Return the compiled network for training.

    * Inputs: pictures, or features of a frozen encoder; captions so far and next words `(batch, captions, time)`.
    * Output: the mean loss of the captions of each picture, `(batch,)`; for a training by CIDEr-D, its own captions.
    """
    encoder = GridEncoder(config.encoder, config.size, config.filters, trainable=not config.is_frozen, name="encoder")
    encoder.build((None, config.size, config.size, 3))
    shape = encoder.cells if config.is_frozen else (config.size, config.size, 3)
    seen = keras.Input(shape, dtype="float16" if config.is_frozen else "uint8", name="seen")
    before, after = (keras.Input((None, None), dtype="int32", name=name) for name in ("before", "after"))
    smoothing = config.label_smoothing if codec.reward is None else 0.0
    embedding = TiedEmbedding(codec.size, config.embedding, smoothing, name="embedding")
    decoder = attention_decoder(config)
    grid = keras.layers.BatchNormalization(momentum=0.9, name="even")(encoder(seen))
    grid = keras.layers.SpatialDropout1D(config.encoder_dropout)(grid)
    read = keras.layers.Dropout(config.embedding_dropout, noise_shape=(None, None, 1, None))(embedding(before))
    written = keras.layers.Dropout(config.dropout)(decoder(read, grid))
    losses = embedding(written, use="loss", labels=after)  # (batch, captions, time)
    arrays = [seen, before, after], mean_loss(losses, after)
    if codec.reward is None:
        model = keras.Model(*arrays, name="caption")
    else:
        model = SelfCritical(*arrays, name="caption")
        never = [PAD, UNKNOWN, codec.start]
        model.aim(codec.reward, codec.start, codec.end, never, config.max_length + 1, config.seed)
    memory = 0.98 if codec.reward is None else 0.999  # gradients of what is drawn at random vary more
    optimizer = keras.optimizers.AdamW(
        config.learning_rate, weight_decay=config.weight_decay, beta_2=memory, clipnorm=config.clip or None
    )
    by_host = codec.reward is not None and keras.config.backend() == "tensorflow"  # what XLA cannot do
    model.compile(optimizer=optimizer, loss=GivenLoss(), jit_compile=False if by_host else "auto")
    return model


def attention_decoder(config: Config) -> RecurrentDecoder:
    """Return the decoder."""
    return RecurrentDecoder(
        config.units,
        config.embedding,
        config.cell,
        heads=config.heads,
        gated=True,
        dropout=config.decoder_dropout,
        name="decoder",
    )


def mean_loss(losses: Tensor, labels: Tensor) -> Tensor:
    """Return the mean loss of the words of each picture `(batch,)`, without padding."""
    there = keras.ops.cast(keras.ops.not_equal(labels, PAD), losses.dtype)
    total, count = (keras.ops.sum(x, axis=(1, 2)) for x in (losses * there, there))
    return total / count


def load(model: keras.Model, config: Config) -> None:
    """Load the weights of an encoder that is to be frozen.

    Raises:
        DataError: The weights do not match.
        FileNotFoundError, UnavailableError: The weights are unavailable.
    """
    if config.is_frozen:
        load_weights(model.get_layer("encoder"), config.encoder_weights)


def prepare(model: keras.Model, config: Config, splits: Splits, show: bool) -> Splits:
    """Return splits with features by a frozen encoder, or else pixels, in the examples for training.

    Unreadable pictures are left out.

    Raises:
        DataError: Too many pictures are unreadable.
        OutputError: The features cannot be cached.
    """
    if not config.is_frozen:
        train, valid = (examples_with_pixels(part, config) for part in (splits.train, splits.valid))
        return Splits(train, valid, splits.test)
    pictures = {picture_identity(example): example["image"] for part in splits[:2] for example in part}
    grids = feature_grids(model, config, dict(sorted(pictures.items())), show)
    return Splits(examples_with_grids(splits.train, grids), examples_with_grids(splits.valid, grids), splits.test)


def feature_grids(model: keras.Model, config: Config, pictures: Mapping[str, Source], show: bool) -> Grids:
    """Return the features of pictures by identity: `grid`, and with `mirror` also `mirrored`."""
    encoder = model.get_layer("encoder")
    image = keras.Input((config.size, config.size, 3), dtype="uint8")
    network = keras.Model(image, encoder(image))
    limit = {} if config.megapixels == MEGAPIXELS else {"megapixels": config.megapixels}
    about = {"encoder": config.encoder, "weights": weights_digest(encoder)} | limit

    def features(batch: np.ndarray) -> np.ndarray:
        return np.asarray(network.predict_on_batch(batch))

    def mirrored_features(batch: np.ndarray) -> np.ndarray:
        return features(batch[:, :, ::-1])

    grids = {}
    for name, encode in {"grid": features, **({"mirrored": mirrored_features} if config.mirror else {})}.items():
        folder, way = cache_folder(config.cache), about | {"way": name}
        found = picture_features([*pictures.values()], encode, config.size, way, folder, show, config.megapixels)
        grids[name] = dict(zip(pictures, found, strict=True))
    return grids


def picture_identity(example: Example) -> str:
    """Return the identity of the picture of an example."""
    return json.dumps(picture_stamp(example["image"]))


def examples_with_grids(examples: Examples, grids: Grids) -> list[Example]:
    """Return examples with the features of their pictures, without unreadable ones."""
    names = [picture_identity(example) for example in examples]
    found = [
        example | {way: features[name] for way, features in grids.items()}
        for name, example in zip(names, examples, strict=True)
    ]
    return readable_examples(found)


def readable_examples(examples: Examples) -> list[Example]:
    """Return the examples with a readable picture, with a notice of the number left out."""
    lost = [str(example["image"]) for example in examples if example["grid"] is None]
    check_lost(lost, len(examples), "unreadable")
    return [example for example in examples if example["grid"] is not None]


def examples_with_pixels(examples: Examples, config: Config) -> list[Example]:
    """Return examples with the pixels of their pictures, without unreadable ones."""
    found = readable_examples(
        [example | {"grid": readable_square(example["image"], config.size, config.megapixels)} for example in examples]
    )
    return [example | {"mirrored": example["grid"][:, ::-1]} for example in found] if config.mirror else found


def signatures(model: keras.Model) -> dict[str, keras.Model]:
    """Return `encode` and `step`, cut out of the network.

    * `encode`, input: pictures, uint8 `(batch, size, size, 3)`.
    * `encode`, outputs: keys and values `(batch, cells, units)`, and the first states.
    * `step`, inputs: the last word `(rows,)`, keys, values and states.
    * `step`, outputs: log-probabilities of the next word `(rows, words)`, attention `(rows, cells)`, and new states.
    """
    parts = ("encoder", "even", "embedding", "decoder")
    encoder, even, embedding, decoder = (model.get_layer(name) for name in parts)
    image = keras.Input((encoder.size, encoder.size, 3), dtype="uint8", name="image")
    memory = decoder.memory_state(even(encoder(image)))
    last = keras.Input((), dtype="int32", name="last")
    cells, _ = encoder.cells
    keys, values = (keras.Input((cells, decoder.units), name=name) for name in ("keys", "values"))
    states = [keras.Input((decoder.units,), name=f"state_{number}") for number in range(2 * decoder.states)]
    output, weights, *after = DecoderStep(decoder)(embedding(last), keys, values, None, states)
    scores = keras.ops.log_softmax(embedding(output, use="score"), axis=-1)
    return {
        "encode": keras.Model(image, memory, name="encode"),
        "step": keras.Model([last, keys, values, *states], [scores, weights, *after], name="step"),
    }


ARRAYS = {
    "encode": Signature(
        {"image": "square pictures, red, green and blue in [0, 255]"},
        {
            "keys": "what the attention compares each cell of the picture by",
            "values": "what the attention reads of each cell",
            "state": "a first state of the decoder",
        },
    ),
    "step": Signature(
        {
            "last": "the last token of each row; that of the start first",
            "keys": "as `encode` gives them",
            "values": "as `encode` gives them",
            "state": "a state of the decoder, as `encode` or the last step gives it",
        },
        {
            "scores": "log-probability of each token to come next",
            "attention": "attention to each cell",
            "state": "a state of the decoder for the next step",
        },
    ),
}
NETWORK = KerasPart(build=build, load=load, prepare=prepare, signatures=signatures, arrays=ARRAYS)

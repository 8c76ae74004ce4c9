"""The text classifier in Keras."""

import keras

from layers.block import Tensor
from layers.pooling import SequencePooling
from layers.recurrent import RecurrentStack
from tasks.engine.task import KerasPart, Signature
from tasks.sentiment.codec import Codec
from tasks.sentiment.config import Config


def build(config: Config, codec: Codec) -> keras.Model:
    """Return the compiled network: tokens `(batch, time)` to scores by branch `(batch, branches, classes)`.

    With `ngrams` it also reads the words and pairs of each text that its table has, `(batch, many)`.
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    inputs, branches = [tokens], [recurrent_scores(config, codec, tokens)]
    if config.ngrams:
        inputs.append(keras.Input((None,), dtype="int32", name="ngrams"))
        branches.append(ngram_scores(config, codec, inputs[1]))
    scores = keras.ops.stack(branches, axis=1)  # (batch, branches, classes)
    model = keras.Model(inputs if config.ngrams else tokens, scores, name="sentiment")
    if codec.ratios is not None:
        model.get_layer("ratios").set_weights([codec.ratios])
    model.compile(
        optimizer=keras.optimizers.AdamW(
            config.learning_rate, weight_decay=config.weight_decay, clipnorm=config.clip or None
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[accuracy],
    )
    return model


def recurrent_scores(config: Config, codec: Codec, tokens: Tensor) -> Tensor:
    """Return the scores of the classes `(batch, classes)` by the recurrent branch."""
    x = keras.layers.Embedding(codec.vocabulary.size, config.embedding, mask_zero=True, name="embedding")(tokens)
    x = keras.layers.SpatialDropout1D(config.embedding_dropout)(x)
    x = RecurrentStack(
        config.units,
        config.cell,
        depth=config.depth,
        bidirectional=config.bidirectional,
        return_sequences=config.pooling != "last",
        dropout=config.layer_dropout,
        recurrent_dropout=config.recurrent_dropout,
        segment=config.segment or None,
    )(x)
    if config.pooling != "last":
        x = SequencePooling(config.pooling)(x)
    x = keras.layers.Dropout(config.dropout)(x)
    return keras.layers.Dense(len(codec.classes), dtype="float32", name="scores")(x)


def ngram_scores(config: Config, codec: Codec, ngrams: Tensor) -> Tensor:
    """Return the scores of the classes `(batch, classes)` by the n-gram branch.

    Each word or pair adds its log-count ratio in the training texts, which is fixed, times a trained weight.

    Reference: Wang and Manning, 2012, https://aclanthology.org/P12-2018.
    """
    assert codec.table is not None
    rows, classes = 1 + len(codec.table), len(codec.classes)
    ratios = keras.layers.Embedding(
        rows, classes, embeddings_initializer="zeros", trainable=False, dtype="float32", name="ratios"
    )(ngrams)
    weights = keras.layers.Embedding(
        rows,
        classes,
        embeddings_initializer="zeros",
        embeddings_regularizer=keras.regularizers.L2(config.ngram_penalty),
        dtype="float32",
        name="weights",
    )(ngrams)
    kept = keras.layers.Dropout(config.ngram_dropout, noise_shape=(None, None, 1))(ratios * weights)
    return keras.ops.sum(kept, axis=1)  # padding has ratio 0


def accuracy(labels: Tensor, scores: Tensor) -> Tensor:
    """Return whether the label has the best mean score of the branches, `(batch,)`."""
    return keras.metrics.sparse_categorical_accuracy(labels[:, 0], keras.ops.mean(scores, axis=1))


def signatures(model: keras.Model) -> dict[str, keras.Model]:
    """Return `classify`: the network itself."""
    return {"classify": model}


ARRAYS = {
    "classify": Signature(
        {
            "tokens": "numbers of the words of a text; 0 pads at the end",
            "ngrams": "places of its words and pairs of words in the table of codec.json; 0 pads at the end",
        },
        {"scores": "score of each class by each branch; weighted as codec.json says, their softmax is the answer"},
    )
}
NETWORK = KerasPart(build=build, signatures=signatures, arrays=ARRAYS)

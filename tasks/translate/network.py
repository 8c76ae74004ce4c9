"""The translator in Keras."""

import keras

from data.texts.text import PAD
from layers.decoder import DecoderStep, RecurrentDecoder
from layers.embedding import GivenLoss, TiedEmbedding
from layers.recurrent import RecurrentStack
from tasks.engine.task import KerasPart
from tasks.translate.config import Config
from tasks.translate.pipeline import Codec


def build(config: Config, codec: Codec) -> keras.Model:
    """Return the compiled network: source `(batch, steps)`, target so far and what is next, `(batch, time)` each, to
    the loss of what is next `(batch, time)`.
    """
    source, before, after = (keras.Input((None,), dtype="int32", name=name) for name in ("source", "before", "after"))
    embedding = TiedEmbedding(codec.pieces.size, config.embedding, config.label_smoothing, name="embedding")
    drop = keras.layers.SpatialDropout1D(config.embedding_dropout)
    encoder = RecurrentStack(
        config.units, config.cell, depth=config.depth, bidirectional=True, return_sequences=True, name="encoder"
    )
    decoder = RecurrentDecoder(
        config.units,
        config.embedding,
        config.cell,
        attention=config.attention,
        heads=config.heads,
        dropout=config.decoder_dropout,
        name="decoder",
    )
    there = keras.ops.not_equal(source, PAD)
    memory = encoder(drop(embedding(source)), mask=there)
    written = decoder(drop(embedding(before)), memory, there=there)
    losses = embedding(keras.layers.Dropout(config.dropout)(written), use="loss", labels=after)
    model = keras.Model([source, before, after], losses, name="translate")
    model.compile(
        optimizer=keras.optimizers.Adam(config.learning_rate, beta_2=0.98, clipnorm=config.clip or None),
        loss=GivenLoss(),
    )
    return model


def signatures(model: keras.Model) -> dict[str, keras.Model]:
    """Return `encode` and `step`, cut out of the network.

    `encode` reads a source `(batch, steps)` and gives what each step needs of it: keys and values
    `(batch, steps, units)` and first states. `step` reads the last sub-word `(rows,)`, which steps are there
    `(rows, steps)`, and what `encode` or the step before gave; it gives the log-probabilities of the next sub-word
    `(rows, vocabulary)`, the attention `(rows, steps)`, and the new states.
    """
    embedding, encoder, decoder = (model.get_layer(name) for name in ("embedding", "encoder", "decoder"))
    source = keras.Input((None,), dtype="int32", name="source")
    here = keras.ops.not_equal(source, PAD)
    remembered = decoder.remember(encoder(embedding(source), mask=here), here)
    last = keras.Input((), dtype="int32", name="last")
    there = keras.Input((None,), dtype="bool", name="there")
    keys, values = (keras.Input((None, decoder.units), name=name) for name in ("keys", "values"))
    states = [keras.Input((decoder.units,), name=f"state_{number}") for number in range(2 * decoder.states)]
    output, weights, *after = DecoderStep(decoder)(embedding(last), keys, values, there, states)
    scores = keras.ops.log_softmax(embedding(output, use="score"), axis=-1)
    return {
        "encode": keras.Model(source, remembered, name="encode"),
        "step": keras.Model([last, there, keys, values, *states], [scores, weights, *after], name="step"),
    }


NETWORK = KerasPart(build=build, signatures=signatures)

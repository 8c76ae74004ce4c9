"""The translator in Keras."""

import keras

from data.texts.text import PAD
from layers.decoder import DecoderStep, RecurrentDecoder
from layers.embedding import GivenLoss, TiedEmbedding
from layers.recurrent import RecurrentStack
from tasks.engine.task import KerasPart, Signature
from tasks.translate.codec import Codec
from tasks.translate.config import Config


def build(config: Config, codec: Codec) -> keras.Model:
    """Return the compiled network for training.

    * Inputs: source `(batch, steps)`, target so far and next target, `(batch, time)` each.
    * Output: the loss of the next target, `(batch, time)`.
    """
    source, before, after = (keras.Input((None,), dtype="int32", name=name) for name in ("source", "before", "after"))
    embedding = TiedEmbedding(codec.pieces.size, config.embedding, config.label_smoothing, name="embedding")
    drop = keras.layers.SpatialDropout1D(config.embedding_dropout)
    encoder = RecurrentStack(
        config.units, config.cell, depth=config.depth, bidirectional=True, return_sequences=True, name="encoder"
    )
    decoder = attention_decoder(config)
    there = keras.ops.not_equal(source, PAD)
    memory = encoder(drop(embedding(source)), mask=there)
    written = decoder(drop(embedding(before)), memory, there=there)
    losses = embedding(keras.layers.Dropout(config.dropout)(written), use="loss", labels=after)
    model = keras.Model([source, before, after], losses, name="translate")
    optimizer = keras.optimizers.Adam(config.learning_rate, beta_2=0.98, clipnorm=config.clip or None)
    model.compile(optimizer=optimizer, loss=GivenLoss())
    return model


def attention_decoder(config: Config) -> RecurrentDecoder:
    """Return the decoder."""
    return RecurrentDecoder(
        config.units,
        config.embedding,
        config.cell,
        attention=config.attention,
        heads=config.heads,
        dropout=config.decoder_dropout,
        name="decoder",
    )


def signatures(model: keras.Model) -> dict[str, keras.Model]:
    """Return `encode` and `step`, cut out of the network.

    * `encode`, input: source `(batch, steps)`.
    * `encode`, outputs: keys and values `(batch, steps, units)`, and the first states.
    * `step`, inputs: the last sub-word `(rows,)`, a mask of the source `(rows, steps)`, keys, values and states.
    * `step`, outputs: log-probabilities of the next sub-word `(rows, vocabulary)`, attention `(rows, steps)`, states.
    """
    embedding, encoder, decoder = (model.get_layer(name) for name in ("embedding", "encoder", "decoder"))
    source = keras.Input((None,), dtype="int32", name="source")
    here = keras.ops.not_equal(source, PAD)
    memory = decoder.memory_state(encoder(embedding(source), mask=here), here)
    last = keras.Input((), dtype="int32", name="last")
    there = keras.Input((None,), dtype="bool", name="there")
    keys, values = (keras.Input((None, decoder.units), name=name) for name in ("keys", "values"))
    states = [keras.Input((decoder.units,), name=f"state_{number}") for number in range(2 * decoder.states)]
    output, weights, *after = DecoderStep(decoder)(embedding(last), keys, values, there, states)
    scores = keras.ops.log_softmax(embedding(output, use="score"), axis=-1)
    return {
        "encode": keras.Model(source, memory, name="encode"),
        "step": keras.Model([last, there, keys, values, *states], [scores, weights, *after], name="step"),
    }


ARRAYS = {
    "encode": Signature(
        {"source": "numbers of the sub-words of sentences, each ended by 3; 0 pads at the end"},
        {
            "keys": "what the attention compares each source step by",
            "values": "what the attention reads of each source step",
            "state": "a first state of the decoder",
        },
    ),
    "step": Signature(
        {
            "last": "the last sub-word of each row; 2 at the start",
            "there": "which source steps are no padding",
            "keys": "as `encode` gives them",
            "values": "as `encode` gives them",
            "state": "a state of the decoder, as `encode` or the last step gives it",
        },
        {
            "scores": "log-probability of each sub-word to come next",
            "attention": "attention to each source step",
            "state": "a state of the decoder for the next step",
        },
    ),
}
NETWORK = KerasPart(build=build, signatures=signatures, arrays=ARRAYS)

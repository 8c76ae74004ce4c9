"""Throughput of the translator: training, and decoding with a beam.

Training: this project, plain Keras `fit` on arrays padded to the maximum length, and PyTorch where it is installed; all
three train the same network on the same sentences, as many in a step, spelt in one way only, in one process, in turns.
Decoding: this project's search, and the same search over a loop of `keras.Model.predict` calls.

    python -m benchmarks.translate --data DIR [--rounds 5] [--examples 2560] [--sentences 200]
"""

import argparse
import time
from typing import Any

import keras

import tasks
from benchmarks.race import Epoch, PredictLoop, race
from data.batches import Batches
from data.splits import Examples
from data.texts.text import PAD, padded_batch
from data.texts.vocabulary import END, START
from tasks.engine.network import KerasNetwork
from tasks.engine.task import Pipeline
from tasks.translate import network
from tasks.translate.codec import Codec
from tasks.translate.config import Config
from tasks.translate.decode import beam_hypotheses

STILL = {"sampling": 0.0, "token_dropout": 0.0}


def ours(config: Config, codec: Codec, examples: Examples) -> Epoch:
    """Return a function that trains one epoch as `train` does."""
    model = network.build(config, codec)
    batches = Batches(examples, codec, config.batch_size, seed=0)
    steps = {"steps_per_epoch": len(batches), "shuffle": False, "verbose": 0}
    return lambda epoch: model.fit(batches.epoch_data(epoch), initial_epoch=epoch, epochs=epoch + 1, **steps)


def plain_keras(config: Config, codec: Codec, examples: Examples) -> Epoch:
    """Return a function that trains one epoch by `fit` with arrays padded to the longest, and Keras's own loss."""
    trained = network.build(config, codec)
    embedding, decoder = trained.get_layer("embedding"), trained.get_layer("decoder")
    scores = embedding(keras.layers.Dropout(config.dropout)(decoder.output), use="score")
    model = keras.Model(trained.input[:2], scores)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=PAD)
    model.compile(optimizer=keras.optimizers.Adam(config.learning_rate, beta_2=0.98, clipnorm=config.clip), loss=loss)
    rows = [codec.sentence_tokens(example) for example in examples]
    source = padded_batch([[*text, END] for text, _ in rows], max(len(text) for text, _ in rows) + 1)
    target = padded_batch([[START, *text, END] for _, text in rows], max(len(text) for _, text in rows) + 2)
    x, y = [source, target[:, :-1]], target[:, 1:]
    return lambda epoch: model.fit(x, y, batch_size=config.batch_size, verbose=0)


def pytorch(config: Config, codec: Codec, examples: Examples) -> Epoch:
    """Return a function that trains one epoch of the same network in PyTorch, each batch padded to its own longest."""
    import torch
    from torch import nn

    class Translator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            width, units = config.embedding, config.units
            self.embedding = nn.Embedding(codec.pieces.size, width)
            self.encoder = nn.GRU(width, units, batch_first=True, bidirectional=True)
            self.first = nn.GRU(width, units, batch_first=True)
            self.second = nn.GRU(2 * units, units, batch_first=True)
            self.query, self.key = nn.Linear(units, units, bias=False), nn.Linear(2 * units, units, bias=False)
            self.value, self.begin = nn.Linear(2 * units, units, bias=False), nn.Linear(2 * units, units)
            self.sum_up = nn.Linear(2 * units + width, width)
            nn.init.normal_(self.embedding.weight, std=width**-0.5)

        def drop(self, x: Any, share: float) -> Any:
            return nn.functional.dropout1d(x.transpose(1, 2), share).transpose(1, 2)

        def embed(self, tokens: Any) -> Any:
            return self.drop(self.embedding(tokens) * config.embedding**0.5, config.embedding_dropout)

        def forward(self, source: Any, before: Any) -> Any:
            there = source != PAD
            packed = nn.utils.rnn.pack_padded_sequence(
                self.embed(source), there.sum(1), batch_first=True, enforce_sorted=False
            )
            memory, _ = nn.utils.rnn.pad_packed_sequence(self.encoder(packed)[0], batch_first=True)
            inputs = self.embed(before)
            states = self.drop(self.first(inputs)[0], config.decoder_dropout)
            scores = self.query(states) @ self.key(memory).transpose(1, 2) * config.units**-0.5
            weights = scores.masked_fill(~there[:, None], -1e9).softmax(-1)
            context = self.drop(weights @ self.value(memory), config.decoder_dropout)
            start = torch.tanh(self.begin((memory * there[..., None]).sum(1) / there.sum(1, keepdim=True)))
            second = self.second(torch.cat([states, context], -1), start[None])[0]
            second = self.drop(second, config.decoder_dropout)
            written = torch.tanh(self.sum_up(torch.cat([inputs, context, second], -1)))
            return nn.functional.dropout(written, config.dropout) @ self.embedding.weight.T

    model = Translator()
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, betas=(0.9, 0.98))
    loss = nn.CrossEntropyLoss(ignore_index=PAD, label_smoothing=config.label_smoothing)
    rows = [codec.sentence_tokens(example) for example in examples]

    def epoch(number: int) -> None:
        for batch in torch.randperm(len(rows)).split(config.batch_size):
            texts, translations = zip(*(rows[index] for index in batch), strict=True)
            source = padded_batch([[*text, END] for text in texts], max(map(len, texts)) + 1)
            target = padded_batch([[START, *text, END] for text in translations], max(map(len, translations)) + 2)
            optimizer.zero_grad()
            scores = model(torch.from_numpy(source).long(), torch.from_numpy(target[:, :-1]).long())
            after = torch.from_numpy(target[:, 1:]).long()
            loss(scores.reshape(-1, scores.shape[-1]), after.reshape(-1)).backward()
            for weight in model.parameters():
                nn.utils.clip_grad_norm_(weight, config.clip)
            optimizer.step()

    return epoch


def decode(pipeline: Pipeline[Config], rows: list[Any]) -> float:
    """Return the sentences translated in a second, the second time."""
    beam_hypotheses(pipeline, rows[:8])
    start = time.perf_counter()
    beam_hypotheses(pipeline, rows)
    return len(rows) / (time.perf_counter() - start)


def main() -> None:
    """Time the contestants on real sentences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--run", help="Run whose network decodes; the newest if not given.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--examples", type=int, default=2560)
    parser.add_argument("--sentences", type=int, default=200)
    given = parser.parse_args()
    config = Config.restore(tasks.configure("translate", data=given.data).state() | STILL)
    splits = tasks.get("translate").load(config)
    codec = Codec.learn(config, splits.train)
    examples = splits.train[: given.examples]
    tokens = sum(len(translation) + 1 for _, translation in map(codec.sentence_tokens, examples))
    contestants = {"ours": ours, "plain Keras fit": plain_keras, "PyTorch": pytorch}
    race(contestants, given.rounds, tokens, "target sub-words", config, codec, examples)

    pipeline = tasks.load("translate", given.run, data=given.data, batch_size=64)
    rows = [pipeline.codec.numbers(example["text"]) for example in splits.test[: given.sentences]]
    keras_pipeline = tasks.load("translate", pipeline.run, engine="keras", batch_size=64)
    assert isinstance(keras_pipeline.network, KerasNetwork)
    loop = PredictLoop(dict(keras_pipeline.network.models))
    for beam in (1, 5):
        one = decode(pipeline.with_settings(beam=beam), rows)
        config = pipeline.config.with_settings({"beam": beam})
        other = decode(Pipeline(pipeline.task, config, pipeline.codec, loop, pipeline.run), rows)
        print(
            f"beam {beam}: {one:.0f} sentences/s; a loop of predict calls {other:.0f}; {one / other:.1f} times as fast"
        )


if __name__ == "__main__":
    main()

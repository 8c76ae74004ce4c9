"""Training throughput of the text classifier: this project, plain Keras `fit`, and PyTorch where it is installed.

All three train the same network on the same reviews with the same batch size and no augmentation, in one process,
in turns; the printed ratios are of the median times of an epoch. This project starts from raw text and pads to the
width of a bucket; plain Keras gets arrays padded to the maximum length; PyTorch gets packed sequences.

    python -m benchmarks.sentiment --data-dir DIR [--rounds 7] [--examples 1280] [--preset gru]
"""

import argparse
from typing import Any

import numpy as np

import tasks
from benchmarks.race import Epoch, race
from data.batches import Batches
from data.splits import Examples
from data.texts.text import padded_batch
from tasks.sentiment import network
from tasks.sentiment.codec import Codec
from tasks.sentiment.config import Config

STILL = {"span_dropout": 0.0, "token_dropout": 0.0}


def ours(config: Config, codec: Codec, examples: Examples) -> Epoch:
    """Return a function that trains one epoch as `train` does."""
    model = network.build(config, codec)
    batches = Batches(examples, codec, config.batch_size, seed=0)
    steps = {"steps_per_epoch": len(batches), "shuffle": False, "verbose": 0}
    return lambda epoch: model.fit(batches.epoch_data(epoch), initial_epoch=epoch, epochs=epoch + 1, **steps)


def plain_keras(config: Config, codec: Codec, examples: Examples) -> Epoch:
    """Return a function that trains one epoch by `fit` on arrays padded to the maximum length."""
    model = network.build(config, codec)
    x = padded_batch([codec.tokens(example["text"]) for example in examples], config.max_length)
    y = np.array([[codec.labels[example["label"]]] for example in examples])
    return lambda epoch: model.fit(x, y, batch_size=config.batch_size, verbose=0)


def pytorch(config: Config, codec: Codec, examples: Examples) -> Epoch:
    """Return a function that trains one epoch of the same network in PyTorch, with packed sequences."""
    import torch
    from torch import nn
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    cell = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}[config.cell]
    embedding = nn.Embedding(codec.vocabulary.size, config.embedding, padding_idx=0)
    recurrent = cell(config.embedding, config.units, batch_first=True, bidirectional=True)
    scores = nn.Linear(4 * config.units, len(codec.classes))
    model = nn.ModuleList([embedding, recurrent, scores])
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    loss, segment = nn.CrossEntropyLoss(), config.segment
    rows = [codec.tokens(example["text"]) for example in examples]
    y = torch.tensor([codec.labels[example["label"]] for example in examples])

    def forward(tokens: Any) -> Any:
        folded = tokens.reshape(-1, segment)  # (batch * segments, segment)
        lengths = (folded > 0).sum(1)
        there = lengths > 0
        x = nn.functional.dropout1d(embedding(folded[there]).transpose(1, 2), config.embedding_dropout).transpose(1, 2)
        packed = pack_padded_sequence(x, lengths[there], batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(recurrent(packed)[0], batch_first=True, total_length=segment)
        whole = torch.zeros(len(folded), segment, states.shape[-1]).masked_scatter(there[:, None, None], states)
        whole = whole.reshape(len(tokens), -1, states.shape[-1])  # (batch, time, features)
        mask = (tokens > 0)[..., None]
        pooled = [whole.masked_fill(~mask, -1e9).amax(1), (whole * mask).sum(1) / mask.sum(1)]
        return scores(nn.functional.dropout(torch.cat(pooled, 1), config.dropout))

    def epoch(number: int) -> None:
        for batch in torch.randperm(len(rows)).split(config.batch_size):
            longest = max(len(rows[index]) for index in batch)
            tokens = torch.from_numpy(
                padded_batch([rows[index] for index in batch], -(-longest // segment) * segment)
            ).long()
            optimizer.zero_grad()
            loss(forward(tokens), y[batch]).backward()
            nn.utils.clip_grad_norm_(model.parameters(), config.clip)
            optimizer.step()

    return epoch


def main() -> None:
    """Time the contestants on real reviews."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="imdb_reviews")
    parser.add_argument("--data-dir")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--examples", type=int, default=1280)
    parser.add_argument("--preset", default="gru", choices=["gru", "lstm", "rnn"])
    given = parser.parse_args()
    chosen = tasks.configure("sentiment", given.preset, data=given.data, data_dir=given.data_dir)
    config = Config.restore(chosen.state() | STILL)
    train = tasks.get("sentiment").load(config).train
    codec = Codec.learn(config, train)
    examples = train[: given.examples]
    contestants = {"ours": ours, "plain Keras fit": plain_keras, "PyTorch": pytorch}
    race(contestants, given.rounds, len(examples), "reviews", config, codec, examples)


if __name__ == "__main__":
    main()

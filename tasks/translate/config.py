"""Settings of the translator."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tasks.engine.config import SettingError, TaskConfig, option


@dataclass(frozen=True, kw_only=True)
class Config(TaskConfig):
    """Settings of the translator.

    Sentences are cut into sub-words that both languages share, read in both directions by recurrent layers, and
    written by a recurrent decoder that looks at what was read; a beam search chooses among what it might write.
    """

    data: str = option(
        "ted_hrlr_translate/pt_to_en",
        "Data: a TensorFlow Datasets name, a folder with a file for each part and language, a TSV or JSONL file, "
        "or builtin.",
        runtime=True,
    )
    source: str | None = option(
        None, "Language to translate from: the ending of its files, or the name of its column.", runtime=True
    )
    target: str | None = option(
        None, "Language to translate to: the ending of its files, or the name of its column.", runtime=True
    )
    text_column: str = option("text", "Column of a table whose texts `predict --file` translates.", runtime=True)
    test: str | None = option(None, "Name of the file to test on, where there are several.", runtime=True)
    epochs: int = option(32, "Passes over the training examples.", low=1)
    batch_size: int = option(
        128,
        "Sentences of middle length per step; longer ones are fewer. Also sentences per search.",
        low=1,
        runtime=True,
    )
    learning_rate: float = option(2e-3, "Largest step size of the optimizer.", low=0.0)
    warmup: float = option(0.05, "Share of the training in which the step size rises from zero.", low=0.0, high=0.9)
    average: int = option(5, "Keep the mean of the weights of this many last epochs; 0 does not.", low=0)
    clip: float = option(1.0, "Largest norm of the gradient of each weight; 0 does not limit it.", low=0.0)
    label_smoothing: float = option(
        0.1, "Share of the probability that the loss wants spread over all sub-words.", low=0.0, high=0.9
    )

    pieces: Literal["bpe", "unigram"] = option("bpe", "How sub-words are learnt: byte-pair encoding or unigram model.")
    vocabulary: int = option(4000, "Most sub-words of both languages together, 256 bytes among them.", low=512)
    sampling: float = option(
        0.1, "How often training spells a source word in another way: the share of merges left out.", low=0.0, high=0.95
    )
    length: int = option(60, "Most sub-words of a sentence that are read or written.", low=2)
    widths: int = option(6, "Fixed widths that sentences are padded to, besides the longest.", low=1, high=64)

    embedding: int = option(192, "Width of the vector of each sub-word.", low=1)
    cell: Literal["gru", "lstm", "rnn"] = option("gru", "Recurrent cell: GRU, LSTM or simple recurrent network.")
    units: int = option(256, "Width of the state of each recurrent layer and direction.", low=1)
    depth: int = option(1, "Recurrent layers of the encoder on top of each other.", low=1, high=8)
    attention: Literal["multiplicative", "additive"] = option(
        "multiplicative", "How the decoder compares its state with what was read."
    )
    heads: int = option(1, "Looks of the attention side by side.", low=1)
    token_dropout: float = option(0.1, "Share of sub-words read as unknown in training.", low=0.0, high=0.95)
    embedding_dropout: float = option(
        0.2, "Share of embedding features dropped in training, the same at every step.", low=0.0, high=0.95
    )
    decoder_dropout: float = option(
        0.2, "Share of states and contexts dropped in training, the same at every step.", low=0.0, high=0.95
    )
    dropout: float = option(0.3, "Share of values dropped before the softmax.", low=0.0, high=0.95)

    beam: int = option(5, "Translations kept in the search; 1 is greedy.", low=1, runtime=True)
    alpha: float = option(
        1.6, "How much longer translations are favoured; 0 is not at all.", low=0.0, high=5.0, runtime=True
    )
    repeats: int = option(
        4, "No run of this many sub-words is written twice in a sentence; 0 allows it.", low=0, runtime=True
    )
    minimum: int = option(1, "Fewest sub-words of a translated sentence.", low=0, runtime=True)
    n_best: int = option(1, "Translations to give for each sentence, best first.", low=1, runtime=True)
    align: Path | None = option(
        None, "New PNG file for a picture of what each word looked at; the answer gets the numbers.", runtime=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_best > self.beam:
            raise SettingError(f"`n_best` is {self.n_best}, and the search keeps {self.beam}; give a larger `beam`.")
        if self.units % self.heads:
            raise SettingError(f"`heads` must divide `units`; received {self.heads} and {self.units}.")
        if self.minimum >= self.length:
            raise SettingError(f"`minimum` must be below `length`; received {self.minimum} and {self.length}.")


PRESETS: dict[str, dict[str, Any]] = {
    "small": {},
    "tiny": {"vocabulary": 3000, "embedding": 96, "units": 128, "epochs": 20},
}

BUILTIN: dict[str, Any] = {"vocabulary": 900, "epochs": 24, "widths": 2, "length": 40}

SOURCES = {
    "builtin": "Everyday sentences in English and German, in part composed by a small grammar, written for this "
    "project (Apache-2.0).",
    "ted_hrlr_translate/pt_to_en": "Talks translated from Portuguese (Qi et al., 2018, https://arxiv.org/abs/"
    "1804.06323; CC BY-NC-ND 4.0).",
    "multi30k": "Multi30k, descriptions of pictures (Elliott et al., 2016, https://arxiv.org/abs/1605.00459; for "
    "research).",
}

LIMITS = (
    "Sentences like those of its training data; on others it invents, and fluent words are no sign that they are true. "
    "Numbers, names and negations need a reader's check."
)

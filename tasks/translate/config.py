"""Settings of the translator."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tasks.engine.config import SettingError, option
from tasks.toolbox.settings import SearchConfig


@dataclass(frozen=True, kw_only=True)
class Config(SearchConfig):
    """Settings of the translator.

    Sentences are cut into sub-words that both languages share. Recurrent layers read them in both directions. A
    recurrent decoder with attention writes the translation, and a beam search chooses among its hypotheses.
    """

    data: str = option(
        "ted_hrlr_translate/pt_to_en",
        "Data: a TensorFlow Datasets name, a folder with a file for each part and language, a TSV or JSONL file, "
        "or builtin.",
        when="evaluate",
    )
    source: str | None = option(
        None, "Language to translate from: the ending of its files, or the name of its column.", when="predict"
    )
    target: str | None = option(
        None, "Language to translate to: the ending of its files, or the name of its column.", when="predict"
    )
    text_column: str = option("text", "Column of a table whose texts `predict --file` translates.", when="answer")
    epochs: int = 32
    batch_size: int = 128
    learning_rate: float = 2e-3
    warmup: float = 0.05
    average: int = 5
    clip: float = option(1.0, "Largest norm of the gradient of each weight; 0 does not limit it.", low=0.0)
    label_smoothing: float = option(
        0.1, "Share of the probability that the loss wants spread over all sub-words.", low=0.0, high=0.9
    )

    pieces: Literal["bpe", "unigram"] = option("bpe", "How sub-words are learnt: byte-pair encoding or unigram model.")
    vocabulary: int = option(4000, "Most sub-words of both languages together, 256 bytes among them.", low=512)
    sampling: float = option(
        0.1, "How often training spells a source word in another way: the share of merges left out.", low=0.0, high=0.95
    )
    widths: int = option(6, "Fixed widths that sentences are padded to, besides the longest.", low=1, high=64)

    embedding: int = option(192, "Width of the vector of each sub-word.", low=1)
    cell: Literal["gru", "lstm", "rnn"] = option("gru", "Recurrent cell: GRU, LSTM or simple recurrent network.")
    units: int = option(256, "Width of the state of each recurrent layer and direction.", low=1)
    depth: int = option(1, "Recurrent layers of the encoder on top of each other.", low=1, high=8)
    attention: Literal["multiplicative", "additive"] = option(
        "multiplicative", "How the decoder compares its state with what was read."
    )
    heads: int = option(1, "Attention heads.", low=1)
    token_dropout: float = option(0.1, "Share of sub-words read as unknown in training.", low=0.0, high=0.95)
    embedding_dropout: float = option(
        0.2, "Share of embedding features dropped in training, the same at every step.", low=0.0, high=0.95
    )
    decoder_dropout: float = option(
        0.2, "Share of states and contexts dropped in training, the same at every step.", low=0.0, high=0.95
    )
    dropout: float = option(0.3, "Share of values dropped before the softmax.", low=0.0, high=0.95)

    length_penalty: float = 1.6
    no_repeat_ngram: int = 4
    alignment_file: Path | None = option(
        None, "New PNG file for a picture of the attention of each word; the answer gets the numbers.", when="answer"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.units % self.heads:
            raise SettingError(f"`heads` must divide `units`; received {self.heads} and {self.units}.")


PRESETS: dict[str, dict[str, Any]] = {
    "small": {},
    "tiny": {"vocabulary": 3000, "embedding": 96, "units": 128, "epochs": 20},
}

BUILTIN: dict[str, Any] = {"vocabulary": 900, "epochs": 24, "widths": 2, "max_length": 40}

SOURCES = {
    "builtin": "Everyday sentences in English and German, in part composed by a small grammar, written for this "
    "project (Apache-2.0).",
    "ted_hrlr_translate/pt_to_en": "Talks translated from Portuguese (Qi et al., 2018, https://arxiv.org/abs/"
    "1804.06323; CC BY-NC-ND 4.0).",
    "multi30k/": "Multi30k, descriptions of pictures (Elliott et al., 2016, https://arxiv.org/abs/1605.00459; for "
    "research).",
}

LIMITS = (
    "Sentences like those of its training data; on others it invents, and fluent words do not mean that they are true. "
    "Numbers, names and negations need a reader's check."
)

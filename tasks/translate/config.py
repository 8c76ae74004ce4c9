"""Settings of the translator."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tasks.engine.config import JsonObject, SettingError, option
from tasks.toolbox.settings import SearchConfig


@dataclass(frozen=True, kw_only=True)
class Config(SearchConfig):
    """Settings of the translator.

    * Sentences are cut into sub-words, with one vocabulary for both languages.
    * A bidirectional recurrent encoder reads the source.
    * A recurrent decoder with attention to the source writes the target.
    * A beam search chooses the translation.
    """

    data: str = option(
        "ted_hrlr_translate/pt_to_en",
        "Data: a TensorFlow Datasets name, a folder (a file per split and language), a TSV or JSONL file, or builtin; "
        "several are joined with commas, and one named twice is shown twice.",
        when="evaluate",
    )
    source: str | None = option(
        None, "Language to translate from: the suffix of its files, or the name of its column.", when="predict"
    )
    target: str | None = option(
        None, "Language to translate to: the suffix of its files, or the name of its column.", when="predict"
    )
    epochs: int = 32
    batch_size: int = 128
    learning_rate: float = 2e-3
    warmup: float = 0.05
    average: int = 5
    storage_loss: float = 0.2
    clip: float = option(1.0, "Largest norm of the gradient of each weight; 0 does not limit it.", low=0.0)
    label_smoothing: float = option(
        0.1, "Label smoothing: share of the target probability spread over all sub-words.", low=0.0, high=0.9
    )

    pieces: Literal["bpe", "unigram"] = option("bpe", "Sub-word model: byte-pair encoding or unigram model.")
    vocabulary: int = option(
        4000, "Most sub-words of both languages together, including 256 bytes.", low=512, high=500_000
    )
    sampling: float = option(
        0.1, "Sub-word regularization of source words: share of merges left out in training.", low=0.0, high=0.95
    )
    exchange: float = option(
        0.0, "Share of training pairs in which names and numbers of both sides are exchanged for others.",
        low=0.0, high=0.95,
    )  # fmt: skip
    hasty: float = option(
        0.0,
        "Share of training pairs made as people type in haste: the source in small letters, no mark at the end, or "
        "typographic apostrophes.",
        low=0.0,
        high=0.95,
    )
    widths: int = option(6, "Fixed widths that sentences are padded to, besides the longest.", low=1, high=64)

    embedding: int = option(192, "Width of the vector of each sub-word.", low=1, high=16_384, search="size")
    cell: Literal["gru", "lstm", "rnn"] = option("gru", "Recurrent cell: GRU, LSTM or simple recurrent network.")
    units: int = option(
        256, "Width of the state of each recurrent layer and direction.", low=1, high=16_384, search="size"
    )
    depth: int = option(1, "Stacked recurrent layers of the encoder.", low=1, high=8)
    attention: Literal["multiplicative", "additive"] = option(
        "multiplicative", "Score of the attention: dot product (multiplicative) or a layer (additive)."
    )
    heads: int = option(1, "Attention heads.", low=1, high=1024)
    token_dropout: float = option(
        0.1, "Share of sub-words read as unknown in training.", low=0.0, high=0.95, search=(0.0, 0.4, "linear")
    )
    embedding_dropout: float = option(
        0.2,
        "Share of embedding features dropped in training, the same at every step.",
        low=0.0,
        high=0.95,
        search=(0.0, 0.6, "linear"),
    )
    decoder_dropout: float = option(
        0.2,
        "Share of states and contexts dropped in training, the same at every step.",
        low=0.0,
        high=0.95,
        search=(0.0, 0.6, "linear"),
    )
    dropout: float = option(
        0.3, "Share of values dropped before the softmax.", low=0.0, high=0.95, search=(0.0, 0.6, "linear")
    )

    length_penalty: float = 1.6
    no_repeat_ngram: int = 4
    rerank: Path | None = option(
        None,
        "Run that translates the other way: of the hypotheses, those come first from which it finds the source again.",
        when="predict",
        inherited=False,
    )
    rerank_weight: float = option(
        0.5, "How much the run of --rerank counts beside this one.", low=0.0, high=100.0, when="predict"
    )
    alignment_file: Path | None = option(
        None, "New PNG file for the attention of each sub-word; the answer gets the numbers.", when="answer"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.units % self.heads:
            raise SettingError(f"`heads` must divide `units`; received {self.heads} and {self.units}.")


PRESETS: dict[str, JsonObject] = {
    "small": {},
    "tiny": {"vocabulary": 3000, "embedding": 96, "units": 128, "epochs": 20},
}

BUILTIN: JsonObject = {"vocabulary": 900, "epochs": 24, "widths": 2, "max_length": 40}

FINE_TUNING: JsonObject = {"epochs": 6, "learning_rate": 5e-4, "warmup": 0.1, "average": 2}

SOURCES = {
    "builtin": "Everyday sentences in English and German, in part composed by a small grammar, written for this "
    "project (Apache-2.0).",
    "ted_hrlr_translate/pt_to_en": "Talks translated from Portuguese (Qi et al., 2018, https://arxiv.org/abs/"
    "1804.06323; CC BY-NC-ND 4.0).",
    "multi30k/": "Multi30k, descriptions of pictures (Elliott et al., 2016, https://arxiv.org/abs/1605.00459; for "
    "research).",
    "tatoeba/": "Everyday sentences of tatoeba.org as paired by manythings.org/anki (CC BY 2.0; attribution: "
    "www.manythings.org/anki and tatoeba.org).",
}

LIMITS = (
    "Sentences like those of its training data. On others it may invent, and a fluent translation may be wrong. "
    "Check numbers, names and negations."
)

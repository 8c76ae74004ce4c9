"""Settings of the text classifier."""

from dataclasses import dataclass
from typing import Literal

from tasks.engine.config import JsonObject, SettingError, option
from tasks.toolbox.settings import ClassConfig


@dataclass(frozen=True, kw_only=True)
class Config(ClassConfig):
    """Settings of the text classifier.

    Words or sub-words are embedded, read by recurrent layers, and pooled over time into one vector for a softmax.
    With `ngrams`, a second branch adds up a score for each word and each pair of neighbours.
    """

    data: str = option(
        "imdb_reviews",
        "Data: a TensorFlow Datasets name, a table (CSV, TSV or JSONL), a folder (two tables, or classes), builtin or "
        "opinions; several are joined with commas, and one named twice is shown twice.",
        when="evaluate",
    )
    epochs: int = 7
    learning_rate: float = 2.5e-3
    warmup: float = 0.05
    average: int = 3
    weight_decay: float = option(1e-2, "Weight decay of AdamW.", low=0.0, search="log")
    clip: float = option(1.0, "Largest norm of the gradient of each weight.", low=0.0)

    tokens: Literal["words", "pieces"] = option(
        "words", "Tokens of a text: words, or sub-words, which spell unknown words in parts."
    )
    vocabulary: int = option(20_000, "Size of the vocabulary: most words or sub-words.", low=3, high=500_000)
    max_length: int = option(800, "Most tokens of a text that are read.", low=1, high=100_000)
    truncate: Literal["start", "end", "both"] = option("end", "Part of a longer text that is kept.")
    widths: int = option(8, "Fixed widths that texts are padded to, besides the longest.", low=1, high=64)

    embedding: int = option(64, "Width of the vector of each token.", low=1, high=16_384, search="size")
    cell: Literal["gru", "lstm", "rnn"] = option("gru", "Recurrent cell: GRU, LSTM or simple recurrent network.")
    units: int = option(128, "Width of the state of each direction.", low=1, high=16_384, search="size")
    depth: int = option(1, "Number of stacked recurrent layers.", low=1, high=8)
    bidirectional: bool = option(True, "Read the text from its end as well.")
    segment: int = option(
        50, "Tokens after which the recurrent state is reset; 0 never resets it.", low=0, high=100_000
    )
    pooling: Literal["last", "max", "mean", "attention", "max+mean"] = option(
        "max+mean", "Pooling of the states of all steps into one vector; last needs --segment 0."
    )
    excerpts: float = option(
        0.0, "Share of training texts of which one to three sentences in a row are read.", low=0.0, high=1.0
    )
    token_dropout: float = option(
        0.1, "Share of tokens read as unknown in training.", low=0.0, high=0.95, search=(0.0, 0.4, "linear")
    )
    span_dropout: float = option(0.5, "Share of spans of 25 tokens left out in training.", low=0.0, high=0.95)
    embedding_dropout: float = option(
        0.5,
        "Share of embedding features dropped in training, the same at every step.",
        low=0.0,
        high=0.95,
        search=(0.0, 0.7, "linear"),
    )
    layer_dropout: float = option(
        0.0, "Share of the inputs of each recurrent layer dropped, the same at every step.", low=0.0, high=0.95
    )
    recurrent_dropout: float = option(
        0.0, "Share of the recurrent state dropped, the same at every step.", low=0.0, high=0.95
    )
    dropout: float = option(
        0.5, "Share of values dropped before the softmax.", low=0.0, high=0.95, search=(0.0, 0.7, "linear")
    )

    ngrams: int = option(
        0, "Most words and pairs in the table of the n-gram branch; 0 leaves it out.", low=0, high=2**24
    )
    ngram_count: int = option(3, "Least number of training texts that have each of them.", low=1)
    ngram_smoothing: float = option(
        1.0, "Count added to each class in the log-count ratios of words and pairs.", low=0.01
    )
    ngram_penalty: float = option(1.25e-5, "L2 penalty on the weights of words and pairs.", low=0.0)
    ngram_dropout: float = option(0.0, "Share of words and pairs dropped in training.", low=0.0, high=0.95)

    class_weights: Literal["none", "balanced"] = option(
        "none", "Weights of the classes in training: none, or balanced, which gives rare classes as much weight."
    )
    explain: bool = option(False, "Add the weight of each word to the answer.", when="answer")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pooling == "last" and self.segment:
            raise SettingError("`pooling` last reads the final state of the whole text; add --segment 0.")


PRESETS: dict[str, JsonObject] = {
    "gru": {},
    "lstm": {"cell": "lstm"},
    "rnn": {"cell": "rnn"},
    "hybrid": {"ngrams": 2**19, "valid": 0.05},
}

BUILTIN: JsonObject = {"epochs": 20, "vocabulary": 1200, "max_length": 100, "segment": 0, "span_dropout": 0.0}

FINE_TUNING: JsonObject = {"epochs": 4, "learning_rate": 1e-3, "warmup": 0.1, "average": 2}

SOURCES = {
    "imdb_reviews": "IMDB large movie reviews (Maas et al., 2011, https://ai.stanford.edu/~amaas/data/sentiment; "
    "the texts belong to their authors, use is for research).",
    "opinions": "Short opinions of things, food, service, travel and works, written for this project (Apache-2.0).",
    "builtin": "Short reviews of films, books, food, gadgets and travel, written for this project (Apache-2.0).",
}

LIMITS = (
    "Reviews in the language of its training data, with one opinion per text. A text that is not a review still gets "
    "a class. The probabilities are calibrated on reviews like the training data; on others they may be too sure."
)

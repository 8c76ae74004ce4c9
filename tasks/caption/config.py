"""Settings of the captioner."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from tasks.engine.config import JsonObject, SettingError, Settings, option
from tasks.toolbox.settings import PictureConfig, SearchConfig

PHOTOGRAPHS = "photographs"  # a test part of the embedded data, beside its scenes


@dataclass(frozen=True, kw_only=True)
class Config(SearchConfig, PictureConfig):
    """Settings of the captioner.

    * A convolutional encoder turns a picture into a grid of features.
    * A recurrent decoder with attention to the cells of the grid writes the caption.
    * A beam search chooses the caption.
    """

    data: str = option(
        "coco_captions",
        "Data: a TensorFlow Datasets name, a folder or zip of pictures and captions, a file of captions, or builtin.",
        when="evaluate",
    )
    epochs: int = 24
    batch_size: int = 16
    learning_rate: float = 1.5e-3
    warmup: float = 0.03
    average: int = 4
    storage_loss: float = 0.3
    weight_decay: float = option(0.01, "Weight decay of AdamW.", low=0.0, search="log")
    clip: float = option(1.0, "Largest norm of the gradient of each weight; 0 does not limit it.", low=0.0)
    label_smoothing: float = option(
        0.1, "Label smoothing: share of the target probability spread over all words.", low=0.0, high=0.9
    )

    objective: Literal["likelihood", "cider"] = option(
        "likelihood",
        "What the training makes large: the likelihood of the training captions, or the CIDEr-D of captions that the "
        "network draws (self-critical training), to go on from a run by likelihood (--init-from).",
        inherited=False,
    )

    encoder: Literal["mobilenet", "mobilenetv2", "efficientnetlite0", "efficientnetb0", "resnet50", "scratch"] = option(
        "mobilenet",
        "Encoder of the picture: a network of keras.applications (MobileNet with width 0.75), EfficientNet-Lite0, or a "
        "small new one.",
    )
    encoder_weights: str = option(
        "imagenet",
        "Weights of the encoder, which are then frozen: imagenet (downloaded by Keras, not for efficientnetlite0), or "
        "a file without the classifier: H5, or NPZ for efficientnetlite0. With none, the encoder is trained.",
    )
    size: int = option(192, "Side of the square that pictures are resized to, in pixels.", low=32, high=1024)
    filters: tuple[int, ...] = option(
        (32, 64, 96, 128),
        "Feature maps of each layer of the encoder `scratch`; all but the last halve the sides.",
        low=1,
        high=16_384,
    )
    mirror: bool = option(
        True, "Augmentation: mirror half of the pictures, except those whose captions tell left from right."
    )
    cache: Path | None = option(
        None, "Folder for cached features of a frozen encoder; default ~/.cache/fourlayers.", inherited=False
    )

    tokens: Literal["words", "pieces"] = option("words", "Tokens of captions: words, or sub-words.")
    vocabulary: int = option(
        2500, "Size of the vocabulary: most words, or sub-words including 256 bytes.", low=16, high=500_000
    )
    max_length: int = 24
    captions: int = option(5, "Captions of a picture in one epoch, chosen at random from more.", low=1, high=1000)
    widths: int = option(5, "Fixed widths that captions are padded to, besides the longest.", low=1, high=64)

    embedding: int = option(192, "Width of the vector of each word.", low=1, high=16_384, search="size")
    cell: Literal["lstm", "gru", "rnn"] = option("lstm", "Recurrent cell: LSTM, GRU or simple recurrent network.")
    units: int = option(
        256, "Width of the state of each of the two recurrent layers.", low=1, high=16_384, search="size"
    )
    heads: int = option(4, "Attention heads.", low=1, high=1024)
    encoder_dropout: float = option(
        0.1, "Share of the encoder's features dropped in training.", low=0.0, high=0.95, search=(0.0, 0.6, "linear")
    )
    embedding_dropout: float = option(
        0.25,
        "Share of embedding features dropped in training, the same at every step.",
        low=0.0,
        high=0.95,
        search=(0.0, 0.6, "linear"),
    )
    decoder_dropout: float = option(
        0.25,
        "Share of states and contexts dropped in training, the same at every step.",
        low=0.0,
        high=0.95,
        search=(0.0, 0.6, "linear"),
    )
    dropout: float = option(
        0.35, "Share of values dropped before the softmax.", low=0.0, high=0.95, search=(0.0, 0.6, "linear")
    )

    beam: int = 3
    length_penalty: float = 0.7
    consensus: bool = option(
        True,
        "Of the captions found, choose the one that agrees most with those of look-alikes, if the run keeps some.",
        when="predict",
    )
    look_alikes: int = option(
        0, "Training pictures that look most alike, whose captions an answer shows.", low=0, high=1000, when="answer"
    )
    neighbours: int = option(
        6000,
        "Most training pictures kept in the run, for look-alikes, at least 500; 0 keeps none.",
        low=0,
        high=100_000,
    )
    ensemble: bool = option(
        False,
        "Average the probabilities for a picture and its mirror image; takes twice as long.",
        when="predict",
    )
    attention_file: Path | None = option(
        None, "New PNG file for the attention of each word; the answer gets the numbers.", when="answer"
    )
    meteor: bool = option(False, "Also score METEOR, which needs Java and takes minutes.", when="evaluate")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.units % self.heads:
            raise SettingError(f"`heads` must divide `units`; received {self.heads} and {self.units}.")
        if self.encoder == "scratch" and self.encoder_weights not in ("imagenet", "none"):
            raise SettingError("The encoder 'scratch' has no weights to load; leave `encoder_weights` out.")

    def with_settings(self, settings: Settings) -> Self:
        """Return a config with other values; for a run of other data, builtin means the embedded photographs."""
        if settings.get("data") == "builtin" != self.data and settings.get("test") is None:
            settings = {**settings, "test": PHOTOGRAPHS}
        return super().with_settings(settings)

    @property
    def is_frozen(self) -> bool:
        """Whether the encoder is frozen, so that its features can be cached."""
        return self.encoder != "scratch" and self.encoder_weights != "none"


PRESETS: dict[str, JsonObject] = {
    "lstm": {"cell": "lstm"},
    "gru": {"cell": "gru"},
}

BUILTIN: JsonObject = {
    "encoder": "scratch",
    "size": 64,
    "filters": (16, 32, 64, 128),
    "mirror": False,
    "batch_size": 32,
    "learning_rate": 3e-3,
    "epochs": 16,
    "vocabulary": 64,
    "embedding": 64,
    "cell": "gru",
    "units": 96,
    "widths": 1,
    "max_length": 16,
    "label_smoothing": 0.0,
    "dropout": 0.1,
    "encoder_dropout": 0.1,
    "embedding_dropout": 0.4,
    "decoder_dropout": 0.1,
    "neighbours": 0,
}

FINE_TUNING: JsonObject = {
    "neighbours": 0,
    "epochs": 30,
    "batch_size": 8,
    "learning_rate": 1e-3,
    "warmup": 0.1,
    "average": 5,
}

SOURCES = {
    "builtin": "Scenes of coloured shapes and digits, drawn and described by this project (Apache-2.0).",
    "coco_captions": "COCO captions (Chen et al., 2015, https://arxiv.org/abs/1504.00325; CC BY 4.0, pictures under "
    "the licences of their owners).",
    "flickr8k/": "Flickr8k (Hodosh, Young and Hockenmaier, 2013, https://doi.org/10.1613/jair.3994; for "
    "non-commercial research and education).",
}

LIMITS = (
    "Captions like those of its training data. It prefers common objects, and often names objects that the picture "
    "does not show. Check a caption before anything depends on it."
)

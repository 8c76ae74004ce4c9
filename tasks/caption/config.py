"""Settings of the captioner."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from tasks.engine.config import SettingError, Settings, option
from tasks.toolbox.settings import SearchConfig

PHOTOGRAPHS = "photographs"  # a test part of the embedded data, beside its scenes


@dataclass(frozen=True, kw_only=True)
class Config(SearchConfig):
    """Settings of the captioner.

    A convolutional encoder sees a picture as a grid of features; a recurrent decoder writes a caption, and before each
    word looks at the cells of the grid; a beam search chooses among what it might write.
    """

    data: str = option(
        "coco_captions",
        "Data: a TensorFlow Datasets name, a folder of captions and pictures, a captions file in one, or builtin.",
        when="evaluate",
    )
    image_column: str = option("image", "Column of a table that names the picture.", when="predict")
    caption_column: str = option("caption", "Column of a table that holds the caption.", when="evaluate")
    epochs: int = 24
    batch_size: int = 16
    learning_rate: float = 1.5e-3
    warmup: float = 0.03
    average: int = 4
    weight_decay: float = option(0.01, "How fast weights shrink, for a step size of 1 (AdamW).", low=0.0)
    clip: float = option(1.0, "Largest norm of the gradient of each weight; 0 does not limit it.", low=0.0)
    label_smoothing: float = option(
        0.1, "Share of the probability that the loss wants spread over all words.", low=0.0, high=0.9
    )

    encoder: Literal["mobilenet", "mobilenetv2", "efficientnetb0", "resnet50", "scratch"] = option(
        "mobilenet",
        "Network that sees the picture: one of keras.applications (MobileNet is 0.75 wide), or a small one of our own.",
    )
    encoder_weights: str = option(
        "imagenet",
        "Its weights, which then stay as they are: imagenet (downloaded by Keras), or a file of weights without the "
        "classifier; none trains it with the rest.",
    )
    size: int = option(192, "Side that pictures are pressed to, in pixels.", low=32, high=1024)
    filters: tuple[int, ...] = option(
        (32, 64, 96, 128),
        "Feature maps of each layer of the encoder `scratch`; all but the last halve the sides.",
        low=1,
    )
    mirror: bool = option(True, "Augmentation: half of the pictures are mirrored, unless a caption says left or right.")
    cache: Path | None = option(
        None, "Folder that keeps the features of a frozen encoder; ~/.cache/fourlayers if not given."
    )

    tokens: Literal["words", "pieces"] = option("words", "What captions are written in: words, or sub-words.")
    vocabulary: int = option(2500, "Most words, or sub-words with 256 bytes among them.", low=16)
    max_length: int = 24
    captions: int = option(5, "Captions of a picture in one epoch; of more than these, each time others.", low=1)
    widths: int = option(5, "Fixed widths that captions are padded to, besides the longest.", low=1, high=64)

    embedding: int = option(192, "Width of the vector of each word.", low=1)
    cell: Literal["lstm", "gru", "rnn"] = option("lstm", "Recurrent cell: LSTM, GRU or simple recurrent network.")
    units: int = option(256, "Width of the state of each of the two recurrent layers.", low=1)
    heads: int = option(4, "Attention heads.", low=1)
    encoder_dropout: float = option(0.1, "Share of the encoder's features dropped in training.", low=0.0, high=0.95)
    embedding_dropout: float = option(
        0.25, "Share of embedding features dropped in training, the same at every step.", low=0.0, high=0.95
    )
    decoder_dropout: float = option(
        0.25, "Share of states and contexts dropped in training, the same at every step.", low=0.0, high=0.95
    )
    dropout: float = option(0.35, "Share of values dropped before the softmax.", low=0.0, high=0.95)

    beam: int = 3
    length_penalty: float = 0.7
    ensemble: bool = option(
        False,
        "Write what is likely for a picture and its mirror image together; it takes twice as long.",
        when="predict",
    )
    attention_file: Path | None = option(
        None, "New PNG file for a picture of the attention of each word; the answer gets the numbers.", when="answer"
    )
    meteor: bool = option(False, "Score METEOR as well, which takes Java and a while.", when="evaluate")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.units % self.heads:
            raise SettingError(f"`heads` must divide `units`; received {self.heads} and {self.units}.")
        if self.encoder == "scratch" and self.encoder_weights not in ("imagenet", "none"):
            raise SettingError("The encoder 'scratch' has no weights to load; leave `encoder_weights` out.")

    def with_settings(self, settings: Settings) -> Self:
        """Return a config with other values; a run of other data is tested on photographs of the embedded data."""
        if settings.get("data") == "builtin" != self.data and "test" not in settings:
            settings = {**settings, "test": PHOTOGRAPHS}
        return super().with_settings(settings)

    @property
    def is_frozen(self) -> bool:
        """Whether the encoder stays as it is, so that it need see each picture once only."""
        return self.encoder != "scratch" and self.encoder_weights != "none"


PRESETS: dict[str, dict[str, Any]] = {
    "lstm": {"cell": "lstm"},
    "gru": {"cell": "gru"},
}

BUILTIN: dict[str, Any] = {
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
}

SOURCES = {
    "builtin": "Scenes of coloured shapes and digits, drawn and described by this project (Apache-2.0).",
    "coco_captions": "COCO captions (Chen et al., 2015, https://arxiv.org/abs/1504.00325; CC BY 4.0, pictures under "
    "the licences of their owners).",
    "flickr8k/": "Flickr8k (Hodosh, Young and Hockenmaier, 2013, https://doi.org/10.1613/jair.3994; for "
    "non-commercial research and education).",
}

LIMITS = (
    "Captions like those of its training data, of what its encoder knows; it names what is usual, and often sees what "
    "is not there. Nothing that matters should rest on a caption that nobody has checked."
)

"""Settings of the digit classifier."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tasks.engine.config import JsonObject, option
from tasks.toolbox.settings import ClassConfig, PictureConfig


@dataclass(frozen=True, kw_only=True)
class Config(ClassConfig, PictureConfig):
    """Settings of the digit classifier.

    The network is a stack of convolution stages, then fully connected layers, then a softmax. Each stage ends with a
    pooling. Without stages the network is fully connected.
    """

    data: str = option(
        "mnist",
        "Data: mnist, fashion_mnist, kmnist, emnist/digits, builtin, or your own: a folder or zip of classes, IDX, "
        ".npz, or a table of pixels or of names.",
        when="evaluate",
    )
    valid: float = 0.05
    epochs: int = 30
    batch_size: int = 128
    learning_rate: float = 3e-3
    warmup: float = 0.05
    average: int = 5
    frame: bool = option(True, "Crop and centre the pictures of a folder as in MNIST; if off, only resize them.")
    weight_decay: float = option(1e-2, "Weight decay of AdamW.", low=0.0, search="log")

    filters: tuple[int, ...] = option(
        (20, 40, 72), "Feature maps of each convolution stage, such as 20,40,72.", low=1, high=16_384
    )
    convolutions: int = option(2, "Convolutions in each stage after the first, which has one.", low=1, high=100)
    first_kernel_size: int = option(5, "Kernel size of the first convolution, in pixels.", low=1, high=28)
    kernel_size: int = option(3, "Kernel size of the other convolutions, in pixels.", low=1, high=28)
    padding: Literal["same", "valid"] = option("same", "Padding of all convolutions but the first, which has none.")
    dilation: int = option(1, "Dilation of all convolutions but the first.", low=1, high=4)
    normalization: Literal["none", "batch", "layer"] = option("batch", "Normalization after each layer.")
    activation: Literal["relu", "gelu", "silu", "elu", "tanh", "sigmoid"] = option("relu", "Activation of each layer.")
    pooling: Literal["none", "max", "average"] = option("max", "Pooling at the end of each stage but the last.")
    pooling_size: int = option(2, "Side of the pooling window, in pixels.", low=1, high=14)
    features: Literal["average", "flat"] = option(
        "average", "Output of the last stage: averaged over the picture, or flattened."
    )
    convolution_dropout: float = option(
        0.0, "Share of feature maps dropped after each convolution.", low=0.0, high=0.95, search=(0.0, 0.3, "linear")
    )
    units: tuple[int, ...] = option((), "Widths of the fully connected layers, such as 256,128.", low=1, high=16_384)
    dropout: float = option(
        0.2,
        "Share of values dropped before the softmax and after each fully connected layer.",
        low=0.0,
        high=0.95,
        search=(0.0, 0.6, "linear"),
    )

    shift: float = option(1.5, "Augmentation: largest shift, in pixels.", low=0.0, high=14.0)
    rotate: float = option(8.0, "Augmentation: largest rotation, in degrees.", low=0.0, high=180.0, search="linear")
    augment_scale: float = option(
        0.1, "Augmentation: largest change of each side, as a share of it.", low=0.0, high=0.9
    )
    shear: float = option(
        0.1, "Augmentation: largest shear, in pixels of width per pixel of height.", low=0.0, high=1.0
    )
    elastic: float = option(
        0.7,
        "Augmentation: size of smooth random (elastic) displacements, in pixels.",
        low=0.0,
        high=5.0,
        search="linear",
    )

    layers_file: Path | None = option(
        None, "New PNG file for what each layer makes of the digit; the answer gets the numbers.", when="answer"
    )

    def augmentation(self) -> dict[str, float]:
        """Return the settings of the random distortion, by argument of `distorted_images`."""
        return {
            "shift": self.shift,
            "rotate": self.rotate,
            "scale": self.augment_scale,
            "shear": self.shear,
            "elastic": self.elastic,
        }


PRESETS: dict[str, JsonObject] = {
    "small": {},
    "tiny": {"epochs": 40, "filters": [8, 14, 20], "dropout": 0.0, "learning_rate": 6e-3},
    "dense": {"epochs": 40, "filters": [], "units": [1024, 512], "learning_rate": 2e-3, "dropout": 0.1},
}

BUILTIN: JsonObject = {}

FINE_TUNING: JsonObject = {"epochs": 10, "learning_rate": 1e-3, "warmup": 0.1, "average": 3}

SOURCES = {
    "mnist": "MNIST (LeCun, Cortes and Burges, from NIST special databases 1 and 3; commonly given as CC BY-SA 3.0).",
    "fashion_mnist": "Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017; MIT licence).",
    "kmnist": "Kuzushiji-MNIST (Clanuwat et al., 2018; CC BY-SA 4.0).",
    "emnist/digits": "EMNIST digits (Cohen et al., 2017; derived from NIST special database 19).",
    "builtin": "The 8x8 handwritten digits that ship with scikit-learn (Alpaydin and Kaynak, 1998; CC BY 4.0).",
}

LIMITS = (
    "One character per picture, on a plain background. A picture of anything else still gets one of the classes. "
    "The probabilities are not calibrated."
)

"""Settings of super-resolution, and the network that they describe."""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

from tasks.engine.config import JsonObject, SettingError, Settings, option
from tasks.toolbox.settings import PictureConfig


class Stage(NamedTuple):
    """One layer of the network."""

    kind: Literal["convolution", "residual", "deconvolution"]
    filters: int
    kernel_size: int
    strides: int = 1
    convolutions: int = 1  # of a residual block


@dataclass(frozen=True, kw_only=True)
class Config(PictureConfig):
    """Settings of super-resolution.

    The network reads the luma of a small picture, and predicts the residual of its bicubic interpolation. All
    convolutions work on the small picture; deconvolutions enlarge at the end.
    """

    data: str = option(
        "div2k",
        "Data: div2k, folders or zips of pictures or of HR/LR pairs joined with commas, or builtin.",
        when="evaluate",
    )
    valid: float = option(
        0.05,
        "Share of the training pictures kept for validation, all of them from the last folder.",
        low=0.001,
        high=0.9,
    )
    scale: int = option(2, "Factor by which both sides grow.", low=2, high=4, when="select")
    source: Literal["lossless", "jpeg"] = option(
        "lossless",
        "Where the small pictures come from: exact reduction, or JPEG files, whose artefacts are learnt too.",
        when="select",
    )
    quality: tuple[int, ...] = option(
        (),
        "JPEG qualities: small test pictures are compressed at each, those for training at random ones in between "
        "(for --source jpeg: 95,85,75,50,30).",
        low=1,
        high=100,
        when="evaluate",
    )
    epochs: int = 18
    batch_size: int = option(16, "Patches per gradient step.", low=1, high=65_536, search="size")
    learning_rate: float = 3e-3
    warmup: float = 0.01
    average: int = 4
    storage_loss: float = 0.02
    squared: float = option(
        0.3,
        "Last share of the training, which minimizes the squared error instead of the absolute error.",
        low=0.0,
        high=1.0,
        search="linear",
    )
    xla: bool = option(True, "Compile the gradient step with XLA, which is faster on TensorFlow.")

    patch: int = option(32, "Side of the training patches, in pixels of the small picture.", low=8, high=512)
    margin: int = option(
        0, "Border of each patch that the loss leaves out, in pixels of the small picture.", low=0, high=512
    )
    shrink: tuple[int, ...] = option(
        (90, 80, 70, 60), "Augmentation: each training picture also at these sizes, in percent.", low=10, high=99
    )

    body: Literal["hourglass", "residual"] = option(
        "hourglass",
        "Layers between the first and the last: narrow convolutions (hourglass), or residual blocks.",
    )
    filters: int = option(
        32, "Feature maps of the first layer and before the deconvolution.", low=1, high=16_384, search="size"
    )
    first_kernel_size: int = option(5, "Kernel size of the first convolution, in pixels.", low=1, high=15)
    squeeze: int = option(
        20, "Feature maps of the narrow convolutions of an hourglass.", low=1, high=16_384, search="size"
    )
    depth: int = option(
        5, "Narrow convolutions of an hourglass, or residual blocks of two.", low=1, high=100, search="size"
    )
    kernel_size: int = option(3, "Kernel size of the other convolutions, in pixels.", low=1, high=9)
    activation: Literal["relu", "leaky_relu", "gelu", "silu"] = option("relu", "Activation of each convolution.")
    reach: int = option(
        3, "Pixels of the small picture, along each side, that each new pixel depends on.", low=1, high=16
    )

    tile: int = option(
        256,
        "Side of the tiles that a picture is enlarged in, in pixels of the small picture.",
        low=16,
        high=4096,
        when="predict",
    )
    ensemble: bool = option(False, "Average the answers for the eight orientations of a picture.", when="predict")
    skip_existing: bool = option(
        False, "Leave out pictures whose answer exists, to take an interrupted batch up again.", when="answer"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if 2 * self.margin >= self.patch:
            raise SettingError(f"`margin` is {self.margin} and leaves nothing of a `patch` of {self.patch} pixels.")

    def qualities(self) -> tuple[int, ...]:
        """Return the JPEG qualities of small pictures; none if they are not compressed."""
        return self.quality or (QUALITIES if self.source == "jpeg" else ())

    def with_settings(self, settings: Settings) -> Self:
        """Return a config with other values; all pictures of other data are the test split."""
        data = settings.get("data", self.data)
        if data != self.data and settings.get("test") is None:
            settings = {**settings, "test": None if data.partition("/")[0] in DATA_NAMES else data}
        return super().with_settings(settings)

    def stages(self) -> list[Stage]:
        """Return the layers of the network, first to last."""
        if self.body == "hourglass":
            between = [
                Stage("convolution", self.squeeze, 1),
                *[Stage("convolution", self.squeeze, self.kernel_size)] * self.depth,
                Stage("convolution", self.filters, 1),
            ]
        else:
            between = [Stage("residual", self.filters, self.kernel_size, convolutions=2)] * self.depth
        return [Stage("convolution", self.filters, self.first_kernel_size), *between, *self.deconvolutions()]

    def deconvolutions(self) -> list[Stage]:
        """Return the layers that enlarge: one for an hourglass, and one for each doubling after residual blocks."""
        steps = [2, 2] if self.body == "residual" and self.scale == 4 else [self.scale]
        first = [Stage("deconvolution", self.filters, 2 * step, step) for step in steps[:-1]]
        return [*first, Stage("deconvolution", 1, self.reach * steps[-1], steps[-1])]

    def border(self) -> int:
        """Return the radius of the receptive field, in pixels of the small picture."""
        far, size = 0.0, 1
        for stage in self.stages():
            if stage.kind == "deconvolution":
                far += -(-stage.kernel_size // stage.strides) / size
                size *= stage.strides
            else:
                far += stage.convolutions * (stage.kernel_size // 2) / size
        return math.ceil(far)

    def multiply_adds(self) -> float:
        """Return the multiplications and additions of the network for one pixel of the enlarged picture."""
        total, width, pixels = 0.0, 1, 1  # for one pixel of the small picture
        for stage in self.stages():
            for _ in range(stage.convolutions):
                total += pixels * stage.kernel_size**2 * width * stage.filters
                width = stage.filters
            pixels *= stage.strides**2
        return total / pixels

    def parameters(self) -> int:
        """Return the number of weights of the network."""
        total, width = 0, 1
        for stage in self.stages():
            for _ in range(stage.convolutions):
                total += (stage.kernel_size**2 * width + 1) * stage.filters
                width = stage.filters
        return total


QUALITIES = (95, 85, 75, 50, 30)  # of JPEG files, unless others are given

PRESETS: dict[str, JsonObject] = {
    "small": {},
    "medium": {"body": "residual", "filters": 32, "first_kernel_size": 3, "depth": 8},
}

BUILTIN = {"shrink": [], "epochs": 12, "average": 3}

DATA_NAMES = ("div2k", "builtin")  # data other than folders

FINE_TUNING: JsonObject = {}

SOURCES = {
    "div2k": "DIV2K (Agustsson and Timofte, 2017; for academic research), high-resolution pictures only.",
    "builtin": "Photographs that ship with scikit-image and scikit-learn (their licences are listed there: public "
    "domain, CC0, CC BY).",
    "t91/": "T91 (Yang et al., 2010; common in research, without a stated licence).",
    "general100/": "General-100 (Dong et al., 2016; for academic use).",
}

LIMITS = (
    "Pictures reduced by bicubic interpolation. Noise and blur are enlarged with the rest, and JPEG artefacts too "
    "unless the run was trained with --source jpeg. Detail that is missing in the small picture is not invented."
)

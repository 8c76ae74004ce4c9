"""Weights of the encoder: from ImageNet, or from a file."""

import sys
import warnings
import zipfile
from contextlib import redirect_stdout
from hashlib import sha256
from pathlib import Path

import numpy as np

from data.plain_files import check_plain
from data.splits import DataError, UnavailableError
from layers.efficientnet import set_named_weights
from layers.encoder import NETWORKS, GridEncoder

LARGEST = 64 << 20  # bytes of named arrays; those of EfficientNet-Lite0 take 14 MB


def load_weights(encoder: GridEncoder, weights: str) -> None:
    """Load weights trained on ImageNet, downloaded by Keras, or weights from a file; NPZ for EfficientNet-Lite0.

    Raises:
        UnavailableError: They cannot be downloaded.
        FileNotFoundError, DataError: There is no such file, or it does not hold weights of this network.
    """
    if weights == "imagenet":
        encoder.sight.set_weights(imagenet_weights(encoder))
        return
    check_plain(Path(weights))
    if not Path(weights).is_file():
        raise FileNotFoundError(f"There is no file of weights {weights!r}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Keras only warns of a file that lacks layers
            if encoder.network == "efficientnetlite0":
                set_named_weights(encoder.sight, named_arrays(weights))
            else:
                encoder.sight.load_weights(weights)
    except Exception as error:  # a file of another kind can raise anything
        raise DataError(
            f"{weights!r} does not hold weights of the encoder {encoder.network!r} without its classifier."
        ) from error


def named_arrays(path: str) -> dict[str, np.ndarray]:
    """Return the arrays of an NPZ file, whose sizes are looked at first.

    Raises:
        ValueError: It holds too much, or objects.
    """
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > LARGEST:
            raise ValueError(f"it holds more than {LARGEST:,} bytes")
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def imagenet_weights(encoder: GridEncoder) -> list[np.ndarray]:
    """Return the ImageNet weights that Keras has or downloads; library output goes to standard error.

    Raises:
        UnavailableError: They cannot be downloaded.
    """
    if encoder.network == "efficientnetlite0":
        raise UnavailableError(f"Keras has no weights of {encoder.network!r}; give --encoder-weights a file of them.")
    shape = (encoder.size, encoder.size, 3)
    try:
        with redirect_stdout(sys.stderr):
            network = NETWORKS[encoder.network].make(include_top=False, weights="imagenet", input_shape=shape)
    except Exception as error:  # a download can raise anything; it means the same to the user
        raise UnavailableError(
            f"The ImageNet weights of {encoder.network!r} could not be downloaded; give "
            f"--encoder-weights a file of them, or use --encoder scratch."
        ) from error
    weights: list[np.ndarray] = network.get_weights()
    return weights


def weights_digest(encoder: GridEncoder) -> str:
    """Return a SHA-256 of the weights, for keys of caches."""
    total = sha256()
    for weight in encoder.sight.get_weights():
        total.update(weight.tobytes())
    return total.hexdigest()

"""Weights of the encoder: from ImageNet, or from a file."""

import sys
import warnings
from contextlib import redirect_stdout
from hashlib import sha256
from pathlib import Path

import numpy as np

from data.plain_files import check_plain
from data.splits import DataError, UnavailableError
from layers.encoder import NETWORKS, GridEncoder


def load_weights(encoder: GridEncoder, weights: str) -> None:
    """Load weights trained on ImageNet, downloaded by Keras, or weights from a file.

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
            encoder.sight.load_weights(weights)
    except Exception as error:  # a file of another kind can raise anything
        raise DataError(
            f"{weights!r} does not hold weights of the encoder {encoder.network!r} without its classifier."
        ) from error


def imagenet_weights(encoder: GridEncoder) -> list[np.ndarray]:
    """Return the ImageNet weights that Keras has or downloads; library output goes to standard error.

    Raises:
        UnavailableError: They cannot be downloaded.
    """
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

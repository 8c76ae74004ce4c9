"""What each layer makes of a digit: feature maps of convolutions, values of dense layers."""

from __future__ import annotations

import base64
import logging
import math
from io import BytesIO

import numpy as np
from PIL import Image

from data.pictures.png import png_text
from tasks.engine.config import JsonObject
from tasks.engine.members import is_plain_file
from tasks.engine.network import OnnxNetwork, answering_network
from tasks.engine.task import Pipeline
from tasks.mnist.config import Config

LOG = logging.getLogger("tasks")
SIGNATURE = "layers"
GAP = 1  # pixels between two maps of a sheet
SHOWN = 2  # times as large is a map in the picture as the digit
DIGITS = 4  # of a value of a dense layer


def layer_answers(pipeline: Pipeline[Config], images: np.ndarray) -> list[JsonObject]:
    """Return for each picture what the network reads of it (`read`), and what each of its `layers` makes of that.

    * A convolution has a `height`, a `width` and `channels`; its `image` has the maps in `columns`, row by row, a pixel
      apart, each from 0 (black) to the largest value of the layer (white).
    * A dense layer has `values`.
    * Images are the base64 of a PNG.

    A run of an older version has no such signature; then there is only `read`, and a notice.

    Args:
        images: As the network reads them, float32 `(batch, 28, 28, 1)` in [0, 1].
    """
    answers: list[JsonObject] = [{"read": png_text(levels(image[:, :, 0], 1.0))} for image in images]
    if not (pipeline.config.filters or pipeline.config.units):  # from the pixels to the classes at once
        return [answer | {"layers": []} for answer in answers]
    lacks = not is_plain_file(pipeline.run / "onnx" / f"{SIGNATURE}.onnx")
    if lacks and isinstance(answering_network(pipeline.network), OnnxNetwork):
        LOG.warning("The run was made by an older version and does not show its layers; --engine keras does.")
        return answers
    for answer in answers:
        answer["layers"] = []
    counts = {4: 0, 2: 0}
    for outputs in pipeline.network(SIGNATURE, images):
        counts[outputs.ndim] += 1
        for answer, output in zip(answers, outputs, strict=True):
            answer["layers"].append(layer_answer(output, counts[outputs.ndim]))
    return answers


def layer_answer(output: np.ndarray, number: int) -> JsonObject:
    """Return what a layer makes of a picture, by its output `(height, width, channels)` or `(units,)`."""
    if output.ndim == 1:
        return {"name": f"dense {number}", "values": [round(float(value), DIGITS) for value in output]}
    height, width, channels = output.shape
    columns = math.ceil(math.sqrt(channels))
    shape = {"height": height, "width": width, "channels": channels, "columns": columns}
    return {"name": f"convolution {number}", **shape, "image": png_text(sheet(output, columns))}


def sheet(output: np.ndarray, columns: int) -> np.ndarray:
    """Return feature maps `(height, width, channels)` beside and below each other, uint8 `(rows, columns)`."""
    height, width, channels = output.shape
    rows = -(-channels // columns)
    whole = np.zeros((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP), "uint8")
    grey = levels(output, float(output.max()))
    for channel in range(channels):
        top, left = channel // columns * (height + GAP), channel % columns * (width + GAP)
        whole[top : top + height, left : left + width] = grey[:, :, channel]
    return whole


def levels(values: np.ndarray, largest: float) -> np.ndarray:
    """Return values as levels: 0 and less is 0, the largest is 255."""
    return np.asarray((np.clip(values / (largest or 1.0), 0, 1) * 255).round().astype("uint8"))


def from_png(text: str) -> Image.Image:
    """Return the picture that the base64 of a PNG holds."""
    return Image.open(BytesIO(base64.b64decode(text)))


def layers_picture(answer: JsonObject) -> Image.Image:
    """Return the picture that was read, and below it the feature maps of each convolution."""
    parts = [from_png(answer["read"]), *(from_png(one["image"]) for one in answer.get("layers", ()) if "image" in one)]
    large = [part.resize((SHOWN * part.width, SHOWN * part.height), Image.Resampling.NEAREST) for part in parts]
    space = 8
    width, height = max(part.width for part in large) + 2 * space, sum(part.height + space for part in large) + space
    picture, top = Image.new("L", (width, height), 60), space
    for part in large:
        picture.paste(part, (space, top))
        top += part.height + space
    return picture

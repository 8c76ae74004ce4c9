"""Enlarge a picture; the answer is a PNG file beside it.

The whole picture is enlarged at once, and what is transparent becomes white. `predict` also enlarges large pictures in
tiles, and keeps transparency, colour profiles and 16 bits.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

Network = Callable[..., Sequence[np.ndarray]]
BORDER = 48  # pixels; more than any pixel of the answer depends on
LUMA, RANGE = np.array([65.481, 128.553, 24.966], "float32") / 255, 219 / 255


def answer(network: Network, folder: Path, given: str) -> object:
    """Return the new file, and its size."""
    scale = json.loads((folder / "codec.json").read_text(encoding="utf-8"))["scale"]
    image = ImageOps.exif_transpose(Image.open(given))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    grey = image.mode in ("1", "L")
    levels = np.asarray(image.convert("L" if grey else "RGB"), "float32").reshape(image.height, image.width, -1)
    wide = np.pad(levels, ((BORDER, BORDER), (BORDER, BORDER), (0, 0)), mode="symmetric")
    luma = wide[:, :, 0] if grey else 16 + wide @ LUMA
    (residual,) = network("upscale", (luma / 255)[None, :, :, None].astype("float32"))
    size = (wide.shape[1] * scale, wide.shape[0] * scale)
    channels = [Image.fromarray(channel).resize(size, Image.Resampling.BICUBIC) for channel in wide.transpose(2, 0, 1)]
    large = np.stack([np.asarray(channel) for channel in channels], 2) + residual[0] * 255 / (1 if grey else RANGE)
    cut = BORDER * scale
    pixels = np.rint(large[cut:-cut, cut:-cut]).clip(0, 255).astype("uint8")
    path = Path(given).with_name(f"{Path(given).stem}-x{scale}.png")
    with path.open("xb") as file:
        Image.fromarray(pixels[:, :, 0] if grey else pixels).save(file, format="PNG")
    return {"file": str(path), "width": pixels.shape[1], "height": pixels.shape[0]}

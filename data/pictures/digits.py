"""Pictures as arrays: reading, framing, distorting. NumPy and Pillow only."""

import numpy as np
from PIL import Image

from data.pictures.decoding import MEGAPIXELS
from data.pictures.photo import Photo, Picture, photo_of

ENOUGH = 1500  # pixels of each side in which any character can be read


def grey_levels(picture: Picture, megapixels: float = MEGAPIXELS) -> np.ndarray:
    """Return a picture as grey levels, uint8 `(height, width)`, 0 black to 255 white.

    Args:
        picture: A picture as for `photo_of`; a large JPEG is decoded at a smaller scale.
        megapixels: Most megapixels to decode.

    Raises:
        FileNotFoundError, DataError: As for `photo_of`.
    """
    return photo_grey_levels(photo_of(picture, megapixels, least=ENOUGH))


def photo_grey_levels(photo: Photo) -> np.ndarray:
    """Return a photo as grey levels, uint8 `(height, width)`.

    A transparent photo is composed over white, or over black if white ink would vanish.
    """
    if photo.pixels.dtype == np.uint16:
        return np.asarray((photo.pixels[:, :, 0] * (255 / 65535)).round().astype("uint8"))
    image = Image.fromarray(photo.pixels[:, :, 0] if photo.pixels.shape[2] == 1 else photo.pixels)
    if photo.alpha is not None:
        image.putalpha(Image.fromarray(photo.alpha))
        image = image.convert("RGBA")
        white, black = (Image.alpha_composite(Image.new("RGBA", image.size, c), image) for c in ("white", "black"))
        image = white if np.ptp(np.asarray(white.convert("L"))) else black  # white ink shows on black only
    return np.asarray(image.convert("L"))


def ink_strength(image: np.ndarray) -> np.ndarray:
    """Return the contrast of each pixel with the background, float32 `(height, width)` in [0, 1].

    * The background is the median level of the border, so dark and light ink give the same result.
    * Contrast below the noise of the border is 0; the strongest stroke is 1.
    """
    levels = image.astype("float32")
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    background = np.median(border)
    sign = -1 if background > (levels.min() + levels.max()) / 2 else 1
    strength = np.maximum(sign * (levels - background), 0)
    peak = strength.max()
    if peak < 8:  # grey levels: an empty page
        return np.zeros_like(strength)
    noise = np.quantile(np.abs(border - background), 0.8) * 2 / peak
    strength /= peak
    return np.where(strength > min(max(noise, 0.02), 0.5), strength, 0)


def framed_character(image: np.ndarray, size: int = 28, box: int = 20) -> np.ndarray:
    """Return a character in the frame of MNIST, uint8 `(size, size)`, light ink on black.

    * The ink is scaled to fit a square of `box` pixels, with its aspect ratio kept.
    * The centre of mass moves to the middle.
    * A picture already in that frame is returned unchanged.

    Args:
        image: uint8 `(height, width)`, dark on light or light on dark, any size.

    Reference: LeCun et al., 1998, https://doi.org/10.1109/5.726791, section III-A.
    """
    if image.shape == (size, size) and is_framed(image[None], box)[0]:
        return image
    result = np.zeros((size, size), "uint8")
    strength = boxed_ink(ink_strength(image), box)
    if strength is None:
        return result
    weights = strength / strength.sum()
    top = centred_start(weights.sum(1), size)
    left = centred_start(weights.sum(0), size)
    height, width = strength.shape
    result[top : top + height, left : left + width] = (strength * 255).round()
    return result


def boxed_ink(strength: np.ndarray, box: int) -> np.ndarray | None:
    """Return ink cropped and scaled to fit a square of `box` pixels, float32 in [0, 1]; `None` without ink."""
    strong = strength > 0.1  # fainter ink, such as JPEG artefacts, does not set the frame
    rows, columns = np.flatnonzero(strong.any(1)), np.flatnonzero(strong.any(0))
    if not len(rows):
        return None
    strength = strength[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = box / max(strength.shape)
    if scale == 1:
        return strength
    height, width = (max(round(side * scale), 1) for side in strength.shape)
    scaled = np.asarray(Image.fromarray(strength).resize((width, height), Image.Resampling.BICUBIC)).clip(0)
    return np.asarray(scaled / scaled.max())


def is_framed(images: np.ndarray, box: int = 20) -> np.ndarray:
    """Return whether each picture is light ink on black in the frame of MNIST, bool `(batch,)`.

    Args:
        images: uint8 `(batch, size, size)`.
        box: Largest extent of the ink, in pixels, with a tolerance of one.
    """
    size = images.shape[1]
    strength = images + 1e-9
    places = np.arange(size) + 0.5 - size / 2
    total = strength.sum((1, 2))
    down, right = (strength.sum(2) @ places) / total, (strength.sum(1) @ places) / total
    extent = np.maximum((images.max(2) > 0).sum(1), (images.max(1) > 0).sum(1))
    return (np.abs(down) < 1.5) & (np.abs(right) < 1.5) & (extent > 0) & (extent <= box + 1)


def centred_start(weights: np.ndarray, size: int) -> int:
    """Return the start of a strip of ink whose centre of mass lies in the middle of `size` pixels."""
    centre = float((weights * np.arange(len(weights))).sum())
    return min(max(round(size / 2 - centre), 0), size - len(weights))


def fitted_character(image: np.ndarray, size: int = 28) -> np.ndarray:
    """Return a whole picture resized to a square, light ink on a dark background, uint8 `(size, size)`."""
    strength = ink_strength(image)
    scaled = Image.fromarray(strength).resize((size, size), Image.Resampling.BICUBIC)
    return (np.asarray(scaled).clip(0, 1) * 255).round().astype("uint8")


def distorted_images(
    images: np.ndarray,
    random: np.random.Generator,
    *,
    shift: float = 0.0,
    rotate: float = 0.0,
    scale: float = 0.0,
    shear: float = 0.0,
    elastic: float = 0.0,
) -> np.ndarray:
    """Return each image distorted at random; pixels from outside the image are 0.

    Args:
        images: `(batch, height, width, channels)`, uint8 or float.
        random: Source of the random numbers.
        shift: Largest move along each axis, in pixels.
        rotate: Largest turn, in degrees.
        scale: Largest change of each side, as a fraction of it.
        shear: Largest slant, in pixels of width for each pixel of height.
        elastic: Standard deviation of a smooth random displacement, in pixels.

    Output shape: that of `images`, float32.

    Reference: Simard et al., 2003, https://doi.org/10.1109/ICDAR.2003.1227801 (elastic distortion).
    """
    count, height, width, _ = images.shape

    def draw(limit: float) -> np.ndarray:
        return np.asarray(random.uniform(-limit, limit, count), "float32")

    angle, slant = np.radians(draw(rotate)), draw(shear)
    tall, wide = 1 + draw(scale), 1 + draw(scale)
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.stack([cos * tall, (cos * slant - sin) * wide, sin * tall, (sin * slant + cos) * wide], 1)
    centre = np.array([(height - 1) / 2, (width - 1) / 2], "float32")
    grid = np.indices((height, width), "float32").reshape(2, -1) - centre[:, None]  # (2, height * width)
    points = matrix.reshape(count, 2, 2) @ grid  # (batch, 2, height * width)
    points += (np.stack([draw(shift), draw(shift)], 1) + centre)[:, :, None]
    if elastic:
        points += elastic * smooth_noise(random, count, height, width).reshape(points.shape)
    return bilinear_samples(images, points)


def smooth_noise(
    random: np.random.Generator, count: int, height: int, width: int, *, sigma: float = 4.0, spacing: int = 4
) -> np.ndarray:
    """Return displacement fields of unit variance, float32 `(count, 2, height, width)`.

    Normal noise on a coarse grid of `spacing` pixels, blurred by a Gaussian of `sigma` pixels.
    """

    def blur(size: int) -> np.ndarray:
        knots = np.arange(-spacing, size + spacing, spacing, dtype="float32")
        kernel = np.exp(-((np.arange(size, dtype="float32")[:, None] - knots) ** 2) / (2 * sigma**2))
        return kernel / np.sqrt((kernel**2).sum(1, keepdims=True))  # (size, knots)

    rows, columns = blur(height), blur(width)
    noise = random.standard_normal((count, 2, rows.shape[1], columns.shape[1]), dtype="float32")
    return rows @ noise @ columns.T


def bilinear_samples(images: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return images sampled at other points by bilinear interpolation; points outside are 0.

    Args:
        images: `(batch, height, width, channels)`.
        points: `(batch, 2, height * width)`, row and column of each pixel's source.

    Output shape: that of `images`, float32.
    """
    count, height, width, channels = images.shape
    padded = np.zeros((count, height + 3, width + 3, channels), images.dtype)
    padded[:, 1:-2, 1:-2] = images
    pixels = padded.reshape(-1, channels)
    row, column = np.clip(points[:, 0] + 1, 0, height + 1), np.clip(points[:, 1] + 1, 0, width + 1)
    above, left = row.astype("int32"), column.astype("int32")  # (batch, height * width)
    down, right = (row - above)[..., None], (column - left)[..., None]
    corner = above * (width + 3) + left + (np.arange(count, dtype="int32") * ((height + 3) * (width + 3)))[:, None]
    upper = pixels[corner].astype("float32")
    upper += right * (pixels[corner + 1] - upper)
    lower = pixels[corner + width + 3].astype("float32")
    lower += right * (pixels[corner + width + 4] - lower)
    upper += down * (lower - upper)
    return upper.reshape(images.shape)

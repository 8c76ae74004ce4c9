"""Pages of paper made for a benchmark: a digit drawn onto each, in many kinds and sizes."""

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Random = np.random.Generator
Page = np.ndarray  # float32 (height, width, 3), 0 black to 255 white
SIDES = (60, 1500)  # pixels, the range of page sides


def enlarged(digit: np.ndarray, side: int) -> np.ndarray:
    """Return a digit with smooth edges, float32 `(side, side)` in [0, 1]."""
    large = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    soft = np.asarray(large.filter(ImageFilter.GaussianBlur(side / 90)), "float32") / 255
    return ((soft - 0.3) / 0.4).clip(0, 1)


def placed(random: Random, digit: np.ndarray, share: tuple[float, float] = (0.35, 0.75)) -> np.ndarray:
    """Return the ink of a page of random size with the digit somewhere on it, float32 `(height, width)` in [0, 1]."""
    short = int(np.exp(random.uniform(*np.log(SIDES))) / 1.35)
    height, width = (max(int(short * random.uniform(1, 1.35)), 60) for _ in range(2))
    side = int(min(height, width) * random.uniform(*share) * 28 / 20)
    side = min(side, height, width)
    page = np.zeros((height, width), "float32")
    top, left = (int(random.integers(0, room - side + 1)) for room in (height, width))
    page[top : top + side, left : left + side] = enlarged(digit, side)
    return page


def coloured(ink: np.ndarray, paper: Sequence[float], pen: Sequence[float]) -> Page:
    """Return a page of one colour with ink of another."""
    return np.asarray(paper, "float32") + ink[..., None] * np.asarray(np.subtract(pen, paper), "float32")


def grain(random: Random, page: Page, strength: float, size: int = 1) -> Page:
    """Return a page with grain, whose grains have a size in pixels."""
    height, width = page.shape[:2]
    noise = random.normal(0, strength * size, (-(-height // size), -(-width // size))).astype("float32")
    wide = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC) if size > 1 else noise
    return page + np.asarray(wide)[..., None]


def light(random: Random, page: Page, least: float, kind: str) -> Page:
    """Return a page in uneven light: a `gradient`, a `vignette`, or the edge of a `shadow`."""
    height, width = page.shape[:2]
    down, right = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype("float32")
    angle = random.uniform(0, 2 * np.pi)
    along = down * np.sin(angle) + right * np.cos(angle)
    if kind == "vignette":
        share = (down**2 + right**2) / 2
    elif kind == "shadow":
        share = 1 / (1 + np.exp(-(along - random.uniform(-0.4, 0.4)) * random.uniform(6, 60)))
    else:
        share = (along / np.sqrt(2) + 1) / 2
    return page * (1 - (1 - least) * share)[..., None]


def thicker(ink: np.ndarray, share: float) -> np.ndarray:
    """Return ink with strokes thicker by a share of the page, or thinner if it is negative."""
    size = 2 * max(int(abs(share) * min(ink.shape)), 1) + 1
    image = Image.fromarray((ink * 255).astype("uint8"))
    kind = ImageFilter.MaxFilter if share > 0 else ImageFilter.MinFilter
    return np.asarray(image.filter(kind(min(size, 15))), "float32") / 255


def clean(random: Random, digit: np.ndarray) -> Page:
    """Black ink on white paper."""
    return coloured(placed(random, digit), (255,) * 3, (0,) * 3)


def thin(random: Random, digit: np.ndarray) -> Page:
    """A fine pen."""
    ink = placed(random, digit, (0.5, 0.75))
    return coloured(np.where(thinned(ink), ink, 0) if ink.any() else ink, (250,) * 3, (20, 20, 60))


def thinned(ink: np.ndarray) -> np.ndarray:
    """Return where ink lies within about a third of the stroke from its middle."""
    soft = np.asarray(Image.fromarray((ink * 255).astype("uint8")).filter(ImageFilter.BoxBlur(min(ink.shape) / 60)))
    return soft > 0.9 * 255 * min(1, float(np.quantile(soft[ink > 0.5], 0.6)) / 255)


def thick(random: Random, digit: np.ndarray) -> Page:
    """A marker."""
    return coloured(thicker(placed(random, digit, (0.5, 0.65)), 0.012), (245,) * 3, (30,) * 3)


def small(random: Random, digit: np.ndarray) -> Page:
    """A small digit on a large page."""
    return coloured(placed(random, digit, (0.12, 0.25)), (240,) * 3, (10,) * 3)


def pencil(random: Random, digit: np.ndarray) -> Page:
    """Grey strokes with the texture of the paper, on paper with grain."""
    ink = placed(random, digit)
    texture = grain(random, np.full((*ink.shape, 1), 0.75, "float32"), 0.2)[..., 0].clip(0.1, 1)
    page = coloured(ink * texture, (235, 232, 224), (random.uniform(100, 150),) * 3)
    return grain(random, grain(random, page, 4), 2, 3)


def noisy(random: Random, digit: np.ndarray) -> Page:
    """Noise of a sensor, and a few dead pixels."""
    page = coloured(placed(random, digit), (random.uniform(160, 220),) * 3, (random.uniform(30, 80),) * 3)
    page += random.normal(0, random.uniform(6, 20), page.shape).astype("float32")
    page[random.random(page.shape[:2]) < 0.0005] = 0
    return page


def lined(random: Random, page: Page, ways: Sequence[int]) -> Page:
    """Return a page with printed lines along axes: 0 across the page, 1 down the page."""
    spacing = max(min(page.shape[:2]) * random.uniform(0.1, 0.22), 8)
    colour = [(120, 150, 210), (150, 150, 150), (90, 90, 100), (220, 130, 140)][int(random.integers(4))]
    thickness, slant = max(spacing / random.uniform(14, 30), 1), np.tan(np.radians(random.uniform(-1.5, 1.5)))
    rows, columns = np.indices(page.shape[:2], "float32")
    for way in ways:
        place = (rows + slant * columns, columns - slant * rows)[way] + random.uniform(0, spacing)
        distance = np.abs((place + spacing / 2) % spacing - spacing / 2)
        line = (thickness / 2 + 0.5 - distance).clip(0, 1)[..., None]
        page = np.minimum(page, page * (1 - line) + line * np.asarray(colour, "float32"))
    return page


def ruled(random: Random, digit: np.ndarray) -> Page:
    """Ruled paper."""
    page = coloured(placed(random, digit), (245,) * 3, (random.uniform(20, 90),) * 3)
    return grain(random, lined(random, page, (0,)), 2)


def squared(random: Random, digit: np.ndarray) -> Page:
    """Squared paper."""
    page = coloured(placed(random, digit), (245,) * 3, (random.uniform(20, 90),) * 3)
    return grain(random, lined(random, page, (0, 1)), 2)


def vignette(random: Random, digit: np.ndarray) -> Page:
    """Dark corners."""
    page = coloured(placed(random, digit), (235,) * 3, (random.uniform(30, 90),) * 3)
    return grain(random, light(random, page, random.uniform(0.2, 0.6), "vignette"), 2)


def shadow(random: Random, digit: np.ndarray) -> Page:
    """The edge of a shadow across the page."""
    page = coloured(placed(random, digit), (235,) * 3, (random.uniform(30, 90),) * 3)
    return grain(random, light(random, page, random.uniform(0.45, 0.75), "shadow"), 2)


def gradient(random: Random, digit: np.ndarray) -> Page:
    """Light from one side."""
    page = coloured(placed(random, digit), (235,) * 3, (random.uniform(30, 90),) * 3)
    return grain(random, light(random, page, random.uniform(0.3, 0.7), "gradient"), 2)


def chalk(random: Random, digit: np.ndarray) -> Page:
    """Chalk on a board with smears."""
    ink = placed(random, digit)
    ink = ink * grain(random, np.full((*ink.shape, 1), 0.8, "float32"), 0.15)[..., 0].clip(0.2, 1)
    return grain(random, grain(random, coloured(ink, (40, 60, 50), (225, 225, 215)), 4), 2, 8)


def pink_on_green(random: Random, digit: np.ndarray) -> Page:
    """Two colours of the same grey level."""
    page = coloured(placed(random, digit), (120, 190, 120), (232, 134, 170 + random.uniform(-20, 20)))
    return grain(random, page, 3)


def scan_edge(random: Random, digit: np.ndarray) -> Page:
    """A scan with dark bars along one or two sides."""
    page = coloured(placed(random, digit), (240,) * 3, (30,) * 3)
    margin = np.pad(page, ((int(len(page) * 0.1),) * 2, (int(page.shape[1] * 0.1),) * 2, (0, 0)), constant_values=240)
    for side in random.permutation(4)[: random.integers(1, 3)]:
        bar = max(int(margin.shape[side % 2] * random.uniform(0.02, 0.08)), 1)
        place = np.s_[:bar] if side < 2 else np.s_[-bar:]
        margin[place if side % 2 == 0 else (slice(None), place)] = random.uniform(0, 40)
    return grain(random, margin, 3)


def box(random: Random, digit: np.ndarray) -> Page:
    """A box of a form, drawn around the digit near the edge of the picture."""
    page = coloured(placed(random, digit), (245,) * 3, (30, 30, 90))
    height, width = page.shape[:2]
    page = np.pad(page, ((height // 8,) * 2, (width // 8,) * 2, (0, 0)), constant_values=245)
    image, side = Image.fromarray(page.astype("uint8")), min(height, width)
    gap = [int(side * random.uniform(0, 0.08)) for _ in range(4)]
    corners = (gap[0], gap[1], page.shape[1] - 1 - gap[2], page.shape[0] - 1 - gap[3])
    ImageDraw.Draw(image).rectangle(
        corners, outline=(60, 60, 60), width=max(int(side * random.uniform(0.006, 0.02)), 1)
    )
    return grain(random, np.asarray(image, "float32"), 2)


def jpeg(random: Random, digit: np.ndarray) -> Page:
    """Strong compression."""
    page = coloured(placed(random, digit), (225, 225, 215), (40, 40, 90)).clip(0, 255).astype("uint8")
    content = BytesIO()
    Image.fromarray(page).save(content, "JPEG", quality=int(random.integers(10, 40)))
    return np.asarray(Image.open(content), "float32")


KINDS: dict[str, Callable[[Random, np.ndarray], Page]] = {
    "pencil": pencil,
    "noisy": noisy,
    "ruled": ruled,
    "squared": squared,
    "vignette": vignette,
    "clean": clean,
    "thin": thin,
    "thick": thick,
    "small": small,
    "shadow": shadow,
    "chalk": chalk,
    "gradient": gradient,
    "pink on green": pink_on_green,
    "scan edge": scan_edge,
    "box": box,
    "jpeg": jpeg,
}


def levels(page: Page) -> np.ndarray:
    """Return a page as a picture, uint8 `(height, width, 3)`."""
    return page.clip(0, 255).astype("uint8")


def printed() -> tuple[list[np.ndarray], list[str]]:
    """Return digits in the fonts of Matplotlib, in several sizes, and their labels."""
    import matplotlib

    fonts = sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("DejaVu*.ttf"))
    fonts = [font for font in fonts if "Display" not in font.name]
    pages, labels = [], []
    for font in fonts:
        for size in (24, 60, 200):
            for digit in "0123456789":
                image = Image.new("L", (size * 2, size * 2), 255)
                ImageDraw.Draw(image).text((size, size), digit, 0, ImageFont.truetype(str(font), size), anchor="mm")
                pages.append(np.asarray(image))
                labels.append(digit)
    return pages, labels

"""Characters on paper: light, polarity, colour, lines, boxes, grain, blank pages."""

import numpy as np
import pytest

from data.pictures.digits import framed_character, framed_reading
from data.pictures.ground import opened, smooth_surface
from data.pictures.lines import without_lines
from data.pictures.photo import photo_of
from data.pictures.regions import grown, labelled_parts, run_lengths


def ink(height=160, width=130):
    """Return the ink of a four: two strokes that cross, and a slanting one; in [0, 1]."""
    rows, columns = np.indices((height, width))
    slant = (abs(rows - 40 - (80 - columns) * 0.9) < 6) & (rows > 38) & (rows < 95)
    across = (abs(rows - 95) < 4) & (columns > 24) & (columns < 105)
    down = (abs(columns - 80) < 4) & (rows > 35) & (rows < 130)
    return (slant | across | down).astype("float32")


def page(ground=230.0, pen=40.0, shape=(160, 130)):
    """Return a four on paper, float `(height, width)`."""
    return ground + (pen - ground) * ink(*shape)


def seen(levels):
    return framed_reading(photo_of(np.asarray(levels).clip(0, 255).astype("uint8")))


def frame_of(image):
    """Return top, bottom, left and right of ink."""
    rows, columns = np.flatnonzero(image.max(1) > 64), np.flatnonzero(image.max(0) > 64)
    return np.array([rows[0], rows[-1], columns[0], columns[-1]])


def ruled(levels, spacing=20, thickness=2, ways=(0,)):
    """Return a page with dark lines from edge to edge."""
    places = np.indices(levels.shape)
    lines = np.any([places[way] % spacing < thickness for way in ways], 0)
    return np.where(lines, np.minimum(levels, 110), levels)


def noise(strength, shape=(160, 130)):
    return np.random.default_rng(0).normal(0, strength, shape)


def vignette(shape=(160, 130)):
    down, right = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    return 1 - 0.3 * (down**2 + right**2)


def boxed(levels, margin=5, width=2):
    """Return a page with a box drawn near its edge."""
    levels = levels.copy()
    inner = levels[margin:-margin, margin:-margin]
    for side in (inner, inner[::-1], inner.T, inner.T[::-1]):
        side[:width] = 60
    return levels


def edged(levels):
    """Return a page with dark edges of a scan."""
    levels = levels.copy()
    levels[:, :8] = levels[-6:] = 10
    return levels


def tilted(levels):
    return levels * np.linspace(0.5, 1, levels.shape[1])


PAPER = {
    "grain": lambda levels: levels + noise(10),
    "ruled": ruled,
    "squared": lambda levels: ruled(levels, ways=(0, 1)),
    "vignette": lambda levels: levels * vignette(),
    "shadow": lambda levels: levels * np.where(np.add(*np.indices(levels.shape)) < 100, 0.6, 1),
    "light from one side": tilted,
    "box": boxed,
    "box at the edge": lambda levels: boxed(levels, margin=1),
    "dark edges": edged,
    "specks": lambda levels: np.where(noise(1) > 3.2, 20, levels),
}


@pytest.mark.parametrize("kind", PAPER)
def test_paper_moves_the_frame_by_a_pixel_at_most(kind):
    plain, read = seen(page()), seen(PAPER[kind](page()))
    assert read.characters == 1
    assert np.abs(frame_of(read.image) - frame_of(plain.image)).max() <= 1
    assert np.abs(read.image.astype(int) - plain.image).mean() < 12


@pytest.mark.parametrize("kind", ["grain", "vignette", "shadow", "light from one side", "ruled"])
def test_light_ink_on_a_dark_page_gives_the_same_frame(kind):
    read = seen(255 - ruled(page())) if kind == "ruled" else seen(PAPER[kind](page(60, 220)))
    assert np.abs(frame_of(read.image) - frame_of(seen(page()).image)).max() <= 1


@pytest.mark.parametrize("paper", [(120, 190, 120), (200, 200, 60), (90, 120, 220)])
def test_ink_of_another_colour_is_seen_at_the_same_grey_level(paper):
    pen = np.add(paper, (99, -51, 3))  # a luma of about 0
    levels = np.asarray(paper) + ink()[..., None] * (pen - paper)
    np.testing.assert_allclose(frame_of(seen(levels).image), frame_of(seen(page()).image), atol=1)


def test_strokes_that_run_over_the_edge_are_kept():
    tight = page()[36:130, 24:105]  # the tip of the bar is lost
    assert np.abs(frame_of(seen(tight).image) - frame_of(seen(page()).image)).max() <= 2


def test_strokes_apart_are_one_character():
    levels = page()
    levels[100:104] = 230  # a gap in the stem
    read = seen(levels)
    assert read.characters == 1
    assert np.abs(frame_of(read.image) - frame_of(seen(page()).image)).max() <= 1


@pytest.mark.parametrize("kind", [kind for kind in PAPER if kind not in ("grain", "specks", "vignette")])  # of one size
def test_characters_side_by_side_are_counted(kind):
    assert seen(PAPER[kind](np.hstack([page(), page()]))).characters == 2


BLANK = [
    (kind, ground) for kind in (None, *PAPER) for ground in (255, 128, 0) if kind != "specks" and (ground or not kind)
]


@pytest.mark.parametrize(("kind", "ground"), BLANK)
def test_a_blank_page_has_no_character(kind, ground):
    blank = np.full((160, 130), float(ground))
    read = seen(PAPER[kind](blank) if kind else blank)
    assert read.characters == 0
    assert not read.image.any()


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (28, 28), (31, 90), (33, 33), (40, 900)])
def test_pages_of_any_shape_are_read(shape):
    assert seen(np.full(shape, 200)).characters == 0
    assert framed_character(np.random.default_rng(0).integers(0, 255, shape, "uint8")).shape == (28, 28)


def test_ruled_lines_go_and_strokes_stay():
    strokes = ink() > 0
    kept = without_lines((ruled(page()) < 128) | strokes)
    assert (kept & ~strokes).sum() <= 0.05 * strokes.sum()
    assert (strokes & ~kept).sum() <= 0.05 * strokes.sum()


def test_a_long_straight_stroke_is_not_a_line():
    mask = np.zeros((100, 100), bool)
    mask[20:24, 20:80] = mask[20:90, 76:80] = True  # a seven
    np.testing.assert_array_equal(without_lines(mask), mask)


def test_connected_parts_are_those_of_another_implementation():
    from scipy import ndimage

    for share in (0.1, 0.4, 0.6):
        mask = np.random.default_rng(0).random((60, 45)) < share
        labels, parts = labelled_parts(mask)
        expected, count = ndimage.label(mask, np.ones((3, 3)))
        assert len(parts) == count
        assert len(np.unique(labels * (count + 1) + expected)) == count + 1
        for part in parts:
            own = labels[part.top : part.bottom, part.left : part.right] == part.number
            assert own.sum() == part.area
            assert all(edge.any() for edge in (own[0], own[-1], own[:, 0], own[:, -1]))


def test_a_mask_without_pixels_has_no_parts():
    labels, parts = labelled_parts(np.zeros((4, 5), bool))
    assert not labels.any()
    assert parts == []
    assert not run_lengths(np.zeros((4, 5), bool)).any()


def test_growing_and_opening_are_those_of_another_implementation():
    from scipy import ndimage

    random = np.random.default_rng(0)
    mask = random.random((20, 30)) < 0.1
    np.testing.assert_array_equal(grown(mask, 2), ndimage.binary_dilation(mask, np.ones((3, 3)), 2))
    levels = random.random((20, 30))
    expected = ndimage.grey_opening(np.pad(levels, 5, mode="edge"), 5, mode="nearest")[5:-5, 5:-5]
    np.testing.assert_allclose(opened(levels, 5), expected)


def test_a_smooth_light_is_found_under_ink():
    light = 200 * vignette((32, 26))[..., None]
    levels = light.copy()
    levels[10:20, 12:15] = 30
    np.testing.assert_allclose(smooth_surface(levels), light, rtol=0.02)

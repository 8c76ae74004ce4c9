"""Changing sizes as the papers do: numbers by hand, laws of interpolation, luma, patches, flips and turns."""

import numpy as np
import pytest

from data.pictures.imresize import (
    bicubic_taps,
    degraded_picture,
    imresize,
    keys_kernel,
    luma,
    modcrop,
    patch_corners,
    turned_picture,
    unturned_picture,
    whole_levels,
)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).random(shape) * 255


def test_the_kernel_by_hand():
    np.testing.assert_allclose(
        keys_kernel(np.array([0, 0.5, -0.5, 1, 1.5, 2, 3])), [1, 0.5625, 0.5625, 0, -0.0625, 0, 0]
    )


def test_doubling_by_hand():
    """Between the pixels 0 and 1 of a row that goes on flat, a quarter and three quarters of the way."""
    row = np.array([[0.0, 0.0, 1.0, 1.0]])
    quarter, rest = keys_kernel(np.array([1.25, 0.25, 0.75, 1.75])), keys_kernel(np.array([1.75, 0.75, 0.25, 1.25]))
    np.testing.assert_allclose(quarter.sum(), 1)
    answer = imresize(np.repeat(row, 4, 0), 2)[4]
    np.testing.assert_allclose(answer[3:5], [quarter[2] + quarter[3], rest[2] + rest[3]])


def test_halving_widens_the_kernel():
    places, weights = bicubic_taps(16, 0.5)
    assert places.shape == (8, 8)
    np.testing.assert_allclose(weights[4], keys_kernel((np.arange(8) - 3.5) / 2) / 2)


@pytest.mark.parametrize("scale", [2, 3, 4, 1 / 2, 1 / 3, 1 / 4, 0.9, 0.7, 1.3, 5.5])
def test_sizes_are_rounded_up_and_flat_pictures_stay_flat(scale):
    answer = imresize(np.full((12, 24, 3), 77.0), scale)
    assert answer.shape == (int(np.ceil(round(12 * scale, 6))), int(np.ceil(round(24 * scale, 6))), 3)
    np.testing.assert_allclose(answer, 77)


@pytest.mark.parametrize("scale", [2, 3, 1 / 2, 1 / 3])
def test_beyond_its_border_a_picture_is_mirrored(scale):
    picture, pad = noise(12, 18), 6
    wide = imresize(np.pad(picture, pad, mode="symmetric"), scale)
    cut = round(pad * scale)
    np.testing.assert_allclose(imresize(picture, scale), wide[cut:-cut, cut:-cut])


def test_a_slope_is_continued_exactly():
    slope = np.arange(40.0)[:, None] * np.ones(8)
    new = imresize(slope, 3)
    np.testing.assert_allclose(new[9:-9, 4], (np.arange(120) - 1)[9:-9] / 3)


def test_even_one_pixel_has_a_size():
    np.testing.assert_allclose(imresize(np.full((1, 1), 9.0), 4), np.full((4, 4), 9.0))
    assert imresize(noise(3, 1000), 2).shape == (6, 2000)


def test_single_precision_stays_single():
    assert imresize(noise(8, 8).astype("float32"), 2).dtype == np.float32
    assert imresize(noise(8, 8).astype("uint8"), 2).dtype == np.float64


def test_luma_by_hand():
    colours = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], "uint8")
    np.testing.assert_allclose(luma(colours), [[16, 235, 81.481, 144.553, 40.966]], atol=1e-3)
    np.testing.assert_array_equal(luma(colours[:, :, :1]), [[0, 255, 255, 0, 0]])


def test_levels_are_rounded_and_cut():
    np.testing.assert_array_equal(whole_levels(np.array([-3, 0.4, 0.6, 254.7, 300])), [0, 0, 1, 255, 255])


def test_a_picture_is_made_small_from_whole_blocks():
    picture = noise(37, 50, 3).astype("uint8")
    assert modcrop(picture, 3).shape == (36, 48, 3)
    small = degraded_picture(picture, 3)
    assert (small.shape, small.dtype) == ((12, 16, 3), np.uint8)


@pytest.mark.parametrize("way", range(8))
def test_a_turn_is_undone(way):
    picture = noise(3, 5, 2)
    np.testing.assert_array_equal(unturned_picture(turned_picture(picture, way), way), picture)


def test_eight_ways_are_eight():
    assert len({turned_picture(noise(4, 4), way).tobytes() for way in range(8)}) == 8


@pytest.mark.parametrize(("size", "count"), [((32, 32), 16), ((100, 40), 16), ((33, 900), 5), ((64, 64), 1)])
def test_patches_lie_inside_and_are_as_many_as_asked(size, count):
    found = patch_corners(size, 32, count)
    assert len(found) == count
    assert all(0 <= row <= size[0] - 32 and 0 <= column <= size[1] - 32 for row, column in found)

"""Pictures distorted at random."""

import numpy as np

from data.pictures.digits import framed_character
from data.pictures.distortion import bilinear_samples, distorted_images


def stroke():
    """Return a picture of a thick diagonal stroke."""
    rows, columns = np.indices((60, 40))
    return np.where(abs(rows / 60 - columns / 40) < 0.15, 255, 0).astype("uint8")


def test_a_distortion_of_nothing_changes_nothing():
    images = np.random.default_rng(0).integers(0, 255, (5, 9, 7, 2), "uint8")
    np.testing.assert_allclose(distorted_images(images, np.random.default_rng(0)), images, atol=1e-2)


def test_reading_at_other_points_by_hand():
    images = np.array([[[1.0, 3.0], [5.0, 9.0]]], "float32")[..., None]
    points = np.array([[[0.5, 0, 1, -0.5], [0.5, 0.25, 2, 0]]], "float32")
    np.testing.assert_allclose(bilinear_samples(images, points)[0, ..., 0], [[4.5, 1.5], [0, 0.5]])


def test_a_turn_by_90_degrees_is_exact(monkeypatch):
    images = np.random.default_rng(0).integers(0, 255, (1, 8, 8, 1), "uint8")

    class Fixed:
        def uniform(self, low, high, count):
            return np.full(count, high)

    np.testing.assert_allclose(
        distorted_images(images, Fixed(), rotate=90)[0, ..., 0], np.rot90(images[0, ..., 0], -1), atol=0.1
    )
    np.testing.assert_allclose(distorted_images(images, Fixed(), shift=2)[0, :-2, :-2], images[0, 2:, 2:], atol=0.1)


def test_an_elastic_distortion_moves_ink_by_about_its_size():
    random = np.random.default_rng(0)
    image = framed_character(stroke())[None, ..., None].repeat(64, 0)
    moved = np.abs(distorted_images(image, random, elastic=1.0) - image).mean()
    assert 0 < np.abs(distorted_images(image, random, elastic=0.2) - image).mean() < moved / 2
    assert moved < image.mean()

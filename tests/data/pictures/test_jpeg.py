"""Artefacts of JPEG, and the quality of JPEG files."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from data.builtin import sets
from data.pictures.jpeg import compressed_part, compressed_picture
from data.pictures.photo import photo_of

RANDOM = np.random.default_rng(0)
PICTURE = np.asarray(Image.open(sets.photos()[1][1]).convert("RGB"))[:67, :45]


@pytest.mark.parametrize("shape", [(67, 45), (67, 45, 1), (67, 45, 3)])
def test_lower_quality_is_further_from_the_picture(shape):
    picture = PICTURE if shape[2:] == (3,) else PICTURE[:, :, 1].reshape(shape)
    errors = [np.abs(compressed_picture(picture, quality) - picture.astype(int)).mean() for quality in (95, 60, 20)]
    assert errors == sorted(errors)
    assert 0 < errors[0] < errors[2] / 2


def test_a_part_is_compressed_as_within_its_picture():
    picture = PICTURE[:, :, 1]
    for quality in (10, 75, 95):
        whole = compressed_picture(picture, quality)
        for _ in range(50):
            row, column = (int(RANDOM.integers(side - 1)) for side in picture.shape)
            size = int(RANDOM.integers(1, 67 - row + 1)), int(RANDOM.integers(1, 45 - column + 1))
            part = compressed_part(picture, (row, column), size, quality)
            np.testing.assert_array_equal(part, whole[row : row + size[0], column : column + size[1]])


@pytest.mark.parametrize("quality", [20, 30, 50, 75, 90, 95, 100])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_quality_of_a_file_is_known(quality, mode):
    file = BytesIO()
    Image.fromarray(PICTURE).convert(mode).save(file, "JPEG", quality=quality)
    assert abs(photo_of(file.getvalue()).quality - quality) <= 1


def test_other_formats_have_no_such_quality():
    file = BytesIO()
    Image.fromarray(PICTURE).save(file, "PNG")
    assert photo_of(file.getvalue()).quality is None
    assert photo_of(PICTURE).quality is None

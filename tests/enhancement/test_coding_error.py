import io

import numpy as np
import pytest
from conftest import scene
from PIL import Image

from enlighten_cli.enhancement.coding_error import coding_error
from enlighten_cli.photo import Photo, decode
from enlighten_cli.photo.photo import Coding


def jpeg(pixels, quality):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return decode(file.getvalue())


def test_the_stronger_a_jpeg_was_compressed_the_larger_its_error():
    pixels = scene(64, 96)
    errors = [255 * coding_error(jpeg(pixels, quality)) for quality in (98, 92, 85, 75, 30)]
    assert errors == sorted(errors)
    assert 0.3 < errors[0] < 0.5
    assert 0.9 < errors[3] < 1.3


def test_reducing_a_photo_reduces_its_error():
    photo = jpeg(scene(64, 96), 75)
    assert coding_error(photo, 4) == pytest.approx(coding_error(photo) / 2)
    assert coding_error(photo, 0.5) == coding_error(photo)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_photos_of_more_than_eight_bits_have_none(dtype):
    assert coding_error(Photo(np.zeros((8, 8, 3), dtype), "TIFF")) == 0
    assert 0 < 255 * coding_error(Photo(np.zeros((8, 8, 3), np.uint8), "PNG")) < 1


def test_low_frequencies_count_in_both_directions():
    across, down = np.ones((8, 8), int), np.ones((8, 8), int)
    across[0, 1:4], down[1:4, 0] = 40, 40
    errors = [
        coding_error(Photo(np.zeros((8, 8, 3), np.uint8), "JPEG", coding=Coding((tuple(table.ravel().tolist()),))))
        for table in (across, down, np.ones((8, 8), int))
    ]
    assert errors[0] == pytest.approx(errors[1])
    assert errors[0] > 2 * errors[2]

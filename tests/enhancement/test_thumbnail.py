import numpy as np
import pytest
from PIL import Image

from enlighten_cli.enhancement.thumbnail import (
    BAND_ROWS,
    THUMBNAIL_PIXELS,
    Upsampling,
    _block_means,
    reduced,
    thumbnail,
)
from enlighten_cli.photo import colour_of


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_look_is_an_average_of_the_asked_size(dtype, channels):
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (1201, 2003, channels)).astype(dtype)
    rgb = thumbnail(pixels, colour_of(None, channels).to_srgb)
    assert rgb.shape[0] * rgb.shape[1] == pytest.approx(THUMBNAIL_PIXELS, rel=0.02)
    assert rgb.shape[0] / rgb.shape[1] == pytest.approx(1201 / 2003, rel=0.01)
    assert rgb.mean() == pytest.approx(0.5, abs=0.01)
    assert thumbnail(pixels[:30, :30], colour_of(None, channels).to_srgb).shape == (30, 30, 3)


@pytest.mark.parametrize("channels", [1, 3])
def test_blocks_are_averaged_across_bands_too(channels):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (3 * (BAND_ROWS + 2) + 1, 11, channels)).astype(np.uint8)
    means = _block_means(pixels, 3)
    whole = np.asarray(Image.fromarray(pixels if channels == 3 else pixels[..., 0]).reduce(3))
    np.testing.assert_array_equal(means, whole.reshape(BAND_ROWS + 3, 4, channels))


@pytest.mark.parametrize("width", [40, 9])  # wider than the planes, and narrower
def test_some_columns_are_those_of_all(width):
    values = np.random.default_rng(0).random((7, 13, 3)).astype(np.float32)
    all_of_them = Upsampling(values, 4, 21, 30, width).block(slice(None))
    some = Upsampling(values, 4, 21, 30, width, slice(3, 8))
    assert some.shape == (17, 3, 5)
    np.testing.assert_array_equal(some.block(slice(None)), all_of_them[..., 3:8])


@pytest.mark.parametrize("shape", [(300_000, 1), (1, 300_000), (4, 300_000)])
def test_a_line_of_pixels_is_reduced_as_far_as_the_network_pads_it(shape):
    line = reduced(np.zeros((*shape, 1), np.float32), 400_000)
    height, width = line.shape[:2]
    assert max(height, 16) * max(width, 16) <= 400_000


def test_a_photo_of_usual_shape_is_reduced_by_its_area_alone():
    assert reduced(np.zeros((400, 1200, 1), np.float32), 3_000).shape[:2] == (32, 95)

import io

import numpy as np
import pytest
from conftest import noisy
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from enlighten_cli.enhancement.noise import NoiseCurve, measure_noise, sampled
from enlighten_cli.photo import as_rgb


def textured(deviation, *, seed=0):
    """Draw a photo half of which is texture, with white noise of a known deviation, in steps of 255."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:320, :480]
    light = 40 + 60 * columns / 480 + 20 * ((rows // 40 + columns // 40) % 2)
    texture = 12 * np.sin(rows * 1.3) * np.sin(columns * 0.9 + rows)
    light[160:] += texture[160:]
    noise = random.normal(0, deviation, light.shape)
    return as_rgb(np.rint(light + noise).clip(0, 255).astype(np.uint8)[..., None].repeat(3, axis=2))


@pytest.mark.parametrize("deviation", [0.5, 1, 2, 5, 10, 20])
def test_noise_is_measured_beside_texture(deviation):
    curve = measure_noise(textured(deviation))
    expected = (deviation**2 + 1 / 12) ** 0.5
    assert curve.deviations * 255 == pytest.approx(expected, rel=0.2)


def through_jpeg(pixels, quality):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream).convert("RGB"))


@pytest.mark.parametrize("quality", [75, 85, 92])
def test_noise_that_a_jpeg_left_is_measured_where_it_left_any(quality):
    """Most of the quietest blocks are flat; what is left of the noise is seen once it is lifted."""
    random = np.random.default_rng(0)
    wall = np.rint(random.normal(30, 2.5, (480, 640))).clip(0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    pixels = through_jpeg(wall, quality)
    left = pixels.astype(float).mean(axis=2).std()
    assert 0.5 < left < 2.5
    curve = measure_noise(as_rgb(pixels))
    assert 255 * curve.deviations == pytest.approx(left, rel=0.3)


@pytest.mark.parametrize("quality", [75, 92])
def test_texture_in_a_clean_jpeg_is_no_noise(quality):
    curve = measure_noise(as_rgb(through_jpeg((255 * textured(0)).astype(np.uint8), quality)))
    assert 255 * curve.deviations.max() < 0.5


def test_texture_everywhere_in_a_clean_jpeg_is_no_noise():
    """Texture whose strength differs from place to place: no block is flat, and those of a cell differ."""
    random = np.random.default_rng(0)

    def grown(values):
        return np.asarray(Image.fromarray(values.astype(np.float32)).resize((1280, 960), Image.Resampling.BICUBIC))

    strength = np.exp(grown(random.normal(0, 0.8, (60, 80))))  # from place to place
    light = 60 + 4 * strength * grown(random.normal(0, 1, (240, 320)))
    rgb = as_rgb(through_jpeg(light.clip(0, 255).astype(np.uint8)[..., None].repeat(3, axis=2), 92))
    assert light.std() > 4.9  # in steps of 255, as the noise would be if texture were taken for it
    assert 255 * measure_noise(rgb).deviations.max() < 0.8


def test_noise_is_a_function_of_luma():
    """Shot noise: twice as strong at the bright end."""
    random = np.random.default_rng(0)
    light = np.linspace(20, 200, 640)[None].repeat(400, 0)
    noise = random.normal(0, 1, light.shape) * np.interp(light, [20, 200], [2, 4])
    curve = measure_noise(as_rgb(np.rint(light + noise).astype(np.uint8)[..., None].repeat(3, axis=2)))
    assert np.all(np.diff(curve.lumas) > 0)
    assert 255 * curve.at(np.array([30, 190], np.float32) / 255) == pytest.approx([2.1, 3.9], rel=0.2)


def test_edges_and_slopes_are_no_noise():
    pixels = np.full((300, 400, 3), 40, np.uint8)
    pixels[:, 200:] = 200
    pixels[:100] = np.arange(400)[None, :, None] // 2
    assert 255 * measure_noise(as_rgb(pixels)).deviations.max() < 0.4
    assert measure_noise(as_rgb(pixels[:2, :2])).deviations.max() == 0


def test_black_and_blown_out_walls_have_no_noise_to_measure():
    for level in (0, 255):
        assert measure_noise(as_rgb(np.full((100, 100, 3), level, np.uint8))).deviations.max() == 0


def test_bands_of_rows_do_for_a_large_photo():
    pixels = noisy(3.0).repeat(8, axis=0)[:, :200]
    rows = sampled(pixels, as_rgb)
    assert len(rows) < len(pixels) / 4
    assert 255 * measure_noise(sampled(noisy(3.0), as_rgb)).deviations == pytest.approx(3, rel=0.2)


@given(st.lists(st.floats(0, 1, width=32, allow_subnormal=False), min_size=1, max_size=9))
def test_between_levels_noise_is_between_theirs(lumas):
    curve = NoiseCurve(np.array([0.2, 0.4, 0.8], np.float32), np.array([0.01, 0.03, 0.02], np.float32))
    noise = curve.at(np.array(lumas, np.float32))
    assert noise.dtype == np.float32
    assert noise.min() >= np.float32(0.01)
    assert noise.max() <= np.float32(0.03)

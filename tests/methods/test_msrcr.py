import importlib

import numpy as np
import pytest
from conftest import scene
from grids import TURNS
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from enlighten_cli.methods.msrcr import BLACK, SCALES_PX, _compared, msrcr

RGB = (0.02 + 0.9 * scene(48, 61, exposure=0.9).astype(np.float32) / 255).clip(0, 1)


@given(st.floats(0.15, 1))
@settings(max_examples=15)
def test_how_much_light_there_is_does_not_matter(gain):
    """Of a gain nothing is left in a ratio of light to its surroundings."""
    assert RGB.min() * gain > BLACK
    np.testing.assert_allclose(msrcr(RGB * np.float32(gain)), msrcr(RGB), atol=5e-3)


def test_the_surround_is_a_gaussian(monkeypatch):
    monkeypatch.setattr(importlib.import_module("enlighten_cli.methods.msrcr"), "SCALES_PX", (6.0,))
    seen = RGB[..., 0]
    surround = gaussian_filter(seen, 6 / 2**0.5, mode="reflect", truncate=6)
    np.testing.assert_allclose(_compared(seen), np.log(seen) - np.log(surround), atol=2e-3)
    assert SCALES_PX == (15, 80, 250)


@pytest.mark.parametrize("level", [0, 0.2, 1])
def test_a_photo_without_contrast_stays(level):
    rgb = np.full((30, 40, 3), level, np.float32)
    np.testing.assert_array_equal(msrcr(rgb), rgb)


def test_each_channel_uses_its_whole_range():
    made = msrcr(RGB)
    assert (made.min(axis=(0, 1)) == 0).all()
    assert (made.max(axis=(0, 1)) == 1).all()


@pytest.mark.parametrize("turn", TURNS)
def test_a_photo_turned_gives_the_result_turned(turn):
    np.testing.assert_allclose(msrcr(TURNS[turn](RGB)), TURNS[turn](msrcr(RGB)), atol=2e-3)


def test_a_dark_half_comes_up_to_the_bright_one():
    rgb = RGB.copy()
    rgb[:, 30:] *= np.float32(0.1)
    before, made = (values[:, 30:].mean() / values[:, :30].mean() for values in (rgb, msrcr(rgb)))
    assert made > 2 * before

import importlib

import numpy as np
from conftest import scene
from hypothesis import given, settings
from hypothesis import strategies as st

from enlighten_cli.methods.fusion import blended, fusion


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 4))
@settings(max_examples=20)
def test_blending_copies_of_one_picture_gives_that_picture(height, width, count):
    """Whatever the weights, as long as they sum up to 1."""
    image = scene(height, width).astype(np.float32) / 255
    weights = np.random.default_rng(0).random((count, height, width)).astype(np.float32)
    np.testing.assert_allclose(blended([image] * count, list(weights / weights.sum(axis=0))), image, atol=1e-5)


def test_one_exposure_is_the_photo(monkeypatch):
    monkeypatch.setattr(importlib.import_module("enlighten_cli.methods.fusion"), "STOPS", (0.0,))
    rgb = scene(50, 60).astype(np.float32) / 255
    np.testing.assert_allclose(fusion(rgb), rgb, atol=1e-5)


def test_what_stands_before_a_window_is_opened_and_the_window_stays():
    rgb = np.full((96, 128, 3), 0.05, np.float32) + scene(96, 128, exposure=0.02).astype(np.float32) / 255
    rgb[:, 80:] = 0.6 + scene(96, 48, exposure=0.2).astype(np.float32) / 255
    made = fusion(rgb)
    assert made[:, :70].mean() > 3 * rgb[:, :70].mean()
    assert abs(made[:, 90:].mean() - rgb[:, 90:].mean()) < 0.15


def test_black_stays_black():
    assert fusion(np.zeros((40, 50, 3), np.float32)).max() == 0

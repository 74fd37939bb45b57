import numpy as np
import pytest
from conftest import scene

from enlighten_cli.training.darkening import MEAN, darken


def darkened(seed, *, exposure=1.0):
    normal = scene(96, 128, exposure=exposure)
    return darken(normal, normal, np.random.default_rng(seed))


@pytest.mark.parametrize("exposure", [0.5, 1.0])
def test_how_dark_it_gets_does_not_depend_on_how_bright_it_was(exposure):
    means = [darkened(seed, exposure=exposure).mean() / 255 for seed in range(60)]
    assert np.median(means) == pytest.approx(MEAN, rel=0.35)
    assert min(means) < MEAN / 2
    assert max(means) > MEAN * 2


def test_a_photo_darker_than_that_stays_as_dark():
    night = scene(96, 128, exposure=0.04)
    for seed in range(10):
        assert darken(night, night, np.random.default_rng(seed)).mean() < night.mean() * 1.3


def test_a_dark_corner_of_a_bright_photo_stays_darker_than_the_rest():
    photo = scene(96, 128, exposure=1.0)
    corner = (photo[:32, :32] * 0.2).astype(np.uint8)
    for seed in range(10):
        of_corner, of_photo = (darken(crop, photo, np.random.default_rng(seed)).mean() for crop in (corner, photo))
        assert of_corner < of_photo


def test_shape_kind_and_repeatability():
    assert darkened(3).shape == (96, 128, 3)
    assert darkened(3).dtype == np.uint8
    np.testing.assert_array_equal(darkened(3), darkened(3))
    assert not np.array_equal(darkened(3), darkened(4))


@pytest.mark.parametrize("value", [0, 255])
def test_flat_crops_survive(value):
    flat = np.full((32, 32, 3), value, np.uint8)
    for seed in range(10):
        assert darken(flat, flat, np.random.default_rng(seed)).shape == flat.shape

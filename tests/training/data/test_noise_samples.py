from pathlib import Path

import numpy as np
import pytest
from conftest import scene
from PIL import Image

from enlighten_cli.training.data.noise_samples import noise_made, sample, split


@pytest.fixture
def photos(tmp_path):
    for number in range(2):
        Image.fromarray(scene(240, 320, seed=number)).save(tmp_path / f"{number}.png")
    return sorted(tmp_path.iterdir())


def test_noise_made_is_that_of_the_difference_by_luma():
    random = np.random.default_rng(0)
    bare = np.linspace(0.1, 0.9, 600, dtype=np.float32)[None].repeat(400, 0)
    made = random.normal(0, 1, bare.shape).astype(np.float32) * np.where(bare < 0.5, 0.01, 0.03)
    curve = noise_made((bare + made).astype(np.float32), bare)
    assert curve.at(np.float32([0.2, 0.8])) == pytest.approx([0.01, 0.03], rel=0.05)


def test_a_sample_is_the_same_whenever_it_is_made(photos):
    one, again, other = (sample(photos, number) for number in (3, 3, 4))
    np.testing.assert_array_equal(one.statistics, again.statistics)
    np.testing.assert_array_equal(one.truth, again.truth)
    assert one.statistics.shape != other.statistics.shape or not np.array_equal(one.statistics, other.statistics)


def test_no_photo_is_both_fitted_on_and_checked_on():
    photos = [Path(f"{number}.jpg") for number in range(12)]
    fitted, checked = split(photos)
    assert checked == [photos[0], photos[5], photos[10]]
    assert sorted([*fitted, *checked]) == sorted(photos)

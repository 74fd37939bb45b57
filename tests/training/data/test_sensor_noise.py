import numpy as np
import pytest
from conftest import scene

from enlighten_cli.photo import LUMA, as_rgb
from enlighten_cli.training.data.sensor_noise import MOST_GAIN, NoisyPhoto, noise_map, noisy_photo


def pairs(count=12, **options):
    rgb = as_rgb(scene(96, 96, exposure=0.9))
    return rgb, [noisy_photo(rgb, np.random.default_rng(number)) for number in range(count)]


def test_photos_are_darkened_and_noisy_as_an_8_bit_file_is():
    rgb, made = pairs()
    for pair in made:
        assert pair.clean.shape == pair.noisy.shape == rgb.shape
        assert np.all(pair.clean <= rgb + 1e-6)
        assert np.abs(pair.noisy * 255 - np.rint(pair.noisy * 255)).max() < 1e-3
        assert (pair.noisy - pair.clean).std() > 0
    darkness = [pair.clean.mean() / rgb.mean() for pair in made]
    assert min(darkness) < 0.35 < 0.6 < max(darkness)


def test_noise_is_not_a_shift():
    """Noise has no mean, but where black cuts it off."""
    _, made = pairs()
    for pair in made:
        light = pair.clean @ LUMA > 0.1
        if light.any():
            assert abs((pair.noisy - pair.clean)[light].mean()) < 0.15 * (pair.noisy - pair.clean)[light].std() + 0.002


def test_the_gain_lifts_a_dark_photo_to_about_its_light():
    rgb, made = pairs()
    for pair in made:
        assert pair.gain.min() >= 1
        assert pair.gain.max() <= MOST_GAIN
        lifted = (pair.clean * pair.gain[..., None]).mean()
        assert 0.3 * rgb.mean() < lifted < 1.4 * rgb.mean()


def test_a_pair_is_a_function_of_its_random_numbers():
    rgb = as_rgb(scene(64, 64, exposure=0.9))
    one, same, other = (noisy_photo(rgb, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.noisy, same.noisy)
    assert np.abs(one.noisy - other.noisy).max() > 0


def test_the_noise_map_says_how_noisy_each_luma_is():
    random = np.random.default_rng(0)
    clean = np.full((96, 96, 3), 0.2, np.float32)
    clean[:, 48:] = 0.6
    noise = random.normal(0, 1, (96, 96, 1)).astype(np.float32) * np.where(clean < 0.4, 0.01, 0.03)
    pair = NoisyPhoto(clean, (clean + noise).astype(np.float32), np.ones((96, 96), np.float32))
    level = noise_map(pair, random, jitter=0)
    assert level[:, :30].mean() == pytest.approx(0.01, rel=0.1)
    assert level[:, 66:].mean() == pytest.approx(0.03, rel=0.1)


def test_without_noise_a_photo_is_darkened_and_stored_in_the_same_way():
    rgb, made = pairs()
    for number, pair in enumerate(made):
        bare = noisy_photo(rgb, np.random.default_rng(number), noise=0)
        np.testing.assert_array_equal(bare.clean, pair.clean)
        np.testing.assert_array_equal(bare.gain, pair.gain)
        assert (bare.noisy - bare.clean).std() < (pair.noisy - pair.clean).std()

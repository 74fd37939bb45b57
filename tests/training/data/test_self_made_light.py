import numpy as np
import pytest
import torch
from conftest import scene

from enlighten_cli.training.data import self_made_light
from enlighten_cli.training.data.augmentation import linear
from enlighten_cli.training.data.self_made_light import _contrast, _flash, _lamps, poorly_lit

PHOTO = torch.from_numpy(scene(112, 112, exposure=1.0)).permute(2, 0, 1) / 255


def drawn(count=200):
    return [poorly_lit(PHOTO, np.random.default_rng(seed)) for seed in range(count)]


def test_results_are_what_8_bits_hold():
    for photo in drawn(20):
        assert photo.shape == PHOTO.shape
        assert 0 <= float(photo.min()) <= float(photo.max()) <= 1
        assert torch.allclose(photo * 255, (photo * 255).round(), atol=1e-4)


def test_some_stay_as_they_are_and_most_become_darker():
    photos = drawn()
    kept = sum(torch.equal(photo, PHOTO) for photo in photos) / len(photos)
    darker = sum(float(photo.mean()) < float(PHOTO.mean()) for photo in photos) / len(photos)
    assert kept == pytest.approx(self_made_light.KEPT, abs=0.06)
    assert darker > 0.75


def test_what_is_dark_falls_further_behind():
    gains = _contrast(PHOTO, np.random.default_rng(3))[0]
    light = PHOTO.mean(0)
    dark, bright = light < light.quantile(0.1), light > light.quantile(0.9)
    assert float(gains[dark].mean()) < 0.7 * float(gains[bright].mean())
    assert float(gains.max()) <= np.exp(self_made_light.MOST_LIFT) + 1e-5


def test_a_flash_leaves_the_far_corners_dark():
    gains = _flash(PHOTO, np.random.default_rng(0))[0]
    assert float(gains[:10].mean()) < 0.5 * float(gains.max())


def test_lamps_colour_the_light_around_them():
    """Over many: red and blue change most, one of them up and the other down."""
    flat = torch.full((3, 112, 112), 0.5)
    for seed in range(10):
        red, green, blue = _lamps(flat, np.random.default_rng(seed))
        brightest = int(green.argmax())
        assert (red.flatten()[brightest] > green.flatten()[brightest]) == (
            blue.flatten()[brightest] < green.flatten()[brightest]
        )


def test_order_of_light_within_a_place_is_kept():
    """Poor light changes regions; it does not turn a photo inside out."""
    ramp = torch.linspace(0.2, 0.9, 112).expand(3, 112, 112).contiguous()
    made = linear(ramp) * _contrast(ramp, np.random.default_rng(1))
    assert (made[0, 0, 1:] >= made[0, 0, :-1]).all()

import numpy as np
import pytest
import torch
from conftest import scene

from enlighten_cli.training.networks.generator import luma
from enlighten_cli.training.objectives.teacher import fused, teacher


def rgb(exposure, *, seed=0):
    return torch.from_numpy(scene(120, 160, seed=seed, exposure=exposure)).permute(2, 0, 1)[None] / 255


@pytest.mark.parametrize("exposure", [0.08, 0.15, 0.3])
def test_dark_photos_become_as_bright_as_well_lit_ones(exposure):
    lifted = teacher(rgb(exposure))
    assert lifted.shape == (1, 3, 120, 160)
    assert 0.38 < float(lifted.mean()) < 0.58
    assert 0 <= float(lifted.min()) <= float(lifted.max()) <= 1


def test_a_well_lit_photo_hardly_changes():
    bright = rgb(1.0) ** 0.6
    assert float(bright.mean()) == pytest.approx(0.5, abs=0.03)
    assert float((teacher(bright) - bright).abs().mean()) < 0.05


def test_order_of_light_is_kept_from_place_to_place():
    dark = rgb(0.2)
    lifted = teacher(dark)
    for place in (slice(0, 30), slice(90, 120)):
        before, after = (photo[0].mean(0)[place, ::16].mean(0) for photo in (dark, lifted))
        assert np.corrcoef(before, after)[0, 1] > 0.9


def test_a_figure_before_a_window_gets_light_and_the_window_is_not_burnt():
    backlit = torch.full((1, 3, 112, 112), 0.85)
    backlit[..., 40:, 36:76] = 0.06
    lifted = teacher(backlit)[0].mean(0)
    assert float(lifted[60:, 46:66].mean()) > 2 * 0.06
    assert float(lifted[10:30].mean()) == pytest.approx(0.85, abs=0.08)


def test_black_stays_nearly_black():
    black = torch.zeros(1, 3, 64, 64)
    assert float(teacher(black).max()) < 0.03


def test_a_light_keeps_its_surroundings_dark_only_as_far_as_they_were():
    """A lamp does not hold its neighbourhood down: the same dark wall is as bright near it as far from it."""
    wall = torch.full((1, 3, 160, 320), 0.05)
    wall[..., 60:100, 20:60] = 1.0
    lifted = teacher(wall)[0].mean(0)
    near, far = lifted[80, 85], lifted[80, 280]
    assert float(near) == pytest.approx(float(far), rel=0.15)


def test_colour_is_kept_in_the_light_and_goes_where_it_is_noise():
    def saturation(light):
        red = torch.stack([torch.full((64, 64), value) for value in (light, 0.6 * light, 0.6 * light)])
        lifted = teacher(red[None])[0].mean(dim=(1, 2))
        return float((lifted[0] - lifted[1]) / lifted[0])

    assert saturation(0.2) == pytest.approx(0.4, abs=0.12)
    assert saturation(0.004) < 0.15


def test_what_a_flash_lit_is_not_lifted_with_the_dark_around_it():
    flash = torch.full((1, 3, 112, 112), 0.04)
    flash[..., 30:80, 20:70] = 0.75
    lifted = teacher(flash)[0].mean(0)
    assert float(lifted[45:65, 35:55].mean()) < 0.85
    assert float(lifted[:, 90:].mean()) > 4 * 0.04


def test_equal_exposures_blend_to_themselves():
    photo = rgb(1.0)
    exposures = torch.stack([photo, photo, photo])
    weights = torch.rand(3, 1, 1, 120, 160, generator=torch.Generator().manual_seed(0)) + 0.1
    assert torch.allclose(fused(exposures, weights / weights.sum(dim=0)), photo, atol=1e-5)


def test_a_place_that_only_one_exposure_shows_comes_from_it():
    """In the long run: far from where the weights change."""
    dark, light = torch.full((1, 3, 64, 128), 0.2), torch.full((1, 3, 64, 128), 0.7)
    weights = torch.zeros(2, 1, 1, 64, 128)
    weights[0, ..., :64], weights[1, ..., 64:] = 1, 1
    made = luma(fused(torch.stack([dark, light]), weights))
    assert float(made[..., 4].mean()) < 0.35 < 0.55 < float(made[..., -4].mean())


def test_a_reduced_photo_is_lifted_as_the_whole_is():
    """Windows are parts of a photo's size."""
    whole = rgb(0.15)
    halved = torch.nn.functional.avg_pool2d(whole, 2)
    expected = torch.nn.functional.avg_pool2d(teacher(whole), 2)
    assert float((teacher(halved) - expected).abs().mean()) < 0.02


def test_photos_beside_it_change_nothing():
    photos = [rgb(exposure, seed=seed) for seed, exposure in enumerate((0.05, 0.2, 0.9))]
    for photo, lifted in zip(photos, teacher(torch.cat(photos)), strict=True):
        assert torch.allclose(teacher(photo)[0], lifted, atol=1e-5)

import numpy as np
import pytest
import torch
from conftest import scene

from enlighten_cli.training.objectives.teacher import MEAN, PIVOT, _box_mean, _corrected, teacher


def rgb(exposure, *, seed=0):
    return torch.from_numpy(scene(120, 160, seed=seed, exposure=exposure)).permute(2, 0, 1)[None] / 255


@pytest.mark.parametrize("exposure", [0.08, 0.15, 0.3])
def test_dark_photos_reach_the_mean(exposure):
    lifted = teacher(rgb(exposure))
    assert lifted.shape == (1, 3, 120, 160)
    assert float(lifted.mean()) == pytest.approx(MEAN, abs=0.08)
    assert 0 <= float(lifted.min()) <= float(lifted.max()) <= 1


def test_order_of_light_is_kept_from_place_to_place():
    dark = rgb(0.2)
    lifted = teacher(dark)
    for place in (slice(0, 30), slice(90, 120)):
        before, after = (photo[0].mean(0)[place, ::16].mean(0) for photo in (dark, lifted))
        assert np.corrcoef(before, after)[0, 1] > 0.9


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


def test_colour_is_lifted_less_than_light():
    red = torch.stack([torch.full((64, 64), value) for value in (0.1, 0.05, 0.05)])
    lifted = teacher(red[None])[0]
    ratio = float(lifted[0].mean() / lifted[1].mean())
    assert 1.2 < ratio < 2


@pytest.mark.parametrize(("light", "change"), [(0.35, 1), (PIVOT, 0), (0.85, -1)])
def test_highlights_make_midtones_brighter_and_light_tones_darker(light, change):
    flat = torch.full((1, 3, 64, 64), light)
    highlights = torch.ones(1, 1, 1, 1)
    assert torch.allclose(_corrected(flat, highlights * 0), flat)
    difference = float((_corrected(flat, highlights) - flat).mean())
    assert np.sign(round(difference, 3)) == change


def test_highlights_bring_local_contrast():
    stripes = (0.35 + 0.05 * torch.sin(torch.arange(96) / 2)).expand(1, 3, 96, 96).contiguous()
    assert float(_corrected(stripes, torch.ones(1, 1, 1, 1)).std()) > 1.1 * float(stripes.std())


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


def test_windows_average_what_is_in_them():
    """At the borders too, where there is less of it."""
    batch = torch.rand(2, 3, 9, 7, generator=torch.Generator().manual_seed(0))
    averaged = _box_mean(batch, 2)
    assert float(averaged[1, 2, 4, 3]) == pytest.approx(float(batch[1, 2, 2:7, 1:6].mean()), abs=1e-6)
    assert float(averaged[0, 1, 0, 6]) == pytest.approx(float(batch[0, 1, :3, 4:].mean()), abs=1e-6)
    assert torch.allclose(_box_mean(batch, 0), batch, atol=1e-6)

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from enlighten_cli.training.baselines.networks.dce_net import ITERATIONS, DceNet, brightened
from enlighten_cli.training.baselines.zero_dce import (
    ZeroDce,
    colour_cast,
    exposure_error,
    roughness,
    spatial_inconsistency,
)
from enlighten_cli.training.recipe import config_from


@given(st.lists(st.floats(-1, 1), min_size=ITERATIONS, max_size=ITERATIONS))
def test_curves_map_the_range_into_itself_and_keep_the_order_of_tones(parameters):
    tones = torch.linspace(0, 1, 101, dtype=torch.double).view(1, 1, 1, -1).expand(1, 3, 1, -1)
    curves = torch.tensor(parameters, dtype=torch.double).view(1, -1, 1, 1, 1).expand(1, ITERATIONS, 3, 1, 101)
    made = brightened(tones, curves)
    assert float(made.min()) >= 0
    assert float(made.max()) <= 1
    assert float(made.diff(dim=3).min()) >= -1e-12


def test_a_curve_by_hand():
    assert float(brightened(torch.full((1, 3, 1, 1), 0.2), torch.full((1, 1, 3, 1, 1), 0.5)).max()) == pytest.approx(
        0.28
    )


def test_the_network_predicts_as_many_curves_as_the_paper_has_and_all_its_weights():
    network = DceNet()
    curves = network.curves(torch.rand(2, 3, 16, 32))
    assert curves.shape == (2, 8, 3, 16, 32)
    assert float(curves.detach().abs().max()) <= 1
    assert sum(parameter.numel() for parameter in network.parameters()) == 79_416


def test_the_wanted_exposure_costs_nothing():
    assert float(exposure_error(torch.full((2, 3, 32, 32), 0.6), 0.6)) == pytest.approx(0, abs=1e-6)
    assert float(exposure_error(torch.full((2, 3, 32, 32), 0.1), 0.6)) == pytest.approx(0.25)
    halves = torch.cat([torch.full((1, 3, 32, 16), 0.5), torch.full((1, 3, 32, 16), 0.7)], dim=3)
    assert float(exposure_error(halves, 0.6)) == pytest.approx(0.01, abs=1e-5)  # by regions, not by the mean of all


def test_grey_has_no_cast():
    assert float(colour_cast(torch.rand(2, 1, 8, 8).expand(2, 3, 8, 8))) == pytest.approx(0, abs=1e-9)
    red = torch.zeros(1, 3, 8, 8)
    red[:, 0] = 0.5
    assert float(colour_cast(red)) == pytest.approx(2 * 0.25)


def test_contrast_between_regions_may_move_but_not_change():
    rgb = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) / 2
    assert float(spatial_inconsistency(rgb, rgb + 0.3)) == pytest.approx(0, abs=1e-9)
    assert float(spatial_inconsistency(rgb, 2 * rgb)) > 1e-4
    step = torch.cat([torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)], dim=3)
    # Two regions, each with one neighbour whose contrast fell from 1 to 0.
    assert float(spatial_inconsistency(step, 0 * step)) == pytest.approx(1)


def test_constant_curves_are_smooth():
    assert float(roughness(torch.full((1, 8, 3, 4, 4), 0.3))) == 0
    slope = torch.arange(4.0).view(1, 1, 1, 1, 4).expand(1, 8, 3, 4, 4) * 0.1
    assert float(roughness(slope)) == pytest.approx(8 * 3 * 0.01, rel=1e-5)  # of eight curves for three channels


def test_low_photos_are_enough_and_normal_ones_are_welcome():
    config = config_from({"objective": "zero-dce", "low": "a"}, "test")
    assert ZeroDce.needs(config).used(config) == ("low",)
    config = config_from({"objective": "zero-dce", "low": "a", "normal": "b"}, "test")
    assert ZeroDce.needs(config).used(config) == ("low", "normal")

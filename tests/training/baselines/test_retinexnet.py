import pytest
import torch

from enlighten_cli.training.baselines.networks.retinex_net import RetinexNet
from enlighten_cli.training.baselines.retinexnet import Retinex, RetinexNetOptions, decomposition_losses, roughness
from enlighten_cli.training.descent import Descent
from enlighten_cli.training.recipe import config_from

OPTIONS = RetinexNetOptions()


def photos():
    random = torch.Generator().manual_seed(0)
    reflectance = torch.rand(2, 3, 16, 16, generator=random)
    low, high = (torch.full((2, 1, 16, 16), light) for light in (0.1, 0.8))
    return reflectance, low, high


def test_a_perfect_decomposition_costs_nothing():
    reflectance, low, high = photos()
    losses = decomposition_losses(
        OPTIONS, reflectance * low, reflectance * high, (reflectance, low), (reflectance, high)
    )
    assert {name: float(loss) for name, loss in losses.items()} == dict.fromkeys(losses, 0)


def test_reflectances_that_differ_cost_and_so_do_crossed_photos():
    reflectance, low, high = photos()
    splits = (reflectance, low), (reflectance * 0.8, high / 0.8)  # each photo alone is still reconstructed
    losses = decomposition_losses(OPTIONS, reflectance * low, reflectance * high, *splits)
    assert float(losses["low"]) == pytest.approx(0, abs=1e-6)
    assert float(losses["high"]) == pytest.approx(0, abs=1e-6)
    assert float(losses["reflectance"]) == pytest.approx(0.01 * 0.2 * float(reflectance.mean()), rel=1e-4)
    assert float(losses["crossed"]) > 0


def test_light_may_have_edges_where_the_reflectance_has_them():
    light = torch.zeros(1, 1, 8, 8)
    light[..., 4:] = 1
    flat, edge = torch.full((1, 3, 8, 8), 0.5), light.expand(1, 3, 8, 8)
    assert float(roughness(light, flat, 10.0)) == pytest.approx(1 / 7)
    assert float(roughness(light, edge, 10.0)) == pytest.approx(torch.e**-10 / 7, rel=1e-3)


def test_each_stage_trains_its_part_alone():
    config = config_from({"objective": "retinexnet", "width": 4, "images": 10, "batch": 2}, "test")
    objective = Retinex(config, Descent(torch.device("cpu")))
    first, second = objective.stages()
    assert (first.until, second.until) == (5, 10)
    network = objective.networks["network"]
    assert first.objective.networks["network"] is network
    for stage, learning in ((first, network.decomposition), (second, network.enhancement)):
        (optimiser,) = stage.objective.optimisers.values()
        assert optimiser.param_groups[0]["params"] == list(learning.parameters())


def test_both_parts_are_in_their_ranges():
    reflectance, light = RetinexNet(4).decomposition(torch.rand(1, 3, 16, 32))
    assert (reflectance.shape, light.shape) == ((1, 3, 16, 32), (1, 1, 16, 32))
    both = torch.cat([reflectance, light], dim=1).detach()
    assert float(both.min()) >= 0
    assert float(both.max()) <= 1

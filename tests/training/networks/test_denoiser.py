import pytest
import torch

from enlighten_cli.training.networks.denoiser import MULTIPLE_PX, Denoiser


def learned(width=8):
    """Return a denoiser whose every layer does something."""
    network = Denoiser(width)
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        network.leave.weight.normal_(0, 0.1, generator=random)
    return network.eval().requires_grad_(False)


@pytest.mark.parametrize("size", [(MULTIPLE_PX, MULTIPLE_PX), (36, 52)])
def test_the_size_is_kept(size):
    rgb = torch.rand(2, 3, *size)
    assert learned()(rgb, torch.rand(2, 1, *size) / 50, torch.ones(2, 1, *size)).shape == rgb.shape


def test_an_even_wall_stays_even():
    """What is removed is a difference to a smoothed copy, and there is none."""
    wall = torch.full((1, 3, 64, 64), 0.1)
    made = Denoiser()(wall, torch.full((1, 1, 64, 64), 0.01), torch.full((1, 1, 64, 64), 4.0))
    assert torch.allclose(made[..., 16:-16, 16:-16], wall[..., 16:-16, 16:-16], atol=1e-6)


def test_it_works_on_the_photo_as_it_will_be_seen():
    """Half the light and twice the gain: half of the result."""
    rgb, noise, gain = torch.rand(1, 3, 32, 32), torch.rand(1, 1, 32, 32) / 50, 2 + torch.rand(1, 1, 32, 32)
    network = learned()
    rgb *= 0.4  # lifted, within what is told apart
    assert torch.allclose(network(rgb / 2, noise / 2, 2 * gain), network(rgb, noise, gain) / 2, atol=1e-5)


def test_no_more_is_removed_than_noise_can_be():
    """Whatever the weights, a light in black is not damaged."""
    rgb = torch.zeros(1, 3, 64, 64)
    rgb[..., 20:40, 20:40] = 0.9
    noise, gain = torch.full((1, 1, 64, 64), 0.003), torch.full((1, 1, 64, 64), 25.0)
    assert float((learned()(rgb, noise, gain) - rgb).abs().max()) <= 4 * 0.003 + 1e-6


def test_it_is_small():
    assert 30_000 < sum(parameter.numel() for parameter in Denoiser().parameters()) < 100_000

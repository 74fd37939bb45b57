import torch

from enlighten_cli.training.networks.light_statistics import KEPT, LightStatistics, statistics


def frames(mean, count=8, seed=0):
    noise = torch.rand(count, 3, 64, 64, generator=torch.Generator().manual_seed(seed))
    return (mean + 0.2 * (noise - 0.5)).clamp(0, 1)


def random():
    return torch.Generator().manual_seed(0)


def test_quantiles_of_a_known_frame():
    """Half of the cells are black, half are a grey of 0.6 without chroma."""
    frame = torch.zeros(1, 3, 32, 64)
    frame[..., 32:] = 0.6
    found = statistics(frame)[0]
    assert torch.allclose(found[:8], torch.zeros(8), atol=1e-6)
    assert torch.allclose(found[8:16], torch.full((8,), 0.6), atol=1e-6)
    assert torch.equal(found[16:], torch.zeros(8))


def test_the_distance_grows_with_the_difference_of_light():
    light = LightStatistics()
    assert float(light.distance(frames(0.3), random())) == 0
    for seed in range(4):
        light.push(frames(0.5, seed=seed))
    same, near, far = (float(light.distance(frames(mean, seed=9), random())) for mean in (0.5, 0.4, 0.2))
    assert same < near / 4 < far / 8


def test_its_gradient_leads_to_the_remembered_light():
    light = LightStatistics()
    light.push(frames(0.6))
    dark = frames(0.3, seed=1).requires_grad_()
    light.distance(dark, random()).backward()
    assert float(dark.grad.mean()) < 0  # descending brightens


def test_the_oldest_frames_are_forgotten():
    light = LightStatistics()
    light.push(frames(0.2))
    for seed in range(KEPT // 8):
        light.push(frames(0.6, seed=seed))
    assert float(light.queue[:, 0].min()) > 0.4

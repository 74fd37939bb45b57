import pytest
import torch

from enlighten_cli.training.networks.feature_discriminator import TAPS, FeatureDiscriminator, blurred


def features(seed=0):
    random = torch.Generator().manual_seed(seed)
    return [torch.rand(2, channels, 32 // 2**place, 32 // 2**place, generator=random)
            for place, channels in enumerate(TAPS.values())]  # fmt: skip


def test_every_layer_has_its_own_map_of_scores():
    scores = FeatureDiscriminator(0)(features())
    assert [each.shape for each in scores] == [(2, 1, 8, 8), (2, 1, 4, 4)]


def test_the_matrices_are_fixed_by_the_seed_and_do_not_learn():
    one, same, other = FeatureDiscriminator(0), FeatureDiscriminator(0), FeatureDiscriminator(1)
    assert torch.equal(one.conv2_2_mix, same.conv2_2_mix)
    assert not torch.equal(one.conv2_2_mix, other.conv2_2_mix)
    assert not any(name.endswith("_mix") for name, _ in one.named_parameters())


@pytest.mark.parametrize("sigma", [0.0, 1.0, 2.5])
def test_a_blur_keeps_the_mean_and_removes_detail(sigma):
    flat = torch.full((1, 3, 24, 24), 0.4)
    assert torch.allclose(blurred(flat, sigma), flat, atol=1e-6)
    dot = torch.zeros(1, 3, 25, 25)
    dot[..., 12, 12] = 1
    found = blurred(dot, sigma)
    assert float(found.sum()) == pytest.approx(3, rel=1e-3)
    if sigma:
        places = torch.arange(25) - 12.0
        spread = float((found[0, 0].sum(0) * places**2).sum()) ** 0.5
        assert spread == pytest.approx(sigma, rel=0.05)
    else:
        assert torch.equal(found, dot)

import pytest
import torch

from enlighten_cli.training.guided_filter import box_mean, smoothed


def test_windows_average_what_is_in_them():
    """At the borders too, where there is less of it."""
    batch = torch.rand(2, 3, 9, 7, generator=torch.Generator().manual_seed(0))
    averaged = box_mean(batch, 2)
    assert float(averaged[1, 2, 4, 3]) == pytest.approx(float(batch[1, 2, 2:7, 1:6].mean()), abs=1e-6)
    assert float(averaged[0, 1, 0, 6]) == pytest.approx(float(batch[0, 1, :3, 4:].mean()), abs=1e-6)
    assert torch.allclose(box_mean(batch, 0), batch, atol=1e-6)


def test_edges_stay_and_ripples_go():
    step = torch.zeros(1, 1, 32, 64)
    step[..., 32:] = 1.0
    rippled = step + 0.01 * (-1.0) ** torch.arange(64)
    smooth = smoothed(rippled, 4, 0.01)
    assert float((smooth - step).abs().max()) < 0.03
    assert float((smooth - step)[..., :16].abs().max()) < 0.002

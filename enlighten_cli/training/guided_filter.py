"""The guided filter, for batches of photos in training."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def smoothed(batch: Tensor, radius_px: int, epsilon: Tensor | float) -> Tensor:
    """Smooth a batch but keep its edges, by the guided filter with the batch as its own guide.

    He, Sun and Tang 2013, doi:10.1109/TPAMI.2012.213, equations 5, 6 and 8, with one scale for all
    channels.

    Parameters
    ----------
    batch : Tensor, shape (N, C, H, W)
    radius_px : int
        Of the windows.
    epsilon : float or Tensor
        Variance below which a window counts as flat.
    """
    mean = box_mean(batch, radius_px)
    variance = (box_mean(batch * batch, radius_px) - mean**2).mean(dim=1, keepdim=True).clamp(min=0)
    scale = variance / (variance + epsilon + 1e-9)
    return box_mean(scale, radius_px) * batch + box_mean(mean * (1 - scale), radius_px)


def box_mean(batch: Tensor, radius_px: int) -> Tensor:
    """Average over windows, cut off at the borders, by cumulative sums."""
    side = 2 * radius_px + 1
    for axis in (2, 3):
        ends = (0, 0) * (3 - axis) + (radius_px + 1, radius_px)
        sums = F.pad(batch, ends).cumsum(axis, dtype=torch.float64)
        length = batch.shape[axis]
        positions = torch.arange(length, device=batch.device)
        counts = (positions + radius_px + 1).clamp(max=length) - (positions - radius_px).clamp(min=0)
        window_sums = sums.narrow(axis, side, length) - sums.narrow(axis, 0, length)
        batch = (window_sums / counts.view((-1, 1) if axis == 2 else (1, -1))).float()
    return batch

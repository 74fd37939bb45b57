"""DCE-Net: a small network that predicts tone curves for each pixel."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from enlighten_cli.training.networks.rgb_network import RgbNetwork

ITERATIONS = 8


class DceNet(RgbNetwork):
    """Brighten by eight quadratic curves for each pixel and channel, applied one after the other.

    Seven 3x3 convolutions; the last three also see the features of the third, the second and the first.

    Parameters
    ----------
    width : int
        Channels of each layer.

    Notes
    -----
    Guo et al., "Zero-reference deep curve estimation for low-light image enhancement", CVPR 2020,
    doi:10.1109/CVPR42600.2020.00185, arXiv:2001.06826.
    """

    reach_px = 7
    paper_width = 32

    def __init__(self, width: int = paper_width) -> None:
        super().__init__(width)
        self.down = nn.ModuleList(nn.Conv2d(before, width, 3, padding=1) for before in (3, width, width, width))
        self.up = nn.ModuleList(nn.Conv2d(2 * width, width, 3, padding=1) for _ in range(2))
        self.last = nn.Conv2d(2 * width, 3 * ITERATIONS, 3, padding=1)

    def curves(self, rgb: Tensor) -> Tensor:
        """Predict curve parameters in [-1, 1]: (N, 3, H, W) to (N, 8, 3, H, W)."""
        features, skips = rgb, []
        for layer in self.down:
            features = F.relu(layer(features))
            skips.append(features)
        skips.pop()
        for layer in self.up:
            features = F.relu(layer(torch.cat([skips.pop(), features], dim=1)))
        found = torch.tanh(self.last(torch.cat([skips.pop(), features], dim=1)))
        return found.view(len(found), ITERATIONS, 3, *found.shape[2:])

    def forward(self, rgb: Tensor) -> Tensor:
        """Brighten a batch; the result is in [0, 1]."""
        return brightened(rgb, self.curves(rgb))


def brightened(rgb: Tensor, curves: Tensor) -> Tensor:
    """Apply curves, ``x + a x (1 - x)``, one after the other: equation 2 of Guo et al.

    Parameters
    ----------
    rgb : Tensor, shape (N, 3, H, W), range [0, 1]
    curves : Tensor, shape (N, K, 3, H, W), range [-1, 1]

    Returns
    -------
    Tensor, shape (N, 3, H, W), range [0, 1]
    """
    for curve in curves.unbind(1):
        rgb = rgb + curve * rgb * (1 - rgb)
    return rgb

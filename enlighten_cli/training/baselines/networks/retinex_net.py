"""Retinex-Net: split a photo into reflectance and illumination, and brighten the illumination."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from enlighten_cli.training.networks.rgb_network import RgbNetwork

DECOMPOSITION_LAYERS = 5  # between the first and the last
LEVELS = 3  # of halving


class DecomNet(nn.Module):
    """Split RGB in [0, 1] into reflectance (N, 3, H, W) and illumination (N, 1, H, W), both in [0, 1]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.middle = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(DECOMPOSITION_LAYERS))
        self.last = nn.Conv2d(width, 4, 3, padding=1)

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """Split a batch."""
        features = self.first(rgb)
        for layer in self.middle:
            features = F.relu(layer(features))
        both = torch.sigmoid(self.last(features))
        return both[:, :3], both[:, 3:]


class EnhanceNet(nn.Module):
    """Map reflectance and illumination to a brighter illumination (N, 1, H, W), which is not clamped.

    Three strided convolutions, three convolutions after enlargement to the nearest neighbour, to which the features
    of the same size are added; all three scales together give the result.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(4, width, 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(width, width, 3, stride=2, padding=1) for _ in range(LEVELS))
        self.up = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(LEVELS))
        self.fusion = nn.Conv2d(LEVELS * width, width, 1)
        self.last = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, reflectance: Tensor, illumination: Tensor) -> Tensor:
        """Brighten a batch."""
        skips = [self.first(torch.cat([reflectance, illumination], dim=1))]
        for layer in self.down:
            skips.append(F.relu(layer(skips[-1])))
        features, scales = skips.pop(), []
        for layer in self.up:
            features = F.relu(layer(F.interpolate(features, scale_factor=2, mode="nearest"))) + skips.pop()
            scales.append(features)
        full = [
            F.interpolate(scale, scale_factor=2**level, mode="nearest") if level else scale
            for level, scale in zip(reversed(range(LEVELS)), scales, strict=True)
        ]
        return cast("Tensor", self.last(self.fusion(torch.cat(full, dim=1))))


class RetinexNet(RgbNetwork):
    """Multiply the reflectance of a dark photo by its brightened illumination.

    Parameters
    ----------
    width : int
        Channels of each layer of both parts.

    Notes
    -----
    Wei et al., "Deep Retinex decomposition for low-light enhancement", BMVC 2018, arXiv:1808.04560. The paper also
    denoises the reflectance by BM3D, which is no network; it is left out.
    """

    reach_px = 30
    paper_width = 64

    def __init__(self, width: int = paper_width) -> None:
        super().__init__(width)
        self.decomposition = DecomNet(width)
        self.enhancement = EnhanceNet(width)

    def forward(self, rgb: Tensor) -> Tensor:
        """Brighten a batch."""
        reflectance, illumination = self.decomposition(rgb)
        return cast("Tensor", reflectance * self.enhancement(reflectance, illumination))

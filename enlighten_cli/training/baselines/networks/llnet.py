"""LLNet: a stacked autoencoder that brightens and denoises small patches."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from enlighten_cli.training.networks.rgb_network import RgbNetwork

PATCH_PX = 17
STRIDE_PX = 4  # divides 16, so that tiles are exact; the paper has 3
BEFORE_PX = 16  # added at the top and left, so that each pixel is in all patches that can hold it
AFTER_PX = 13  # by which the last patches extend beyond a photo whose sides are multiples of 16
DARKEST = 1 / 255  # below it, colour is rounding


class LlNet(RgbNetwork):
    """Brighten overlapping patches of 17 x 17 pixels, and average them where they overlap.

    Three encoding and three decoding layers, each with a sigmoid, see the value of a photo, the largest of red,
    green and blue. Its colours are multiplied by the ratio of the new value to the old one, so that none exceeds 1.

    Parameters
    ----------
    width : int
        Units of the first layer; the second has two thirds of it, the third a third.

    Notes
    -----
    Lore, Akintayo and Sarkar, "LLNet: A deep autoencoder approach to natural low-light image enhancement", Pattern
    Recognition 2017, doi:10.1016/j.patcog.2016.06.008, arXiv:1511.03995.
    """

    ones: Tensor
    identity: Tensor
    reach_px = PATCH_PX - 1
    paper_width = 867

    def __init__(self, width: int = paper_width) -> None:
        super().__init__(width)
        widths = [width, max(1, round(width * 2 / 3)), max(1, round(width / 3))]
        pixels = PATCH_PX**2
        self.encoders = nn.ModuleList(
            [
                nn.Conv2d(1, widths[0], PATCH_PX, stride=STRIDE_PX),
                nn.Conv2d(widths[0], widths[1], 1),
                nn.Conv2d(widths[1], widths[2], 1),
            ]
        )
        self.decoders = nn.ModuleList(
            nn.Conv2d(before, after, 1) for before, after in zip(widths, [pixels, *widths[:-1]], strict=True)
        )
        # A transposed convolution with these kernels puts each number of a patch to its place.
        self.register_buffer("identity", torch.eye(pixels).view(pixels, 1, PATCH_PX, PATCH_PX), persistent=False)
        self.register_buffer("ones", torch.ones(1, 1, PATCH_PX, PATCH_PX), persistent=False)

    @property
    def bytes_per_pixel(self) -> int:
        """Approximate memory of a run: the layers are large, but there is one patch for 16 pixels."""
        return 8 * (self.width + 2 * PATCH_PX**2) // STRIDE_PX**2 + 100

    def encoded(self, value: Tensor, layers: int = 3) -> Tensor:
        """Encode all patches of (N, 1, H, W) by the first layers: (N, units, rows, columns)."""
        for layer in self.encoders[:layers]:
            value = torch.sigmoid(layer(value))
        return value

    def patches(self, value: Tensor) -> Tensor:
        """Brighten the patches of (N, 1, H, W), one every 4 pixels: (N, 289, rows, columns), not yet averaged."""
        units = self.encoded(value)
        for layer in reversed(self.decoders):
            units = torch.sigmoid(layer(units))
        return units

    def averaged(self, value: Tensor) -> Tensor:
        """Brighten (N, 1, H, W) in [0, 1] to the same, where H and W are multiples of 16."""
        outputs = self.patches(F.pad(value, (BEFORE_PX,) * 4, mode="replicate"))
        sums = F.conv_transpose2d(outputs, self.identity, stride=STRIDE_PX)
        counts = F.conv_transpose2d(torch.ones_like(outputs[:, :1]), self.ones, stride=STRIDE_PX)
        return (sums / counts)[..., BEFORE_PX:-AFTER_PX, BEFORE_PX:-AFTER_PX]

    def forward(self, rgb: Tensor) -> Tensor:
        """Brighten a batch; the result is in [0, 1]."""
        value = rgb.amax(dim=1, keepdim=True)
        return rgb * (self.averaged(value) / value.clamp(min=DARKEST))

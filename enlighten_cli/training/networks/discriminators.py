"""The patch discriminators, which distinguish normal-light photos from enhanced ones."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

GLOBAL_LAYERS = 5
LOCAL_LAYERS = 4
PAPER_WIDTH = 64


class PatchDiscriminator(nn.Module):
    """Score overlapping patches of a photo: high for normal light, low for enhanced.

    4x4 convolutions with padding 2 and LeakyReLU(0.2), without norms: `strided_layers` of stride 2
    that widen to at most 8 x `width`, one of stride 1, and one to a single channel.

    Parameters
    ----------
    strided_layers : int
        5 for the global discriminator (320 px give 13 x 13 scores), 4 for the local one
        (32 px give 5 x 5).
    width : int
        Channels of the first layer.
    """

    def __init__(self, strided_layers: int, width: int = PAPER_WIDTH) -> None:
        super().__init__()
        self.width = width
        widths = [width * min(2**layer, 8) for layer in range(strided_layers + 1)]
        layers: list[nn.Module] = []
        for layer, (before, after) in enumerate(zip([3, *widths[:-1]], widths, strict=True)):
            stride = 2 if layer < strided_layers else 1
            layers += [nn.Conv2d(before, after, 4, stride=stride, padding=2), nn.LeakyReLU(0.2)]
        layers.append(nn.Conv2d(widths[-1], 1, 4, padding=2))
        self.layers = nn.Sequential(*layers)

    def forward(self, rgb: Tensor) -> Tensor:
        """Score a batch: (N, 3, H, W) in [0, 1] to a score map (N, 1, h, w)."""
        return cast("Tensor", self.layers(rgb * 2 - 1))

"""A small network that removes noise from a dark photo, given the noise and the gain that will show it."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

UNSHUFFLE = 2  # pixels a side that become channels
MULTIPLE_PX = 4  # one unshuffling and one strided convolution
WIDTH = 16
DEEP_LAYERS = 3


class Denoiser(nn.Module):
    """Map a noisy photo to a clean one of the same size.

    The network works on the photo as it will be seen: times the gain. So one set of weights serves
    every darkness, and what is hardly lifted is hardly touched.

    Parameters
    ----------
    width : int
        Channels at half resolution; at quarter resolution there are twice as many.

    Notes
    -----
    Noise as a map beside the photo, and pixels as channels for speed, are FFDNet's (Zhang, Zuo and
    Zhang 2018, doi:10.1109/TIP.2018.2839891).
    """

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        deep_width = 2 * width
        self.enter = nn.Conv2d(4 * UNSHUFFLE**2, width, 3, padding=1)
        self.fine = nn.Conv2d(width, width, 3, padding=1)
        self.deepen = nn.Conv2d(width, deep_width, 3, stride=2, padding=1)
        self.deep = nn.ModuleList(nn.Conv2d(deep_width, deep_width, 3, padding=1) for _ in range(DEEP_LAYERS))
        self.rise = nn.Conv2d(deep_width, 4 * width, 1)
        self.merge = nn.Conv2d(width, width, 3, padding=1)
        self.leave = nn.Conv2d(width, 3 * UNSHUFFLE**2, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(cast("Tensor", self.leave.bias))

    def forward(self, rgb: Tensor, noise: Tensor, gain: Tensor) -> Tensor:
        """Denoise a batch.

        Parameters
        ----------
        rgb : Tensor, shape (N, 3, H, W), range [0, 1]
            H and W are multiples of 4.
        noise : Tensor, shape (N, 1, H, W), range [0, 1]
            Standard deviation of luma's noise.
        gain : Tensor, shape (N, 1, H, W), 1 or more
            What the photo will be multiplied by.

        Returns
        -------
        Tensor, shape (N, 3, H, W)
        """
        lifted = torch.cat([rgb * gain, noise * gain], dim=1)
        fine = F.relu(self.fine(F.relu(self.enter(F.pixel_unshuffle(lifted, UNSHUFFLE)))))
        deep = F.relu(self.deepen(fine))
        for layer in self.deep:
            deep = F.relu(layer(deep) + deep)
        merged = F.relu(self.merge(fine + F.pixel_shuffle(self.rise(deep), 2)))
        removed = F.pixel_shuffle(self.leave(merged), UNSHUFFLE)
        return rgb - removed / gain

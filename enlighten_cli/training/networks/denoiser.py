"""A small network that removes noise from a dark photo, given the noise and the gain that will show it."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

UNSHUFFLE = 2  # pixels a side that become channels
MULTIPLE_PX = 4  # one unshuffling and one strided convolution
WIDTH = 16
COLOURS = 3 * UNSHUFFLE**2  # channels of a photo, unshuffled
BRIGHTEST = 1.5  # that a lifted photo is taken for
MOST_DEVIATIONS = 4.0  # of luma's noise that are removed of any channel; colour's is stronger
SMOOTH_PX = 5  # of the smoothed copy's window, at half resolution
DEEP_LAYERS = 3


class Denoiser(nn.Module):
    """Map a noisy photo to a clean one of the same size.

    The network works on the photo as it will be seen: times the gain. So one set of weights serves
    every darkness, and what is hardly lifted is hardly touched. It decides, pixel by pixel and
    channel by channel, what part goes of the difference to a smoothed copy, and adds what smoothing
    cannot know.

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
        self.smooth = nn.Conv2d(COLOURS, COLOURS, SMOOTH_PX, padding=SMOOTH_PX // 2, groups=3, bias=False)
        self.enter = nn.Conv2d(COLOURS + UNSHUFFLE**2, width, 3, padding=1)
        self.fine = nn.Conv2d(width, width, 3, padding=1)
        self.deepen = nn.Conv2d(width, deep_width, 3, stride=2, padding=1)
        self.deep = nn.ModuleList(nn.Conv2d(deep_width, deep_width, 3, padding=1) for _ in range(DEEP_LAYERS))
        self.rise = nn.Conv2d(deep_width, 4 * width, 1)
        self.merge = nn.Conv2d(width, width, 3, padding=1)
        self.leave = nn.Conv2d(width, 2 * COLOURS, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(cast("Tensor", self.leave.bias))
        nn.init.constant_(self.smooth.weight, 1 / self.smooth.weight[0].numel())

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
        # A gain is that of its surroundings: a light in black would be lifted far beyond all that was learned from.
        lifted = F.pixel_unshuffle((rgb * gain).clamp(max=BRIGHTEST), UNSHUFFLE)
        seen = torch.cat([lifted, F.pixel_unshuffle(noise * gain, UNSHUFFLE)], dim=1)
        fine = F.relu(self.fine(F.relu(self.enter(seen))))
        deep = F.relu(self.deepen(fine))
        for layer in self.deep:
            deep = F.relu(layer(deep) + deep)
        merged = F.relu(self.merge(fine + F.pixel_shuffle(self.rise(deep), 2)))
        part, rest = self.leave(merged).chunk(2, dim=1)
        removed = torch.sigmoid(part) * (lifted - self.smooth(lifted)) + rest
        most = MOST_DEVIATIONS * noise
        return rgb - torch.maximum(torch.minimum(F.pixel_shuffle(removed, UNSHUFFLE) / gain, most), -most)

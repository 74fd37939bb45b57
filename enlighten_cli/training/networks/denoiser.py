"""A small network that denoises a dark photo, given its noise and the gain that will amplify it."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

UNSHUFFLE = 2  # blocks of 2 x 2 pixels become channels
MULTIPLE_PX = 4  # one pixel unshuffle and one strided convolution
WIDTH = 16
COLOURS = 3 * UNSHUFFLE**2  # channels of a photo after the unshuffle
BRIGHTEST = 1.5  # the brightened photo is clipped here
MOST_DEVIATIONS = 4.0  # largest change of a channel, in standard deviations of luma's noise; chroma noise is stronger
SMOOTH_PX = 5  # window of the smoothed copy, at half resolution
DEEP_LAYERS = 3


class Denoiser(nn.Module):
    """Map a noisy photo to a clean one of the same size.

    The network works on the photo times the gain, as it will be seen. So one set of weights is enough
    for every exposure, and areas with little gain hardly change. For each pixel and channel, the network
    predicts which part of the difference to a smoothed copy to remove, and adds a residual.

    Parameters
    ----------
    width : int
        Channels at half resolution; at quarter resolution there are twice as many.

    Notes
    -----
    The noise map as an input, and the pixel unshuffle for speed, follow FFDNet (Zhang, Zuo and
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
            Factor by which the photo will be brightened.

        Returns
        -------
        Tensor, shape (N, 3, H, W)
        """
        # The gain is smooth: without the clip, a bright lamp in the dark would far exceed the training range.
        lifted = F.pixel_unshuffle((rgb * gain).clamp(max=BRIGHTEST), UNSHUFFLE)
        inputs = torch.cat([lifted, F.pixel_unshuffle(noise * gain, UNSHUFFLE)], dim=1)
        fine = F.relu(self.fine(F.relu(self.enter(inputs))))
        deep = F.relu(self.deepen(fine))
        for layer in self.deep:
            deep = F.relu(layer(deep) + deep)
        merged = F.relu(self.merge(fine + F.pixel_shuffle(self.rise(deep), 2)))
        part, rest = self.leave(merged).chunk(2, dim=1)
        removed = torch.sigmoid(part) * (lifted - self.smooth(lifted)) + rest
        most = MOST_DEVIATIONS * noise
        return rgb - torch.maximum(torch.minimum(F.pixel_shuffle(removed, UNSHUFFLE) / gain, most), -most)

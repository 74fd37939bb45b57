"""A pool of earlier results, so that a discriminator does not forget them."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn


class ImagePool(nn.Module):
    """Keep earlier results of a generator, and give some of them back in place of new ones.

    It is a module so that checkpoints contain it.

    Parameters
    ----------
    size : int
        Number of kept frames; with 0, new ones are returned.
    side_px : int
        Side of the frames.

    Notes
    -----
    Shrivastava et al., "Learning from simulated and unsupervised images through adversarial training", CVPR 2017,
    doi:10.1109/CVPR.2017.241.
    """

    def __init__(self, size: int, side_px: int) -> None:
        super().__init__()
        self.register_buffer("frames", torch.zeros(size, 3, side_px, side_px))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def exchanged(self, generated: Tensor, random: np.random.Generator) -> Tensor:
        """Return frames to judge in place of (N, 3, side_px, side_px).

        Until the pool is full, the new frames are kept and returned. Then half of them, at random, are kept in the
        place of an earlier frame, which is returned instead.
        """
        frames, filled = cast("Tensor", self.frames), cast("Tensor", self.filled)
        returned = []
        for frame in generated:
            if int(filled) < len(frames):
                frames[int(filled)] = frame
                filled += 1
            elif len(frames) and random.random() < 0.5:
                place = int(random.integers(len(frames)))
                earlier = frames[place].clone()
                frames[place] = frame
                returned.append(earlier)
                continue
            returned.append(frame)
        return torch.stack(returned)

"""Matching distributions without an adversary: what light and colour normal photos have, and enhanced ones lack."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from enlighten_cli.training.networks.generator import luma

CELL_PX = 8  # light is compared in means of cells: detail is not the subject
LUMA_QUANTILES, CHROMA_QUANTILES = 16, 8
KEPT, DIRECTIONS = 512, 64


class LightStatistics(nn.Module):
    """Remember statistics of normal frames, and measure how far those of enhanced frames are from them.

    The statistics of a frame are quantiles of luma and of chroma over its cells. Their distributions are compared by
    the sliced Wasserstein distance (Rabin et al. 2012, doi:10.1007/978-3-642-24785-9_37).
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("queue", torch.zeros(KEPT, LUMA_QUANTILES + CHROMA_QUANTILES))
        self.register_buffer("pushed", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def push(self, normal: Tensor) -> None:
        """Remember normal frames, (N, 3, H, W) in [0, 1], in place of the oldest."""
        pushed = int(cast("Tensor", self.pushed))
        positions = (pushed + torch.arange(len(normal), device=normal.device)) % KEPT
        self.get_buffer("queue")[positions] = statistics(normal)
        self.get_buffer("pushed").add_(len(normal))

    def distance(self, enhanced: Tensor, random: torch.Generator) -> Tensor:
        """Return the distance of enhanced frames from those remembered; 0 if none are.

        Parameters
        ----------
        enhanced : Tensor, shape (N, 3, H, W), range [0, 1]
        random : Generator
            Draws the directions of the slices.
        """
        remembered = self.get_buffer("queue")[: int(cast("Tensor", self.pushed))]
        if not len(remembered):
            return enhanced.sum() * 0
        found = statistics(enhanced)
        directions = torch.randn((found.shape[1], DIRECTIONS), generator=random).to(found)
        directions = F.normalize(directions, dim=0)
        positions = (torch.arange(len(found), device=found.device) + 0.5) / len(found)
        wanted = torch.quantile(remembered @ directions, positions.to(found), dim=0)
        return F.l1_loss((found @ directions).sort(dim=0).values, wanted)


def statistics(frames: Tensor) -> Tensor:
    """Return quantiles of luma and of chroma over the cells of each frame: (N, 3, H, W) to (N, 24)."""
    cells = F.avg_pool2d(frames, CELL_PX)
    chroma = cells.amax(dim=1) - cells.amin(dim=1)
    found = []
    for values, count in ((luma(cells), LUMA_QUANTILES), (chroma, CHROMA_QUANTILES)):
        positions = (torch.arange(count, device=frames.device) + 0.5) / count
        found.append(torch.quantile(values.flatten(1), positions.to(values), dim=1).T)
    return torch.cat(found, dim=1)

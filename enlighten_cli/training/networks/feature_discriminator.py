"""A discriminator that judges frozen features of VGG-16 instead of pixels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from enlighten_cli.training.networks.generator import seed_of

TAPS = {"conv2_2": 128, "conv3_3": 256}  # layer to channels
WIDTH = 64


class FeatureDiscriminator(nn.Module):
    """Score photos: high for normal light, low for enhanced.

    Each layer's features are mixed by a fixed random matrix, so that no few channels decide, and scored by a small
    network of their own: Sauer et al., "Projected GANs converge faster", NeurIPS 2021, arXiv:2111.01007.

    Parameters
    ----------
    seed : int
        Of the random matrices.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        for tap, channels in TAPS.items():
            random = torch.Generator().manual_seed(seed_of(seed, tap))
            matrix = torch.randn((WIDTH, channels, 1, 1), generator=random) / channels**0.5
            self.register_buffer(f"{tap}_mix", matrix)
            layers = [
                *(nn.Conv2d(WIDTH, WIDTH, 4, stride=2, padding=1), nn.LeakyReLU(0.2)),
                *(nn.Conv2d(WIDTH, WIDTH, 4, stride=2, padding=1), nn.LeakyReLU(0.2)),
                nn.Conv2d(WIDTH, 1, 3, padding=1),
            ]
            self.add_module(tap, nn.Sequential(*layers))

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Score the features of the layers `TAPS`, (N, C, h, w) each: a score map (N, 1, h', w') each."""
        scores = []
        for tap, values in zip(TAPS, features, strict=True):
            # The logarithm: without a mean subtracted, activations reach hundreds, and grow with the light.
            mixed = F.conv2d(values.log1p(), self.get_buffer(f"{tap}_mix"))
            scores.append(self.get_submodule(tap)(mixed))
        return scores


def blurred(frames: Tensor, sigma_px: float) -> Tensor:
    """Blur frames, (N, 3, H, W), by a Gaussian; 0 returns them as they are."""
    radius = round(3 * sigma_px)
    if not radius:
        return frames
    positions = torch.arange(-radius, radius + 1, device=frames.device, dtype=frames.dtype)
    kernel = torch.exp(-(positions**2) / (2 * sigma_px**2))
    kernel = (kernel / kernel.sum()).expand(frames.shape[1], 1, 1, -1)
    padded = F.pad(frames, (radius,) * 4, mode="replicate")
    across = F.conv2d(padded, kernel, groups=frames.shape[1])
    return F.conv2d(across, kernel.transpose(2, 3), groups=frames.shape[1])

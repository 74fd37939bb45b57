"""A perceptual distance: how far apart two photos are to a network that learned to see.

Features of ImageNet's VGG-16 after relu1_2, 2_2, 3_3 and 4_3, divided by their length at each place; squared
differences summed over channels, averaged over places and layers. So Zhang et al. 2018 (arXiv:1801.03924)
define the baseline that they then calibrate on people's judgements; this one is not calibrated. Features
need PyTorch, which is why this is no metric of the package.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from enlighten_cli.photo import Pixels
from enlighten_cli.training.checkpoint import read_tensors
from enlighten_cli.training.networks.vgg import VggFeatures

TAPS = ("conv1_2", "conv2_2", "conv3_3", "conv4_3")
MEAN = torch.tensor([123.68, 116.779, 103.939]).view(1, 3, 1, 1) / 255  # of ImageNet, red, green and blue
SHARED = Path(os.environ.get("ENLIGHTEN_SHARED", Path(__file__).parents[3] / "shared"))
DEFAULT_VGG = SHARED / "vgg16" / "vgg16-to-conv5_1-fp16.safetensors"


class PerceptualDistance:
    """The distance, with its network.

    Parameters
    ----------
    file : Path
        VGG-16's weights, in Caffe's or torchvision's layout.
    """

    def __init__(self, file: Path = DEFAULT_VGG) -> None:
        # Channels last: the same features in four fifths of the time on a CPU.
        self._network = VggFeatures(read_tensors(file).tensors).eval().to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def features(self, pixels: Pixels) -> list[Tensor]:
        """Return the features of a photo, (H, W, 3) uint8, of unit length at each place."""
        features = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float() / 255 - MEAN
        return [found / (found.norm(dim=1, keepdim=True) + 1e-10) for found in self._network.taps(features, TAPS)]

    def __call__(self, one: list[Tensor], other: list[Tensor]) -> float:
        """Return the distance between two photos by their features; 0 for identical ones."""
        return float(np.mean([((a - b) ** 2).sum(dim=1).mean() for a, b in zip(one, other, strict=True)]))

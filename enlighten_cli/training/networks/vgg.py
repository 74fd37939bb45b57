"""The self-feature-preserving loss on VGG-16 features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from enlighten_cli.errors import ModelError

CONVOLUTIONS = (
    *("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3"),
    *("conv4_1", "conv4_2", "conv4_3", "conv5_1"),
)
WIDTHS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512)
# No pooling between blocks 4 and 5, as in the original code: the features have stride 8.
POOL_AFTER = ("conv1_2", "conv2_2", "conv3_3")
TORCHVISION_INDEX = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24)
TORCHVISION_STD = (0.229, 0.224, 0.225)


class VggFeatures(nn.Module):
    """Map RGB in [0, 1] to the relu5_1 features of VGG-16, without subtracting a mean.

    If the mean is subtracted, instance-normalised features change with exposure; if not, they hardly
    do, which is the purpose of the loss that uses them.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        Weights by Caffe's layer names (``conv1_1.weight``; input BGR, 0 to 255) or by
        torchvision's (``features.0.weight``; input RGB divided by its standard deviation).
        The channel order and scale of the input are folded into the first layer.

    Raises
    ------
    ModelError
        If neither layout is found, or a shape is wrong.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        if "features.0.weight" in tensors:
            sources = [f"features.{index}" for index in TORCHVISION_INDEX]
            channels, scale = [0, 1, 2], 1 / torch.tensor(TORCHVISION_STD)
        else:
            sources = list(CONVOLUTIONS)
            channels, scale = [2, 1, 0], torch.full((3,), 255.0)
        before = 3
        for name, source, width in zip(CONVOLUTIONS, sources, WIDTHS, strict=True):
            layer = nn.Conv2d(before, width, 3, padding=1)
            for part in ("weight", "bias"):
                key, parameter = f"{source}.{part}", getattr(layer, part)
                if key not in tensors or tensors[key].shape != parameter.shape:
                    raise ModelError(f"not weights of VGG-16: no tensor {key} of shape {tuple(parameter.shape)}")
                with torch.no_grad():
                    parameter.copy_(tensors[key].float())
            self.add_module(name, layer)
            before = width
        with torch.no_grad():
            first = self.get_submodule("conv1_1")
            assert isinstance(first, nn.Conv2d)
            first.weight.copy_(first.weight[:, channels] * scale.view(1, 3, 1, 1))
        self.requires_grad_(False)

    def forward(self, rgb: Tensor) -> Tensor:
        """Return features: (N, 3, H, W) in [0, 1] to (N, 512, H // 8, W // 8)."""
        return self.taps(rgb, CONVOLUTIONS[-1:])[0]

    def taps(self, rgb: Tensor, names: Sequence[str]) -> list[Tensor]:
        """Return the features after the ReLU of some layers, named in order: (N, C, h, w) each."""
        features, found = rgb, []
        for name in CONVOLUTIONS[: CONVOLUTIONS.index(names[-1]) + 1]:
            features = F.relu(self.get_submodule(name)(features))
            if name in names:
                found.append(features)
            if name in POOL_AFTER:
                features = F.max_pool2d(features, 2)
        return found


def self_feature_preserving(features: nn.Module, low: Tensor, enhanced: Tensor) -> Tensor:
    """Return the mean squared change of a photo's instance-normalised features by enhancement.

    Parameters
    ----------
    features : Module
        `VggFeatures`.
    low, enhanced : Tensor, shape (N, 3, H, W)
        RGB in [0, 1]. `low` receives no gradient.

    Notes
    -----
    Equation 5 of Jiang et al. (2021), with the normalisation of section III-C.
    """
    with torch.no_grad():
        wanted = F.instance_norm(features(low).float())
    return F.mse_loss(F.instance_norm(features(enhanced).float()), wanted)

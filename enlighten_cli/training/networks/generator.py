"""The generator of EnlightenGAN: an attention-guided U-Net."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PAPER_WIDTH = 32


class EnlightenNet(nn.Module):
    """Map RGB in [0, 1] to brightened RGB of the same size.

    The attention map, the scaling to [-1, 1] and the residual are inside the network, so that a
    state dict and this class define the whole function. The layers have the names of the published
    checkpoints.

    Parameters
    ----------
    width : int
        Channels of the first level; 32 gives the published 8,636,675 parameters.
    align_corners : bool
        How the decoder interpolates. ``False`` makes exact tiling possible; the published weights
        were trained with ``True``.
    attention : bool
        Whether the attention map, which is large where the photo is dark, multiplies features and residual;
        without it, it is 1 everywhere.

    Notes
    -----
    Jiang et al., "EnlightenGAN: Deep Light Enhancement without Paired Supervision", IEEE TIP
    2021, doi:10.1109/TIP.2021.3051462, figure 2.
    """

    def __init__(self, width: int = PAPER_WIDTH, *, align_corners: bool = False, attention: bool = True) -> None:
        super().__init__()
        self.width = width
        self.align_corners = align_corners
        self.attention = attention
        widths = [width * 2**level for level in range(5)]
        for level, (before, after) in enumerate(zip([4, *widths[:-1]], widths, strict=True), start=1):
            self._add_level(level, before, after)
        for level, after in enumerate(reversed(widths[:-1]), start=6):
            self.add_module(f"deconv{level - 1}", nn.Conv2d(2 * after, after, 3, padding=1))
            self._add_level(level, 2 * after, after, last_norm=level < 9)
        self.conv10 = nn.Conv2d(width, 3, 1)

    def _add_level(self, level: int, before: int, after: int, *, last_norm: bool = True) -> None:
        self.add_module(f"conv{level}_1", nn.Conv2d(before, after, 3, padding=1))
        self.add_module(f"bn{level}_1", nn.BatchNorm2d(after))
        self.add_module(f"conv{level}_2", nn.Conv2d(after, after, 3, padding=1))
        if last_norm:
            self.add_module(f"bn{level}_2", nn.BatchNorm2d(after))

    def _block(self, name: str, features: Tensor) -> Tensor:
        features = F.leaky_relu(self.get_submodule(f"conv{name}")(features), 0.2)
        if hasattr(self, f"bn{name}"):
            features = self.get_submodule(f"bn{name}")(features)
        return features

    def _first_block(self, inputs: Tensor) -> Tensor:
        """Compute in fp32 even in mixed precision: near -1, bf16 cannot distinguish the tones of shadows."""
        if not torch.is_autocast_enabled(inputs.device.type):
            return self._block("1_1", inputs)
        with torch.autocast(inputs.device.type, enabled=False):
            return self._block("1_1", inputs)

    def forward(self, rgb: Tensor) -> Tensor:
        """Brighten a batch.

        Parameters
        ----------
        rgb : Tensor, shape (N, 3, H, W), range [0, 1]
            H and W are multiples of 16.

        Returns
        -------
        Tensor, shape (N, 3, H, W)
            Not clamped; the caller clamps after applying the strength.
        """
        attention = 1 - luma(rgb) if self.attention else torch.ones_like(rgb[:, :1])
        precision = self.conv10.weight.dtype  # input and output are fp32 even if the layers are fp16
        attentions = [attention.to(precision)]
        for _ in range(4):
            attentions.append(F.max_pool2d(attentions[-1], 2))

        scaled = rgb * 2 - 1
        features = self._first_block(torch.cat([scaled, attention], dim=1))
        skips: list[Tensor] = []
        for level in range(1, 5):
            if level > 1:
                features = self._block(f"{level}_1", features)
            features = self._block(f"{level}_2", features)
            skips.append(features)
            features = F.max_pool2d(features, 2)
        features = self._block("5_2", self._block("5_1", features) * attentions[4])

        for level in range(6, 10):
            size = 9 - level
            up = F.interpolate(features, scale_factor=2, mode="bilinear", align_corners=self.align_corners)
            up = self.get_submodule(f"deconv{level - 1}")(up)
            features = torch.cat([up, skips[size] * attentions[size]], dim=1)
            features = self._block(f"{level}_2", self._block(f"{level}_1", features))

        residual = self.conv10(features).to(rgb.dtype) * attention
        return cast("Tensor", (scaled + residual + 1) / 2)


def luma(rgb: Tensor) -> Tensor:
    """Return the luma of a batch: (N, 3, H, W) to (N, 1, H, W), ITU-R BT.601 weights."""
    return 0.299 * rgb[:, 0:1] + 0.587 * rgb[:, 1:2] + 0.114 * rgb[:, 2:3]


def initialise(network: nn.Module, seed: int) -> None:
    """Draw kernels from N(0, 0.02) and norms from N(1, 0.02); set biases to 0.

    The numbers depend only on the seed and the layer's name, not on the order in which networks are
    created.
    """
    for name, module in network.named_modules():
        if not isinstance(module, (nn.Conv2d, nn.BatchNorm2d)):
            continue
        random = torch.Generator().manual_seed(seed_of(seed, name))
        mean = 1.0 if isinstance(module, nn.BatchNorm2d) else 0.0
        with torch.no_grad():
            module.weight.copy_(torch.empty(module.weight.shape).normal_(mean, 0.02, generator=random))
            if module.bias is not None:
                module.bias.zero_()


def seed_of(seed: int, name: str) -> int:
    """Derive a 32-bit seed for a named purpose from a run's seed."""
    import zlib

    return zlib.crc32(f"{seed}/{name}".encode())

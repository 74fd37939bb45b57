"""Light augmentation: simulate another exposure of a photo, in linear light."""

from __future__ import annotations

import torch
from torch import Tensor


def exposed(rgb: Tensor, stops: Tensor) -> Tensor:
    """Change the exposure of photos.

    Parameters
    ----------
    rgb : Tensor, shape (..., 3, H, W), range [0, 1]
        sRGB.
    stops : Tensor, shape (..., 3)
        Of red, green and blue; each stop doubles the light, each negative one halves it. Different values
        for the channels change the white balance. Results above 1 are clipped.

    Returns
    -------
    Tensor, shape (..., 3, H, W), range [0, 1]
    """
    return encoded((linear(rgb) * torch.exp2(stops)[..., None, None]).clamp(0, 1))


def linear(rgb: Tensor) -> Tensor:
    """Decode sRGB to linear light, by the transfer function of IEC 61966-2-1."""
    return torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def encoded(light: Tensor) -> Tensor:
    """Encode linear light, at least 0, as sRGB."""
    return torch.where(light <= 0.0031308, light * 12.92, 1.055 * light.clamp(min=1e-9) ** (1 / 2.4) - 0.055)

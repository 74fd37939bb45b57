"""Photos as another exposure would have given them: light augmentation, in linear light."""

from __future__ import annotations

import torch
from torch import Tensor


def exposed(rgb: Tensor, stops: Tensor) -> Tensor:
    """Expose photos anew.

    Parameters
    ----------
    rgb : Tensor, shape (..., 3, H, W), range [0, 1]
        sRGB.
    stops : Tensor, shape (..., 3)
        Of red, green and blue; each doubles the light, negative ones halve it. Different ones are another
        white balance. What gets more than 1 is cut off.

    Returns
    -------
    Tensor, shape (..., 3, H, W), range [0, 1]
    """
    # sRGB's curve (IEC 61966-2-1) there and back.
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = (linear * torch.exp2(stops)[..., None, None]).clamp(0, 1)
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)

"""A photo as a network in training would enhance it in use."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from enlighten_cli.enhancement.enhance import Options, enhance
from enlighten_cli.models.network import FunctionNetwork
from enlighten_cli.photo import Photo, Pixels, Rgb


def enhanced_photo(
    network: nn.Module, pixels: Pixels, device: torch.device, training_pixels: int, reach_px: int
) -> Pixels:
    """Enhance a photo.

    Parameters
    ----------
    network : Module
        From (N, 3, H, W) to the same, on `device`.
    pixels : ndarray, shape (H, W, 3), uint8
    device : torch.device
    training_pixels, reach_px : int
        As the exported model will record them.
    """

    @torch.no_grad()
    def brighten(rgb: Rgb) -> Rgb:
        batch = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None].to(device)
        return np.asarray(network(batch)[0].permute(1, 2, 0).cpu().numpy())

    used = FunctionNetwork(brighten, training_pixels, reach_px)
    return enhance(Photo(pixels, "PNG"), used, Options()).pixels

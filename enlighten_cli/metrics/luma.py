"""Mean luma: how bright a photo is overall."""

from __future__ import annotations

import numpy as np

from enlighten_cli.photo import LUMA, Pixels


def mean_luma(pixels: Pixels) -> float:
    """Return the mean luma of 8-bit RGB, (H, W, 3), in [0, 1]; weights of ITU-R BT.601."""
    # The mean is linear: three channel means cost less than the luma of every pixel.
    return float(pixels.mean(axis=(0, 1), dtype=np.float64) @ LUMA) / 255

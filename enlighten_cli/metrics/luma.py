"""Mean luma: how bright a photo is overall."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.photo import LUMA, Pixels


def mean_luma(pixels: Pixels, opacity: NDArray[np.float32] | None = None) -> float:
    """Return the mean luma of 8-bit RGB, (H, W, 3), in [0, 1]; weights of ITU-R BT.601.

    Pixels count by their opacity, (H, W), if it is given.
    """
    # The mean is linear: three channel means cost less than the luma of every pixel.
    if opacity is None:
        means = pixels.mean(axis=(0, 1), dtype=np.float64)
    else:
        means = np.einsum("hw,hwc->c", opacity, pixels, dtype=np.float64) / opacity.sum(dtype=np.float64)
    return float(means @ LUMA) / 255

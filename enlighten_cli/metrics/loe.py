"""LOE, the lightness order error: how much an enhancement changes the order of lightness."""

from __future__ import annotations

import numpy as np
from PIL import Image

from enlighten_cli.metrics.psnr import refuse_other_size
from enlighten_cli.photo import Pixels

SIDE_PX = 50  # the shorter side is reduced to this, as in the authors' code; LOE depends on it


def loe(pixels: Pixels, before: Pixels) -> float:
    """Measure the lightness order error; lower is better, 0 where the order is kept.

    Parameters
    ----------
    pixels, before : ndarray, shape (H, W, 3), uint8
        The enhanced photo, and the photo before.

    Returns
    -------
    float
        For each pixel of the reduced photo, the number of pixels whose order of lightness relative to it
        has changed; the mean over all pixels.

    Raises
    ------
    PhotoError
        If the two differ in size.

    Notes
    -----
    Wang, Zheng, Hu and Li, "Naturalness preserved enhancement algorithm for non-uniform
    illumination images", IEEE TIP 2013, doi:10.1109/TIP.2013.2261309, equations 1 to 4.
    """
    refuse_other_size(pixels, before)
    after, first = (_lightness(photo).ravel() for photo in (pixels, before))
    differences = 0
    for each_after, each_first in zip(after, first, strict=True):
        differences += int(np.count_nonzero((each_after >= after) != (each_first >= first)))
    return differences / len(after)


def _lightness(pixels: Pixels) -> np.ndarray:
    """Return the maximum of the channels, at reduced size."""
    lightness = Image.fromarray(pixels.max(axis=2))
    factor = min(1.0, SIDE_PX / min(lightness.size))
    size = (max(1, round(lightness.width * factor)), max(1, round(lightness.height * factor)))
    return np.asarray(lightness.resize(size, Image.Resampling.BICUBIC))

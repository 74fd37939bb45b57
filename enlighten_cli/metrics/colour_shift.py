"""Colour shift: by what angle the average colour of a photo has changed."""

from __future__ import annotations

import numpy as np

from enlighten_cli.metrics.psnr import refuse_other_size
from enlighten_cli.photo import Pixels
from enlighten_cli.photo.colour import linear_srgb


def colour_shift(pixels: Pixels, before: Pixels) -> float:
    """Measure the angle between the average colours of two photos in linear RGB, in degrees.

    Brightening alone keeps the direction of the average colour, and gives 0. A colour cast changes it.

    Parameters
    ----------
    pixels, before : ndarray, shape (H, W, 3), uint8
        sRGB.

    Raises
    ------
    PhotoError
        If the two differ in size.

    Notes
    -----
    The angular error, as used to judge illuminant estimates: Finlayson, Funt and Barnard, "Color
    constancy under varying illumination", ICCV 1995, doi:10.1109/ICCV.1995.466867.
    """
    refuse_other_size(pixels, before)
    one, other = (_average(photo) for photo in (pixels, before))
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    if lengths == 0:
        return 0.0
    # From sine and cosine: near 0, the arc cosine alone loses precision.
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(one, other)), one @ other)))


def _average(pixels: Pixels) -> np.ndarray:
    """Return the average of linear RGB (IEC 61966-2-1)."""
    linear = linear_srgb(np.arange(256, dtype=np.float32) / np.float32(255)).astype(np.float64)
    counts = [np.bincount(pixels[..., channel].ravel(), minlength=256) for channel in range(3)]
    return np.array([count @ linear for count in counts]) / pixels[..., 0].size

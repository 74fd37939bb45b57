"""PSNR: how far a photo is from its reference, in decibels."""

from __future__ import annotations

import numpy as np

from enlighten_cli.errors import PhotoError
from enlighten_cli.photo import Pixels


def psnr(pixels: Pixels, reference: Pixels) -> float:
    """Measure the peak signal-to-noise ratio over all three channels, in dB; higher is better.

    Parameters
    ----------
    pixels, reference : ndarray, shape (H, W, 3), uint8

    Raises
    ------
    PhotoError
        If the two differ in size.
    """
    refuse_other_size(pixels, reference)
    error = np.mean((pixels.astype(np.float64) - reference) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def refuse_other_size(pixels: Pixels, reference: Pixels) -> None:
    """Refuse photos of different size: they cannot be compared pixel by pixel."""
    if pixels.shape != reference.shape:
        sizes = (f"{array.shape[1]} x {array.shape[0]}" for array in (pixels, reference))
        raise PhotoError(f"sizes differ: {' and '.join(sizes)}")

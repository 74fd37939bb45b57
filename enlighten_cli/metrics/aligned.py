"""Metrics after alignment: one gain gives the photo the mean of its reference before they are compared.

The right brightness cannot be known from the dark photo alone. Once one gain has corrected it, the remaining
error is noise, colour and the distribution of light.
"""

from __future__ import annotations

import numpy as np

from enlighten_cli.metrics.psnr import psnr, refuse_other_size
from enlighten_cli.metrics.ssim import ssim
from enlighten_cli.photo import Pixels


def aligned(pixels: Pixels, reference: Pixels) -> Pixels:
    """Multiply a photo by the factor that gives it the mean of the reference; clip at white.

    Parameters
    ----------
    pixels, reference : ndarray, shape (H, W, 3), uint8

    Raises
    ------
    PhotoError
        If the two differ in size.
    """
    refuse_other_size(pixels, reference)
    mean = pixels.mean()
    gain = reference.mean() / mean if mean else 1.0
    table = np.rint((np.arange(256) * gain).clip(0, 255)).astype(np.uint8)
    return np.asarray(table[pixels], np.uint8)


def aligned_psnr(pixels: Pixels, reference: Pixels) -> float:
    """Measure the PSNR after alignment, in dB; see `psnr` for parameters and errors."""
    return psnr(aligned(pixels, reference), reference)


def aligned_ssim(pixels: Pixels, reference: Pixels) -> float:
    """Measure the SSIM after alignment, in [-1, 1]; see `ssim` for parameters and errors."""
    return ssim(aligned(pixels, reference), reference)

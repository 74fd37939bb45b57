"""Alignment: one gain a photo, before it is compared with its reference.

How bright a photo should be is one number that nobody can know from the dark one; with it given, what is
left of the error is noise, colour and light between the parts.
"""

from __future__ import annotations

import numpy as np

from enlighten_cli.metrics.psnr import psnr, refuse_other_size
from enlighten_cli.metrics.ssim import ssim
from enlighten_cli.photo import Pixels


def aligned(pixels: Pixels, reference: Pixels) -> Pixels:
    """Multiply a photo by the one factor that gives it the reference's mean; cut off at white.

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
    """Measure the PSNR after alignment, in dB; parameters and errors as of `psnr`."""
    return psnr(aligned(pixels, reference), reference)


def aligned_ssim(pixels: Pixels, reference: Pixels) -> float:
    """Measure the SSIM after alignment, in [-1, 1]; parameters and errors as of `ssim`."""
    return ssim(aligned(pixels, reference), reference)

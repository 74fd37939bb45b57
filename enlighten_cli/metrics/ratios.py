"""Colourfulness and contrast of a photo, relative to its reference."""

from __future__ import annotations

import numpy as np

from enlighten_cli.metrics.aligned import aligned
from enlighten_cli.metrics.ciede2000 import lab_of
from enlighten_cli.photo import LUMA, Pixels

GREY = 1e-6  # chroma below which a photo counts as grey


def chroma_ratio(pixels: Pixels, reference: Pixels) -> float:
    """Measure the ratio of a photo's mean chroma to its reference's, after alignment; 1 is equal.

    Parameters
    ----------
    pixels, reference : ndarray, shape (H, W, 3), uint8
        sRGB.

    Returns
    -------
    float
        Chroma in CIELAB, after averaging over blocks of 8 x 8 pixels, so that chroma noise does not count
        as colour; nan if the reference is grey.

    Raises
    ------
    PhotoError
        If the two differ in size.
    MissingDependencyError
        If scikit-image is not installed.
    """
    own, wanted = (_chroma(photo) for photo in (aligned(pixels, reference), reference))
    return own / wanted if wanted > GREY else float("nan")


def _chroma(pixels: Pixels, block_px: int = 8) -> float:
    from PIL import Image

    block_px = min(block_px, *pixels.shape[:2])
    lab = lab_of(np.asarray(Image.fromarray(pixels).reduce(block_px)))
    return float(np.hypot(lab[..., 1], lab[..., 2]).mean())


def contrast_ratio(pixels: Pixels, reference: Pixels) -> float:
    """Measure the ratio of luma's standard deviation to the reference's, after alignment; 1 is equal.

    Parameters
    ----------
    pixels, reference : ndarray, shape (H, W, 3), uint8

    Returns
    -------
    float
        nan if the reference is flat.

    Raises
    ------
    PhotoError
        If the two differ in size.
    """
    own, wanted = (float((photo @ LUMA).std()) for photo in (aligned(pixels, reference), reference))
    return own / wanted if wanted else float("nan")


def darkest(pixels: Pixels) -> float:
    """Measure the 5th percentile of luma, in [0, 1]; haze raises it."""
    return float(np.quantile(pixels @ LUMA, 0.05)) / 255

"""CIEDE2000: how different the colours of two photos look."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.errors import MissingDependencyError, how_to_install
from enlighten_cli.metrics.aligned import aligned
from enlighten_cli.photo import Pixels


def ciede2000(pixels: Pixels, reference: Pixels) -> float:
    """Measure the mean colour difference after alignment; about 1 is just noticeable, 0 for identical photos.

    Parameters
    ----------
    pixels, reference : ndarray, shape (H, W, 3), uint8
        sRGB.

    Raises
    ------
    PhotoError
        If the two differ in size.
    MissingDependencyError
        If scikit-image is not installed.

    Notes
    -----
    Luo, Cui and Rigg 2001, doi:10.1002/col.1049, as implemented in scikit-image. The photo is first
    given the mean of its reference (`aligned`), so that exposure alone makes no difference.
    """
    return float(np.mean(colour_difference(lab_of(aligned(pixels, reference)), lab_of(reference))))


def lab_of(pixels: Pixels) -> NDArray[np.float64]:
    """Convert sRGB, (H, W, 3) uint8, to CIELAB under D65."""
    return np.asarray(_skimage_color().rgb2lab(pixels))


def colour_difference(one: NDArray[np.floating[Any]], other: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the CIEDE2000 difference of colours in CIELAB, (..., 3) to (...)."""
    return np.asarray(_skimage_color().deltaE_ciede2000(one, other))


def _skimage_color() -> Any:
    try:
        from skimage import color
    except ImportError as error:
        raise MissingDependencyError(
            f"colour metrics need scikit-image; {how_to_install('evaluate', 'scikit-image')}"
        ) from error
    return color

"""Histogram equalization."""

from __future__ import annotations

from enlighten_cli.methods.value import with_value
from enlighten_cli.photo import Rgb


def equalize(rgb: Rgb) -> Rgb:
    """Equalize the value of HSV over the whole photo, by scikit-image with its defaults.

    Parameters
    ----------
    rgb : ndarray, shape (H, W, 3), float32, range [0, 1]

    Raises
    ------
    MissingDependencyError
        If scikit-image is not installed.
    """
    return with_value(rgb, "equalize_hist")

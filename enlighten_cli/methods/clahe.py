"""Contrast limited adaptive histogram equalization."""

from __future__ import annotations

from enlighten_cli.methods.value import with_value
from enlighten_cli.photo import Rgb


def clahe(rgb: Rgb) -> Rgb:
    """Equalize the value of HSV in tiles with limited contrast, by scikit-image with its defaults.

    Notes
    -----
    Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems IV, 1994.
    """
    return with_value(rgb, "equalize_adapthist")

"""Histogram equalization."""

from __future__ import annotations

from enlighten_cli.methods.value import with_value
from enlighten_cli.photo import Rgb


def equalize(rgb: Rgb) -> Rgb:
    """Equalize the value of HSV over the whole photo, by scikit-image with its defaults."""
    return with_value(rgb, "equalize_hist")

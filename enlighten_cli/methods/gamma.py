"""Gamma correction, the simplest way to brighten."""

from __future__ import annotations

import numpy as np

from enlighten_cli.photo import Rgb

GAMMA = 1 / 2.2


def gamma(rgb: Rgb, exponent: float = GAMMA) -> Rgb:
    """Raise each channel to a power; an exponent below 1 brightens."""
    return np.asarray(rgb ** np.float32(exponent))

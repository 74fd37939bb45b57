"""Highlights: brightened light approaches white slowly, so that bright detail is not clipped."""

from __future__ import annotations

import numpy as np

from enlighten_cli.photo import Pixels, Rgb

KNEE = np.float32(0.95)  # light above this, of white, is compressed


def hold_highlights(after: Rgb, before: Rgb | Pixels, white: float = 1.0) -> None:
    """Compress, in place, the light that brightening drives towards white or beyond.

    Nothing becomes darker than it was; light that did not change stays.

    Parameters
    ----------
    after, before : ndarray, of one shape; `after` is float32
        Light of the brightened photo, and of the photo.
    white : float
        The number that stands for white.

    Notes
    -----
    The shoulder of Reinhard's tone curve, x / (1 + x), above a knee (Reinhard et al. 2002, doi:10.1145/566654.566575).
    """
    knee, room = KNEE * np.float32(white), (1 - KNEE) * np.float32(white)
    if after.max() <= knee:
        return
    high = after > knee
    bright = after[high]
    excess = (bright - knee) / room
    after[high] = np.maximum(knee + room * excess / (1 + excess), np.minimum(bright, before[high]))

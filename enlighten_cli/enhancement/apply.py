"""The one formula by which a brightened picture is made from what it was and what it could be."""

from __future__ import annotations

import numpy as np

from enlighten_cli.enhancement.highlights import hold_highlights
from enlighten_cli.photo import Rgb


def applied(lifted: Rgb, before: Rgb, strength: float) -> Rgb:
    """Go from a picture towards its lifted light, and hold its highlights.

    Parameters
    ----------
    lifted, before : ndarray, shape (h, w, 3), float32
        Light as the network would have it, and as it is; both may leave [0, 1].
    strength : float
        Part of the way: 0 stays, 1 arrives.

    Returns
    -------
    ndarray, shape (h, w, 3), float32
        Not clamped. The network sees colours outside sRGB clipped; the part that was clipped is kept.
    """
    after = np.asarray(before + np.float32(strength) * (lifted - before.clip(0, 1)), np.float32)
    hold_highlights(after, before)
    return after

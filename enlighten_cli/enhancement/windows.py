"""Small windows of a picture, and what became of it in each: the parts of a guided filter.

He, Sun and Tang, "Guided image filtering", IEEE TPAMI 2013, doi:10.1109/TPAMI.2012.213.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Planes: TypeAlias = NDArray[np.float32]

RADIUS_PX = 2  # of a window


class WindowFit(NamedTuple):
    """What a change is in each window, change = slope x guide + offset, and what the guide is there: (h, w, C) each."""

    slope: Planes
    offset: Planes
    mean: Planes
    variance: Planes


def fit_windows(guide: Planes, change: Planes, flat: float | np.float32) -> WindowFit:
    """Describe a change, (h, w, C), by the picture that it was made to, channel by channel.

    Parameters
    ----------
    guide, change : ndarray, shape (h, w, C), float32
    flat : float
        Variance below which a window counts as flat: there the change is an offset, more than a slope.

    Notes
    -----
    Equations 5 and 6 of the guided filter. To filter with it, average both (equation 8).
    """
    mean, mean_change = box_mean(guide), box_mean(change)
    variance = box_mean(guide * guide) - mean**2
    slope = (box_mean(guide * change) - mean * mean_change) / (variance + np.float32(flat))
    return WindowFit(slope, mean_change - slope * mean, mean, variance)


def box_mean(values: Planes) -> Planes:
    """Average over windows, smaller at the borders."""
    for axis in (0, 1):
        length = values.shape[axis]
        margin = [(RADIUS_PX, RADIUS_PX) if each == axis else (0, 0) for each in range(3)]
        padded = np.pad(values, margin)
        slices = [slice(None)] * axis
        sums = padded[(*slices, slice(0, length))].copy()
        for first in range(1, 2 * RADIUS_PX + 1):
            sums += padded[(*slices, slice(first, first + length))]
        positions = np.arange(length, dtype=np.float32)
        counts = np.minimum(positions + RADIUS_PX + 1, length) - np.maximum(positions - RADIUS_PX, 0)
        values = np.asarray(sums / counts.reshape([-1 if each == axis else 1 for each in range(3)]), np.float32)
    return values

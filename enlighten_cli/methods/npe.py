"""NPE: naturalness preserved enhancement for unevenly lit photos."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.photo import Rgb

Plane = NDArray[np.float32]
Levels = NDArray[np.intp]

LEVELS = 256
RADIUS_PX = 7  # of the window of the bright-pass filter
SIMILAR = LEVELS // 32  # counts of neighbours are averaged over levels within this distance
STRIP_ROWS = 32  # rows computed together, few enough for the CPU's cache


def npe(rgb: Rgb) -> Rgb:
    """Divide by the light of brighter neighbours, change its histogram, and multiply by it again.

    Notes
    -----
    Wang, Zheng, Hu and Li, "Naturalness preserved enhancement algorithm for non-uniform illumination images",
    IEEE TIP 2013, doi:10.1109/TIP.2013.2261309: the bright-pass filter, weighted by how often two levels are
    neighbours in this photo, and the bi-log transformation. The window is 15 px wide.
    """
    observed = rgb.max(axis=2)
    light = bright_pass(observed)
    reflectance = np.divide(rgb, light[..., None], out=np.zeros_like(rgb), where=light[..., None] > 0)
    return np.asarray((reflectance * bi_log(light)[..., None]).clip(0, 1))


def bright_pass(observed: Plane) -> Plane:
    """Average, in each window, the pixels that are no darker than its centre; never below `observed`."""
    levels = np.rint(observed * (LEVELS - 1)).astype(np.intp)
    # Darker neighbours have no weight: this is the filter's step function.
    weights = np.triu(neighbours(levels)).astype(np.float32).ravel()
    padding = [(RADIUS_PX, RADIUS_PX)] * 2
    around_levels = np.pad(levels, padding, constant_values=0)
    around = np.pad(observed, padding, constant_values=-1)
    height, width = observed.shape
    light = np.empty_like(observed)
    for start in range(0, height, STRIP_ROWS):
        stop = min(start + STRIP_ROWS, height)
        rows = levels[start:stop] * LEVELS
        total, weight_total = np.zeros((stop - start, width), np.float32), np.zeros((stop - start, width), np.float32)
        for down in range(2 * RADIUS_PX + 1):
            for across in range(2 * RADIUS_PX + 1):
                place = slice(start + down, stop + down), slice(across, across + width)
                weight = weights[rows + around_levels[place]] * (around[place] >= 0)
                total += weight * around[place]
                weight_total += weight
        light[start:stop] = np.divide(total, weight_total, out=observed[start:stop].copy(), where=weight_total > 0)
    return np.maximum(light, observed)


def neighbours(levels: Levels) -> NDArray[np.float64]:
    """Count how often each pair of levels is adjacent (up, down, left, right), averaged over similar levels."""
    counts = np.zeros((LEVELS, LEVELS))
    for one, other in ((levels[:-1], levels[1:]), (levels[:, :-1], levels[:, 1:])):
        pairs = np.bincount(one.ravel() * LEVELS + other.ravel(), minlength=LEVELS**2).reshape(LEVELS, LEVELS)
        counts += pairs + pairs.T
    padded = np.pad(counts, ((0, 0), (SIMILAR + 1, SIMILAR))).cumsum(axis=1)
    return np.asarray(padded[:, 2 * SIMILAR + 1 :] - padded[:, : -2 * SIMILAR - 1]) / (2 * SIMILAR + 1)


def bi_log(light: Plane) -> Plane:
    """Match the light's histogram to a logarithmic one; each pixel is weighted by the logarithm of its level."""
    levels = np.rint(light * (LEVELS - 1)).astype(np.intp)
    shape = np.log(np.arange(LEVELS) + 1.0)
    own = np.bincount(levels.ravel(), minlength=LEVELS) * shape
    if not own.any():  # black
        return light
    reached, wanted = own.cumsum() / own.sum(), shape.cumsum() / shape.sum()
    return np.asarray(np.interp(reached, wanted, np.linspace(0, 1, LEVELS))[levels], np.float32)

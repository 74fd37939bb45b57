"""BIMEF: fuse the photo with a longer exposure, simulated by a camera response model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.methods.scipy_parts import scipy_part
from enlighten_cli.methods.weighted_least_squares import smoothed
from enlighten_cli.photo import Rgb

Plane = NDArray[np.float32]

A, B = -0.3293, 1.1258  # parameters of the camera response, as fitted in the paper
SMOOTHNESS, WINDOW_PX, FLAT = np.float32(0.5), 5, np.float32(1e-3)
WEIGHT_POWER = np.float32(0.5)
DARK = 0.5  # light below which a pixel is underexposed
RATIOS = np.linspace(1, 7, 61)  # candidate exposure ratios
JUDGED_SIDE_PX, LEVELS = 50, 256  # side of the copy on which they are compared, and bins of its histogram


def ying(rgb: Rgb) -> Rgb:
    """Fuse the photo with the exposure that shows most in its dark parts.

    Returns
    -------
    ndarray
        Nowhere darker than the photo.

    Notes
    -----
    Ying, Li and Gao, "A bio-inspired multi-exposure fusion framework for low-light image enhancement",
    arXiv:1711.00591, with the camera response model of Ying et al., "A new low-light image enhancement algorithm using
    camera response model", ICCV workshops 2017, doi:10.1109/ICCVW.2017.356. The exposure ratio is the best of 61
    candidates; the paper searches for it by optimization.
    """
    light = light_map(rgb.max(axis=2)).clip(0, 1)
    longer = exposed(rgb, best_ratio(rgb, light)).clip(0, 1)
    weight = (light**WEIGHT_POWER)[..., None]
    return np.asarray(rgb + (1 - weight) * (longer - rgb))


def exposed(rgb: NDArray[np.float32], ratio: float) -> NDArray[np.float32]:
    """Simulate an exposure `ratio` times as long by a beta-gamma curve; values above 1 are not clipped."""
    gamma = ratio**A
    return np.asarray(np.float32(np.exp(B * (1 - gamma))) * rgb ** np.float32(gamma))


def light_map(observed: Plane) -> Plane:
    """Smooth the brightest channel, except where the differences in a window add up to an edge."""
    ndimage = scipy_part("ndimage")
    weights = []
    for axis in (0, 1):
        slopes = np.diff(observed, axis=axis)
        summed = ndimage.uniform_filter1d(slopes, WINDOW_PX, axis=axis, mode="constant") * WINDOW_PX
        weights.append(SMOOTHNESS / ((np.abs(summed) + FLAT) * (np.abs(slopes) + FLAT)))
    return smoothed(observed, *weights)


def best_ratio(rgb: Rgb, light: Plane) -> float:
    """Return the exposure ratio that gives the underexposed pixels the largest entropy."""
    step = [max(1, length // JUDGED_SIDE_PX) for length in light.shape]
    few = rgb[:: step[0], :: step[1]]
    dark = few[light[:: step[0], :: step[1]] < DARK]
    if not dark.size:
        return 1.0
    brightness = np.cbrt(dark.prod(axis=1))
    return float(max(RATIOS, key=lambda ratio: _entropy(exposed(brightness, ratio))))


def _entropy(values: NDArray[np.float32]) -> float:
    counts, _ = np.histogram(values.clip(0, 1), LEVELS, (0, 1))
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log2(share)).sum())

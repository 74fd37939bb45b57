"""How much of a photo's light is signal: what may be brightened."""

from __future__ import annotations

import numpy as np

from enlighten_cli.enhancement.noise import NoiseCurve
from enlighten_cli.enhancement.windows import Planes, box_mean
from enlighten_cli.photo import LUMA, Rgb

ROUNDING = np.float32(12**-0.5)  # standard deviation of the rounding error, in steps
DOUBT = np.float32(10)  # weight of the error's variance; where it equals the squared light, half of the change is made
NOISE_LEFT = np.float32(0.3)  # part of the noise that may remain after denoising


def signal_confidence(rgb: Rgb, noise: NoiseCurve, step: float) -> Planes:
    """Return which part of the light is signal, so that black and rounding errors are not lifted to grey.

    Parameters
    ----------
    rgb : ndarray, shape (h, w, 3), float32, range [0, 1]
    noise : NoiseCurve
    step : float
        Difference of neighbouring pixel values: 1/255 or 1/65535; 0 for floats.

    Returns
    -------
    ndarray, shape (h, w, 1), float32, range [0, 1]

    Notes
    -----
    Wiener's gain, signal^2 / (signal^2 + c noise^2), of the mean light in windows: it varies smoothly, so no outlines
    appear.
    """
    light = box_mean(rgb @ LUMA[:, None])
    doubt = DOUBT * ((ROUNDING * np.float32(step)) ** 2 + (NOISE_LEFT * noise.at(light)) ** 2)
    return np.asarray(light**2 / (light**2 + doubt + 1e-12), np.float32)

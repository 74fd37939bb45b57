"""SRIE: simultaneous estimation of reflectance and illumination."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.methods.lime import shrunk
from enlighten_cli.methods.scipy_parts import scipy_part
from enlighten_cli.methods.weighted_least_squares import divergence, smoothed
from enlighten_cli.photo import Rgb

Plane = NDArray[np.float32]

REFLECTANCE, LIGHT, PENALTY = np.float32(0.01), np.float32(0.1), np.float32(1)  # c1, c2 and lambda of the paper
WHITE = np.float32(255)  # the paper's weights are for light in [0, 255]
GAMMA = np.float32(1 / 2.2)
FIRST_BLUR_PX = 5.0  # standard deviation of the blur that gives the first estimate of the light
MOST_STEPS, CLOSE_ENOUGH = 8, 0.01  # iterations at most; relative change of the light at which they end


def srie(rgb: Rgb) -> Rgb:
    """Split the value of HSV into reflectance and light, and brighten the light by a gamma.

    Notes
    -----
    Fu, Zeng, Huang, Zhang and Ding, "A weighted variational model for simultaneous reflectance and illumination
    estimation", CVPR 2016, doi:10.1109/CVPR.2016.304. The paper drops the weights from its two linear steps, so
    that Fourier transforms solve them. Here the weights are kept, and the steps solved as weighted least squares.
    Iteration ends after `MOST_STEPS`, or when the light's change is at most `CLOSE_ENOUGH` times its norm.
    """
    observed = rgb.max(axis=2)
    light = split(observed)[1] / WHITE
    lifted = light.clip(1 / WHITE, 1) ** (GAMMA - 1)
    return np.asarray((rgb * lifted[..., None]).clip(0, 1))


def split(observed: Plane) -> tuple[Plane, Plane]:
    """Return reflectance, in [0, 1], and light, in [1, 255], whose product is close to 255 x `observed`.

    Notes
    -----
    In logarithms, s = r + l: minimizes |r + l - s|^2 + c1 |R grad r|_1 + c2 |L grad l|^2, where
    r <= 0 and l >= s; R and L are those of the previous iteration.
    """
    ndimage = scipy_part("ndimage")
    logs = np.log(np.maximum(observed * WHITE, 1))
    light = np.maximum(ndimage.gaussian_filter(logs, FIRST_BLUR_PX), logs)
    reflected = logs - light
    dual = [np.zeros_like(np.diff(logs, axis=axis)) for axis in (0, 1)]
    for _ in range(MOST_STEPS):
        weights = between(np.exp(reflected))
        slopes = [weight * np.diff(reflected, axis=axis) for axis, weight in enumerate(weights)]
        steps = [shrunk(slope + each, 1 / (2 * PENALTY)) for slope, each in zip(slopes, dual, strict=True)]
        pull = divergence(*(weight * (step - each) for weight, step, each in zip(weights, steps, dual, strict=True)))
        down, across = (REFLECTANCE * PENALTY * weight**2 for weight in weights)
        reflected = smoothed(logs - light + REFLECTANCE * PENALTY * pull, down, across, reflected)
        reflected = np.minimum(reflected, 0)
        dual = [
            each + weight * np.diff(reflected, axis=axis) - step
            for axis, (each, weight, step) in enumerate(zip(dual, weights, steps, strict=True))
        ]
        before = light
        down, across = (LIGHT * weight**2 for weight in between(np.exp(light)))
        light = smoothed(logs - reflected, down, across, light)
        light = np.maximum(light, logs)
        if float(np.linalg.norm(light - before)) <= CLOSE_ENOUGH * float(np.linalg.norm(before)):
            break
    return np.exp(reflected), np.exp(light)


def between(values: Plane) -> tuple[Plane, Plane]:
    """Return the means of vertical and of horizontal neighbours."""
    half = np.float32(0.5)
    return half * (values[1:] + values[:-1]), half * (values[:, 1:] + values[:, :-1])

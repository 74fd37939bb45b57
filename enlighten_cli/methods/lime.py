"""LIME: divide by an illumination map, refined from the brightest channel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.methods.scipy_parts import scipy_part
from enlighten_cli.methods.weighted_least_squares import divergence, smoothed
from enlighten_cli.photo import Rgb

Plane = NDArray[np.float32]

ALPHA, GAMMA = np.float32(0.15), np.float32(0.8)
WINDOW_DEVIATION_PX, WINDOW_RADIUS_PX = 2.0, 2
FLAT = np.float32(1e-3)  # added to gradients before dividing by them
DARKEST = np.float32(1e-3)  # smallest light to divide by

FIRST_PENALTY, GROWTH, MOST_STEPS = 1.0, 1.15, 100  # of the exact solver
CLOSE_ENOUGH = 1e-4  # tolerance of the primal and the dual residual, relative to the norm of the photo


def lime(rgb: Rgb, *, exact: bool = False) -> Rgb:
    """Divide by an illumination map that is smooth but keeps the scene's edges.

    Parameters
    ----------
    rgb : ndarray
    exact : bool
        Whether the map minimizes the paper's own objective instead of its quadratic approximation.

    Notes
    -----
    Guo, Li and Ling, "LIME: Low-light image enhancement via illumination map estimation", IEEE TIP 2017,
    doi:10.1109/TIP.2016.2639450: the brightest channel; weights by strategy III; the exact solver (by ADMM) or
    the sped-up one; gamma 0.8. The sped-up one is the default, because its map has no flat steps. Which one scores
    better depends on the photos: compare them before you rely on either. The paper's final
    denoising by BM3D is left out: photos are denoised before, if requested.
    """
    observed = rgb.max(axis=2)
    light = exact_light(observed) if exact else sped_up_light(observed)
    return np.asarray((rgb / light.clip(DARKEST, 1)[..., None] ** GAMMA).clip(0, 1))


def sped_up_light(observed: Plane) -> Plane:
    """Minimize |t - observed|^2 + alpha x sum of w (difference of t)^2 / (|difference of observed| + FLAT)."""
    down, across = (
        np.asarray(ALPHA * weights / (np.abs(np.diff(observed, axis=axis)) + FLAT), np.float32)
        for axis, weights in enumerate(structure(observed))
    )
    return smoothed(observed, down, across)


def exact_light(observed: Plane) -> Plane:
    """Minimize |t - observed|^2 + alpha x sum of w |difference of t|.

    Notes
    -----
    The paper's algorithm 1: alternating directions with a growing penalty. Its linear step is solved by cosine
    instead of Fourier transforms, so that opposite borders are not neighbours.
    """
    fft = scipy_part("fft")
    weights = structure(observed)
    rows, columns = (2 - 2 * np.cos(np.pi * np.arange(length) / length) for length in observed.shape)
    bends = (rows[:, None] + columns).astype(np.float32)
    light, penalty = observed, np.float32(FIRST_PENALTY)
    steps = [np.diff(observed, axis=axis) for axis in (0, 1)]  # auxiliary variables for the differences of the light
    dual = [np.zeros_like(each) for each in steps]
    goal = CLOSE_ENOUGH * float(np.linalg.norm(observed))
    for _ in range(MOST_STEPS):
        right = 2 * observed + penalty * divergence(
            *(one - other / penalty for one, other in zip(steps, dual, strict=True))
        )
        light = fft.idctn(fft.dctn(right, norm="ortho") / (2 + penalty * bends), norm="ortho").astype(np.float32)
        slopes = [np.diff(light, axis=axis) for axis in (0, 1)]
        before = steps
        steps = [
            shrunk(slope + each / penalty, ALPHA * weight / penalty)
            for slope, each, weight in zip(slopes, dual, weights, strict=True)
        ]
        apart = [slope - step for slope, step in zip(slopes, steps, strict=True)]
        dual = [each + penalty * gap for each, gap in zip(dual, apart, strict=True)]
        moved = penalty * divergence(*(step - old for step, old in zip(steps, before, strict=True)))
        if max(float(np.linalg.norm(moved)), sum(float(np.vdot(gap, gap)) for gap in apart) ** 0.5) <= goal:
            break
        penalty = np.float32(penalty * GROWTH)
    return np.asarray(light)


def structure(observed: Plane) -> list[Plane]:
    """Return the weights of vertical and horizontal differences: small where they do not cancel in a window."""
    ndimage = scipy_part("ndimage")
    return [
        1 / (np.abs(ndimage.gaussian_filter(slopes, WINDOW_DEVIATION_PX, radius=WINDOW_RADIUS_PX)) + FLAT)
        for slopes in (np.diff(observed, axis=axis) for axis in (0, 1))
    ]


def shrunk(values: Plane, by: Plane | np.float32) -> Plane:
    """Move values towards 0 by `by`, but not past 0 (soft thresholding)."""
    return np.asarray(np.sign(values) * np.maximum(np.abs(values) - by, 0), np.float32)

"""NIQE, the natural image quality evaluator: how far a photo is from undistorted ones."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from math import gamma
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.errors import PhotoError
from enlighten_cli.photo import Pixels

Array: TypeAlias = NDArray[np.float64]

BLOCK_PX = 96
SCALES = 2
WINDOW = 7
SIGMA = WINDOW / 6
# Shifts to a pixel's neighbours: along the row, the column and both diagonals.
NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (-1, 1))
# MATLAB's imresize by 1/2: the cubic kernel (a = -1/2), stretched by two to prevent aliasing,
# at distances of 7/4, 5/4, 3/4 and 1/4.
HALVING = np.array([-0.0234375, -0.0703125, 0.2265625, 0.8671875, 0.8671875, 0.2265625, -0.0703125, -0.0234375]) / 2


def niqe(pixels: Pixels) -> float:
    """Measure how unnatural a photo looks, without a reference; lower is better.

    Parameters
    ----------
    pixels : ndarray, shape (H, W, 3), uint8
        H and W at least 96 pixels.

    Returns
    -------
    float
        Distance between the photo's statistics and those of pristine photos; about 3 to 5 for
        ordinary photos.

    Raises
    ------
    PhotoError
        If the photo is too small, or too flat to have statistics.

    Notes
    -----
    Mittal, Soundararajan and Bovik, "Making a completely blind image quality analyzer", IEEE
    Signal Processing Letters 2013, doi:10.1109/LSP.2012.2227726, equation 10. The pristine
    model is that of the LIVE laboratory's release (University of Texas at Austin).
    """
    height, width = (length // BLOCK_PX * BLOCK_PX for length in pixels.shape[:2])
    if height == 0 or width == 0:
        raise PhotoError(f"NIQE needs {BLOCK_PX} pixels a side, not {pixels.shape[1]} x {pixels.shape[0]}")
    luma = np.round(pixels[:height, :width] @ np.array([0.2989, 0.587, 0.114]))
    features = []
    for scale in range(SCALES):
        features.append(_block_features(_normalised(luma), BLOCK_PX >> scale))
        luma = _halved(luma)
    measured = np.concatenate(features, axis=1)
    measured = measured[np.isfinite(measured).all(axis=1)]
    if len(measured) < 2:
        raise PhotoError("too flat or too small for NIQE")
    mean, covariance = _pristine()
    away = measured.mean(axis=0) - mean
    pooled = (np.cov(measured, rowvar=False) + covariance) / 2
    return float(np.sqrt(away @ np.linalg.pinv(pooled) @ away))


@cache
def _pristine() -> tuple[Array, Array]:
    with files("enlighten_cli.metrics").joinpath("niqe_pristine.npz").open("rb") as file:
        figures = np.load(file, allow_pickle=False)
        return figures["mu_pris_param"].ravel(), figures["cov_pris_param"]


def _normalised(luma: Array) -> Array:
    """Subtract the local mean and divide by the local deviation (equation 1)."""
    mean = _blurred(luma)
    deviation = np.sqrt(np.abs(_blurred(luma * luma) - mean * mean))
    return np.asarray((luma - mean) / (deviation + 1))


def _blurred(luma: Array) -> Array:
    offsets = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-(offsets**2) / (2 * SIGMA**2))
    weights /= weights.sum()
    padded = np.pad(luma, WINDOW // 2, mode="edge")
    height, width = luma.shape
    columns = sum(weight * padded[:, i : i + width] for i, weight in enumerate(weights))
    return np.asarray(sum(weight * columns[i : i + height] for i, weight in enumerate(weights)))


def _halved(luma: Array) -> Array:
    for _ in range(2):  # rows, then, transposed, columns
        padded = np.pad(luma, ((3, 3), (0, 0)), mode="symmetric")
        rows = len(luma)
        luma = np.asarray(sum(weight * padded[i : i + rows : 2] for i, weight in enumerate(HALVING))).T
    return luma


def _block_features(normalised: Array, block_px: int) -> Array:
    """Return the 18 features of each block: (H, W) to (blocks, 18)."""
    rows, columns = (length // block_px for length in normalised.shape)
    blocks = normalised.reshape(rows, block_px, columns, block_px).swapaxes(1, 2).reshape(-1, block_px, block_px)
    shape, _, left, right = _fit_asymmetric_gaussian(blocks)
    features = [shape, (left + right) / 2]
    for shift in NEIGHBOURS:
        features += _fit_asymmetric_gaussian(blocks * np.roll(blocks, shift, axis=(1, 2)))
    return np.stack(features, axis=1)


@cache
def _gammas() -> tuple[Array, Array, Array, Array]:
    """Return the shapes and, for each, the moment ratio and the factors of mean and scale."""
    shapes = np.arange(0.2, 10.0005, 0.001)
    one, two, three = (np.array([gamma(k / shape) for shape in shapes]) for k in (1, 2, 3))
    return shapes, two**2 / (one * three), two / one, np.sqrt(one / three)


def _fit_asymmetric_gaussian(blocks: Array) -> tuple[Array, Array, Array, Array]:
    """Fit an asymmetric generalised Gaussian to each block by its moments (equations 4 to 7).

    Returns the shape, the mean and the left and right scales; NaN where a block is flat.
    """
    values = blocks.reshape(len(blocks), -1)
    squares = values * values
    negative, positive = values < 0, values > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        left = np.sqrt((squares * negative).sum(axis=1) / negative.sum(axis=1))
        right = np.sqrt((squares * positive).sum(axis=1) / positive.sum(axis=1))
        skew = left / right
        ratio = np.abs(values).mean(axis=1) ** 2 / squares.mean(axis=1)
        ratio *= (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    shapes, ratios, means, scales = _gammas()
    flat = ~np.isfinite(ratio)
    # The moment ratio grows with the shape, so bisection finds the nearest.
    above = np.clip(np.searchsorted(ratios, np.where(flat, 0.5, ratio)), 1, len(ratios) - 1)
    nearest = np.where(np.abs(ratios[above - 1] - ratio) <= np.abs(ratios[above] - ratio), above - 1, above)
    left, right = left * scales[nearest], right * scales[nearest]
    return np.where(flat, np.nan, shapes[nearest]), (right - left) * means[nearest], left, right

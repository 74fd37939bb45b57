"""Measure the noise of a photo: its standard deviation as a function of luma."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.photo import LUMA, Pixels, Rgb

Plane = NDArray[np.float32]

BLOCK_PX = 8  # a side
BANDS, BAND_ROWS = 8, 48  # of a large photo: its noise is measured in so many bands of so many rows
QUIET_PART, QUIET_BIAS = (
    0.03,
    0.83,
)  # the quietest part of the blocks holds noise alone, and this much of the mean noise
LEVELS, LEVEL_BLOCKS = 5, 24  # at most so many levels of luma, each with at least so many blocks
MOST_OF_FINE = 2.0  # noise is at most so many times the fine noise; more is texture
STEEPEST = 1.6  # ratio of the noise of neighbouring levels
BLACK, WHITE = 0.25 / 255, 0.96  # blocks with darker or lighter means have clipped noise


@dataclass(frozen=True)
class NoiseCurve:
    """Noise by luma.

    Parameters
    ----------
    lumas : ndarray, shape (K,), rising, range [0, 1]
    deviations : ndarray, shape (K,), range [0, 1]
        Standard deviation of luma's noise at each.
    """

    lumas: Plane
    deviations: Plane

    def at(self, luma: Plane) -> Plane:
        """Return the standard deviation at each luma, interpolated; beyond the ends, constant."""
        return np.interp(luma, self.lumas, self.deviations).astype(np.float32)


NO_NOISE = NoiseCurve(np.zeros(1, np.float32), np.zeros(1, np.float32))


def measure_noise(rgb: Rgb) -> NoiseCurve:
    """Measure the noise of a photo, or of a thumbnail.

    Parameters
    ----------
    rgb : ndarray, shape (H, W, 3), float32, range [0, 1]
        sRGB. Of a large photo, the rows from `sampled` are enough.

    Notes
    -----
    Per level of luma, the deviation within the quietest blocks, less a plane: that holds noise of
    low frequency too, which a demosaic and JPEG leave. Texture is told from noise by the
    operator of Immerkær, "Fast noise variance estimation", CVIU 1996, doi:10.1006/cviu.1996.0060,
    which sees fine noise alone and limits the first; and noise changes slowly with luma, so a
    level that is all texture borrows from its neighbours.
    """
    luma, deviation, fine = _blocks(rgb @ LUMA)
    kept = (luma > BLACK) & (luma < WHITE)
    if kept.sum() < LEVEL_BLOCKS:
        return NO_NOISE
    luma, deviation, fine = luma[kept], deviation[kept], fine[kept]
    order = np.array_split(np.argsort(luma), max(1, min(LEVELS, len(luma) // LEVEL_BLOCKS)))
    lumas = np.array([luma[level].mean() for level in order], np.float32)
    levels = np.array(
        [min(_quiet(deviation[level]), MOST_OF_FINE * _quiet(fine[level])) for level in order], np.float32
    )
    for _ in range(len(levels)):
        neighbours = np.minimum(np.append(levels[1:], levels[-1:]), np.append(levels[:1], levels[:-1]))
        levels = np.minimum(levels, STEEPEST * neighbours)
    return NoiseCurve(lumas, levels)


def sampled(pixels: Pixels, to_srgb: Callable[[Pixels], Rgb]) -> Rgb:
    """Return rows of a photo, bands one below the other, in which its noise is measured: sRGB in [0, 1]."""
    height = len(pixels)
    rows = min(height, BAND_ROWS)
    starts = np.unique(np.linspace(0, height - rows, BANDS).astype(int))
    return np.concatenate([to_srgb(pixels[start : start + rows]).clip(0, 1) for start in starts])


def _quiet(deviations: Plane) -> float:
    return float(np.quantile(deviations, QUIET_PART)) / QUIET_BIAS


def _blocks(luma: Plane) -> Plane:
    """Return the mean, the deviation from a plane and the fine noise of whole blocks: (3, blocks)."""
    rows, columns = (length // BLOCK_PX for length in luma.shape)
    if not rows or not columns:
        return np.empty((3, 0), np.float32)
    whole = luma[: rows * BLOCK_PX, : columns * BLOCK_PX].reshape(rows, BLOCK_PX, columns, BLOCK_PX)
    blocks = whole.transpose(0, 2, 1, 3).reshape(-1, BLOCK_PX, BLOCK_PX)
    mean = blocks.mean(axis=(1, 2))
    places = (np.arange(BLOCK_PX, dtype=np.float32) - (BLOCK_PX - 1) / 2) / BLOCK_PX
    norm = (places**2).sum() * BLOCK_PX
    across, down = blocks.sum(axis=1) @ places, blocks.sum(axis=2) @ places
    total = (blocks**2).sum(axis=(1, 2)) - BLOCK_PX**2 * mean**2 - (across**2 + down**2) / norm
    deviation = np.sqrt(np.maximum(total, 0) / (BLOCK_PX**2 - 3))
    second = blocks[:, :, :-2] - 2 * blocks[:, :, 1:-1] + blocks[:, :, 2:]
    fine = second[:, :-2] - 2 * second[:, 1:-1] + second[:, 2:]
    return np.stack([mean, deviation, np.sqrt((fine**2).mean(axis=(1, 2)) / 36)]).astype(np.float32)

"""Find texture that repeats, such as a printed screen, a fabric or a wall of LEDs: it is not noise."""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Plane: TypeAlias = NDArray[np.float32]
Mask: TypeAlias = NDArray[np.bool_]

WINDOW_PX = 24  # two fill a band of the rows in which noise is measured
LONGEST_PX = 10  # of the periods that are found; slower changes do not count
PROMINENCE = 10  # power of a line over that at half of its frequency, where edges, grain and foliage have more
LEAST = 0.5  # part of the power that is in such lines


def repeating(luma: Plane) -> Mask:
    """Tell in which windows of a photo texture repeats.

    Parameters
    ----------
    luma : ndarray, shape (H, W), float32

    Returns
    -------
    ndarray, shape (H // 24, W // 24), bool
        For each whole window of 24 x 24 pixels.

    Notes
    -----
    The power spectrum of noise is flat or falls, as that of edges and of natural texture does; that of texture that
    repeats has lines. They stand out in the mean spectrum of a window and those around it (Welch 1967,
    doi:10.1109/TAU.1967.1161901).
    """
    rows, columns = (length // WINDOW_PX for length in luma.shape)
    if not rows or not columns:
        return np.zeros((rows, columns), bool)
    windows = luma[: rows * WINDOW_PX, : columns * WINDOW_PX].reshape(rows, WINDOW_PX, columns, WINDOW_PX)
    hann, counts, half = _bins()
    power = np.pad(np.empty((rows, columns, counts.size), np.float32), ((1, 1), (1, 1), (0, 0)))
    for row, each in enumerate(windows.transpose(0, 2, 1, 3), start=1):
        spectrum = np.fft.rfft2((each - each.mean(axis=(1, 2), keepdims=True)) * hann)
        power[row, 1:-1] = (np.abs(spectrum) ** 2).reshape(columns, -1)
    power = power[:-2] + power[1:-1] + power[2:]
    power = power[:, :-2] + power[:, 1:-1] + power[:, 2:]
    is_line = power > PROMINENCE * power[..., half]
    return np.asarray((power * is_line) @ counts > LEAST * (power @ counts))


@cache
def _bins() -> tuple[Plane, Plane, NDArray[np.intp]]:
    """Return a window's weights, which bins of its spectrum count, and where the half of each bin's frequency is."""
    hann = np.hanning(WINDOW_PX + 2)[1:-1].astype(np.float32)
    down, across = np.meshgrid(np.arange(WINDOW_PX), np.arange(WINDOW_PX // 2 + 1), indexing="ij")
    down = np.where(down > WINDOW_PX // 2, down - WINDOW_PX, down)
    counts = (np.hypot(down, across) / WINDOW_PX >= 1 / LONGEST_PX).astype(np.float32)

    half = np.fix(down / 2).astype(int) % WINDOW_PX * across.shape[1] + across // 2
    return np.outer(hann, hann), counts.ravel(), half.ravel()

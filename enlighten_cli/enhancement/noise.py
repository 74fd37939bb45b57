"""Measure the noise of a photo: its standard deviation as a function of luma."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.photo import LUMA, Pixels, Rgb
from enlighten_cli.photo.bands import Span

Plane = NDArray[np.float32]

BLOCK_PX = 8  # a side
BANDS, BAND_ROWS = 8, 48  # of a large photo: its noise is measured in so many bands of so many rows
QUIET_PART, QUIET_BIAS = 0.03, 0.83  # the quietest part of the blocks holds noise alone: this much of the mean noise
LEVELS, LEVEL_BLOCKS = 5, 24  # at most so many levels of luma, each with at least so many blocks
MOST_OF_FINE = 3.0  # noise is at most so many times the fine noise; more is texture
# A JPEG flattens the quietest blocks, which then hold no noise. There the noise is measured in cells of several blocks.
FLATTENED = 0.25 / 255  # the quietest blocks are flattened if their fine noise is below this
CELL_BLOCKS, CELLS_QUIET_PART, FEWEST_CELLS = 3, 0.2, 8
MOST_IN_CELLS = 2 / 255  # more noise would leave no block flat: more is texture
# Blocks of a cell hold nearly the same noise, or some hold none. Between the two it is texture.
MOST_DISPERSED, LEAST_FLAT = 0.3, 0.15  # standard deviation of a cell's blocks, and its least block, over their mean
STEEPEST = 1.6  # ratio of a level's noise to that of the noisier level beside it
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

    def at_most(self, other: NoiseCurve) -> NoiseCurve:
        """Return the smaller noise of two curves, at this one's lumas."""
        return NoiseCurve(self.lumas, np.minimum(self.deviations, other.at(self.lumas)))


NO_NOISE = NoiseCurve(np.zeros(1, np.float32), np.zeros(1, np.float32))


def measure_noise(rgb: Rgb, *, may_be_flattened: bool = False) -> NoiseCurve:
    """Measure the noise of a photo, or of a thumbnail: (H, W, 3) in float32, sRGB in [0, 1]; see `noise_of_luma`."""
    return noise_of_luma(rgb @ LUMA, may_be_flattened=may_be_flattened)


def noise_of_luma(luma: Plane, *, may_be_flattened: bool = False) -> NoiseCurve:
    """Measure the noise of a photo by its luma.

    Parameters
    ----------
    luma : ndarray, shape (H, W), float32, range [0, 1]
        Of a large photo, the rows of `sampled_spans` are enough.
    may_be_flattened : bool
        Whether a JPEG may have flattened blocks: in photos of 8 bits, not in a thumbnail of one.

    Notes
    -----
    Per level of luma, the deviation within the quietest blocks, less a plane: that holds noise of
    low frequency too, which a demosaic and JPEG leave. Texture is told from noise by the
    operator of Immerkær, "Fast noise variance estimation", CVIU 1996, doi:10.1006/cviu.1996.0060,
    which sees fine noise alone and limits the first; and noise changes slowly with luma, so a
    level that is all texture borrows from its neighbours. Where a JPEG left blocks without noise,
    the power within the quieter cells of blocks counts.
    """
    blocks = _blocks(luma)
    kept = _kept(blocks)
    if kept.shape[1] < LEVEL_BLOCKS:
        return NO_NOISE
    order = np.array_split(np.argsort(kept[0]), max(1, min(LEVELS, kept.shape[1] // LEVEL_BLOCKS)))
    lumas = np.array([kept[0, level].mean() for level in order], np.float32)
    measured = [_noise_of_blocks(kept[:, level]) for level in order]
    levels = np.array([noise for noise, _ in measured], np.float32)
    if may_be_flattened and (flattened := np.array([each for _, each in measured])).any():
        cells = _kept(_cells(blocks))
        if cells.shape[1] >= FEWEST_CELLS:
            levels = np.where(flattened, _unflattened(levels, order, kept, cells), levels)
    for _ in range(len(levels) - 1):
        levels = np.minimum(levels, STEEPEST * np.maximum(np.append(levels[1:], 0), np.append(0, levels[:-1])))
    return NoiseCurve(lumas, levels)


def sampled(pixels: Pixels, to_srgb: Callable[[Pixels], Rgb]) -> Rgb:
    """Return rows of a photo, bands one below the other, in which its noise is measured: sRGB in [0, 1]."""
    return np.concatenate([to_srgb(pixels[start:stop]).clip(0, 1) for start, stop in sampled_spans(len(pixels))])


def sampled_spans(height: int) -> list[Span]:
    """Return the bands of a photo in which its noise is measured; they begin with a JPEG's blocks."""
    rows = min(height, BAND_ROWS)
    starts = {(height - rows) * band // (BANDS - 1) // BLOCK_PX * BLOCK_PX for band in range(BANDS)}
    return [(start, start + rows) for start in sorted(starts)]


def _noise_of_blocks(blocks: Plane) -> tuple[float, bool]:
    """Return the noise of blocks of one level of luma, (3, blocks), and whether a JPEG may have flattened them."""
    deviation, fine = (_quantile(each, QUIET_PART) for each in blocks[1:])
    return min(deviation, MOST_OF_FINE * fine) / QUIET_BIAS, deviation < MOST_IN_CELLS and fine < FLATTENED


def _quantile(values: Plane, part: float) -> float:
    """Return a quantile, interpolated linearly, as `numpy.quantile`, which imports all of `numpy.ma` first."""
    return float(np.interp(part * (len(values) - 1), np.arange(len(values)), np.sort(values)))


def _noise_of_cells(luma: Plane, cells: Plane) -> tuple[float, bool]:
    """Return the noise of those cells that have the luma of a level's blocks, and whether it is noise, not texture."""
    nearest = np.argsort(np.abs(cells[0] - luma.mean()))
    count = int(((cells[0] >= luma.min()) & (cells[0] <= luma.max())).sum())
    among = cells[:, nearest[: max(count, FEWEST_CELLS)]]
    limit = _quantile(among[1], CELLS_QUIET_PART)
    _, _, dispersion, least = among[:, among[1] <= limit].mean(axis=1)
    return min(limit, MOST_IN_CELLS), bool(dispersion < MOST_DISPERSED or least < LEAST_FLAT)


def _unflattened(levels: Plane, order: list[NDArray[np.intp]], kept: Plane, cells: Plane) -> Plane:
    """Measure in cells what a JPEG hides in blocks; a level that is all texture has the noise of the nearest other."""
    found = [_noise_of_cells(kept[0, level], cells) for level in order]
    noise = np.array([value for value, _ in found], np.float32)
    known = np.flatnonzero([is_noise for _, is_noise in found])
    if not len(known):
        return levels
    nearest = known[np.abs(np.subtract.outer(np.arange(len(order)), known)).argmin(axis=1)]
    return np.asarray(np.maximum(levels, np.minimum(noise, noise[nearest])), np.float32)


def _kept(parts: Plane) -> Plane:
    """Return the parts, (C, parts), first of which is their luma, whose noise is not cut off."""
    return parts[:, (parts[0] > BLACK) & (parts[0] < WHITE)]


def _cells(blocks: Plane) -> Plane:
    """Return, of whole cells, their mean, their deviation, its dispersion over the blocks and the least: (4, cells)."""
    rows, columns = (length // CELL_BLOCKS for length in blocks.shape[1:])
    whole = blocks[:2, : rows * CELL_BLOCKS, : columns * CELL_BLOCKS]
    parts = (
        whole.reshape(2, rows, CELL_BLOCKS, columns, CELL_BLOCKS)
        .transpose(0, 1, 3, 2, 4)
        .reshape(2, -1, CELL_BLOCKS**2)
    )
    luma, deviation = parts
    mean = deviation.mean(axis=1) + np.float32(1e-6)
    power = np.sqrt((deviation**2).mean(axis=1))
    return np.stack([luma.mean(axis=1), power, deviation.std(axis=1) / mean, deviation.min(axis=1) / mean])


def _blocks(luma: Plane) -> Plane:
    """Return the mean, the deviation from a plane and the fine noise of whole blocks: (3, rows, columns)."""
    rows, columns = (length // BLOCK_PX for length in luma.shape)
    if not rows or not columns:
        return np.empty((3, 0, 0), np.float32)
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
    noise = np.stack([mean, deviation, np.sqrt((fine**2).mean(axis=(1, 2)) / 36)])
    return noise.reshape(3, rows, columns).astype(np.float32)

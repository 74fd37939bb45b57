"""Measure the noise of a photo: its standard deviation as a function of luma."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.enhancement.repetition import WINDOW_PX, Mask, repeating
from enlighten_cli.errors import ModelError
from enlighten_cli.models.store import weights_file
from enlighten_cli.photo import LUMA, Pixels, Rgb
from enlighten_cli.photo.bands import Span

Plane = NDArray[np.float32]

BLOCK_PX = 8  # a side
BANDS, BAND_ROWS = 8, 48  # of a large photo: its noise is measured in so many bands of so many rows
LEVELS, LEVEL_BLOCKS = 5, 24  # at most so many levels of luma, each with at least so many blocks
MEASURES = 3  # of a block: its deviation from a plane, its fine noise, and the deviation of it and the blocks around it
QUANTILES = (0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.75)  # of the blocks of a level
FLAT = 0.25 / 255  # a block with less deviation holds no noise: a JPEG has flattened it
BLACK, WHITE = 0.25 / 255, 0.96  # blocks with darker or lighter means have clipped noise
SOFTENED = 0.1  # steps of 255 added before a logarithm of a block's deviation is taken
NOISE_SOFTENED = 0.3  # the same of the noise
MOST = 1.2  # noise is at most so many times the last quantile of the deviation around a block
METER = "noise_meter.npz"  # in weights/; fitted by training/noise_meter.py


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


@dataclass(frozen=True)
class NoiseMeter:
    """Tells noise from texture by what blocks of several levels of luma look like: a perceptron of three layers.

    Parameters
    ----------
    centre, spread : ndarray, shape (F,)
        Of each feature.
    weights, biases : tuple of ndarray
        Of each layer.
    """

    centre: Plane
    spread: Plane
    weights: tuple[Plane, ...]
    biases: tuple[Plane, ...]

    def __call__(self, statistics: Plane) -> Plane:
        """Return the noise of each level, (levels,), in [0, 1], from `block_statistics`."""
        values = (features(statistics) - self.centre) / self.spread
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values = np.maximum(values @ weight + bias, 0)
        logarithm = (values @ self.weights[-1] + self.biases[-1])[:, 0]
        noise = np.maximum(np.exp2(logarithm) - NOISE_SOFTENED, 0) / 255
        most = MOST * statistics[:, MEASURES * len(QUANTILES)]
        return np.asarray(np.minimum(noise, most), np.float32)

    @classmethod
    def read(cls, path: Path) -> NoiseMeter:
        """Read the file of a meter.

        Raises
        ------
        ModelError
            If it cannot be read or is not one.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as figures:
                layers = range(sum(name.startswith("weight") for name in figures.files))
                weights, biases = (tuple(figures[f"{name}{layer}"] for layer in layers) for name in ("weight", "bias"))
                return cls(figures["centre"], figures["spread"], weights, biases)
        except (OSError, ValueError, KeyError, AttributeError, EOFError, BadZipFile) as error:
            raise ModelError(f"{path}: not a noise meter: {error}") from error


@cache
def package_meter() -> NoiseMeter:
    """Read the package's meter; later calls return the same one.

    Raises
    ------
    ModelError
        If its file is missing or not a meter.
    """
    return NoiseMeter.read(weights_file(METER))


def measure_noise(rgb: Rgb, visible: Mask | None = None) -> NoiseCurve:
    """Measure the noise of a photo, or of a thumbnail: (H, W, 3) in float32, sRGB in [0, 1]; see `noise_of_luma`."""
    return noise_of_luma(rgb @ LUMA, visible)


def noise_of_luma(luma: Plane, visible: Mask | None = None) -> NoiseCurve:
    """Measure the noise of a photo by its luma.

    Parameters
    ----------
    luma : ndarray, shape (H, W), float32, range [0, 1]
        Of a large photo, the rows of `sampled_spans` are enough.
    visible : ndarray, shape (H, W), bool, optional
        Which of the pixels are those of the photo; blocks with any others do not count.

    Notes
    -----
    The quietest blocks of a level of luma hold noise alone, but in small photos even these may be texture, and a JPEG
    flattens some of them. So the noise is read from the distribution of the blocks' deviations, and of their fine noise
    by the operator of Immerkær, "Fast noise variance estimation", CVIU 1996, doi:10.1006/cviu.1996.0060, at this and
    other levels, by a meter that has learned it from photos with noise of known strength. Texture that repeats, which
    that meter did not see, does not count.
    """
    counts = ~_blocks_of(repeating(luma), luma.shape)
    if visible is not None:
        rows, columns = counts.shape
        blocks = visible[: rows * BLOCK_PX, : columns * BLOCK_PX].reshape(rows, BLOCK_PX, columns, BLOCK_PX)
        counts &= blocks.all(axis=(1, 3))
    statistics = block_statistics(luma, counts)
    return NO_NOISE if statistics is None else NoiseCurve(statistics[:, 0], package_meter()(statistics))


def _blocks_of(windows: Mask, shape: tuple[int, ...]) -> Mask:
    """Return for each block of a photo of this shape what was found in the window that it lies in, or beside."""
    rows, columns = (np.arange(length // BLOCK_PX) * BLOCK_PX // WINDOW_PX for length in shape)
    if not windows.size:
        return np.zeros((len(rows), len(columns)), bool)
    last_row, last_column = (length - 1 for length in windows.shape)
    return np.asarray(windows[np.minimum(rows, last_row)[:, None], np.minimum(columns, last_column)])


def block_statistics(luma: Plane, counts: Mask | bool = True) -> Plane | None:
    """Return what the blocks of each level of luma look like: (levels, 25); None if there are too few blocks.

    The mean luma, quantiles of each measure, and the part of the blocks that are flat by each.

    Parameters
    ----------
    luma : ndarray, shape (H, W), float32, range [0, 1]
    counts : ndarray, shape (H // 8, W // 8), bool, optional
        Which blocks count.
    """
    blocks = _blocks(luma)
    if not blocks.size:
        return None
    # A JPEG flattens single blocks where there is noise; where there is texture, whole places are flat.
    counted = np.broadcast_to(np.float32(counts), blocks.shape[1:])
    around = _sum_around(blocks[1] ** 2 * counted) / np.maximum(_sum_around(counted), 1)
    blocks = np.concatenate([blocks, np.sqrt(around)[None]])
    kept = blocks[:, counts & (blocks[0] > BLACK) & (blocks[0] < WHITE)]
    if kept.shape[1] < LEVEL_BLOCKS:
        return None
    order = np.array_split(np.argsort(kept[0]), max(1, min(LEVELS, kept.shape[1] // LEVEL_BLOCKS)))
    return np.stack([_level_statistics(kept[:, level]) for level in order])


def _sum_around(values: Plane) -> Plane:
    """Sum each value and its eight neighbours; beyond the border, those on it are repeated."""
    rows, columns = values.shape
    padded = np.pad(values, 1, mode="edge")
    parts = [padded[row : row + rows, column : column + columns] for row in range(3) for column in range(3)]
    return np.asarray(np.sum(parts, axis=0), np.float32)


def _level_statistics(blocks: Plane) -> Plane:
    lumas, *measures = blocks
    # As `numpy.quantile`, which imports all of `numpy.ma` first.
    positions = np.array(QUANTILES) * (len(lumas) - 1)
    quantiles = [np.interp(positions, np.arange(len(lumas)), np.sort(values)) for values in measures]
    flat = [(values < FLAT).mean() for values in measures]
    return np.concatenate([[lumas.mean()], *quantiles, flat]).astype(np.float32)


def features(statistics: Plane) -> Plane:
    """Return what the meter sees of each level: its own statistics, those of all and of both neighbours."""
    lumas, deviations, flat = np.split(statistics, [1, -MEASURES], axis=1)
    own = np.concatenate([np.log2(255 * lumas + 1), np.log2(255 * deviations + SOFTENED), flat], axis=1)
    everywhere = [np.broadcast_to(each, own.shape) for each in (own.mean(axis=0), own.min(axis=0))]
    darker, lighter = np.concatenate([own[:1], own[:-1]]), np.concatenate([own[1:], own[-1:]])
    return np.concatenate([own, *everywhere, darker, lighter], axis=1).astype(np.float32)


def sampled(pixels: Pixels, to_srgb: Callable[[Pixels], Rgb]) -> Rgb:
    """Return rows of a photo, bands one below the other, in which its noise is measured: sRGB in [0, 1]."""
    return np.concatenate([to_srgb(pixels[start:stop]).clip(0, 1) for start, stop in sampled_spans(len(pixels))])


def sampled_spans(height: int) -> list[Span]:
    """Return the bands of a photo in which its noise is measured; they begin with a JPEG's blocks."""
    rows = min(height, BAND_ROWS)
    starts = {(height - rows) * band // (BANDS - 1) // BLOCK_PX * BLOCK_PX for band in range(BANDS)}
    return [(start, start + rows) for start in sorted(starts)]


def _blocks(luma: Plane) -> Plane:
    """Return the mean, the deviation from a plane and the fine noise of whole blocks: (3, rows, columns)."""
    rows, columns = (length // BLOCK_PX for length in luma.shape)
    if not rows or not columns:
        return np.empty((3, 0, 0), np.float32)
    whole = luma[: rows * BLOCK_PX, : columns * BLOCK_PX].reshape(rows, BLOCK_PX, columns, BLOCK_PX)
    blocks = whole.transpose(0, 2, 1, 3).reshape(-1, BLOCK_PX, BLOCK_PX)
    mean = blocks.mean(axis=(1, 2))
    positions = (np.arange(BLOCK_PX, dtype=np.float32) - (BLOCK_PX - 1) / 2) / BLOCK_PX
    norm = (positions**2).sum() * BLOCK_PX
    across, down = blocks.sum(axis=1) @ positions, blocks.sum(axis=2) @ positions
    total = (blocks**2).sum(axis=(1, 2)) - BLOCK_PX**2 * mean**2 - (across**2 + down**2) / norm
    deviation = np.sqrt(np.maximum(total, 0) / (BLOCK_PX**2 - 3))
    second = blocks[:, :, :-2] - 2 * blocks[:, :, 1:-1] + blocks[:, :, 2:]
    fine = second[:, :-2] - 2 * second[:, 1:-1] + second[:, 2:]
    noise = np.stack([mean, deviation, np.sqrt((fine**2).mean(axis=(1, 2)) / 36)])
    return noise.reshape(3, rows, columns).astype(np.float32)

"""A photo's noise, measured, and how far it forbids to lift contrast."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.photo import LUMA, Pixels, Rgb

# Deviation of the noise over the luma, below which it is not seen once the photo is bright, and from which it is.
# LOL's dark photos, which are noisy, lie mostly above the second, and most others below the first.
NOISE_UNSEEN, NOISE_SEEN = 0.018, 0.036
CONTRAST_OF_NOISY = 0.1  # part of the gain in light that contrast gets where noise would get it too
NOISE_BANDS, NOISE_BAND_ROWS = 8, 50  # of a photo, in which its noise is measured
NOISE_BLOCK_PX, NOISE_BLOCKS = 16, 0.1  # in blocks, of which this part, the smoothest, are taken for noise alone
BLACK, WHITE = 2 / 255, 0.9  # mean luma of blocks whose noise is cut off


def relative_noise(pixels: Pixels, to_srgb: Callable[[Pixels], Rgb]) -> float:
    """Estimate a photo's noise, as a part of its mean luma: what will be seen of it at any brightness.

    Notes
    -----
    The operator of Immerkær, "Fast noise variance estimation", CVIU 1996,
    doi:10.1006/cviu.1996.0060, which no edge and no slope answers, but texture does: hence the
    smoothest blocks. Bands of rows do for the whole.
    """
    height = len(pixels)
    rows = min(height, NOISE_BAND_ROWS)
    starts = np.unique(np.linspace(0, height - rows, NOISE_BANDS).astype(int))
    answers, lights = [], []
    for start in starts:
        luma = to_srgb(pixels[start : start + rows]) @ LUMA
        lights.append(float(luma.mean()))
        if min(luma.shape) >= NOISE_BLOCK_PX + 2:
            second = luma[:, :-2] - 2 * luma[:, 1:-1] + luma[:, 2:]
            answer = np.abs(second[:-2] - 2 * second[1:-1] + second[2:])
            answers.append(np.stack([_blocks(answer), _blocks(luma[1:-1, 1:-1])]))
    if not answers:
        return 0.0
    answer, light = np.concatenate(answers, axis=1)
    whole = (light > BLACK) & (light < WHITE)
    if not whole.any():
        return 0.0
    deviation = float(np.quantile(answer[whole], NOISE_BLOCKS)) * (np.pi / 2) ** 0.5 / 6
    return float(deviation / (sum(lights) / len(lights) + 1 / 255))


def _blocks(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average whole blocks, in any order."""
    rows, columns = (length // NOISE_BLOCK_PX for length in values.shape)
    whole = values[: rows * NOISE_BLOCK_PX, : columns * NOISE_BLOCK_PX]
    means: NDArray[np.float32] = whole.reshape(rows, NOISE_BLOCK_PX, columns, NOISE_BLOCK_PX).mean(axis=(1, 3)).ravel()
    return means


def lifted_contrast(noise: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the part of the gain in light that fine contrast gets, where noise is this part of the light."""
    part = ((noise - NOISE_UNSEEN) / (NOISE_SEEN - NOISE_UNSEEN)).clip(0, 1)
    return np.asarray(1 + part * (CONTRAST_OF_NOISY - 1), np.float32)

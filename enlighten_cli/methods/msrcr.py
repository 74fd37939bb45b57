"""Multi-scale retinex with colour restoration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.methods.scipy_parts import scipy_part
from enlighten_cli.photo import Rgb

SCALES_PX = (15.0, 80.0, 250.0)  # of the surround exp(-distance^2 / scale^2)
COLOUR_GAIN = np.float32(125)
BLACK = np.float32(1 / 512)  # half a step of 255: the smallest light before the logarithm
CLIPPED = 0.01  # part of the values that the stretch clips at each end
FLAT = 1e-3  # a range too small to be stretched


def msrcr(rgb: Rgb) -> Rgb:
    """Compare the logarithm of each pixel with that of its surroundings, at three scales.

    Returns
    -------
    ndarray
        A photo without contrast is returned unchanged.

    Notes
    -----
    Jobson, Rahman and Woodell, "A multiscale retinex for bridging the gap between color images and the human
    observation of scenes", IEEE TIP 1997, doi:10.1109/83.597272. The paper's final gain and offset were tuned
    for its own display. Instead, each channel is stretched until 1 % of it is clipped at each end, as Petro, Sbert
    and Morel propose (IPOL 2014, doi:10.5201/ipol.2014.107).
    """
    observed = np.maximum(rgb, BLACK)
    restored = np.log(COLOUR_GAIN * observed / observed.sum(axis=2, keepdims=True))
    compared = np.stack([_compared(observed[..., channel]) for channel in range(3)], axis=2)
    return _stretched(restored * compared, rgb)


def _compared(observed: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the logarithm of the ratio of light to its surroundings, averaged over the scales."""
    fft = scipy_part("fft")
    waves = fft.dctn(observed, norm="ortho")
    rows, columns = ((np.pi * np.arange(length) / length) ** 2 for length in observed.shape)
    frequency = rows[:, None] + columns
    compared = np.log(observed)
    for scale in SCALES_PX:
        surround = fft.idctn(waves * np.exp(-frequency * scale**2 / 4).astype(np.float32), norm="ortho")
        compared -= np.log(np.maximum(surround, observed.min())) / len(SCALES_PX)
    return np.asarray(compared, np.float32)


def _stretched(values: NDArray[np.float32], rgb: Rgb) -> Rgb:
    """Stretch each channel to [0, 1]; a channel without contrast is taken from the photo."""
    low, high = np.quantile(values, (CLIPPED, 1 - CLIPPED), axis=(0, 1)).astype(np.float32)
    is_flat = high - low < FLAT
    spread = ((values - low) / np.where(is_flat, 1, high - low)).clip(0, 1)
    return np.asarray(np.where(is_flat, rgb, spread), np.float32)

"""The teacher of distillation: what plain arithmetic makes of a dark photo.

A photo is light times what the light falls on (Retinex; Land and McCann 1971). The light is
estimated, its curve lifted, and the photo multiplied by the difference, as in LIME (Guo, Li and
Ling 2017, doi:10.1109/TIP.2016.2639450). Its figures began as those that give dark photos
the mean luma, the contrast and the chroma of well-lit ones, and were then set by looking and by scores: see
benchmarks/experiments.md.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from enlighten_cli.training.networks.generator import luma

LIGHT_RADIUS, LIGHT_EPSILON = 1 / 50, 1e-3  # of the guided filter that estimates the light; part of the photo's side
LEAST_LIGHT = 0.01
MEAN = 0.5  # luma that the curve aims at, and from which on only shadows are lifted
GAMMA_MIN, GAMMA_MAX = 0.4, 1.0
EXPOSURE, EXPOSURE_QUANTILE, EXPOSURE_LEAST = 0.7, 0.99, 0.05  # part of the missing exposure given linearly
SHADOWS, SHADOW_POWER = 2.0, 8  # black gets this much more light, and lighter tones the less the lighter they are
CHROMA, CHROMA_GAIN = 0.55, 8.0  # power of colour, reached where light is lifted by this gain
NOISE, NOISE_RADIUS = 0.16, 1 / 250  # deviation that is smoothed away, after the lift, where the gain is high
NOISE_SIDE_PX = 490  # in photos of this side; in smaller copies noise is averaged, and less of it is left
QUIET_GAIN, LOUD_GAIN = 3.0, 9.0  # gains from which it begins, and from which it is all smoothed away
STEPS = 8


@torch.no_grad()
def retinex_teacher(rgb: Tensor) -> Tensor:
    """Brighten dark photos of one size, without gradients.

    Parameters
    ----------
    rgb : Tensor, shape (N, 3, H, W), range [0, 1]
        Whole photos, reduced or not: how far one is lifted depends on all of it, and windows are
        parts of its size.

    Returns
    -------
    Tensor, shape (N, 3, H, W), range [0, 1]
        On the photos' device, which is never waited for.
    """
    side = math.sqrt(rgb.shape[2] * rgb.shape[3])
    light = _smoothed(luma(rgb), max(1, round(side * LIGHT_RADIUS)), LIGHT_EPSILON).clamp(LEAST_LIGHT, 1)
    some = light[..., ::2, ::2].flatten(1)
    brightest = some.kthvalue(1 + round(EXPOSURE_QUANTILE * (some.shape[1] - 1)), dim=1).values
    exposure = brightest.clamp(EXPOSURE_LEAST, 1).view(-1, 1, 1, 1) ** EXPOSURE

    # The gamma that brings each photo, of which every fourth row and column will do, to the wanted mean.
    low, high = torch.full_like(exposure, GAMMA_MIN), torch.full_like(exposure, GAMMA_MAX)
    few, few_light = rgb[..., ::4, ::4], light[..., ::4, ::4]
    for _ in range(STEPS):
        gamma = (low + high) / 2
        means = luma((few * _gain(few_light, exposure, gamma)).clamp(0, 1)).mean(dim=(1, 2, 3), keepdim=True)
        low, high = torch.where(means < MEAN, low, gamma), torch.where(means < MEAN, gamma, high)
    gain = _gain(light, exposure, (low + high) / 2)

    # Noise is not to be lifted with the shadows.
    loud = ((gain - QUIET_GAIN) / (LOUD_GAIN - QUIET_GAIN)).clamp(0, 1)
    noise = NOISE * min(1, side / NOISE_SIDE_PX)
    smooth = _smoothed(rgb, max(1, round(side * NOISE_RADIUS)), (noise * loud / gain) ** 2)
    lifted = (smooth * gain).clamp(min=0)

    # Nor is colour to be lifted as far as light.
    grey = luma(lifted) + 1e-4
    chroma = CHROMA ** (gain.log() / math.log(CHROMA_GAIN)).clamp(0, 1)
    coloured: Tensor = (grey * ((lifted + 1e-4) / grey) ** chroma).clamp(0, 1)
    return coloured


def _gain(light: Tensor, exposure: Tensor, gamma: Tensor) -> Tensor:
    """Return what the curve multiplies the light by."""
    curved = (light / exposure) ** gamma
    return curved * (1 + SHADOWS * (1 - curved).clamp(min=0) ** SHADOW_POWER) / light


def _smoothed(batch: Tensor, radius_px: int, epsilon: Tensor | float) -> Tensor:
    """Smooth a batch but for its edges: the guided filter, guided by itself.

    He, Sun and Tang 2013, doi:10.1109/TPAMI.2012.213, equations 5, 6 and 8; one scale for all
    channels. `epsilon` is the variance below which a window counts as flat.
    """
    mean = _box_mean(batch, radius_px)
    variance = (_box_mean(batch * batch, radius_px) - mean**2).mean(dim=1, keepdim=True).clamp(min=0)
    scale = variance / (variance + epsilon + 1e-9)
    return _box_mean(scale, radius_px) * batch + _box_mean(mean * (1 - scale), radius_px)


def _box_mean(batch: Tensor, radius_px: int) -> Tensor:
    """Average over windows, smaller at the borders, by running sums."""
    side = 2 * radius_px + 1
    for axis in (2, 3):
        ends = (0, 0) * (3 - axis) + (radius_px + 1, radius_px)
        sums = F.pad(batch, ends).cumsum(axis, dtype=torch.float64)
        length = batch.shape[axis]
        places = torch.arange(length, device=batch.device)
        counts = (places + radius_px + 1).clamp(max=length) - (places - radius_px).clamp(min=0)
        window_sums = sums.narrow(axis, side, length) - sums.narrow(axis, 0, length)
        batch = (window_sums / counts.view((-1, 1) if axis == 2 else (1, -1))).float()
    return batch

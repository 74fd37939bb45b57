"""The teacher of distillation: the mean of four tone curves, each adjusted to the same mean brightness.

Each curve has its own weakness: a gamma looks hazy, a logarithm flat, a fusion of exposures loses global
contrast, a two-scale curve the balance of large regions. Their mean has a smaller error than the best of
them, on dark indoor photos and on backlit ones: see benchmarks/experiments.md.

What the curves have in common is corrected at the end. A photo with bright highlights has a wide dynamic range,
which they all compress too evenly: midtones stay dark, highlights come near white, and local contrast is lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from enlighten_cli.training.cuda_graph import graphed
from enlighten_cli.training.networks.generator import luma

MEAN = 0.5  # target of each curve: the mean luma of the photo
STEPS = 8  # of the bisection that adjusts a curve
SOLVED_SIDE_PX = 28  # side of the copy on which it is adjusted

# A dark photo is exposed first: it is divided by the luma of its highlights (a quantile) to the power EXPOSURE.
HIGHLIGHT, EXPOSURE, LEAST_HIGHLIGHT = 0.99, 0.7, 0.05
HIGHLIGHT_RADIUS, HIGHLIGHT_EPSILON = 1 / 50, 1e-3  # of the guided filter for them; radius relative to the photo's side

GAMMAS = (1.0, 4.0)
LOG_DOUBLINGS = (0.01, 9.0)
FUSED_STOPS, EXPOSURES = (0.0, 7.0), 4
WELL_EXPOSED, SPREAD, SCALES, COARSEST_PX = 0.5, 0.4, 5, 8
KEPT_BALANCE = (1.0, 0.05)  # exponent of the light of large regions; the second value nearly equalizes them
KEPT_SHADING = 0.75  # exponent of the light of smaller regions
REGION, SHADING = (0.4, 2.0), (0.06, 1e-3)  # radius relative to the photo's side, and epsilon in log light
LEAST_LIGHT, KNEE = 0.007, 0.7  # above the knee, highlights are compressed

# The correction for photos with highlights: midtones below the pivot brighter, highlights above it darker, and more
# local contrast, that of luma against its mean in windows of this radius (relative to the side) and epsilon.
TONES, PIVOT = 2.0, 0.65
LOCAL_CONTRAST, LOCAL = 0.4, (0.1, 0.02)

# The factor on chroma up to the lower gain, and what multiplies it from the upper gain on.
CHROMA, CHROMA_LIFTED, LIFTED = 1.2, 0.55, (3.0, 12.0)

Curve = Callable[[Tensor, Tensor], Tensor]  # a photo (N, C, h, w) and one parameter per photo (N, 1, 1, 1) to RGB


@graphed
def teacher(rgb: Tensor) -> Tensor:
    """Brighten dark photos of one size, without gradients.

    Parameters
    ----------
    rgb : Tensor, shape (N, 3, H, W), range [0, 1]
        Whole photos, reduced or not: the brightness depends on the whole photo, and windows scale with
        its size.

    Returns
    -------
    Tensor, shape (N, 3, H, W), range [0, 1]
        On the photos' device.
    """
    highlights = _highlights(rgb)
    exposed = (rgb / highlights**EXPOSURE).clamp(0, 1)
    curves = (
        _set(_gamma, GAMMAS, exposed),
        _set(_logarithm, LOG_DOUBLINGS, exposed),
        _set(_fused, FUSED_STOPS, _linear(exposed)),
        _set(_two_scale, KEPT_BALANCE, _with_regions(rgb)),
    )
    return _coloured(_corrected(torch.stack(curves).mean(dim=0), highlights), rgb)


def _corrected(made: Tensor, highlights: Tensor) -> Tensor:
    """Correct what all curves do to photos with bright highlights, (N, 1, 1, 1): tones and local contrast."""
    light = luma(made)
    radius, epsilon = LOCAL
    side = math.sqrt(light.shape[2] * light.shape[3])
    tones = TONES * light**2 * (1 - light) * (PIVOT - light)
    contrast = LOCAL_CONTRAST * (light - _smoothed(light, max(1, round(side * radius)), epsilon))
    corrected = (light + highlights * (tones + contrast)).clamp(0, 1)
    result: Tensor = (made * corrected / light.clamp(min=1e-3)).clamp(0, 1)
    return result


def _coloured(made: Tensor, rgb: Tensor) -> Tensor:
    """Let chroma grow with the light, but less where the gain is large, because there it is mostly noise."""
    light = luma(made)
    gain = (light + 0.01) / (luma(rgb) + 0.01)
    lower, upper = (math.log(limit) for limit in LIFTED)
    chroma = CHROMA * CHROMA_LIFTED ** ((gain.log() - lower) / (upper - lower)).clamp(0, 1)
    coloured: Tensor = (light + chroma * (made - light)).clamp(0, 1)
    return coloured


def _set(curve: Curve, ends: tuple[float, float], photos: Tensor) -> Tensor:
    """Find by bisection the parameter, between the darker and the brighter end, that gives a mean luma of `MEAN`."""
    side = max(1, round(math.sqrt(photos.shape[2] * photos.shape[3]) / SOLVED_SIDE_PX))
    small = F.avg_pool2d(photos, side)
    darker, brighter = (photos.new_full((len(photos), 1, 1, 1), end) for end in ends)
    for _ in range(STEPS):
        middle = (darker + brighter) / 2
        means = luma(curve(small, middle).clamp(0, 1)).mean(dim=(1, 2, 3), keepdim=True)
        darker, brighter = torch.where(means < MEAN, middle, darker), torch.where(means < MEAN, brighter, middle)
    return curve(photos, (darker + brighter) / 2).clamp(0, 1)


def _highlights(rgb: Tensor) -> Tensor:
    side = math.sqrt(rgb.shape[2] * rgb.shape[3])
    light = _smoothed(luma(rgb), max(1, round(side * HIGHLIGHT_RADIUS)), HIGHLIGHT_EPSILON)
    some = light[..., ::2, ::2].flatten(1)
    brightest = some.kthvalue(1 + round(HIGHLIGHT * (some.shape[1] - 1)), dim=1).values
    return brightest.clamp(LEAST_HIGHLIGHT, 1).view(-1, 1, 1, 1)


def _gamma(rgb: Tensor, gamma: Tensor) -> Tensor:
    return rgb.clamp(min=1e-4) ** (1 / gamma)


def _logarithm(rgb: Tensor, doublings: Tensor) -> Tensor:
    slope = torch.exp2(doublings) - 1
    return torch.log1p(slope * rgb) / torch.log1p(slope)


def _fused(linear: Tensor, stops: Tensor) -> Tensor:
    """Fuse exposures up to `stops` above the photo's (Mertens, Kautz and Van Reeth 2007, doi:10.1109/PG.2007.17)."""
    exposures = [
        _encoded((linear * torch.exp2(stops * number / (EXPOSURES - 1))).clamp(0, 1)) for number in range(EXPOSURES)
    ]
    weights = [
        torch.exp(-((luma(exposure) - WELL_EXPOSED) ** 2) / (2 * SPREAD**2)).clamp(min=1e-6) for exposure in exposures
    ]
    total = torch.stack(weights).sum(dim=0)
    weights = [weight / total for weight in weights]
    details: list[Tensor] = []
    while len(details) < SCALES and min(exposures[0].shape[2:]) >= COARSEST_PX:
        coarser = [_halved(exposure) for exposure in exposures]
        finer = [exposure - _doubled(small, exposure) for exposure, small in zip(exposures, coarser, strict=True)]
        details.append(_weighted(finer, weights))
        exposures, weights = coarser, [_halved(weight) for weight in weights]
    made = _weighted(exposures, weights)
    for detail in reversed(details):
        made = _doubled(made, detail) + detail
    return made


def _weighted(images: list[Tensor], weights: list[Tensor]) -> Tensor:
    return torch.stack([image * weight for image, weight in zip(images, weights, strict=True)]).sum(dim=0)


def _halved(images: Tensor) -> Tensor:
    return F.avg_pool2d(images, 2, ceil_mode=True, count_include_pad=False)


def _doubled(images: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(images, size=like.shape[2:], mode="bilinear", align_corners=False)


def _with_regions(rgb: Tensor) -> Tensor:
    """Append the log light of large and of smaller regions: (N, 5, H, W)."""
    side = math.sqrt(rgb.shape[2] * rgb.shape[3])
    light = (luma(rgb) + LEAST_LIGHT).log()
    large, small = (_smoothed(light, max(1, round(side * part)), epsilon) for part, epsilon in (REGION, SHADING))
    return torch.cat([rgb, large, small], dim=1)


def _two_scale(photos: Tensor, kept_balance: Tensor) -> Tensor:
    """Move the light of large regions towards the mean, and keep most of the shading within them (Retinex)."""
    rgb, large, small = photos[:, :3], photos[:, 3:4], photos[:, 4:]
    target = math.log(MEAN) + kept_balance * (large - math.log(MEAN)) + KEPT_SHADING * (small - large)
    lifted = rgb * (target - small).exp().clamp(min=1)
    return torch.where(lifted < KNEE, lifted, 1 - (1 - KNEE) * torch.exp(-(lifted - KNEE).clamp(min=0) / (1 - KNEE)))


def _linear(rgb: Tensor) -> Tensor:
    return torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def _encoded(linear: Tensor) -> Tensor:
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp(min=1e-9) ** (1 / 2.4) - 0.055)


def _smoothed(batch: Tensor, radius_px: int, epsilon: Tensor | float) -> Tensor:
    """Smooth a batch but keep its edges, by the guided filter with the batch as its own guide.

    He, Sun and Tang 2013, doi:10.1109/TPAMI.2012.213, equations 5, 6 and 8, with one scale for all
    channels. `epsilon` is the variance below which a window counts as flat.
    """
    mean = _box_mean(batch, radius_px)
    variance = (_box_mean(batch * batch, radius_px) - mean**2).mean(dim=1, keepdim=True).clamp(min=0)
    scale = variance / (variance + epsilon + 1e-9)
    return _box_mean(scale, radius_px) * batch + _box_mean(mean * (1 - scale), radius_px)


def _box_mean(batch: Tensor, radius_px: int) -> Tensor:
    """Average over windows, cut off at the borders, by cumulative sums."""
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

"""The teacher of distillation: a fusion of exposures that are simulated from one photo.

Every pixel of the result comes from exposures of the photo itself, each weighed by how well it shows that place. So
contrast, colour and blacks stay those of a photograph, where the mean of several tone curves is a haze.

The range of exposures follows the photo: a dark one is first exposed for its highlights, as a camera would have done;
the longest exposure then shows its darker parts. A photo that is lit well gets hardly any.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from enlighten_cli.training.cuda_graph import graphed
from enlighten_cli.training.data.augmentation import encoded, linear
from enlighten_cli.training.guided_filter import smoothed
from enlighten_cli.training.networks.generator import luma

SHORTER, LONGER = (0.0, 0.5), 6  # exposures: parts of the stops of the first one; number from it on
REGION, REGION_EPSILON = 1 / 28, 1e-3  # of the guided filter for the light of regions; relative to the side
HIGHLIGHT = 0.99  # quantile
SHADOW, LIFTED = 0.05, 0.1  # quantile, and the linear light to which the longest exposure brings it
MIDDLE, LEAST_LIGHT = 0.18, 2.0**-10  # linear light
MOST_STOPS = 6.0
WELL_EXPOSED, SPREAD = 0.5, 0.2  # mean and standard deviation of a good exposure, in each channel, as in the paper
BRIGHT = (0.5, 0.9)  # light of regions from which on less is lifted, and nothing at all
COARSEST_PX = 1  # the pyramid goes all the way: balance between regions is lost where it ends
SIGNAL = 6 / 255  # light of a region at which half of its colour is taken for noise


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

    Notes
    -----
    Mertens, Kautz and Van Reeth, "Exposure fusion", Pacific Graphics 2007, doi:10.1109/PG.2007.17, with good exposure
    as the only weight, of exposures of one photo, as in Hessel and Morel, "An extended exposure fusion and its
    application to single image contrast enhancement", WACV 2020, doi:10.1109/WACV45572.2020.9093643. A channel that
    is clipped weighs next to nothing.
    """
    side = math.sqrt(rgb.shape[2] * rgb.shape[3])
    regions = smoothed(luma(rgb), max(1, round(side * REGION)), REGION_EPSILON)
    first, span = _range(regions)
    light = linear(rgb)
    shorter = [first * part for part in SHORTER]
    longer = [first + span * part for part in torch.linspace(0, 1, LONGER).tolist()]
    exposures = torch.stack([encoded((light * torch.exp2(stops)).clamp(0, 1)) for stops in (*shorter, *longer)])
    good = torch.exp(-((exposures - WELL_EXPOSED) ** 2) / (2 * SPREAD**2)).prod(dim=2, keepdim=True) + 1e-12
    result = _held(fused(exposures, good / good.sum(dim=0)).clamp(0, 1), rgb, regions)
    return _coloured(result, regions)


def _range(regions: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first exposure and the span of all, in stops above the photo's: (N, 1, 1, 1) each.

    The first exposure brings the mean to middle grey, as a camera's meter does, unless highlights would burn.
    """
    white, dark = (linear(_quantile(regions, part)) for part in (HIGHLIGHT, SHADOW))
    mean = linear(regions.mean(dim=(1, 2, 3), keepdim=True))
    to_white, to_grey = (-(light / most).clamp(LEAST_LIGHT, 1).log2() for light, most in ((white, 1), (mean, MIDDLE)))
    first = torch.minimum(to_white, to_grey)
    dark = dark.clamp(min=LEAST_LIGHT) * torch.exp2(first)
    return first, (LIFTED / dark).log2().clamp(0, MOST_STOPS)


def _quantile(values: Tensor, part: float) -> Tensor:
    flat = values.flatten(1)
    return flat.kthvalue(1 + round(part * (flat.shape[1] - 1)), dim=1).values.view(-1, 1, 1, 1)


def fused(exposures: Tensor, weights: Tensor) -> Tensor:
    """Blend exposures in a Laplacian pyramid.

    Parameters
    ----------
    exposures : Tensor, shape (K, N, 3, H, W)
    weights : Tensor, shape (K, N, 1, H, W)
        Their sum over K is 1.

    Returns
    -------
    Tensor, shape (N, 3, H, W)
        May leave [0, 1] a little.
    """
    shape = exposures.shape[:2]
    images, parts = exposures.flatten(0, 1), weights.flatten(0, 1)
    details: list[Tensor] = []

    def blended(layers: Tensor) -> Tensor:
        return (layers * parts).reshape(*shape, *layers.shape[1:]).sum(dim=0)

    while min(images.shape[2:]) > COARSEST_PX:
        coarser = _halved(images)
        details.append(blended(images - _resized(coarser, images)))
        images, parts = coarser, _halved(parts)
    result = blended(images)
    for detail in reversed(details):
        result = _resized(result, detail) + detail
    return result


def _held(result: Tensor, rgb: Tensor, regions: Tensor) -> Tensor:
    """Leave what is bright already as it is: coarse levels of a pyramid lift it with its surroundings."""
    dim, bright = BRIGHT
    part = ((regions - dim) / (bright - dim)).clamp(0, 1)
    return torch.lerp(result, torch.minimum(result, rgb), part * part * (3 - 2 * part))


def _coloured(result: Tensor, regions: Tensor) -> Tensor:
    """Take colour from places so dark that it is noise."""
    light = luma(result)
    signal = regions.clamp(min=0) ** 2
    coloured: Tensor = (light + signal / (signal + SIGNAL**2) * (result - light)).clamp(0, 1)
    return coloured


def _halved(images: Tensor) -> Tensor:
    return F.avg_pool2d(images, 2, ceil_mode=True, count_include_pad=False)


def _resized(images: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(images, size=like.shape[2:], mode="bilinear", align_corners=False)

"""Exposure fusion of longer exposures that are simulated from one photo."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.photo import LUMA, Rgb
from enlighten_cli.photo.colour import encoded_srgb, linear_srgb

STOPS = (0.0, 1.5, 3.0, 4.5)  # of the simulated exposures, above the photo's own
WELL_EXPOSED, SPREAD = 0.5, 0.2  # mean and standard deviation of a good exposure, as in the paper
COARSEST_PX = 8
BINOMIAL = np.array([1, 4, 6, 4, 1], np.float32) / 16  # Burt and Adelson 1983, doi:10.1109/TCOM.1983.1095851

Plane = NDArray[np.float32]


def fusion(rgb: Rgb) -> Rgb:
    """Fuse exposures 0 to 4.5 stops above the photo's, simulated in linear light.

    Notes
    -----
    Mertens, Kautz and Van Reeth, "Exposure fusion", Pacific Graphics 2007, doi:10.1109/PG.2007.17:
    weights are the product of contrast, saturation and good exposure, each with exponent 1;
    exposures are blended in a Laplacian pyramid.
    """
    linear = linear_srgb(rgb)
    exposures = [encoded_srgb((linear * np.float32(2**stops)).clip(0, 1)) for stops in STOPS]
    weights = np.stack([_weight(exposure) for exposure in exposures])
    weights /= weights.sum(axis=0)
    return blended(exposures, list(weights)).clip(0, 1)


def _weight(rgb: Rgb) -> Plane:
    grey = np.pad(rgb @ LUMA, 1, mode="edge")
    contrast = np.abs(grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1])
    saturation = rgb.std(axis=2)
    exposure = np.exp(-((rgb - WELL_EXPOSED) ** 2) / (2 * SPREAD**2)).prod(axis=2)
    return np.asarray(contrast * saturation * exposure + np.float32(1e-12), np.float32)


def blended(images: list[Rgb], weights: list[Plane], *, coarsest_px: int = COARSEST_PX) -> Rgb:
    """Blend each level of the Laplacian pyramid separately.

    Parameters
    ----------
    images : list of ndarray, shape (H, W, 3), float32
    weights : list of ndarray, shape (H, W), float32
        Their sum is 1.
    coarsest_px : int
        The pyramid ends when a side is no longer than this.
    """
    details = []
    while min(images[0].shape[:2]) > coarsest_px:
        coarser = [_halved(image) for image in images]
        shape = images[0].shape[:2]
        finer = [image - _doubled(small, shape) for image, small in zip(images, coarser, strict=True)]
        details.append(_weighted(finer, weights))
        images, weights = coarser, [_halved(weight[..., None])[..., 0] for weight in weights]
    result = _weighted(images, weights)
    for detail in reversed(details):
        result = _doubled(result, detail.shape[:2]) + detail
    return result


def _weighted(images: list[Rgb], weights: list[Plane]) -> Rgb:
    return np.asarray(
        np.sum([image * weight[..., None] for image, weight in zip(images, weights, strict=True)], axis=0)
    )


def _blurred(image: Rgb) -> Rgb:
    for axis in (0, 1):
        margin = [(2, 2) if each == axis else (0, 0) for each in range(3)]
        padded = np.pad(image, margin, mode="edge")
        length, before = image.shape[axis], [slice(None)] * axis
        image = np.zeros_like(image)
        for start, weight in enumerate(BINOMIAL):
            image += weight * padded[(*before, slice(start, start + length))]
    return image


def _halved(image: Rgb) -> Rgb:
    return _blurred(image)[::2, ::2]


def _doubled(image: Rgb, shape: tuple[int, ...]) -> Rgb:
    """Upsample by two, as pyramids do: insert zeros, then blur; weighted, so that borders stay right."""
    spread = np.zeros((*shape[:2], image.shape[2]), np.float32)
    spread[::2, ::2] = image
    known = np.zeros((*shape[:2], 1), np.float32)
    known[::2, ::2] = 1
    return _blurred(spread) / _blurred(known)

"""Analyse a photo on its thumbnail before it is enhanced: exposure, noise, and how much of the light is signal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from enlighten_cli.enhancement.coding_error import coding_error
from enlighten_cli.enhancement.confidence import signal_confidence
from enlighten_cli.enhancement.denoise import Denoising, DenoisingNetwork
from enlighten_cli.enhancement.exposure import Exposure
from enlighten_cli.enhancement.noise import Plane, measure_noise, noise_of_luma, sampled_spans
from enlighten_cli.enhancement.repetition import Mask
from enlighten_cli.enhancement.thumbnail import THUMBNAIL_PIXELS, Reduction, resized
from enlighten_cli.enhancement.transparency import WeightedReduction, opacity_of
from enlighten_cli.enhancement.windows import Planes
from enlighten_cli.models.denoiser import package_denoiser
from enlighten_cli.models.network import Network
from enlighten_cli.photo import LUMA, Photo, Pixels, Rgb, colour_of_photo
from enlighten_cli.photo.bands import Span
from enlighten_cli.photo.photo import full_scale, is_float, spans_of
from enlighten_cli.resources import mapped

NEARLY = 0.999  # all of a thumbnail's pixel, but for rounding


@dataclass(frozen=True)
class Analysis:
    """What the analysis of a photo found.

    Parameters
    ----------
    rgb : ndarray, shape (h, w, 3), float32, range [0, 1]
        Its thumbnail, without the noise that would be visible.
    exposure : Exposure
    confidence : ndarray, shape (h, w, 1), float32, range [0, 1]
        Part of its light that is signal, and may be brightened.
    denoising : Denoising or None
        How the photo is denoised at full size; None if no noise would be visible.
    """

    rgb: Rgb
    exposure: Exposure
    confidence: Planes
    denoising: Denoising | None


def analysed(
    photo: Photo,
    network: Network,
    exposure_pixels: int,
    denoise: float,
    denoiser: Callable[[], DenoisingNetwork] = package_denoiser,
) -> Analysis:
    """Analyse a photo.

    Parameters
    ----------
    photo : Photo
    network : Network
    exposure_pixels : int
        Size, in pixels, of the thumbnail on which the network estimates the exposure.
    denoise : float
        Factor on the measured noise; 0 removes nothing.
    denoiser : callable
        Returns the denoiser; called only if noise would be visible.
    """
    pixels = photo.source
    to_srgb = colour_of_photo(photo).to_srgb
    opacity = opacity_of(photo)
    rgb, sampled_luma = _thumbnail_and_samples(photo, opacity, to_srgb, max(exposure_pixels, THUMBNAIL_PIXELS))
    exposure = Exposure.estimated(rgb, network, exposure_pixels)
    is_whole = rgb.shape[:2] == pixels.shape[:2]
    noise = noise_of_luma(sampled_luma, _visible_samples(opacity))
    # A thumbnail has finer texture, which can be taken for noise, but no more noise than the photo.
    noise_of_thumbnail = noise if is_whole else measure_noise(rgb, _visible(opacity, rgb)).at_most(noise)
    denoising = None
    if denoise:
        gain = exposure.gain()
        of_photo, of_reduced = coding_error(photo), coding_error(photo, photo.height * photo.width / rgb[..., 0].size)
        denoising = Denoising.planned(denoiser, rgb, noise, gain, denoise, of_photo)
        if of_thumbnail := Denoising.planned(denoiser, rgb, noise_of_thumbnail, gain, denoise, of_reduced):
            change = of_thumbnail.change(rgb)
            if denoising:
                coarse = of_thumbnail.coarse_change(rgb, change, photo.height * photo.width)
                denoising = replace(denoising, coarse=coarse)
            rgb = of_thumbnail.coarse_to_fine(rgb, change).clip(0, 1)
    step = 0.0 if is_float(pixels) else 1 / full_scale(pixels)
    # A network that was not trained on reduced photos, as those of others are, is shown as it is.
    trusted = not network.training_pixels
    confidence = np.ones_like(rgb[..., :1]) if trusted else signal_confidence(rgb, noise_of_thumbnail, step)
    return Analysis(rgb, exposure, confidence, denoising)


def _visible_samples(opacity: Plane | None) -> Mask | None:
    """Return which pixels can be seen of the rows in which noise is measured."""
    if opacity is None:
        return None
    return np.concatenate([opacity[first:last] > 0 for first, last in sampled_spans(len(opacity))])


def _visible(opacity: Plane | None, rgb: Rgb) -> Mask | None:
    """Return in which pixels of a thumbnail nothing is hidden."""
    if opacity is None:
        return None
    visible = resized(np.asarray(opacity > 0, np.float32)[..., None], (rgb.shape[1], rgb.shape[0]))
    return np.asarray(visible[..., 0] > NEARLY)


def _thumbnail_and_samples(
    photo: Photo, opacity: Plane | None, to_srgb: Callable[[Pixels], Rgb], most_pixels: float
) -> tuple[Rgb, Plane]:
    """Return a thumbnail, and luma of the rows in which noise is measured, from one pass over a photo."""
    if opacity is None:
        reduction: Reduction | WeightedReduction = Reduction(photo.source, most_pixels)
    else:
        reduction = WeightedReduction(photo.pixels, opacity, most_pixels)
    samples = sampled_spans(photo.height)
    spans = spans_of(photo.height, reduction.band_rows)

    def work(item: tuple[Span, Pixels]) -> list[tuple[int, Plane]]:
        (start, stop), band = item
        reduction.add(start, band)
        return [
            (first, to_srgb(band[max(first - start, 0) : last - start]).clip(0, 1) @ LUMA)
            for first, last in samples
            if first < stop and last > start
        ]

    parts = list(chain.from_iterable(mapped(work, zip(spans, photo.rows(spans), strict=True))))
    luma = [rows for _, rows in sorted(parts, key=lambda part: part[0])]  # a sample's own rows stay in order
    return reduction.thumbnail(to_srgb), np.concatenate(luma)

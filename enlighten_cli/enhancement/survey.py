"""Survey a photo on its thumbnail before it is enhanced: light, noise, and how much of the light is signal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from enlighten_cli.enhancement.coding_error import coding_error
from enlighten_cli.enhancement.denoise import Denoising, DenoisingNetwork
from enlighten_cli.enhancement.judged_light import JudgedLight
from enlighten_cli.enhancement.noise import NoiseCurve, Plane, measure_noise, noise_of_luma, sampled_spans
from enlighten_cli.enhancement.thumbnail import THUMBNAIL_PIXELS, Reduction
from enlighten_cli.enhancement.windows import Planes, box_mean
from enlighten_cli.models.denoiser import package_denoiser
from enlighten_cli.models.network import Network
from enlighten_cli.photo import LUMA, Photo, Pixels, Rgb, colour_of_photo
from enlighten_cli.photo.bands import Span
from enlighten_cli.photo.photo import full_scale, is_float, spans_of
from enlighten_cli.resources import mapped

ROUNDING = np.float32(12**-0.5)  # standard deviation of the rounding error, in steps
DOUBT = np.float32(10)  # weight of the error's variance; where it equals the squared light, half of the change is made
NOISE_LEFT = np.float32(0.3)  # part of the noise that may remain after denoising


@dataclass(frozen=True)
class Survey:
    """What the survey of a photo found.

    Parameters
    ----------
    rgb : ndarray, shape (h, w, 3), float32, range [0, 1]
        Its thumbnail, without the noise that would be visible.
    judged : JudgedLight
    known : ndarray, shape (h, w, 1), float32, range [0, 1]
        Part of its light that is signal, and may be brightened.
    denoising : Denoising or None
        How the photo is denoised at full size; None if no noise would be visible.
    """

    rgb: Rgb
    judged: JudgedLight
    known: Planes
    denoising: Denoising | None


def surveyed(
    photo: Photo,
    network: Network,
    judged_pixels: int,
    denoise: float,
    denoiser: Callable[[], DenoisingNetwork] = package_denoiser,
) -> Survey:
    """Survey a photo.

    Parameters
    ----------
    photo : Photo
    network : Network
    judged_pixels : int
        Size, in pixels, of the thumbnail on which the network judges the light.
    denoise : float
        Factor on the measured noise; 0 removes nothing.
    denoiser : callable
        Returns the denoiser; called only if noise would be visible.
    """
    pixels = photo.pixels
    to_srgb = colour_of_photo(photo).to_srgb
    rgb, sampled_luma = _looked_at(photo, to_srgb, max(judged_pixels, THUMBNAIL_PIXELS))
    judged = JudgedLight.of(rgb, network, judged_pixels)
    is_whole = rgb.shape[:2] == pixels.shape[:2]
    noise = noise_of_luma(sampled_luma)
    # A thumbnail has finer texture, which can be taken for noise, but no more noise than the photo.
    noise_of_thumbnail = noise if is_whole else measure_noise(rgb).at_most(noise)
    denoising = None
    if denoise:
        gain = judged.gain()
        of_photo, of_reduced = coding_error(photo), coding_error(photo, photo.height * photo.width / rgb[..., 0].size)
        denoising = Denoising.planned(denoiser, rgb, noise, gain, denoise, of_photo)
        if of_thumbnail := Denoising.planned(denoiser, rgb, noise_of_thumbnail, gain, denoise, of_reduced):
            change = of_thumbnail.change(rgb)
            if denoising:
                coarse = of_thumbnail.coarse_change(rgb, change, photo.height * photo.width)
                denoising = replace(denoising, coarse=coarse)
            rgb = of_thumbnail.coarse_to_fine(rgb, change).clip(0, 1)
    step = 0.0 if is_float(pixels) else 1 / full_scale(pixels)
    return Survey(rgb, judged, known_part(rgb, noise_of_thumbnail, step), denoising)


def _looked_at(photo: Photo, to_srgb: Callable[[Pixels], Rgb], most_pixels: float) -> tuple[Rgb, Plane]:
    """Return a thumbnail, and luma of the rows in which noise is measured, from one pass over a photo."""
    reduction = Reduction(photo.pixels, most_pixels)
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


def known_part(rgb: Rgb, noise: NoiseCurve, step: float) -> Planes:
    """Return which part of the light is signal, so that black and rounding errors are not lifted to grey.

    Parameters
    ----------
    rgb : ndarray, shape (h, w, 3), float32, range [0, 1]
    noise : NoiseCurve
    step : float
        Difference of neighbouring pixel values: 1/255 or 1/65535; 0 for floats.

    Returns
    -------
    ndarray, shape (h, w, 1), float32, range [0, 1]

    Notes
    -----
    Wiener's gain, signal^2 / (signal^2 + c noise^2), of the mean light in windows: it varies smoothly, so no outlines
    appear.
    """
    light = box_mean(rgb @ LUMA[:, None])
    doubt = DOUBT * ((ROUNDING * np.float32(step)) ** 2 + (NOISE_LEFT * noise.at(light)) ** 2)
    return np.asarray(light**2 / (light**2 + doubt + 1e-12), np.float32)

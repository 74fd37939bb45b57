"""Fast mode: the network sees thumbnails, and a guided filter carries its change to every pixel.

The network sees two thumbnails: a small one, of the size of its training photos, for the light, and a larger one for
detail. In small windows its change is described as enhanced = a x input + b x luma + c. The coefficients a, b and c are
interpolated to full size and applied to every pixel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.enhancement.denoise import STRIP_ROWS, Denoising, DenoisingNetwork, seen_span
from enlighten_cli.enhancement.highlights import hold_highlights
from enlighten_cli.enhancement.judged_light import enhanced_thumbnail
from enlighten_cli.enhancement.survey import surveyed
from enlighten_cli.enhancement.thumbnail import THUMBNAIL_PIXELS, upsampled
from enlighten_cli.enhancement.windows import box_mean, fit_windows
from enlighten_cli.models.denoiser import package_denoiser
from enlighten_cli.models.network import Network
from enlighten_cli.photo import LUMA, Photo, Pixels, Rgb, colour_of_photo
from enlighten_cli.photo.bands import Span
from enlighten_cli.photo.colour import DirectColour
from enlighten_cli.photo.photo import empty_pixels, full_scale, is_float, spans_of
from enlighten_cli.resources import available_cores, give_back_memory

Coefficients: TypeAlias = NDArray[np.float32]

FINISH = np.float32(0.5)  # part of the filter's residual that is added back
DARKEST = np.float32(1 / 255)  # below about this light, a gain cannot be told from rounding and is damped
FLAT = np.float32(3e-3)  # variance below which a window counts as flat: too little contrast to fit its change
TIDIED_SPANS = 32  # after so many, memory is given back
STRIP_PIXELS = 1 << 18  # what a core works on at a time, to stay in its cache


@dataclass(frozen=True)
class Light:
    """Coefficients that brighten a photo of any size: enhanced = scale x input + detail x luma of input + offset.

    Parameters
    ----------
    scale, offset : ndarray, shape (h, w, 3), float32
        Over the reduced photo.
    detail : ndarray, shape (h, w, 1), float32
    """

    scale: Coefficients
    detail: Coefficients
    offset: Coefficients

    def rows(self, start: int, stop: int, height: int, width: int) -> tuple[Rgb, Coefficients, Rgb]:
        """Return the three for some rows of a photo of this size, interpolated bilinearly."""
        scale, detail, offset = (
            upsampled(values, start, stop, height, width) for values in (self.scale, self.detail, self.offset)
        )
        return scale, detail, offset

    def at(self, strength: float, full_scale: int) -> Light:
        """Return the coefficients of the weaker or stronger change, for pixels of this scale."""
        part = np.float32(strength)
        return Light(1 + part * (self.scale - 1), part * self.detail, part * np.float32(full_scale) * self.offset)


def fit_guided_filter(rgb: Rgb, made: Rgb) -> Light:
    """Fit coefficients to what the network did to a thumbnail, to apply them to the whole photo.

    Parameters
    ----------
    rgb, made : ndarray, shape (h, w, 3), float32, range [0, 1]
        Before and after.

    Notes
    -----
    The guided filter, channel by channel, carried to full size as in He and Sun, "Fast guided
    filter", arXiv:1505.00996. The filter fits the change, not the result: where a window is flat,
    the photo's own contrast remains. Two things are added to the published filter. In flat windows,
    the contrast of luma grows with the light, because shadows would look hazy otherwise; the
    contrast of colour does not. And a part of the residual, which the coefficients cannot describe,
    is added back: the network's fine texture.
    """
    fit = fit_windows(rgb, made - rgb, FLAT)
    luma = fit.mean @ LUMA
    more_light = ((fit.slope * fit.mean + fit.offset) @ LUMA) * luma / (luma**2 + DARKEST**2)
    flat = (FLAT / (fit.variance + FLAT)).mean(axis=2)
    detail = (flat * more_light)[..., None]
    scale, offset = 1 + fit.slope, fit.offset - detail * luma[..., None]

    scale, detail, offset = box_mean(scale), box_mean(detail), box_mean(offset)
    described = scale * rgb + detail * (rgb @ LUMA)[..., None] + offset
    offset += FINISH * (made - described)
    return Light(scale, detail, offset)


def enhance(
    photo: Photo,
    network: Network,
    strength: float,
    tell: Callable[[int, int], None],
    denoise: float,
    denoiser: Callable[[], DenoisingNetwork] = package_denoiser,
    *,
    in_place: bool = False,
) -> tuple[Pixels, float]:
    """Enhance a photo by what the network did to its thumbnails.

    Parameters
    ----------
    photo : Photo
    network : Network
    strength : float
        Factor on the change; 0 returns the photo's own pixels.
    tell : callable
        Receives the strips done and their total.
    denoise, denoiser
        As of `survey.surveyed`.
    in_place : bool
        Whether the photo's pixels may be overwritten, to save memory; they are unless noise is removed.

    Returns
    -------
    ndarray
        The photo's new pixels.
    float
        Part of its area from which noise was removed, in [0, 1].
    """
    pixels = photo.pixels
    height, width = pixels.shape[:2]
    colour = colour_of_photo(photo)
    light, denoising = _judged(photo, network, denoise if strength else 0, denoiser)
    overwrites = in_place and denoising is None and pixels.flags.writeable
    bright = pixels if overwrites else empty_pixels(pixels.shape) if photo.bands else np.empty_like(pixels)
    is_direct = denoising is None and isinstance(colour, DirectColour) and pixels.shape[2] == 3
    direct = is_direct and not is_float(pixels)
    if direct:
        light = light.at(strength, full_scale(pixels))

    def brighten(start: int, own: Pixels, clean: Rgb | None) -> None:
        stop = start + len(own)
        if direct:
            _brighten(own, light, bright[start:stop], start, height)
            return
        scale, detail, offset = light.rows(start, stop, height, width)
        before = colour.to_srgb(own)
        seen = before.clip(0, 1) if clean is None else clean
        lifted = scale * seen + detail * (seen @ LUMA)[..., None] + offset
        after = before + np.float32(strength) * (lifted - before.clip(0, 1))
        hold_highlights(after, before)
        bright[start:stop] = colour.changed(own, before, after)

    few_rows = max(1, STRIP_PIXELS // width)

    def work(span: Span, first: int, band: Pixels) -> None:
        clean = None
        if denoising:
            clean = denoising.rows(
                lambda above, below: colour.to_srgb(band[above - first : below - first]).clip(0, 1),
                *(*span, height, width),
            )
        for start in range(*span, few_rows):
            stop = min(start + few_rows, span[1])
            own = band[start - first : stop - first]
            brighten(start, own, None if clean is None else clean[start - span[0] : stop - span[0]])

    spans = spans_of(height, STRIP_ROWS if denoising else few_rows)
    needed = [seen_span(span, height) for span in spans] if denoising else spans
    _in_parallel(work, spans, needed, photo, tell)
    _tidy_up(photo)
    return bright, denoising.extent if denoising else 0.0


def _judged(
    photo: Photo, network: Network, denoise: float, denoiser: Callable[[], DenoisingNetwork]
) -> tuple[Light, Denoising | None]:
    """Return how the light of a photo changes, and how it is denoised before."""
    survey = surveyed(photo, network, network.training_pixels or THUMBNAIL_PIXELS, denoise, denoiser)
    _tidy_up(photo)
    made = enhanced_thumbnail(survey.rgb, network, survey.judged)
    light = fit_guided_filter(survey.rgb, survey.rgb + survey.known * (made - survey.rgb))
    _tidy_up(photo)
    return light, survey.denoising


def _tidy_up(photo: Photo) -> None:
    """Give back memory between two steps for a photo that is large, and whose pixels are not in memory."""
    if photo.bands:
        give_back_memory()


def _in_parallel(
    work: Callable[[Span, int, Pixels], None],
    spans: list[Span],
    needed: list[Span],
    photo: Photo,
    tell: Callable[[int, int], None],
) -> None:
    """Call a function with each span, and the rows that it needs; no more of them at a time than there are cores."""
    tell(0, len(spans))
    cores, pending = available_cores(), deque[Future[None]]()
    with ThreadPoolExecutor(cores) as pool:
        for number, (span, (first, _), band) in enumerate(zip(spans, needed, photo.rows(needed), strict=True)):
            pending.append(pool.submit(work, span, first, band))
            if len(pending) > cores:
                pending.popleft().result()
                tell(number - cores + 1, len(spans))
                if number % TIDIED_SPANS == 0:
                    _tidy_up(photo)
        for done, future in enumerate(pending, start=len(spans) - len(pending) + 1):
            future.result()
            tell(done, len(spans))


def _brighten(pixels: Pixels, light: Light, bright: Pixels, start: int, height: int) -> None:
    """Brighten some rows of sRGB pixels; for most photos the same result in fewer passes over memory.

    A channel at a time, so that all it needs stays in a core's cache.
    """
    rows, width, channels = pixels.shape

    def plane(values: Coefficients, channel: int) -> Rgb:
        return upsampled(values[..., channel : channel + 1], start, start + rows, height, width)[..., 0]

    detail = plane(light.detail, 0) * (pixels @ LUMA)
    for channel in range(channels):
        values = plane(light.scale, channel) * pixels[..., channel]
        values += detail
        values += plane(light.offset, channel)
        hold_highlights(values, pixels[..., channel], full_scale(pixels))
        np.rint(values, out=values)
        np.clip(values, 0, full_scale(pixels), out=values)
        bright[..., channel] = values

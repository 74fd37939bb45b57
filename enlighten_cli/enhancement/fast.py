"""Fast mode: the network sees thumbnails, and a guided filter carries its change to every pixel.

The network sees two thumbnails: a small one, of the size of its training photos, for the light, and a larger one for
detail. In small windows its change is described as enhanced = a x input + b x luma + c. The coefficients a, b and c are
interpolated to full size and applied to every pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.enhancement.denoise import Denoising, DenoisingNetwork, seen_span
from enlighten_cli.enhancement.highlights import hold_highlights
from enlighten_cli.enhancement.judged_light import enhanced_thumbnail
from enlighten_cli.enhancement.survey import surveyed
from enlighten_cli.enhancement.thumbnail import THUMBNAIL_PIXELS, Upsampling, upsampled
from enlighten_cli.enhancement.windows import box_mean, fit_windows
from enlighten_cli.models.denoiser import package_denoiser
from enlighten_cli.models.network import Network
from enlighten_cli.photo import LUMA, Photo, Pixels, Rgb, colour_of_photo
from enlighten_cli.photo.bands import Span
from enlighten_cli.photo.colour import Colour, DirectColour
from enlighten_cli.photo.photo import full_scale, is_float
from enlighten_cli.resources import give_back_memory, mapped

Coefficients: TypeAlias = NDArray[np.float32]

OFFSET, DETAIL = 3, 6  # of the planes of a photo's light; the first three are its scale
FINISH = np.float32(0.5)  # part of the filter's residual that is added back
DARKEST = np.float32(1 / 255)  # below about this light, a gain cannot be told from rounding and is damped
FLAT = np.float32(3e-3)  # variance below which a window counts as flat: too little contrast to fit its change
LARGE_PIXELS = 8_000_000  # from here on, memory is given back early
# What a core works on at a time: as few pixels as stay in its cache, as many as make a call worth its while.
DIRECT_PIXELS, CONVERTED_PIXELS = 1 << 15, 1 << 18


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

    def planes(self, strength: float, full_scale: int) -> Coefficients:
        """Return the scale, offset and detail of the weaker or stronger change, for pixels of this scale: (h, w, 7)."""
        part = np.float32(strength)
        scale, offset = 1 + part * (self.scale - 1), part * np.float32(full_scale) * self.offset
        return np.concatenate([scale, offset, part * self.detail], axis=2)


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


@dataclass(frozen=True)
class Brightened:
    """The rows of a photo, brightened when they are asked for.

    Parameters
    ----------
    photo : Photo
    light : Light
    denoising : Denoising or None
    strength : float
        Factor on the change.
    tell : callable
        Receives the bands done and their total.
    """

    photo: Photo
    light: Light
    denoising: Denoising | None
    strength: float
    tell: Callable[[int, int], None]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        height, width, channels = self.photo.pixels.shape
        return height, width, channels

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return self.photo.pixels.dtype

    @property
    def denoised(self) -> float:
        """Part of the photo's area from which noise is removed, in [0, 1]."""
        return self.denoising.extent if self.denoising else 0.0

    def __call__(self, spans: Iterable[Span]) -> Iterator[Pixels]:
        """Yield these rows, several of them computed at a time."""
        spans = list(spans)
        needed = [seen_span(span, self.photo.height) for span in spans] if self.denoising else spans
        work = self._work()
        items = (
            (span, first, band) for span, (first, _), band in zip(spans, needed, self.photo.rows(needed), strict=True)
        )
        self.tell(0, len(spans))
        for done, bright in enumerate(mapped(lambda item: work(*item), items), start=1):
            self.tell(done, len(spans))
            yield bright

    def _work(self) -> Callable[[Span, int, Pixels], Pixels]:
        """Return what brightens a span, given the first of the rows that it needs, and these."""
        pixels, denoising = self.photo.pixels, self.denoising
        height, width = pixels.shape[:2]
        colour = colour_of_photo(self.photo)
        is_direct = isinstance(colour, DirectColour) and pixels.shape[2] == 3 and not is_float(pixels)
        scale = np.float32(full_scale(pixels))
        planes = self.light.planes(self.strength, int(scale)) if is_direct else None
        unchanged = np.float32(1 - self.strength)
        few_rows = max(1, CONVERTED_PIXELS // width)

        def work(span: Span, first: int, band: Pixels) -> Pixels:
            def read(rows: slice, columns: slice) -> Rgb:
                return colour.to_srgb(band[rows.start - first : rows.stop - first, columns]).clip(0, 1)

            clean = denoising.rows(read, *span, height, width) if denoising else None
            own = band[span[0] - first : span[1] - first]
            bright = np.empty_like(own)
            if planes is not None:
                if clean is not None:
                    clean *= scale
                _brighten(own, clean, Upsampling(planes, *span, height, width), unchanged, bright)
                return bright
            for start in range(0, len(own), few_rows):
                rows = slice(start, min(start + few_rows, len(own)))
                there = span[0] + rows.start, span[0] + rows.stop
                bright[rows] = self._converted(own[rows], None if clean is None else clean[rows], colour, there)
            return bright

        return work

    def _converted(self, own: Pixels, clean: Rgb | None, colour: Colour, span: Span) -> Pixels:
        """Brighten some rows of pixels of any colour space."""
        scale, detail, offset = self.light.rows(*span, *self.shape[:2])
        before = colour.to_srgb(own)
        seen = before.clip(0, 1) if clean is None else clean
        lifted = scale * seen + detail * (seen @ LUMA)[..., None] + offset
        after = before + np.float32(self.strength) * (lifted - before.clip(0, 1))
        hold_highlights(after, before)
        return colour.changed(own, before, after)


def enhance(
    photo: Photo,
    network: Network,
    strength: float,
    tell: Callable[[int, int], None],
    denoise: float,
    denoiser: Callable[[], DenoisingNetwork] = package_denoiser,
) -> Brightened:
    """Find out what is to be done to a photo: what the network does to its thumbnails.

    Parameters
    ----------
    photo : Photo
    network : Network
    strength : float
        Factor on the change; 0 returns the photo's own pixels.
    tell : callable
        Receives the bands done and their total, once the rows are asked for.
    denoise, denoiser
        As of `survey.surveyed`.
    """
    light, denoising = _judged(photo, network, denoise if strength else 0, denoiser)
    return Brightened(photo, light, denoising, strength, tell)


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
    """Give back memory between two steps for a large photo."""
    if photo.height * photo.width >= LARGE_PIXELS:
        give_back_memory()


def _brighten(pixels: Pixels, clean: Rgb | None, planes: Upsampling, unchanged: np.float32, bright: Pixels) -> None:
    """Brighten some rows of sRGB pixels: the same as for any colours, in fewer passes over memory.

    A few rows and one channel at a time, without new memory, so that all it needs stays in a core's cache.
    """
    width = pixels.shape[1]
    white = full_scale(pixels)
    seen = pixels if clean is None else clean
    pieces = planes.pieces(DIRECT_PIXELS)
    buffers = np.empty((5, max(piece[-1][2] - piece[0][1] for piece in pieces), width), np.float32)
    for piece in pieces:
        rows = slice(piece[0][1], piece[-1][2])
        *colours, detail, plane = buffers[:, : rows.stop - rows.start]
        for channel, values in enumerate(colours):
            values[:] = seen[rows, :, channel]
        np.multiply(colours[0], LUMA[0], out=detail)
        for channel in (1, 2):
            detail += np.multiply(colours[channel], LUMA[channel], out=plane)
        planes.into(plane, DETAIL, piece)
        detail *= plane
        for channel, values in enumerate(colours):
            own = pixels[rows, :, channel]
            planes.into(plane, channel, piece)
            if clean is not None and unchanged:
                plane -= unchanged
            values *= plane
            values += detail
            planes.into(plane, OFFSET + channel, piece)
            values += plane
            if clean is not None and unchanged:
                values += unchanged * own
            hold_highlights(values, own, white)
            np.rint(values, out=values)
            np.clip(values, 0, white, out=values)
            bright[rows, :, channel] = values

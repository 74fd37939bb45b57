"""Fast mode: the network saw thumbnails, and the coefficients of a guided filter carry its change to every pixel.

It saw two thumbnails when the photo was planned: a small one, of the size of its training photos, for the exposure, and
a larger one for detail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from enlighten_cli.enhancement.apply import applied
from enlighten_cli.enhancement.denoise import Denoising, seen_span
from enlighten_cli.enhancement.guided_filter import DETAIL, OFFSET, AffineCoefficients
from enlighten_cli.enhancement.highlights import hold_highlights
from enlighten_cli.enhancement.thumbnail import Upsampling
from enlighten_cli.photo import LUMA, Photo, Pixels, Rgb, colour_of_photo
from enlighten_cli.photo.bands import Span
from enlighten_cli.photo.colour import Colour, DirectColour
from enlighten_cli.photo.photo import full_scale, is_float
from enlighten_cli.resources import mapped

# What a core works on at a time: as few pixels as stay in its cache, as many as make a call worth its while.
DIRECT_PIXELS, CONVERTED_PIXELS = 1 << 15, 1 << 18


@dataclass(frozen=True)
class Brightened:
    """The rows of a photo, brightened when they are asked for.

    Parameters
    ----------
    photo : Photo
    coefficients : AffineCoefficients
    denoising : Denoising or None
    strength : float
        Factor on the change; 0 gives the photo's own pixels.
    tell : callable
        Receives the bands done and their total.
    """

    photo: Photo
    coefficients: AffineCoefficients
    denoising: Denoising | None
    strength: float
    tell: Callable[[int, int], None] = lambda done, total: None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.photo.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return self.photo.dtype

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
        pixels, denoising = self.photo.source, self.denoising
        height, width = pixels.shape[:2]
        colour = colour_of_photo(self.photo)
        scale = np.float32(full_scale(pixels))
        planes = self.coefficients.planes(self.strength, int(scale)) if is_direct(self.photo, colour) else None
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
        before = colour.to_srgb(own)
        source = before.clip(0, 1) if clean is None else clean
        lifted = self.coefficients.rows(*span, *self.shape[:2]).lifted(source)
        return colour.changed(own, before, applied(lifted, before, self.strength))


def is_direct(photo: Photo, colour: Colour) -> bool:
    """Tell whether the numbers of a photo are sRGB, so that they need no conversion."""
    return isinstance(colour, DirectColour) and photo.shape[2] == 3 and not is_float(photo.source)


def _brighten(pixels: Pixels, clean: Rgb | None, planes: Upsampling, unchanged: np.float32, bright: Pixels) -> None:
    """Brighten some rows of sRGB pixels: the formula of `applied` and of `lifted`, in fewer passes over memory.

    A few rows and one channel at a time, without new memory, so that all it needs stays in a core's cache.
    """
    width = pixels.shape[1]
    white = full_scale(pixels)
    source = pixels if clean is None else clean
    pieces = planes.pieces(DIRECT_PIXELS)
    buffers = np.empty((5, max(piece[-1][2] - piece[0][1] for piece in pieces), width), np.float32)
    for piece in pieces:
        rows = slice(piece[0][1], piece[-1][2])
        *colours, detail, plane = buffers[:, : rows.stop - rows.start]
        for channel, values in enumerate(colours):
            values[:] = source[rows, :, channel]
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

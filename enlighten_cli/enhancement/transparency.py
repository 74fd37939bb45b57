"""Pixels that cannot be seen count nowhere and stay as they are; others count by their opacity."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.enhancement.thumbnail import Reduction, resized, upsampled
from enlighten_cli.photo import Photo, Pixels, Rgb, as_rgb
from enlighten_cli.photo.photo import full_scale, is_float, spans_of

Plane: TypeAlias = NDArray[np.float32]

CARRIED_PIXELS = 100_000  # of the thumbnail in which colours are carried from visible pixels to others
LEAST = np.float32(1e-4)  # weight of pixels that cannot be seen, whose colours are those of visible ones around
STRIP_ROWS = 256


def opacity_of(photo: Photo) -> Plane | None:
    """Return the opacity of a photo's pixels, (H, W) in [0, 1]; None if it is the same everywhere."""
    if photo.alpha is None or photo.alpha.min() == photo.alpha.max():
        return None
    return as_rgb(photo.alpha).clip(0, 1)


def without_hidden(photo: Photo) -> Photo:
    """Give the pixels that cannot be seen the colours of visible ones around, so that they tell nothing.

    A photo all of whose pixels can be seen is returned as it is.
    """
    opacity = opacity_of(photo)
    if opacity is None or opacity.all():
        return photo
    colours = _carried(photo, opacity)
    pixels = photo.pixels.copy()
    scale = np.float32(full_scale(pixels))
    for start, stop in spans_of(photo.height, STRIP_ROWS):
        hidden = opacity[start:stop] == 0
        there = scale * upsampled(colours, start, stop, photo.height, photo.width)[hidden]
        pixels[start:stop][hidden] = there if is_float(pixels) else np.rint(there)
    return dataclasses.replace(photo, content=pixels)


def with_hidden(enhanced: Photo, photo: Photo) -> Photo:
    """Give an enhanced photo back the pixels of the photo that cannot be seen."""
    assert photo.alpha is not None
    hidden = photo.alpha == 0
    pixels = enhanced.pixels.copy()
    pixels[hidden] = photo.pixels[hidden]
    return dataclasses.replace(enhanced, content=pixels)


class WeightedReduction:
    """A photo reduced band by band, as by `Reduction`, where pixels count by their opacity.

    Parameters
    ----------
    like : ndarray, shape (H, W, C)
        Of the photo's shape and type.
    opacity : ndarray, shape (H, W), float32, range [0, 1]
    most_pixels : float
        About how many pixels the thumbnail will have.
    """

    def __init__(self, like: Pixels, opacity: Plane, most_pixels: float) -> None:
        height, width, channels = like.shape
        self._dtype, self._scale, self._opacity = like.dtype, full_scale(like), opacity
        self._is_float = is_float(like)
        self._reduction = Reduction(np.broadcast_to(np.float32(0), (height, width, channels + 1)), most_pixels)

    @property
    def band_rows(self) -> int:
        """Rows of the photo that a band has, but for the last."""
        return self._reduction.band_rows

    def add(self, start: int, band: Pixels) -> None:
        """Reduce a band that begins with this row of the photo."""
        weight = np.maximum(self._opacity[start : start + len(band), :, None], LEAST)
        self._reduction.add(start, np.concatenate([as_rgb(band).clip(0, 1) * weight, weight], axis=2))

    def thumbnail(self, to_srgb: Callable[[Pixels], Rgb]) -> Rgb:
        """Return the thumbnail, once all bands are added: (h, w, 3) in [0, 1]."""

        def converted(means: Pixels) -> Rgb:
            colours, weight = means[..., :-1] / means[..., -1:], means[..., -1:]
            own = colours if self._is_float else np.rint(colours * self._scale)
            return np.concatenate([to_srgb(own.astype(self._dtype)).clip(0, 1) * weight, weight], axis=2)

        weighted = self._reduction.thumbnail(converted)
        return np.asarray((weighted[..., :-1] / weighted[..., -1:]).clip(0, 1))


def _carried(photo: Photo, opacity: Plane) -> Rgb:
    """Return a thumbnail, in the photo's own colours, in which visible ones are carried to where there are none.

    Ever coarser thumbnails are made, in each of which they reach twice as far (Gortler et al. 1996, "The lumigraph",
    section 3.4, doi:10.1145/237170.237200).
    """
    height, width, channels = photo.pixels.shape
    reduction = Reduction(np.broadcast_to(np.float32(0), (height, width, channels + 1)), CARRIED_PIXELS)
    for start, stop in spans_of(height, reduction.band_rows):
        weight = opacity[start:stop, :, None]
        colours = np.where(weight > 0, as_rgb(photo.pixels[start:stop]).clip(0, 1) * weight, 0)
        reduction.add(start, np.concatenate([colours, weight], axis=2).astype(np.float32))
    levels = [reduction.thumbnail(lambda means: np.asarray(means, np.float32))]
    while levels[-1][..., -1].min() == 0:
        rows, columns = levels[-1].shape[:2]
        levels.append(resized(levels[-1], (-(-columns // 2), -(-rows // 2))))
    carried: Rgb | None = None
    for level in reversed(levels):
        colours, weight = level[..., :-1], level[..., -1:]
        own = colours / np.where(weight > 0, weight, 1)
        if carried is not None:
            rows, columns = level.shape[:2]
            own = np.where(weight > 0, own, upsampled(carried, 0, rows, rows, columns))
        carried = np.asarray(own, np.float32)
    assert carried is not None
    return carried

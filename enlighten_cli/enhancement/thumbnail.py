"""A photo reduced, and planes over it carried back to full size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from enlighten_cli.photo import Pixels, Rgb
from enlighten_cli.photo.photo import is_float

Box: TypeAlias = tuple[float, float, float, float]

BAND_ROWS = 64
THUMBNAIL_PIXELS = 400_000  # of the thumbnail in which the network sees detail


def thumbnail(pixels: Pixels, to_srgb: Callable[[Pixels], Rgb], most_pixels: float = THUMBNAIL_PIXELS) -> Rgb:
    """Reduce a photo, by area, to what the network sees: (h, w, 3) in [0, 1]."""
    reduction = Reduction(pixels, most_pixels)
    for start in range(0, len(pixels), reduction.band_rows):
        reduction.add(start, pixels[start : start + reduction.band_rows])
    return reduction.thumbnail(to_srgb)


class Reduction:
    """A photo reduced band by band, by whole numbers of pixels first.

    Parameters
    ----------
    like : ndarray, shape (H, W, C)
        Of the photo's shape and type.
    most_pixels : float
        About how many pixels the thumbnail will have.
    """

    def __init__(self, like: Pixels, most_pixels: float) -> None:
        height, width, channels = like.shape
        self._size, factor = _reduced_size(like, most_pixels)
        self._factor = max(1, int(factor))
        self._means = np.empty((-(-height // self._factor), -(-width // self._factor), channels), like.dtype)

    @property
    def band_rows(self) -> int:
        """Rows of the photo that a band has, but for the last."""
        return BAND_ROWS * self._factor

    def add(self, start: int, band: Pixels) -> None:
        """Reduce a band that begins with this row of the photo."""
        means = _block_means(band, self._factor) if self._factor > 1 else band
        first = start // self._factor
        self._means[first : first + len(means)] = means

    def thumbnail(self, to_srgb: Callable[[Pixels], Rgb]) -> Rgb:
        """Return the thumbnail, once all bands are added: (h, w, 3) in [0, 1]."""
        return resized(to_srgb(self._means).clip(0, 1), self._size)


def _block_means(pixels: Pixels, factor: int) -> Pixels:
    """Average blocks of factor x factor pixels; those at the right and bottom may be smaller."""
    height, width, channels = pixels.shape
    rows, columns = -(-height // factor), -(-width // factor)
    if pixels.dtype == np.uint8:
        return np.asarray(Image.fromarray(pixels if channels == 3 else pixels[..., 0]).reduce(factor)).reshape(
            rows, columns, channels
        )
    means = np.empty((rows, columns, channels), pixels.dtype)
    for row in range(rows):
        strip = pixels[row * factor : (row + 1) * factor].astype(np.float32)
        strip = (strip.clip(0, 1) if is_float(pixels) else strip).mean(axis=0)  # no lamp outshines what is around it
        starts = np.arange(0, width, factor)
        sizes = np.diff([*starts, width])[:, None]
        mean = np.add.reduceat(strip, starts, axis=0) / sizes
        means[row] = mean if is_float(pixels) else np.rint(mean)
    return means


def _reduced_size(values: NDArray[Any], pixels: float) -> tuple[tuple[int, int], float]:
    """Return the width and height at which as many pixels are left, and what they are reduced by."""
    height, width = values.shape[:2]
    factor = max(1.0, (height * width / pixels) ** 0.5)
    return (max(1, round(width / factor)), max(1, round(height / factor))), factor


def reduced(values: NDArray[np.float32], most_pixels: float) -> Rgb:
    """Reduce planes, (h, w, C) in float32, by area to at most so many pixels."""
    return resized(values, _reduced_size(values, most_pixels)[0])


def resized(
    values: NDArray[np.float32],
    size: tuple[int, int],
    how: Image.Resampling = Image.Resampling.BOX,
    box: Box | None = None,
) -> Rgb:
    """Return planes, (h, w, C) in float32, at another width and height, by area unless told otherwise."""
    if box is None and values.shape[1::-1] == size:
        return values
    planes = [Image.fromarray(values[..., channel]).resize(size, how, box=box) for channel in range(values.shape[2])]
    return np.stack([np.asarray(plane) for plane in planes], axis=-1)


def upsampled(values: NDArray[np.float32], start: int, stop: int, height: int, width: int) -> Rgb:
    """Interpolate some rows of a photo of this size bilinearly."""
    last = values.shape[0] - 1
    places = ((np.arange(start, stop) + 0.5) * (values.shape[0] / height) - 0.5).clip(0, last)
    above = places.astype(int)
    top, bottom = above[0], min(above[-1] + 1, last)
    # Across first, for the few rows that are there; downwards, what lies between two of them is a blend of both.
    across = resized(values[top : bottom + 1], (width, bottom + 1 - top), Image.Resampling.BILINEAR)
    rows = np.empty((stop - start, *across.shape[1:]), np.float32)
    for row in np.unique(above):
        between = slice(*np.searchsorted(above, (row, row + 1)))
        upper, lower = across[row - top], across[min(row, last - 1) + 1 - top] if last else across[0]
        np.multiply.outer((places[between] - row).astype(np.float32), lower - upper, out=rows[between])
        rows[between] += upper
    return rows

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
    size, factor = _reduced_size(pixels, most_pixels)
    whole = max(1, int(factor))
    reduced = _block_means(pixels, whole) if whole > 1 else pixels
    rgb = to_srgb(reduced).clip(0, 1)
    return resized(rgb, size)


def _block_means(pixels: Pixels, factor: int) -> Pixels:
    """Average blocks of factor x factor pixels; those at the right and bottom may be smaller."""
    height, width, channels = pixels.shape
    rows, columns = -(-height // factor), -(-width // factor)
    means = np.empty((rows, columns, channels), pixels.dtype)
    if pixels.dtype == np.uint8:
        for row in range(0, rows, BAND_ROWS):  # Pillow copies what it reduces
            band = pixels[row * factor : (row + BAND_ROWS) * factor]
            reduced = np.asarray(Image.fromarray(band if channels == 3 else band[..., 0]).reduce(factor))
            means[row : row + BAND_ROWS] = reduced.reshape(len(reduced), columns, channels)
        return means
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
    scale = values.shape[0] / height
    box = (0, start * scale, values.shape[1], stop * scale)
    return resized(values, (width, stop - start), Image.Resampling.BILINEAR, box)

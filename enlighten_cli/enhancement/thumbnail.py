"""Thumbnails for the network: one for detail, and a smaller one, of its training size, for the light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from enlighten_cli.enhancement.tiles import padded_index
from enlighten_cli.models.network import Network
from enlighten_cli.photo import LUMA, Pixels, Rgb

Box: TypeAlias = tuple[float, float, float, float]

THUMBNAIL_PIXELS = 400_000  # of the thumbnail in which the network sees detail
GAIN_PIXELS = 3_000  # size at which the gain is smooth
STEP = 1 / 255
LIGHT_PIXELS = 6_000  # size at which the light of both thumbnails is compared


def thumbnail(pixels: Pixels, to_srgb: Callable[[Pixels], Rgb], most_pixels: float = THUMBNAIL_PIXELS) -> Rgb:
    """Reduce a photo, by area, to what the network sees: (h, w, 3) in [0, 1]."""
    size, factor = _reduced_size(pixels, most_pixels)
    whole = max(1, int(factor))
    reduced = _block_means(pixels, whole) if whole > 1 else pixels
    rgb = to_srgb(reduced).clip(0, 1)
    return _resized(rgb, size, Image.Resampling.BOX)


def _block_means(pixels: Pixels, factor: int) -> Pixels:
    """Average blocks of factor x factor pixels; those at the right and bottom may be smaller."""
    if pixels.dtype == np.uint8:
        image = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0])
        reduced = np.asarray(image.reduce(factor))
        return reduced if reduced.ndim == 3 else reduced[..., None]
    height, width, channels = pixels.shape
    rows, columns = -(-height // factor), -(-width // factor)
    means = np.empty((rows, columns, channels), pixels.dtype)
    for row in range(rows):
        strip = pixels[row * factor : (row + 1) * factor].astype(np.float32).mean(axis=0)
        starts = np.arange(0, width, factor)
        sizes = np.diff([*starts, width])[:, None]
        means[row] = np.rint(np.add.reduceat(strip, starts, axis=0) / sizes)
    return means


def _reduced_size(values: NDArray[Any], pixels: float) -> tuple[tuple[int, int], float]:
    """Return the width and height at which as many pixels are left, and what they are reduced by."""
    height, width = values.shape[:2]
    factor = max(1.0, (height * width / pixels) ** 0.5)
    return (max(1, round(width / factor)), max(1, round(height / factor))), factor


def reduced(values: NDArray[np.float32], most_pixels: float) -> Rgb:
    """Reduce planes, (h, w, C) in float32, by area to at most so many pixels."""
    return _resized(values, _reduced_size(values, most_pixels)[0], Image.Resampling.BOX)


def _resized(values: NDArray[np.float32], size: tuple[int, int], how: Image.Resampling, box: Box | None = None) -> Rgb:
    if box is None and values.shape[1::-1] == size:
        return values
    planes = [Image.fromarray(values[..., channel]).resize(size, how, box=box) for channel in range(values.shape[2])]
    return np.stack([np.asarray(plane) for plane in planes], axis=-1)


@dataclass(frozen=True)
class JudgedLight:
    """The light of a photo, as the network judges it on a thumbnail of its training size.

    Parameters
    ----------
    seen, made : ndarray, shape (h, w, 3), float32, range [0, 1]
        That thumbnail, before and after.
    """

    seen: Rgb
    made: Rgb

    @classmethod
    def of(cls, rgb: Rgb, network: Network, judged_pixels: int) -> Self:
        """Judge a photo or a thumbnail of it."""
        seen = reduced(rgb, judged_pixels)
        return cls(seen, _shown(seen, network))

    def gain(self) -> NDArray[np.float32]:
        """Return the factor on the light, 1 or more: (h, w, 1), smooth."""
        seen, made = (reduced(rgb, GAIN_PIXELS) @ LUMA for rgb in (self.seen, self.made))
        return np.maximum((made + STEP) / (seen + STEP), 1)[..., None].astype(np.float32)

    def missing(self, made: Rgb) -> NDArray[np.float32]:
        """Return the difference between the judged light and that of a larger result.

        Parameters
        ----------
        made : ndarray, shape (h, w, 3), float32, range [0, 1]
            The network's result for more pixels.

        Returns
        -------
        ndarray, shape (rows, columns, 3), float32
            Of about `LIGHT_PIXELS` pixels; to be interpolated and added to `made`.
        """
        coarse = reduced(made, LIGHT_PIXELS)
        return _resized(self.made, coarse.shape[1::-1], Image.Resampling.BOX) - coarse


def enhanced_thumbnail(rgb: Rgb, network: Network, judged: JudgedLight) -> Rgb:
    """Enhance a thumbnail: detail as the network sees it there, light as it judged it on the smaller one.

    Parameters
    ----------
    rgb : ndarray, shape (h, w, 3), float32, range [0, 1]
    network : Network
    judged : JudgedLight

    Returns
    -------
    ndarray, shape (h, w, 3), float32, range [0, 1]

    Notes
    -----
    The right brightness depends on the whole photo, which a convolutional network sees only at the scale of its
    training photos. At finer scales its detail is right, but its light is not.
    """
    if judged.seen is rgb:
        return judged.made
    made = _shown(rgb, network)
    if judged.seen.shape == rgb.shape:
        return made
    height, width = rgb.shape[:2]
    return np.asarray((made + upsampled(judged.missing(made), 0, height, height, width)).clip(0, 1))


def _shown(rgb: Rgb, network: Network) -> Rgb:
    height, width = rgb.shape[:2]
    return network(rgb[np.ix_(padded_index(height), padded_index(width))])[:height, :width].clip(0, 1)


def upsampled(values: NDArray[np.float32], start: int, stop: int, height: int, width: int) -> Rgb:
    """Interpolate some rows of a photo of this size bilinearly."""
    scale = values.shape[0] / height
    box = (0, start * scale, values.shape[1], stop * scale)
    return _resized(values, (width, stop - start), Image.Resampling.BILINEAR, box)

"""A photo reduced, and planes over it carried back to full size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from enlighten_cli.models.network import MULTIPLE_PX
from enlighten_cli.photo import Pixels, Rgb
from enlighten_cli.photo.bands import Rows
from enlighten_cli.photo.photo import is_float

# A row of a thumbnail, the photo's first row between it and the next, and the row after the last.
Piece: TypeAlias = list[tuple[int, int, int]]
Box: TypeAlias = tuple[float, float, float, float]

BAND_ROWS = 256  # at most, unless photos are reduced by more
THUMBNAIL_PIXELS = 400_000  # of the thumbnail in which the network sees detail
USUAL_PX = 2_048  # sides up to this are reduced by area alone


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
    like : ndarray, shape (H, W, C), or Rows
        Of the photo's shape and type.
    most_pixels : float
        About how many pixels the thumbnail will have.
    """

    def __init__(self, like: Pixels | Rows, most_pixels: float) -> None:
        height, width, channels = like.shape
        self._size, factor = _reduced_size(like, most_pixels)
        self._factor = max(1, int(factor))
        self._means = np.empty((-(-height // self._factor), -(-width // self._factor), channels), like.dtype)

    @property
    def band_rows(self) -> int:
        """Rows of the photo that a band has, but for the last."""
        return max(1, BAND_ROWS // self._factor) * self._factor

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


def _reduced_size(values: NDArray[Any] | Rows, pixels: float) -> tuple[tuple[int, int], float]:
    """Return the width and height at which as many pixels are left, and what they are reduced by.

    Networks pad a line of pixels to `MULTIPLE_PX`, so a very long one is reduced until that, too, is as many.
    """
    height, width = values.shape[:2]
    longest = max(pixels / MULTIPLE_PX, USUAL_PX)
    factor = max(1.0, (height * width / pixels) ** 0.5, max(height, width) / longest)
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


def cut(values: NDArray[np.float32], box: Box, size: tuple[int, int]) -> Rgb:
    """Return a part of planes over a photo, (h, w, C) in float32, interpolated to a width and height.

    Parameters
    ----------
    values : ndarray, shape (h, w, C), float32
    box : tuple of float
        Left, top, right and bottom of the part, as parts of the photo's width and height.
    size : tuple of int
    """
    height, width = values.shape[:2]
    left, top, right, bottom = box
    inside = (left * width, top * height, min(right * width, width), min(bottom * height, height))
    return resized(values, size, Image.Resampling.BILINEAR, inside)


class Upsampling:
    """Planes over a reduced photo, interpolated bilinearly to some rows of the photo.

    Parameters
    ----------
    values : ndarray, shape (h, w, C), float32
    start, stop : int
        First of the rows, and the one after the last.
    height, width : int
        Of the photo.
    columns : slice, optional
        Only these of its columns, which take less memory.
    """

    def __init__(
        self,
        values: NDArray[np.float32],
        start: int,
        stop: int,
        height: int,
        width: int,
        columns: slice = slice(None),
    ) -> None:
        last = len(values) - 1
        positions = ((np.arange(start, stop) + 0.5) * (len(values) / height) - 0.5).clip(0, last)
        above = np.minimum(positions.astype(int), max(0, last - 1))
        top = int(above[0])
        few = np.ascontiguousarray(values[top : above[-1] + 2].transpose(0, 2, 1))
        # Across first, for the few rows that are there: (rows, C, width). Downwards, rows are blends of two of them.
        self._across = _across(few, width, columns)
        below = (positions - above).astype(np.float32)
        self._parts = np.stack([1 - below, below], axis=1)[:, : len(few)]
        starts = np.flatnonzero(np.diff(above, prepend=-1)).tolist()
        self._between = list(zip((above[starts] - top).tolist(), starts, [*starts[1:], stop - start], strict=True))
        self.shape = (stop - start, values.shape[2], self._across.shape[2])

    def pieces(self, pixels: int) -> list[Piece]:
        """Divide the rows into pieces of about so many pixels."""
        pieces: list[Piece] = [[]]
        for between in self._between:
            if pieces[-1] and (between[2] - pieces[-1][0][1]) * self.shape[2] > pixels:
                pieces.append([])
            pieces[-1].append(between)
        return pieces

    def into(self, out: NDArray[np.float32], channel: int, piece: Piece) -> None:
        """Write a channel of a piece to an array of (rows, width)."""
        self._blend(piece, self._across[:, channel], out)

    def block(self, columns: slice) -> NDArray[np.float32]:
        """Return all channels of some columns: (rows, C, columns)."""
        across = np.ascontiguousarray(self._across[..., columns])
        planes = np.empty((self.shape[0], *across.shape[1:]), np.float32)
        self._blend(self._between, across.reshape(len(across), -1), planes.reshape(len(planes), -1))
        return planes

    def any(self, channel: int) -> bool:
        """Tell whether a channel is other than zero anywhere in these rows."""
        return bool(self._across[:, channel].any())

    def _blend(self, piece: Piece, across: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        first = piece[0][1]
        for row, start, stop in piece:
            np.matmul(self._parts[start:stop], across[row : row + 2], out=out[start - first : stop - first])


def _across(few: NDArray[np.float32], width: int, columns: slice) -> NDArray[np.float32]:
    """Interpolate rows, (rows, C, w), to these columns of this width; by area if they get narrower."""
    last = few.shape[2] - 1
    if width <= last:
        size = (width, len(few))
        planes = [resized(few[:, each, :, None], size, Image.Resampling.BILINEAR) for each in range(few.shape[1])]
        return np.ascontiguousarray(np.concatenate(planes, axis=2)[:, columns].transpose(0, 2, 1))
    positions = ((np.arange(width)[columns] + 0.5) * ((last + 1) / width) - 0.5).clip(0, last)
    left = np.minimum(positions.astype(int), max(0, last - 1))
    between: NDArray[np.float32] = np.take(few, np.minimum(left + 1, last), axis=2)
    at_left = np.take(few, left, axis=2)
    between -= at_left
    between *= (positions - left).astype(np.float32)
    between += at_left
    return between


def upsampled(values: NDArray[np.float32], start: int, stop: int, height: int, width: int) -> Rgb:
    """Interpolate some rows of a photo of this size bilinearly: (rows, width, C)."""
    return np.ascontiguousarray(Upsampling(values, start, stop, height, width).block(slice(None)).transpose(0, 2, 1))

"""`Photo`, the value that passes through the whole tool."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from enlighten_cli.photo.bands import ArrayRows, NotInMemoryError, Rows, Span
from enlighten_cli.photo.location import without_location
from enlighten_cli.photo.metadata import Metadata, Strip

Pixels: TypeAlias = NDArray[np.unsignedinteger[Any] | np.float32]  # uint8, uint16 or float32
Rgb: TypeAlias = NDArray[np.float32]

BAND_ROWS = 256
EIGHT_BITS = np.dtype(np.uint8)
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # of red, green and blue: ITU-R BT.601


@dataclass(frozen=True)
class Coding:
    """How the file was compressed, where a result follows it.

    Parameters
    ----------
    quantisation : tuple of tuple of int
        A JPEG's tables, row by row; empty for other formats.
    subsampling : int
        A JPEG's, in Pillow's numbers: 0 is 4:4:4, 1 is 4:2:2, 2 is 4:2:0.
    progressive : bool
        Of a JPEG.
    lossless : bool
        Of a WebP or JPEG XL.
    tiff_compression : str
        In Pillow's words.
    """

    quantisation: tuple[tuple[int, ...], ...] = ()
    subsampling: int = 0
    progressive: bool = False
    lossless: bool = False
    tiff_compression: str = "tiff_adobe_deflate"


@dataclass(frozen=True)
class Photo:
    """A decoded photo, upright.

    Parameters
    ----------
    content : ndarray, shape (H, W, C), uint8, uint16 or float32, or Rows
        The numbers of the file, or what makes them band by band; C is 3 for RGB and 1 for grey. Floats may leave
        [0, 1].
    format : str
        Pillow's name of the format that the file really had: ``"JPEG"``, ``"PNG"``...
    alpha : ndarray, shape (H, W), of the same type, or None
        Opacity, kept untouched.
    metadata : Metadata
    coding : Coding
    notes : tuple of str
        What could not be kept, as messages for the user.
    denoised : float
        Part of its area from which noise was removed when it was enhanced, in [0, 1].
    """

    content: Pixels | Rows
    format: str
    alpha: Pixels | None = None
    metadata: Metadata = field(default_factory=Metadata)
    coding: Coding = field(default_factory=Coding)
    notes: tuple[str, ...] = ()
    denoised: float = 0.0

    @property
    def is_in_memory(self) -> bool:
        """Whether all pixels are in memory."""
        return isinstance(self.content, np.ndarray)

    @property
    def source(self) -> Rows:
        """What gives the pixels, in memory or not."""
        return ArrayRows(self.content) if isinstance(self.content, np.ndarray) else self.content

    @property
    def pixels(self) -> Pixels:
        """All pixels.

        Raises
        ------
        NotInMemoryError
            If they are made band by band; `whole` has them.
        """
        if isinstance(self.content, np.ndarray):
            return self.content
        raise NotInMemoryError("the photo is made band by band; ask for its rows, or for the whole photo")

    def rows(self, spans: Iterable[Span]) -> Iterator[Pixels]:
        """Yield rows of the pixels.

        Parameters
        ----------
        spans : iterable of tuple of int
            First row, and the row after the last; see `Rows`.
        """
        yield from self.source(spans)

    def whole(self, empty: Callable[[tuple[int, ...], np.dtype[Any]], Pixels] = np.empty) -> Photo:
        """Return the photo with all of its pixels in memory, in an array that `empty` makes."""
        if self.is_in_memory:
            return self
        pixels = empty(self.shape, self.dtype)
        spans = spans_of(self.height, BAND_ROWS)
        for (start, stop), band in zip(spans, self.rows(spans), strict=True):
            pixels[start:stop] = band
        return dataclasses.replace(self, content=pixels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return self.source.dtype

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.shape[0]

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.shape[1]

    @property
    def bits(self) -> int:
        """Bits a channel: 8, 16, or 32 for floats."""
        return 8 * self.dtype.itemsize

    def stripped(self, strip: Strip) -> Photo:
        """Return the photo without places in its metadata, or without metadata other than the colour profile.

        Metadata that cannot be searched for places are removed whole, and that is noted.
        """
        if strip is Strip.NOTHING:
            return self
        if strip is Strip.ALL:
            return dataclasses.replace(self, metadata=Metadata(icc_profile=self.metadata.icc_profile))
        metadata, notes = without_location(self.metadata)
        return dataclasses.replace(self, metadata=metadata, notes=(*self.notes, *notes))


def empty_pixels(shape: tuple[int, ...], dtype: np.dtype[Any] = EIGHT_BITS) -> Pixels:
    """Return pixels to write to; those of 8-bit colours lie in memory as Pillow encodes a JPEG without a copy."""
    if shape[2] == 3 and dtype == EIGHT_BITS:
        return np.zeros((*shape[:2], 4), dtype)[..., :3]
    return np.zeros(shape, dtype)


def spans_of(height: int, rows: int) -> list[Span]:
    """Divide a photo into bands of so many rows; the last may have fewer."""
    return [(start, min(start + rows, height)) for start in range(0, height, rows)]


def full_scale(pixels: Pixels | Rows) -> int:
    """Return the number that stands for 1.0: 255, 65535, or 1 for floats."""
    return 1 if is_float(pixels) else 2 ** (8 * int(pixels.dtype.itemsize)) - 1


def is_float(pixels: Pixels | Rows) -> bool:
    """Tell whether pixels are floats, which are neither rounded nor clamped."""
    return bool(pixels.dtype == np.float32)


def as_rgb(pixels: Pixels) -> Rgb:
    """Return pixels scaled to [0, 1], which floats may leave."""
    return np.asarray(pixels.astype(np.float32) / np.float32(full_scale(pixels)))


def as_pixels(rgb: Rgb) -> NDArray[np.uint8]:
    """Return RGB as 8-bit pixels, clamped and rounded to the nearest."""
    return np.asarray(np.rint(rgb.clip(0, 1) * np.float32(255)), dtype=np.uint8)


def as_eight_bits(pixels: Pixels) -> NDArray[np.uint8]:
    """Return pixels of 8 bits, rounded to the nearest."""
    if pixels.dtype == np.uint8:
        return np.asarray(pixels, dtype=np.uint8)
    if is_float(pixels):
        return as_pixels(np.asarray(pixels, np.float32))
    return np.asarray((pixels.astype(np.uint32) * 255 + 32767) // 65535, dtype=np.uint8)

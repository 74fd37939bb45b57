"""The value that flows through the tool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
Rgb: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Photo:
    """A decoded photo, upright.

    Parameters
    ----------
    pixels : ndarray, shape (H, W, 3), uint8
        RGB as decoded; a grey photo has three equal channels.
    alpha : ndarray, shape (H, W), uint8, or None
        Opacity, kept untouched.
    format : str
        Pillow's name of the format that the file really had: ``"JPEG"``, ``"PNG"``...
    grey : bool
        Whether the photo had one channel; then it is written with one.
    icc_profile, exif, xmp : bytes or None
        Colour profile and metadata; the orientation in them is already applied and reset.
    """

    pixels: Pixels
    format: str
    alpha: Pixels | None = None
    grey: bool = False
    icc_profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def megapixels(self) -> float:
        """Area in millions of pixels."""
        return self.height * self.width / 1e6


def as_rgb(pixels: Pixels) -> Rgb:
    """Return 8-bit pixels as RGB in [0, 1]."""
    return np.asarray(pixels.astype(np.float32) / np.float32(255))


def as_pixels(rgb: Rgb) -> Pixels:
    """Return RGB as 8-bit pixels, clamped and rounded to the nearest."""
    return np.asarray(np.rint(rgb.clip(0, 1) * np.float32(255)), dtype=np.uint8)

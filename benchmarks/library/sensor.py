"""The dark photo of a scene: too little light, a sensor's noise, 8 bits, JPEG; and a plain gain to bring it back."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from enlighten_cli.photo import LUMA, Pixels, Rgb, as_pixels, as_rgb
from enlighten_cli.photo.colour import encoded_srgb, linear_srgb

# Electrons of a pixel at white, and the deviation of reading it: about a larger sensor (APS-C) at ISO 1600.
ELECTRONS_AT_WHITE, READ_NOISE_ELECTRONS = 4000, 2.5
LARGEST_GAIN = 1e4


@dataclass(frozen=True)
class Coding:
    """How a photo was saved: a JPEG's quality and chroma subsampling, in Pillow's numbers."""

    quality: int
    subsampling: int

    def __str__(self) -> str:
        return f"q{self.quality} {('4:4:4', '4:2:2', '4:2:0')[self.subsampling]}"


CODINGS = (Coding(75, 2), Coding(88, 0), Coding(98, 2))


def exposed(light: Rgb, stops: float, coding: Coding | None, seed: int | None) -> Pixels:
    """Return a photo of linear light, so many stops too dark, as 8-bit sRGB; without noise if there is no seed."""
    seen = (light * np.float32(2.0**-stops)).clip(0, None)
    if seed is not None:
        random = np.random.default_rng([seed, 15])
        deviation = np.sqrt(seen * ELECTRONS_AT_WHITE + READ_NOISE_ELECTRONS**2) / ELECTRONS_AT_WHITE
        seen = seen + deviation * random.standard_normal(seen.shape, np.float32)
    pixels = as_pixels(encoded_srgb(seen.clip(0, 1)))
    if coding is None:
        return pixels
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=coding.quality, subsampling=coding.subsampling)
    return np.asarray(Image.open(file).convert("RGB"))


def lifted(pixels: Pixels, mean: float) -> Pixels:
    """Multiply linear light by the one gain that brings mean luma, of encoded sRGB, to this; clipped at white."""
    counts = np.stack([np.bincount(pixels[..., channel].ravel(), minlength=256) for channel in range(3)])
    weights = counts * LUMA[:, None] / counts[0].sum()
    light = linear_srgb(np.arange(256, dtype=np.float32) / 255)

    def table(gain: float) -> Rgb:
        return encoded_srgb((light * np.float32(gain)).clip(0, 1))

    low, high = 1 / LARGEST_GAIN, LARGEST_GAIN
    for _ in range(40):
        middle = (low * high) ** 0.5
        if float((weights * table(middle)).sum()) < mean:
            low = middle
        else:
            high = middle
    return as_pixels(table(high))[pixels]


def mean_luma(pixels: Pixels) -> float:
    """Return the mean luma of 8-bit sRGB, in [0, 1]."""
    return float((as_rgb(pixels) @ LUMA).mean())
